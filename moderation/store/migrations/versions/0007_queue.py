"""the queue with a million comments: an index for each order and filter, and one of the texts"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DBAPIError

from moderation.store.expand import take

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    take(op, "articles", "comments", "hold_reasons", "held_scores")
    op.drop_index("ix_comments_queue_risk", "comments")
    op.create_index("ix_comments_queue_risk", "comments", ["site_id", "status", sa.text("risk DESC"), "id"])
    op.create_index("ix_comments_held_doubt", "comments", ["site_id", sa.text("abs(risk - 0.5)"), "id"],
                    **_where("status = 'held'"))  # fmt: skip
    op.create_index("ix_comments_held_language", "comments", ["site_id", "language", "id"],
                    **_where("status = 'held'"))  # fmt: skip
    op.create_index("ix_comments_escalated", "comments", ["site_id", "status", "id"],
                    sqlite_where=sa.text("escalated = 1"), postgresql_where=sa.text("escalated"))  # fmt: skip
    op.drop_index("ix_comments_assigned", "comments")
    op.create_index("ix_comments_assigned", "comments", ["site_id", "assigned_to", "status", "id"],
                    **_where("assigned_to IS NOT NULL"))  # fmt: skip
    op.create_index("ix_hold_reasons_attribute", "hold_reasons", ["site_id", "attribute", "comment_id"])
    op.create_index("ix_articles_section", "articles", ["site_id", "section", "id"])
    op.create_index("ix_held_scores_waiting", "held_scores",
                    ["site_id", "attribute", sa.text("score DESC"), "comment_id"],
                    **_where("ruled IS NULL"))  # fmt: skip
    if op.get_bind().dialect.name == "postgresql":
        _trigrams_of_postgresql()
    else:
        _trigrams_of_sqlite()


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _trigrams_of_postgresql() -> None:
    """Without the extension, or the right to make it, searches read texts one by one; see docs/operate.md."""
    try:
        with op.get_bind().begin_nested():
            op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DBAPIError:
        return
    # A comment is indexed when it is decided, not when it comes in. The short list of what waits to be merged is read
    # by each search, too.
    op.execute(
        r"CREATE INDEX ix_comments_text ON comments USING gin ((author_name || E'\n' || body) gin_trgm_ops)"
        " WITH (gin_pending_list_limit = 512) WHERE status <> 'pending'"
    )


# Comments have no number of their own that survives a VACUUM, so `comment_texts` gives them one. The index keeps
# trigrams only: no text, no positions. It holds the comments that are not pending: they enter it when they are
# decided, many in one transaction, and an edit, which makes a comment pending, takes its old text out.
_SQLITE = (
    "CREATE TABLE comment_texts (n INTEGER PRIMARY KEY, comment_id VARCHAR(32) NOT NULL UNIQUE)",
    "CREATE VIRTUAL TABLE comment_trigrams USING fts5"
    " (text, content='', columnsize=0, detail=none, tokenize='trigram')",
)
_ADD = """
  INSERT INTO comment_texts (comment_id) VALUES (new.id);
  INSERT INTO comment_trigrams (rowid, text)
    SELECT n, new.author_name || char(10) || new.body FROM comment_texts WHERE comment_id = new.id;
"""
_REMOVE = """
  INSERT INTO comment_trigrams (comment_trigrams, rowid, text)
    SELECT 'delete', n, old.author_name || char(10) || old.body FROM comment_texts WHERE comment_id = old.id;
  DELETE FROM comment_texts WHERE comment_id = old.id;
"""
_CHANGED = "(old.body <> new.body OR old.author_name <> new.author_name)"
_TRIGGERS = {
    "comments_in": ("INSERT", "new.status <> 'pending'", _ADD),
    "comments_decided": ("UPDATE OF status", "old.status = 'pending' AND new.status <> 'pending'", _ADD),
    "comments_edited": ("UPDATE OF status", "old.status <> 'pending' AND new.status = 'pending'", _REMOVE),
    "comments_changed": (
        "UPDATE OF body, author_name",
        f"old.status <> 'pending' AND new.status <> 'pending' AND {_CHANGED}",
        _REMOVE + _ADD,
    ),
    "comments_out": ("DELETE", "old.status <> 'pending'", _REMOVE),
}


def _trigrams_of_sqlite() -> None:
    """Without FTS5 searches read texts one by one."""
    try:
        op.execute(_SQLITE[1])
    except DBAPIError:
        return
    op.execute(_SQLITE[0])
    op.execute("INSERT INTO comment_texts (comment_id) SELECT id FROM comments WHERE status <> 'pending' ORDER BY id")
    op.execute(
        "INSERT INTO comment_trigrams (rowid, text) SELECT n, author_name || char(10) || body"
        " FROM comment_texts JOIN comments ON comments.id = comment_texts.comment_id"
    )
    for name, (event, condition, body) in _TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name} AFTER {event} ON comments WHEN {condition} BEGIN{body}END")
