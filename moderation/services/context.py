"""What a moderator needs around a comment: the verdict behind it, its thread, its author, its article, its history."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Source, Status
from moderation.store.tables import Comment, Decision, Moderator, WorkerState

_SHOWN = 5


@dataclass(frozen=True)
class Step:
    """One decision on the comment and who made it (None: the policy)."""

    decision: Decision
    by: str | None


@dataclass(frozen=True)
class Context:
    """`verdict` is the policy's decision on this revision, also when a moderator has ruled since.

    `counts` are of the author's other comments by status, `article` of all comments there.
    """

    verdict: Decision | None
    history: Sequence[Step]
    parent: Comment | None
    replies: int
    counts: dict[str, int]
    others: Sequence[Comment]
    article: dict[str, int]


def context(session: Session, comment: Comment) -> Context:
    """Everything around one comment."""
    history = _history(session, comment)
    same_author = (Comment.site_id == comment.site_id) & (Comment.author_key == comment.author_key)
    here = Comment.article_id == comment.article_id
    return Context(
        verdict=_verdict(history, comment.revision),
        history=history,
        parent=_parent(session, comment),
        replies=_count(session, here & (Comment.parent_external_id == comment.external_id)),
        counts=_by_status(session, same_author & (Comment.id != comment.id)),
        others=session.scalars(
            select(Comment).where(same_author, Comment.id != comment.id).order_by(Comment.id.desc()).limit(_SHOWN)
        ).all(),
        article=_by_status(session, here),
    )


def flow(session: Session, site_id: str, now: int) -> tuple[int, int]:
    """How many comments were held in the last hour, and how many a moderator decided."""
    # Ids begin with the time of their making, so the last hour is one range of the primary key.
    since = f"{now - 3_600_000:012x}"
    undone = select(Decision.undoes).where(Decision.id >= since, Decision.undoes.is_not(None))
    rows = session.execute(
        select(Decision.source, func.count(Decision.comment_id.distinct()))
        .where(Decision.id >= since, Decision.site_id == site_id, Decision.undoes.is_(None), Decision.id.not_in(undone))
        .where(((Decision.source == Source.POLICY) & (Decision.action == "hold"))
               | ((Decision.source == Source.MODERATOR) & (Decision.action != "hold")))
        .group_by(Decision.source)
    )  # fmt: skip
    counts: dict[str, int] = {row[0]: row[1] for row in rows}
    return counts.get(Source.POLICY, 0), counts.get(Source.MODERATOR, 0)


def oldest_held(session: Session, site_id: str) -> int | None:
    """When the comment that has been held longest came in."""
    return session.scalar(
        select(Comment.received_at)
        .where(Comment.site_id == site_id, Comment.status == Status.HELD)
        .order_by(Comment.id)
        .limit(1)
    )


def next_check(session: Session, sweep_ms: int) -> int | None:
    """When the next sweep runs by the newest worker's last sign of life; None when there has been no worker."""
    seen = session.scalar(select(func.max(WorkerState.seen_at)))
    return None if seen is None else seen + sweep_ms


def _history(session: Session, comment: Comment) -> list[Step]:
    rows = session.execute(
        select(Decision, Moderator.name)
        .outerjoin(Moderator, Moderator.id == Decision.actor)
        .where(Decision.comment_id == comment.id)
        .order_by(Decision.id.desc())
        .limit(50)
    )
    return [Step(decision, name or decision.actor) for decision, name in rows]


def _verdict(history: Sequence[Step], revision: int) -> Decision | None:
    """An imported comment has no decision of the policy's own; its first one carries what the policy saw."""
    of_revision = [step.decision for step in reversed(history) if step.decision.revision == revision]
    by_policy = [decision for decision in of_revision if decision.source == Source.POLICY]
    return next(iter(by_policy or of_revision), None)


def _parent(session: Session, comment: Comment) -> Comment | None:
    if comment.parent_external_id is None:
        return None
    return session.scalar(
        select(Comment).where(Comment.site_id == comment.site_id, Comment.external_id == comment.parent_external_id)
    )


def _count(session: Session, condition: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(Comment).where(condition)) or 0


def _by_status(session: Session, condition: ColumnElement[bool]) -> dict[str, int]:
    query = select(Comment.status, func.count()).where(condition).group_by(Comment.status)
    return {row[0]: row[1] for row in session.execute(query)}
