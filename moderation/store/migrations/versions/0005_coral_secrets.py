"""the secrets with which a site's Coral signs"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("sites", sa.Column("coral_secrets", _JSON, nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("sites", "coral_secrets")
