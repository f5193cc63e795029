"""secrets over time: when a site key was last used; the webhook secret of before, until its end"""

import sqlalchemy as sa
from alembic import op

from moderation.store.expand import take

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    take(op, "site_keys", "sites")
    op.add_column("site_keys", sa.Column("used_at", sa.BigInteger(), nullable=True))
    op.add_column("sites", sa.Column("former_webhook_secret", sa.Text(), nullable=True))
    op.add_column("sites", sa.Column("former_webhook_secret_until", sa.BigInteger(), nullable=True))
