"""Assignments that are taken back: what a moderator gave to somebody, one comment or many, and what a decision ended.

All of it is read from the audit trail: each assignment stands there with whom the comment was assigned to before, and
with the batch that it belongs to.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Outcome, Status
from moderation.errors import Conflict
from moderation.services.accounts import Person
from moderation.services.audit import record_audit
from moderation.store.audit import AuditEvent
from moderation.store.people import Membership
from moderation.store.tables import Comment, Decision

ASSIGNED = "comment.assigned"
_LOOKED_THROUGH = 1_001  # a batch of 500, its undoing, and one by which to see that it is whole


@dataclass
class Given:
    """One assignment, or a batch of them, by one person. `before` says to whom each comment was assigned until then;
    `newest` is the id of its last audit event."""

    id: str
    at: int
    newest: str
    to: str | None
    before: dict[str, str | None] = field(default_factory=dict)
    undone: bool = False


def note(session: Session, person: Person, comment_id: str, to: str | None, **data: Any) -> None:
    """The audit event of an assignment."""
    record_audit(session, ASSIGNED, site_id=person.site_id, subject_id=comment_id, actor=person.id,
                 data={"to": to} | data)  # fmt: skip


def given(session: Session, person: Person) -> list[Given]:
    """What this person assigned last, newest first, undoing aside."""
    mine = (AuditEvent.site_id == person.site_id) & (AuditEvent.actor == person.id) & (AuditEvent.action == ASSIGNED)
    found: dict[str, Given] = {}
    undone: set[str] = set()
    events = session.scalars(select(AuditEvent).where(mine).order_by(AuditEvent.id.desc()).limit(_LOOKED_THROUGH)).all()
    for event in events:
        undone.add(event.data.get("undoes", ""))
        if batch := event.data.get("batch"):
            one = found.setdefault(batch, Given(batch, event.at, event.id, event.data.get("to")))
            one.before[str(event.subject_id)] = event.data.get("from")
            one.undone = batch in undone
    if len(events) == _LOOKED_THROUGH:  # of the oldest one more may lie behind; half of it is no deed
        found.pop(events[-1].data.get("batch") or "", None)
    return list(found.values())


def standing(session: Session, one: Given) -> list[str]:
    """Those of its comments that still wait as it left them."""
    still = (Comment.status == Status.HELD) & Comment.assigned_to.is_not_distinct_from(one.to)
    return list(session.scalars(select(Comment.id).where(Comment.id.in_(list(one.before)), still).order_by(Comment.id)))


def take_back(session: Session, person: Person, one: Given) -> list[str]:
    """Assigns the comments to whom they were assigned before, those that still wait as it left them.

    Raises Conflict when there are none, or it was taken back already.
    """
    if one.undone:
        raise Conflict("this was undone already", code="undone", extra={"id": next(iter(one.before))})
    query = select(Comment.id).where(Comment.id.in_(list(one.before)), Comment.site_id == person.site_id)
    session.scalars(query.order_by(Comment.id).with_for_update()).all()
    ids = standing(session, one)
    if not ids:
        raise Conflict(
            "someone has decided or assigned it since", code="decided_since", extra={"id": next(iter(one.before))}
        )
    here = _here(session, person.site_id, one.before.values())
    for id in ids:
        before = one.before[id] if one.before[id] in here else None
        session.execute(update(Comment).where(Comment.id == id).values(assigned_to=before))
        note(session, person, id, before, undoes=one.id)
    return ids


def give_back(session: Session, person: Person, undone: Sequence[Decision]) -> None:
    """Assigns again what waits again now that these decisions are undone: to whom it was assigned when they were made,
    if they are still here."""
    ended = {one.comment_id: one.id for one in undone if one.action != Outcome.HOLD}
    last = _last_before(session, ended)
    here = _here(session, person.site_id, last.values())
    for comment_id, to in last.items():
        if to not in here:
            continue
        waits = (Comment.id == comment_id) & (Comment.status == Status.HELD) & Comment.assigned_to.is_(None)
        changed = session.scalars(update(Comment).where(waits).values(assigned_to=to).returning(Comment.id)).all()
        if changed:
            note(session, person, comment_id, to)


def _last_before(session: Session, ended: dict[str, str]) -> dict[str, str]:
    """By comment to whom it was assigned when this decision was made, where one stands in the trail."""
    events = select(AuditEvent).where(AuditEvent.subject_id.in_(list(ended)), AuditEvent.action == ASSIGNED)
    last = {
        str(event.subject_id): event for event in session.scalars(events.order_by(AuditEvent.id))
        if event.id < ended[str(event.subject_id)]
    }  # fmt: skip
    over = select(Decision.comment_id, Decision.id).where(
        Decision.comment_id.in_(list(last)), Decision.action != Outcome.HOLD
    )
    for comment_id, decision_id in session.execute(over):
        # An earlier decision ended it, unless that was undone and it was assigned anew.
        if comment_id in last and last[comment_id].id < decision_id < ended[comment_id]:
            del last[comment_id]
    return {comment_id: event.data["to"] for comment_id, event in last.items() if event.data.get("to")}


def _here(session: Session, site_id: str, ids: Any) -> set[str]:
    """Those of these people who still moderate for the site."""
    wanted = [id for id in ids if id]
    query = select(Membership.moderator_id).where(Membership.site_id == site_id, Membership.moderator_id.in_(wanted))
    return set(session.scalars(query))
