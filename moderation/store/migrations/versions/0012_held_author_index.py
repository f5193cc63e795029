"""held comments by their author's name: a search for it brought everybody whose name contains that one

Nothing else is in here: outside a transaction a step that is broken off is done again from its beginning.
"""

from alembic import op

from moderation.store.expand import index_while_running

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    index_while_running(op, "ix_comments_held_author", "comments", ["site_id", "author_name", "id"], "status = 'held'")
