"""indexes of large tables, made while comments keep coming: by address

Nothing else is in here: outside a transaction a step that is broken off is done again from its beginning.
"""

from alembic import op

from moderation.store.expand import index_while_running

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    index_while_running(op, "ix_comments_ip", "comments", ["site_id", "ip", "id"], "ip IS NOT NULL")
