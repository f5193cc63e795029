"""which of a site's pages asked about a text, and what was answered"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("checks", sa.Column("blog", sa.Text(), nullable=True))
    op.add_column("checks", sa.Column("answer", sa.String(8), nullable=True))
