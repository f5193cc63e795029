"""The audit trail read: a page of it, or all that a filter holds, newest first; and whom one can ask for."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session

from moderation.errors import Invalid
from moderation.services.audit import record_audit
from moderation.store.audit import RARE_ACTIONS, AuditEvent
from moderation.store.people import Membership, Moderator
from moderation.store.tables import Comment

_READ_AT_ONCE = 1000
_ID = re.compile("[0-9a-f]{32}")
_FREQUENT = frozenset(re.findall(r"'([a-z.]+)'", RARE_ACTIONS))
# In `person`: what no person did.
NOBODY = "nobody"


@dataclass(frozen=True)
class Wanted:
    """Which events. `person` is a moderator's id or NOBODY, `subject` the id of what it was done to (also a comment's
    external id); `since` and `until` are milliseconds, from and before."""

    person: str | None = None
    action: str | None = None
    subject: str | None = None
    since: int | None = None
    until: int | None = None


def page(
    session: Session, site_id: str, wanted: Wanted, limit: int, before: str | None = None
) -> tuple[Sequence[AuditEvent], str | None]:
    """The newest events, or those before an event's id; and what to ask for next with `before`, None on the last page.

    Raises Invalid for a cursor that is none.
    """
    if before and not _ID.fullmatch(before):
        raise Invalid("before is not a cursor of this list", code="invalid_cursor", extra={"field": "before"})
    query = _query(session, site_id, wanted)
    if before:
        query = query.where(AuditEvent.id < before)
    events = session.scalars(query.limit(limit + 1)).all()
    return events[:limit], events[limit - 1].id if len(events) > limit else None


def export(session: Session, site_id: str, wanted: Wanted) -> Iterator[AuditEvent]:
    """All of them, read a thousand at a time."""
    stream = _query(session, site_id, wanted).execution_options(yield_per=_READ_AT_ONCE)
    for event in session.scalars(stream):
        yield event
        session.expunge(event)


def note_export(session: Session, site_id: str, actor: str, form: str, wanted: Wanted) -> None:
    """An export is an event itself: who took what out of the house."""
    asked = {name: value for name, value in asdict(wanted).items() if value is not None}
    if "subject" in asked:  # it may be an external id, which is whatever a site wrote there
        asked["subject"] = asked["subject"] if _ID.fullmatch(asked["subject"]) else "other"
    record_audit(session, "audit.exported", site_id=site_id, actor=actor, data={"format": form, "filter": asked})


def people(session: Session, site_id: str) -> dict[str, str]:
    """Names of the site's people by id, in the order of the names."""
    rows = session.execute(
        select(Moderator.id, Moderator.name)
        .join(Membership, Membership.moderator_id == Moderator.id)
        .where(Membership.site_id == site_id)
        .order_by(func.lower(Moderator.name), Moderator.id)
    )
    return {row.id: row.name for row in rows}


def names(session: Session, events: Sequence[AuditEvent]) -> dict[str, str]:
    """Names of everybody whom these events speak of, by id; also of those who have left."""
    ids = {event.actor for event in events} | {value for event in events for value in _ids(event.data)}
    rows = session.execute(select(Moderator.id, Moderator.name).where(Moderator.id.in_(ids - {None})))
    return {row.id: row.name for row in rows}


def _ids(data: dict[str, Any]) -> list[str]:
    return [value for value in data.values() if isinstance(value, str) and _ID.fullmatch(value)]


def _query(session: Session, site_id: str, wanted: Wanted) -> "Select[AuditEvent]":
    query = select(AuditEvent).order_by(AuditEvent.id.desc())
    # For one subject the site is put so that its index is not taken: it would lead through all events of the site.
    query = query.where((func.coalesce(AuditEvent.site_id, "") if wanted.subject else AuditEvent.site_id) == site_id)
    if wanted.person == NOBODY:
        query = query.where(AuditEvent.actor.is_(None))
    elif wanted.person:
        query = query.where(AuditEvent.actor == wanted.person)
    if wanted.action:
        query = query.where(AuditEvent.action == wanted.action)
        if wanted.action not in _FREQUENT:
            query = query.where(text(RARE_ACTIONS))  # or its index would not be used
    if wanted.subject:
        named = select(Comment.id).where(Comment.site_id == site_id, Comment.external_id == wanted.subject)
        query = query.where(AuditEvent.subject_id == (session.scalar(named) or wanted.subject))
    # Ids begin with the time of their making.
    if wanted.since is not None:
        query = query.where(AuditEvent.id >= f"{wanted.since:012x}")
    if wanted.until is not None:
        query = query.where(AuditEvent.id < f"{wanted.until:012x}")
    return query
