"""a verdict without scores may be followed by one with"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_VERDICT = "uq_decisions_one_verdict"


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    op.drop_index(_VERDICT, "decisions")
    op.create_index(
        _VERDICT, "decisions", ["comment_id", "revision"], unique=True,
        **_where("source = 'policy' AND replaces IS NULL"),
    )  # fmt: skip
    op.create_index(
        "uq_decisions_one_rescoring", "decisions", ["replaces"], unique=True,
        **_where("source = 'policy' AND replaces IS NOT NULL"),
    )  # fmt: skip
    op.create_index(
        "ix_decisions_not_scored", "decisions", ["comment_id"], **_where("source = 'policy' AND scorer IS NULL")
    )


def downgrade() -> None:
    op.drop_index("ix_decisions_not_scored", "decisions")
    op.drop_index("uq_decisions_one_rescoring", "decisions")
    op.drop_index(_VERDICT, "decisions")
    # Fails where a comment was rescored: the older program knows no second verdict.
    op.create_index(_VERDICT, "decisions", ["comment_id", "revision"], unique=True, **_where("source = 'policy'"))
