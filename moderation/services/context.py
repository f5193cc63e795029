"""What a moderator needs around a comment: the verdict behind it, its thread, its author, its article, its history."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ScalarSelect, bindparam, exists, func, select, union_all
from sqlalchemy.orm import Session, aliased

from moderation.domain.lifecycle import Outcome, Source, Status
from moderation.services import notes
from moderation.services.ancestry import Chain, Replies, chain, replies
from moderation.services.author_record import AuthorRecord, author_record
from moderation.store.people import Moderator
from moderation.store.tables import Comment, Decision, Revision, WorkerState

_REVISIONS = 10
_COUNTED = 10_000


@dataclass(frozen=True)
class Step:
    """One decision on the comment and who made it (None: the policy)."""

    decision: Decision
    by: str | None


@dataclass(frozen=True)
class Context:
    """`verdict` is the policy's decision on this revision, also when a moderator has ruled since.

    `escalation` is the step that put the comment before a senior, while it is there; `article` counts all comments
    there by status; `revisions` are the earlier texts of an edited comment, the newest first.
    """

    verdict: Decision | None
    history: Sequence[Step]
    escalation: Step | None
    chain: Chain
    replies: Replies
    author: AuthorRecord
    article: dict[str, int]
    revisions: Sequence[Revision]
    notes: Sequence[notes.Written]


def context(session: Session, comment: Comment) -> Context:
    """Everything around one comment."""
    history = _history(session, comment)
    return Context(
        verdict=_verdict(history, comment.revision),
        history=history,
        escalation=_escalation(history, comment),
        chain=chain(session, comment),
        replies=replies(session, comment),
        author=author_record(session, comment),
        article=_by_status(session, comment.article_id),
        revisions=_revisions(session, comment),
        notes=notes.about(session, comment),
    )


def flow(session: Session, site_id: str, now: int) -> tuple[int, int]:
    """How many comments were held in the last hour, and how many a moderator decided; no further than 10,000."""
    held, decided = session.execute(_FLOW, {"site": site_id, "since": now - 3_600_000}).one()
    return held, decided


def _made(source: Source, actions: Sequence[Outcome]) -> ScalarSelect[int]:
    """Comments with such a decision that stands or was followed by one, but was not undone."""
    undo = aliased(Decision)
    # One range of an index for each action, whatever else was decided.
    each = [
        select(Decision.comment_id)
        .where(Decision.site_id == bindparam("site"), Decision.source == source, Decision.action == action,
               Decision.decided_at >= bindparam("since"), Decision.undoes.is_(None),
               ~exists().where(undo.undoes == Decision.id))
        .limit(_COUNTED).subquery()
        for action in actions
    ]  # fmt: skip
    comments = union_all(*map(select, each)).subquery()
    return select(func.count(comments.c.comment_id.distinct())).scalar_subquery()


# Put together once: that takes as long as to run it.
_FLOW = select(
    _made(Source.POLICY, [Outcome.HOLD]), _made(Source.MODERATOR, [Outcome.APPROVE, Outcome.REJECT])
)  # fmt: skip


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


def _escalation(history: Sequence[Step], comment: Comment) -> Step | None:
    if not comment.escalated:
        return None
    return next((step for step in history if step.decision.reason == "escalate" and not step.decision.undoes), None)


def _revisions(session: Session, comment: Comment) -> Sequence[Revision]:
    if comment.revision == 1:
        return ()
    query = select(Revision).where(Revision.comment_id == comment.id).order_by(Revision.revision.desc())
    return session.scalars(query.limit(_REVISIONS)).all()


def _by_status(session: Session, article_id: str) -> dict[str, int]:
    query = select(Comment.status, func.count()).where(Comment.article_id == article_id).group_by(Comment.status)
    return {row[0]: row[1] for row in session.execute(query)}
