"""Rows of the outbox: what a site must hear, written in the transaction that made it true."""

from typing import Any

from moderation.services.rulings import Subject
from moderation.store.session import new_id
from moderation.store.tables import Comment

REPORT_CLOSED = "report.closed"
APPEAL_DECIDED = "appeal.decided"


def event_row(
    comment: Comment | Subject,
    type: str,
    data: dict[str, Any],
    now: int,
    *,
    decision_id: str | None = None,
    delay_ms: int = 0,
    webhook: bool = True,
) -> dict[str, Any]:
    """One row of the outbox, not released yet."""
    return {
        "id": new_id(), "site_id": comment.site_id, "comment_id": comment.id, "decision_id": decision_id,
        "type": type, "occurred_at": now, "release_at": now + delay_ms, "position": None, "webhook": webhook,
        "data": data,
    }  # fmt: skip
