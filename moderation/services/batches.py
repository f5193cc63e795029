"""Batches by score: one decision on all that waits in a range of scores, after a look at a few. They undo as one."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from random import SystemRandom
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import ACTIONS, Status
from moderation.domain.shares import expected_rejections
from moderation.errors import Conflict, Invalid, NotFound
from moderation.services import review
from moderation.services.accounts import Person
from moderation.services.audit import record_audit
from moderation.services.histogram import Scope, article, check_range, histogram, in_range, waiting_in
from moderation.services.review import Act
from moderation.store.session import new_id
from moderation.store.tables import Article, Comment, Decision
from moderation.store.voices import Report
from moderation.store.workspace import Batch, HeldScore

# More would keep other writers waiting for too long on SQLite; the rest of a range is the next batch.
MOST = 5_000
LOOKS = 5
_KEPT_MS = 86_400_000


@dataclass(frozen=True)
class Wanted:
    """What to do with all that waits in a range."""

    scope: Scope
    low: float
    high: float
    action: str
    reason: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Look:
    """One of the comments to look at first. `answer` is right, wrong or None; the score is None once it was edited.

    `signals` are why it is held; `changed` says that it is not as it was, and will be left out.
    """

    comment: Comment
    article: Article
    score: float | None
    signals: list[dict[str, Any]]
    answer: str | None
    changed: bool


def begin(session: Session, person: Person, wanted: Wanted, now: int) -> Batch:
    """Freezes what waits in the range and draws the few to look at. Nothing is decided yet.

    Left out are comments that somebody asked a closer look for: escalated, assigned to somebody else, reported.
    Raises Invalid for a bad range, action or reason, and when nothing is there to decide.
    """
    check_range(wanted.low, wanted.high)
    review.checked(Act(wanted.action, None, wanted.reason, wanted.note))
    scope = _known(session, person.site_id, wanted.scope)
    there = [*waiting_in(person.site_id, scope), in_range(wanted.low, wanted.high), Comment.status == Status.HELD]
    rows = select(Comment.id, Comment.version, HeldScore.score).join(HeldScore, HeldScore.comment_id == Comment.id)
    chosen = session.execute(rows.where(*there, ~_set_aside(person)).order_by(Comment.id).limit(MOST)).all()
    if not chosen:
        raise Invalid("no comment waits in this range", code="nothing_in_range", extra={"field": "low"})
    left_out = _not_chosen(session, there, person, len(chosen))
    session.execute(
        delete(Batch).where(Batch.moderator_id == person.id, Batch.state == "open", Batch.created_at < now - _KEPT_MS)
    )
    batch = Batch(
        id=new_id(), site_id=person.site_id, moderator_id=person.id, attribute=scope.attribute,
        low=wanted.low, high=wanted.high, article=scope.article, section=scope.section, action=wanted.action,
        reason=wanted.reason, note=wanted.note, items=[[row.id, row.version] for row in chosen],
        looks=[{"id": row.id, "answer": None} for row in SystemRandom().sample(chosen, min(LOOKS, len(chosen)))],
        left_out=left_out, expected=_expected(session, person.site_id, wanted, [row.score for row in chosen], now),
        state="open", done=0, decided_as=None, created_at=now,
    )  # fmt: skip
    session.add(batch)
    session.flush()
    return batch


def find(session: Session, person: Person, batch_id: str, *, lock: bool = False) -> Batch:
    """A batch of this person at this site. Raises NotFound also for anybody else's."""
    mine = select(Batch).where(Batch.id == batch_id, Batch.moderator_id == person.id, Batch.site_id == person.site_id)
    batch = session.scalar(mine.with_for_update() if lock else mine)
    if batch is None:
        raise NotFound("there is no such batch")
    return batch


def looks(session: Session, batch: Batch) -> list[Look]:
    """The comments to look at first, in the order in which they were drawn."""
    answers = {look["id"]: look["answer"] for look in batch.looks}
    versions = dict(batch.items)
    scored = and_(HeldScore.comment_id == Comment.id, HeldScore.attribute == batch.attribute)
    rows = session.execute(
        select(Comment, Article, Decision, HeldScore.score)
        .join(Article, Article.id == Comment.article_id)
        .outerjoin(Decision, Decision.id == Comment.decision_id)
        .outerjoin(HeldScore, scored)
        .where(Comment.id.in_(list(answers)), Comment.site_id == batch.site_id)
    )
    found = {}
    for comment, about, decision, score in rows:
        changed = comment.version != versions.get(comment.id)
        signals = list(decision.signals) if decision else []
        found[comment.id] = Look(comment, about, score, signals, answers[comment.id], changed)
    return [found[id] for id in answers if id in found]


def answer(session: Session, person: Person, batch_id: str, comment_id: str, said: str) -> Batch:
    """Keeps what the person said of one of the few: right or wrong. Raises NotFound, Invalid, or Conflict when over."""
    batch = find(session, person, batch_id, lock=True)
    if said not in ("right", "wrong"):
        raise Invalid("the answer must be right or wrong", extra={"field": "answer"})
    if comment_id not in [look["id"] for look in batch.looks]:
        raise NotFound("this comment is not one of those to look at")
    if batch.state != "open":
        raise Conflict("this batch has been carried out", code="batch_done")
    batch.looks = [look | ({"answer": said} if look["id"] == comment_id else {}) for look in batch.looks]
    session.flush()
    return batch


def finish(session: Session, person: Person, batch_id: str, *, all_the_same: bool, now: int, grace_ms: int) -> Batch:
    """Decides all of the batch that is as it was, as one undoable unit; a second time changes nothing.

    What was found not right stays in the queue. Raises Conflict while a look is missing, and when one was not right
    unless `all_the_same` says that the person knows.
    """
    batch = find(session, person, batch_id, lock=True)
    if batch.state != "open":
        return batch
    answers = [look["answer"] for look in batch.looks]
    if None in answers:
        raise Conflict("look at all of these comments first", code="looks_missing")
    if "wrong" in answers and not all_the_same:
        raise Conflict("not all that you looked at were right", code="looks_not_right")
    ready = _ready(session, person, batch, now)
    if ready:
        review.act(session, person, ready, Act(batch.action, None, batch.reason, batch.note), now, grace_ms)
        batch.decided_as = session.scalar(_decisions(batch).where(Decision.comment_id == ready[0]))
        _mark_unread(session, batch, ready)
    batch.done, batch.items, batch.state = len(ready), [], "done"
    _tell(session, "batch.done", batch)
    session.flush()
    return batch


def undo(session: Session, person: Person, batch_id: str, now: int) -> int:
    """Takes the batch back; returns how many comments are as they were.

    What was edited, withdrawn or decided by somebody since stays as it is. Raises Conflict when the person has done
    something else since (that is undone first) or nothing of it stands any more, NotFound when nothing was done.
    """
    batch = find(session, person, batch_id, lock=True)
    if batch.decided_as is None:
        raise NotFound("there is nothing to undo", code="nothing_to_undo")
    back = review.undo(session, person, now, batch.decided_as, partly=True)
    if stay := batch.done - len(back):
        batch.left_out = {**batch.left_out, "stay": stay}
    _tell(session, "batch.undone", batch)
    return len(back)


def undone(session: Session, batch: Batch) -> bool:
    """Whether the batch was taken back, here or on the desk."""
    if batch.decided_as is None:
        return False
    its = _decisions(batch).where(Decision.batch == batch.decided_as)
    back = select(Decision.id).where(Decision.actor == batch.moderator_id, Decision.id > batch.id)
    return session.scalar(back.where(Decision.undoes.in_(its.with_only_columns(Decision.id))).limit(1)) is not None


def _decisions(batch: Batch, what: Any = Decision.batch) -> Any:
    """What its person decided after it was begun: ids begin with the time, so this is a short range of an index."""
    return select(what).where(Decision.actor == batch.moderator_id, Decision.id > batch.id, Decision.undoes.is_(None))


def _known(session: Session, site_id: str, scope: Scope) -> Scope:
    """The scope with its article as an id. Raises Invalid when there is no such article."""
    if scope.article is None:
        return scope
    found = article(session, site_id, scope.article)
    if found is None:
        raise Invalid("there is no such article", extra={"field": "article"})
    return replace(scope, article=found.id)


def _set_aside(person: Person) -> ColumnElement[bool]:
    """Comments that somebody asked a closer look for."""
    assigned = and_(Comment.assigned_to.is_not(None), Comment.assigned_to != person.id)
    reported = exists().where(
        Report.site_id == Comment.site_id, Report.comment_id == Comment.id, Report.outcome.is_(None)
    )
    return or_(Comment.escalated, assigned, reported)


def _not_chosen(
    session: Session, there: Sequence[ColumnElement[bool]], person: Person, chosen: int
) -> dict[str, int]:  # fmt: skip
    count = select(func.count()).select_from(Comment).join(HeldScore, HeldScore.comment_id == Comment.id).where(*there)
    total, aside = session.scalar(count) or 0, session.scalar(count.where(_set_aside(person))) or 0
    counts = {"set_aside": aside, "over": total - aside - chosen}
    return {why: number for why, number in counts.items() if number}


def _expected(session: Session, site_id: str, wanted: Wanted, scores: Sequence[float], now: int) -> dict[str, Any]:
    """How many errors to expect of this very batch; empty for an action that decides nothing."""
    outcome = ACTIONS[wanted.action].outcome
    if outcome is None:
        return {}
    shown = histogram(session, site_id, wanted.scope, now)
    counts = Counter(min(bisect_right(shown.edges, score), len(shown.bins)) - 1 for score in scores)
    rulings = [bin.rulings if wanted.action == "approve" else bin.rulings.turned for bin in shown.bins]
    return asdict(expected_rejections((counts[n], rulings[n]) for n in range(len(shown.bins))))


def _ready(session: Session, person: Person, batch: Batch, now: int) -> list[str]:
    """Which of the batch can be decided now; why the others can't is counted in `left_out`."""
    versions = dict(batch.items)
    wrong = {look["id"] for look in batch.looks if look["answer"] == "wrong"}
    query = select(Comment).where(Comment.id.in_(list(versions)), Comment.site_id == batch.site_id)
    ready, left = [], Counter(batch.left_out)
    for comment in session.scalars(query.order_by(Comment.id).with_for_update()):
        if comment.id in wrong:
            left["not_right"] += 1
        elif comment.version != versions[comment.id] or comment.status != Status.HELD:
            left["changed"] += 1
        elif comment.claimed_by not in (None, person.id) and (comment.claimed_until or 0) > now:
            left["claimed"] += 1
        else:
            ready.append(comment.id)
    batch.left_out = dict(left)
    return ready


def _mark_unread(session: Session, batch: Batch, ready: Sequence[str]) -> None:
    """A decision on what nobody read must not count as a measurement, or batches would prove themselves right."""
    read = {look["id"] for look in batch.looks}
    if ACTIONS[batch.action].outcome is not None:
        session.execute(
            update(HeldScore)
            .where(HeldScore.comment_id.in_([id for id in ready if id not in read]))
            .values(ruled="unread")
            .execution_options(synchronize_session=False)
        )


def _tell(session: Session, what: str, batch: Batch) -> None:
    """One audit event for the batch as a whole, beside those of its comments."""
    record_audit(session, what, site_id=batch.site_id, subject_id=batch.id, actor=batch.moderator_id, data={
        "attribute": batch.attribute, "low": batch.low, "high": batch.high, "article": batch.article,
        "section": batch.section, "action": batch.action, "reason": batch.reason, "count": batch.done,
        "looks": batch.looks, "left_out": batch.left_out,
    })  # fmt: skip
