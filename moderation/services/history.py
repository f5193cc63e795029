"""Which decision really stands: an undo is a decision that points at what it restored."""

from collections.abc import Iterable
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from moderation.services.rulings import Made
from moderation.store.tables import Comment, Decision

D = TypeVar("D", bound=Decision | Made)


def in_effect(session: Session, decision: D) -> D | Decision:
    """The decision that an undo restored, as it was first made; any other decision is itself."""
    found: D | Decision = decision
    while found.undoes:
        undone = session.get_one(Decision, found.undoes)
        found = session.get_one(Decision, undone.replaces)
    return found


def standing(session: Session, comment: Comment) -> Decision | None:
    """The decision in effect on a comment; None while it waits for one."""
    decision = session.get(Decision, comment.decision_id) if comment.decision_id else None
    return in_effect(session, decision) if decision else None


def standing_signals(session: Session, comments: Iterable[Comment]) -> dict[str, list[dict[str, Any]]]:
    """By id of the comment: the signals of its decision, which an undo takes over from what it restores."""
    stands = [comment.decision_id for comment in comments if comment.decision_id]
    if not stands:
        return {}
    rows = session.execute(select(Decision.comment_id, Decision.signals).where(Decision.id.in_(stands)))
    return {row[0]: row[1] for row in rows}
