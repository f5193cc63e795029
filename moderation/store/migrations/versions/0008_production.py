"""production: keys that end, lock-down, slow mode, traps, fingerprints of texts, bad domains, the list of erasures

Only adds, with defaults in the database: programs of the version before go on working beside it.
"""

import sqlalchemy as sa
from alembic import op

from moderation.store.expand import take

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    take(op, "site_keys", "sites", "articles", "comments")
    op.add_column("site_keys", sa.Column("expires_at", sa.BigInteger(), nullable=True))
    op.add_column("sites", sa.Column("hold_all", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("articles", sa.Column("slow_seconds", sa.BigInteger(), nullable=True))
    op.add_column("comments", sa.Column("trapped", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("comments", sa.Column("deaths", sa.BigInteger(), nullable=False, server_default="0"))
    _abuse()
    _privacy()
    _compatibility()


def _abuse() -> None:
    op.create_table(
        "fingerprints",
        sa.Column("comment_id", sa.String(32), nullable=False),
        sa.Column("band", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.String(32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("comment_id", "band", name=op.f("pk_fingerprints")),
        sa.ForeignKeyConstraint(["comment_id"], ["comments.id"], name=op.f("fk_fingerprints_comment_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_fingerprints_site_id")),
    )
    op.create_index("ix_fingerprints_band", "fingerprints", ["site_id", "band", "at"])
    op.create_index("ix_fingerprints_at", "fingerprints", ["at"])
    op.create_table(
        "bad_domains",
        sa.Column("site_id", sa.String(32), nullable=False),
        sa.Column("domain", sa.String(253), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "domain", name=op.f("pk_bad_domains")),
    )


def _privacy() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("site_id", sa.String(32), nullable=False),
        sa.Column("author_hash", sa.String(64), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_erasures_site_id")),
    )
    op.create_index("ix_erasures_site_id", "erasures", ["site_id"])


def _compatibility() -> None:
    """The oldest version of a program that can work on this schema; a migration that contracts it sets its own here."""
    table = op.create_table("compatibility", sa.Column("oldest", sa.String(32), primary_key=True))
    op.bulk_insert(table, [{"oldest": "0008"}])
