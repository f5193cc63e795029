"""indexes of large tables, made while comments keep coming: events by comment, deliveries on their way by site

Nothing else is in here: outside a transaction a step that is broken off is done again from its beginning.
"""

from alembic import op

from moderation.store.expand import index_while_running

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    index_while_running(op, "ix_events_comment", "events", ["comment_id", "id"])
    index_while_running(op, "ix_deliveries_way", "deliveries", ["site_id", "event_id"], "next_at IS NOT NULL")
