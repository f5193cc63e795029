"""What is known here of a comment's author: what they wrote, what became of it, and who ruled on it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Outcome, Source, Status
from moderation.store.people import Moderator
from moderation.store.tables import Comment, Decision

_SHOWN = 5
# Rulings are looked for on this many of the author's newest comments: some authors have a hundred thousand.
_LOOKED_THROUGH = 200


@dataclass(frozen=True)
class EarlierRuling:
    """What a person decided on another comment of this author. `by` is None where it is not known."""

    decision: Decision
    by: str | None
    comment: Comment


@dataclass(frozen=True)
class AuthorRecord:
    """`counts` are of the author's other comments by status; `others` are the newest of these."""

    counts: dict[str, int]
    others: Sequence[Comment]
    rulings: Sequence[EarlierRuling]

    @property
    def before(self) -> int:
        """How many other comments there are."""
        return sum(self.counts.values())

    @property
    def decided(self) -> int:
        """How many of them were approved or rejected."""
        return self.counts.get(Status.APPROVED, 0) + self.counts.get(Status.REJECTED, 0)

    @property
    def approval(self) -> float | None:
        """The share of approved ones in those that were decided, 0..1; None when there is none."""
        return self.counts.get(Status.APPROVED, 0) / self.decided if self.decided else None


def author_record(session: Session, comment: Comment) -> AuthorRecord:
    """The record of whoever wrote this comment, this comment left out."""
    theirs = (
        (Comment.site_id == comment.site_id) & (Comment.author_key == comment.author_key) & (Comment.id != comment.id)
    )
    newest = select(Comment).where(theirs).order_by(Comment.id.desc()).limit(_SHOWN)
    return AuthorRecord(
        counts=_counts(session, comment),
        others=session.scalars(newest).all(),
        rulings=_rulings(session, theirs),
    )


def _counts(session: Session, comment: Comment) -> dict[str, int]:
    """All of the author's but this one. An index alone counts all, and could not leave one out."""
    of_author = (Comment.site_id == comment.site_id) & (Comment.author_key == comment.author_key)
    query = select(Comment.status, func.count()).where(of_author).group_by(Comment.status)
    counts = {row[0]: row[1] - (row[0] == comment.status) for row in session.execute(query)}
    return {status: count for status, count in counts.items() if count > 0}


def _rulings(session: Session, theirs: ColumnElement[bool]) -> list[EarlierRuling]:
    recent = select(Comment.id).where(theirs).order_by(Comment.id.desc()).limit(_LOOKED_THROUGH).scalar_subquery()
    undone = select(Decision.undoes).where(Decision.comment_id.in_(recent), Decision.undoes.is_not(None))
    rows = session.execute(
        select(Decision, Moderator.name, Comment)
        .join(Comment, Comment.id == Decision.comment_id)
        .outerjoin(Moderator, Moderator.id == Decision.actor)
        .where(Decision.comment_id.in_(recent), Decision.source != Source.POLICY, Decision.action != Outcome.HOLD)
        .where(Decision.undoes.is_(None), Decision.id.not_in(undone))
        .order_by(Decision.id.desc())
        .limit(_SHOWN)
    )
    return [EarlierRuling(decision, name or decision.actor, comment) for decision, name, comment in rows]
