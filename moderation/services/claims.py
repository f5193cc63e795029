"""Working together on items: who is looking at one, who has claimed it, whom it is assigned to.

A claim keeps others from ruling and is taken on purpose; presence only shows where somebody is. While an item is open
in a visible tab, its sign of life keeps both alive. Taking and giving back a claim are in services/review.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Role, Status
from moderation.errors import Conflict, Forbidden, Invalid, NotFound
from moderation.services import assignments
from moderation.services.accounts import Person
from moderation.services.audit import record_audit
from moderation.store.people import Membership, Moderator
from moderation.store.queries import upsert
from moderation.store.session import new_id
from moderation.store.tables import Comment
from moderation.store.workspace import Presence


@dataclass(frozen=True)
class Colleague:
    """Somebody who moderates for the same site."""

    id: str
    name: str
    role: Role


def colleagues(session: Session, site_id: str) -> Sequence[Colleague]:
    """All who moderate for this site, by name."""
    rows = session.execute(
        select(Moderator.id, Moderator.name, Membership.role)
        .join(Membership, Membership.moderator_id == Moderator.id)
        .where(Membership.site_id == site_id)
        .order_by(Moderator.name, Moderator.id)
    )
    return [Colleague(id, name, Role(role)) for id, name, role in rows]


def here(session: Session, person: Person, comment_id: str, now: int, claim_ms: int) -> None:
    """Notes that the person has this item before their eyes; their claim on it, if it still holds, lasts on.

    Raises NotFound.
    """
    if session.scalar(select(Comment.site_id).where(Comment.id == comment_id)) != person.site_id:
        raise NotFound("there is no such review item")
    seen = {"comment_id": comment_id, "seen_at": now}
    row = {"moderator_id": person.id, "site_id": person.site_id, **seen}
    upsert(session, Presence, row, ["moderator_id", "site_id"], seen)
    session.execute(
        update(Comment)
        .where(Comment.id == comment_id, Comment.claimed_by == person.id, Comment.claimed_until > now)
        .values(claimed_until=now + claim_ms)
    )


def away(session: Session, person: Person, comment_id: str) -> None:
    """Notes that the person has left this item, unless another tab of theirs has said where they are now."""
    session.execute(
        delete(Presence).where(
            Presence.moderator_id == person.id, Presence.site_id == person.site_id, Presence.comment_id == comment_id
        )
    )


def take_over(session: Session, person: Person, comment_id: str, now: int, claim_ms: int) -> str | None:
    """A senior takes an item that another has claimed; returns whose it was, None if it was free.

    Raises NotFound, Forbidden.
    """
    if not person.role.includes(Role.SENIOR):
        raise Forbidden("a senior moderator can take an item over", code="role_needed")
    comment = _locked(session, person, comment_id)
    holder = comment.claimed_by if (comment.claimed_until or 0) > now else None
    comment.claimed_by, comment.claimed_until = person.id, now + claim_ms
    session.flush()
    if holder in (None, person.id):
        return None
    record_audit(session, "comment.taken_over", site_id=person.site_id, subject_id=comment.id, actor=person.id,
                 data={"from": holder})  # fmt: skip
    return session.scalar(select(Moderator.name).where(Moderator.id == holder))


def assign(
    session: Session, person: Person, comment_id: str, to: str | None, *, batch: str | None = None
) -> Colleague | None:
    """Gives a held item to a colleague, by their id, or to nobody. An escalated one only to a senior or an admin.

    What is of one `batch` is undone as one. Raises NotFound, Conflict when it waits no more, Invalid.
    """
    comment = _locked(session, person, comment_id)
    if comment.status != Status.HELD:
        raise Conflict(
            f"a comment that is {comment.status} waits for nobody", code="not_decidable",
            extra={"id": comment.id, "comment_status": comment.status, "version": comment.version},
        )  # fmt: skip
    chosen = next((one for one in colleagues(session, person.site_id) if one.id == to), None)
    if to and chosen is None:
        raise Invalid("there is no such moderator at this site", extra={"field": "to"})
    if chosen and comment.escalated and not chosen.role.includes(Role.SENIOR):
        raise Invalid("this comment was escalated: assign it to a senior or an admin", extra={"field": "to"})
    if comment.assigned_to == to:
        return chosen
    before, comment.assigned_to = comment.assigned_to, to
    session.flush()
    assignments.note(session, person, comment.id, to, **{"from": before, "batch": batch or new_id()})
    return chosen


def _locked(session: Session, person: Person, comment_id: str) -> Comment:
    query = select(Comment).where(Comment.id == comment_id, Comment.site_id == person.site_id)
    comment = session.scalar(query.with_for_update())
    if comment is None:
        raise NotFound("there is no such review item")
    return comment
