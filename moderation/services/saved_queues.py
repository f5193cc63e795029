"""Named queues: a filter that a moderator keeps for themselves or for all moderators of the site."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Role
from moderation.errors import Conflict, Forbidden, Invalid, NotFound
from moderation.services import queue
from moderation.services.accounts import Person
from moderation.services.audit import record_audit
from moderation.services.queue import Count
from moderation.services.queue_filter import PARTS, SEVERAL, filter_of, statuses
from moderation.services.queue_order import order_of
from moderation.store.session import new_id
from moderation.store.workspace import SavedQueue

LONGEST_NAME = 60
COUNT_AT_MOST = 1_000
# Each is counted for the desk, every two seconds while that is looked at (known.py).
_AT_MOST = 30
_SEVERAL_AT_MOST = 20
_LONGEST_VALUE = 2048


@dataclass(frozen=True)
class Named:
    """A named queue as one moderator sees it: whether it is theirs, and whether they may change it."""

    id: str
    name: str
    shared: bool
    filter: dict[str, Any]
    mine: bool
    may_change: bool


def save(session: Session, person: Person, name: str, chosen: Mapping[str, Any], *, shared: bool, now: int) -> Named:
    """Keeps a filter under a name. Raises Invalid for a filter or a name that can't be, Conflict for one in use."""
    name, kept = _name(name), _checked(chosen, person)
    if (session.scalar(select(func.count()).select_from(SavedQueue).where(*_mine(person))) or 0) >= _AT_MOST:
        raise Conflict(f"nobody may have more than {_AT_MOST} named queues; delete one first", code="too_many_queues")
    _refuse_used(session, person, name)
    row = SavedQueue(
        id=new_id(), site_id=person.site_id, moderator_id=person.id, name=name, filter=kept, shared=shared,
        created_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    record_audit(session, "queue.saved", site_id=person.site_id, subject_id=row.id, actor=person.id,
                 data={"shared": shared})  # fmt: skip
    return _named(row, person)


def listed(session: Session, person: Person) -> list[Named]:
    """The moderator's own and the shared ones, by name."""
    query = select(SavedQueue).where(SavedQueue.site_id == person.site_id, _seen_by(person))
    rows = session.scalars(query.order_by(func.lower(SavedQueue.name), SavedQueue.id).limit(_AT_MOST * 2))
    return [_named(row, person) for row in rows]


def counted(session: Session, person: Person, named: Sequence[Named]) -> list[Count]:
    """How many comments each holds now, counted from the rows and no further than 1,000."""
    return [
        queue.count(session, person.site_id, filter_of(one.filter, person.id), COUNT_AT_MOST) for one in named
    ]  # fmt: skip


def change(session: Session, person: Person, queue_id: str, name: str | None, shared: bool | None) -> Named:
    """Renames it, or shares it or no more. Raises NotFound, Forbidden, Invalid, Conflict."""
    row = _to_change(session, person, queue_id)
    if name is not None and _name(name) != row.name:
        _refuse_used(session, person, _name(name), apart_from=row.id)
        row.name = _name(name)
    if shared is not None:
        row.shared = shared
    session.execute(update(SavedQueue).where(SavedQueue.id == row.id).values(name=row.name, shared=row.shared))
    record_audit(session, "queue.changed", site_id=person.site_id, subject_id=row.id, actor=person.id,
                 data={"shared": row.shared})  # fmt: skip
    return _named(row, person)


def remove(session: Session, person: Person, queue_id: str) -> None:
    """Deletes it; the comments stay where they are. Raises NotFound or Forbidden."""
    row = _to_change(session, person, queue_id)
    session.execute(delete(SavedQueue).where(SavedQueue.id == row.id))
    record_audit(session, "queue.deleted", site_id=person.site_id, subject_id=row.id, actor=person.id)


def _to_change(session: Session, person: Person, queue_id: str) -> SavedQueue:
    query = select(SavedQueue).where(SavedQueue.id == queue_id, SavedQueue.site_id == person.site_id)
    row = session.scalar(query.where(_seen_by(person)).with_for_update())
    if row is None:
        raise NotFound("there is no such named queue")
    if not _named(row, person).may_change:
        raise Forbidden("only who made a shared queue, or an admin, may change it", code="role_needed")
    return row


def _named(row: SavedQueue, person: Person) -> Named:
    mine = row.moderator_id == person.id
    may_change = mine or (row.shared and person.role.includes(Role.ADMIN))
    return Named(row.id, row.name, row.shared, dict(row.filter), mine, may_change)


def _mine(person: Person) -> tuple[ColumnElement[bool], ...]:
    return SavedQueue.site_id == person.site_id, SavedQueue.moderator_id == person.id


def _seen_by(person: Person) -> ColumnElement[bool]:
    return or_(SavedQueue.moderator_id == person.id, SavedQueue.shared)


def _refuse_used(session: Session, person: Person, name: str, apart_from: str = "") -> None:
    """Two queues of one name in the same menu could not be told apart."""
    same = func.lower(SavedQueue.name) == func.lower(name)
    query = select(SavedQueue.id).where(SavedQueue.site_id == person.site_id, _seen_by(person), same)
    if session.scalar(query.where(SavedQueue.id != apart_from).limit(1)):
        raise Conflict("there is a queue with this name", code="name_in_use", extra={"field": "name"})


def _name(name: str) -> str:
    name = " ".join(name.replace("\0", "").split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise Invalid(f"a queue needs a name of {LONGEST_NAME} characters at most", extra={"field": "name"})
    return name


def _checked(chosen: Mapping[str, Any], person: Person) -> dict[str, Any]:
    """The parts that are set, each with a value that it may have."""
    kept: dict[str, Any] = {}
    for name, value in chosen.items():
        several = [value] if isinstance(value, str) else value
        fits = name in PARTS and isinstance(several, list | tuple) and len(several) <= _SEVERAL_AT_MOST
        if not fits or not all(isinstance(one, str) and len(one) <= _LONGEST_VALUE for one in several):
            raise Invalid("this is no part of a filter", extra={"field": "filter"})
        if several and several[0]:
            kept[name] = list(several) if name in SEVERAL else several[0]
    wanted = filter_of(kept, person.id)
    statuses(wanted)
    order_of(wanted)
    return kept
