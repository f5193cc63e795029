"""What a moderator did last, newest first, and which of it can still be undone. A batch is one deed."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from moderation.domain.lifecycle import Source, Status
from moderation.errors import Conflict, NotFound
from moderation.services import assignments
from moderation.services.accounts import Person
from moderation.services.assignments import Given
from moderation.store.people import Moderator
from moderation.store.tables import Comment, Decision

_FURTHEST = 50  # how far back a named deed is looked for


@dataclass(frozen=True)
class Deed:
    """One action, assignment or batch. `state` says whether it can be undone: `standing` (it can), `undone`,
    `decided_since` (`by` says who or what decided), `edited` or `withdrawn`; `comment_id` is the comment, in a batch
    the one that stands in the way or else the first.
    """

    id: str
    action: str
    reason: str | None
    at: int
    count: int
    comment_id: str
    author_name: str
    state: str
    by: str | None = None


def last(session: Session, person: Person, limit: int = 10) -> list[Deed]:
    """The moderator's last deeds at their site, newest first."""
    found = [(newest.id, _deed(session, person, newest)) for newest in _newest(session, person, limit)]
    given = assignments.given(session, person)[:limit]
    found += [(one.newest, _assignment(session, one)) for one in given]
    return [deed for _, deed in sorted(found, key=lambda one: one[0], reverse=True)[:limit]]


def assigned_last(session: Session, person: Person, deed_id: str | None = None) -> Given | None:
    """The newest assignment or batch of them, where that is what an undo takes back, or the one that is named.

    Raises Conflict where something newer comes first.
    """
    given = assignments.given(session, person)
    if deed_id is None:
        standing = next((one for one in given if not one.undone and assignments.standing(session, one)), None)
        decided = session.scalar(_mine(person).where(_not_undone()).order_by(Decision.id.desc()).limit(1))
        return standing if standing and (decided is None or decided.id < standing.newest) else None
    named = next((one for one in given if one.id == deed_id), None)
    if named is None:
        return None
    for deed in last(session, person, _FURTHEST):
        if deed.id == deed_id:
            break
        if deed.state == "standing":
            raise Conflict("undo what you did after it first", code="newer_first", extra={"id": deed.comment_id})
    return named


def _assignment(session: Session, one: Given) -> Deed:
    comment = session.get_one(Comment, next(reversed(one.before)))
    state = "undone" if one.undone else "standing" if assignments.standing(session, one) else "decided_since"
    return Deed(one.id, "assign", None, one.at, len(one.before), comment.id, comment.author_name, state)


def rows(session: Session, person: Person, deed_id: str | None = None) -> list[Decision]:
    """The decisions of the newest deed that was not undone, or of the one named, if no newer one can still be undone.

    Raises NotFound when there is none, Conflict when it was undone or a newer one comes first.
    """
    if deed_id is None:
        newest = session.scalar(_mine(person).where(_not_undone()).order_by(Decision.id.desc()).limit(1))
        if newest is None:
            raise NotFound("there is nothing to undo", code="nothing_to_undo")
        return _of(session, person, newest)
    for newest in _newest(session, person, _FURTHEST):
        deed = _deed(session, person, newest)
        if deed.id == deed_id:
            if deed.state == "undone":
                raise Conflict("this was undone already", code="undone", extra={"id": deed.comment_id})
            return _of(session, person, newest)
        if deed.state == "standing":
            raise Conflict("undo what you did after it first", code="newer_first", extra={"id": deed.comment_id})
    raise NotFound("there is nothing to undo", code="nothing_to_undo")


def _mine(person: Person) -> Select[Decision]:
    """What the person decided here themselves, undoing aside."""
    return select(Decision).where(
        Decision.actor == person.id, Decision.site_id == person.site_id, Decision.source == Source.MODERATOR,
        Decision.undoes.is_(None), Decision.replaces.is_not(None),
    )  # fmt: skip


def _not_undone() -> ColumnElement[bool]:
    undoing = aliased(Decision)
    return ~exists().where(undoing.undoes == Decision.id)


def _newest(session: Session, person: Person, limit: int) -> list[Decision]:
    """One decision of each of the last deeds, newest first."""
    found: list[Decision] = []
    seen: list[str] = []
    while len(found) < limit:
        query = _mine(person).order_by(Decision.id.desc()).limit(1)
        if found:
            query = query.where(Decision.id < found[-1].id, or_(Decision.batch.is_(None), Decision.batch.not_in(seen)))
        decision = session.scalar(query)
        if decision is None:
            break
        found.append(decision)
        seen += [decision.batch] if decision.batch else []
    return found


def _same(decision: Decision) -> ColumnElement[bool]:
    return Decision.batch == decision.batch if decision.batch else Decision.id == decision.id


def _of(session: Session, person: Person, decision: Decision) -> list[Decision]:
    return list(session.scalars(_mine(person).where(_same(decision)).order_by(Decision.id)))


def _deed(session: Session, person: Person, decision: Decision) -> Deed:
    joined = _mine(person).where(_same(decision)).join(Comment, Comment.id == Decision.comment_id)
    count = session.scalar(joined.with_only_columns(func.count())) or 0
    undone = session.scalar(select(exists().where(Decision.undoes == decision.id)))
    moved = Comment.decision_id.is_distinct_from(Decision.id) | (Comment.status == Status.WITHDRAWN)
    further = [] if undone else session.execute(joined.with_only_columns(Comment, Decision).where(moved)).all()
    in_the_way = next((comment for comment, own in further if not stands(session, comment, own)), None)
    comment = in_the_way or session.get_one(Comment, decision.comment_id)
    state, by = ("undone", None) if undone else _state(session, in_the_way, decision)
    return Deed(
        decision.batch or decision.id, "escalate" if decision.reason == "escalate" else decision.action,
        decision.reason, decision.decided_at, count, comment.id, comment.author_name, state, by,
    )  # fmt: skip


def _state(session: Session, comment: Comment | None, decision: Decision) -> tuple[str, str | None]:
    if comment is None:
        return "standing", None
    if comment.status == Status.WITHDRAWN:
        return "withdrawn", None
    if comment.status == Status.PENDING:
        return "edited", None
    return "decided_since", who(session, comment)


def stands(session: Session, comment: Comment, decision: Decision) -> bool:
    """Whether this decision is what the comment's status comes from: nobody has decided since, or all of that was
    undone."""
    if comment.status == Status.WITHDRAWN or comment.revision != decision.revision:
        return False
    in_force = comment.decision_id
    while in_force and in_force != decision.id and (undoing := session.get_one(Decision, in_force)).undoes:
        in_force = session.get_one(Decision, undoing.undoes).replaces
    return in_force == decision.id


def versions(session: Session, ids: Sequence[str]) -> dict[str, int]:
    """In which version each of these comments is now."""
    found = session.execute(select(Comment.id, Comment.version).where(Comment.id.in_(ids)))
    return {row.id: row.version for row in found}


def who(session: Session, comment: Comment) -> str | None:
    """Who decided on this comment last: a moderator's name, else the source of the decision."""
    decision = session.get(Decision, comment.decision_id) if comment.decision_id else None
    if decision is None:
        return None
    moderator = session.get(Moderator, decision.actor) if decision.actor else None
    return moderator.name if moderator and decision.source == Source.MODERATOR else decision.source
