"""The lock-down of a site: every new comment is held, whatever the rules say, until it is ended."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Role
from moderation.errors import Forbidden
from moderation.services.accounts import Person
from moderation.services.audit import record_audit
from moderation.services.views import iso
from moderation.store.audit import AuditEvent
from moderation.store.people import Moderator
from moderation.store.tables import Site

MAY = Role.SENIOR
_ON, _OFF = "site.locked", "site.unlocked"


@dataclass(frozen=True)
class LockDown:
    """A lock-down that is on: who began it (None: a command) and when (milliseconds)."""

    by: str | None
    since: int

    def view(self) -> dict[str, Any]:
        """The same as the moderators' API gives it."""
        return {"on": True, "by": self.by, "since": iso(self.since)}


def switch(session: Session, site_id: str, *, on: bool, actor: str | None = None) -> bool:
    """Begins or ends it; whether that changed anything."""
    site = session.scalars(select(Site).where(Site.id == site_id).with_for_update()).one()
    if site.hold_all is on:
        return False
    site.hold_all = on
    session.flush()
    record_audit(session, _ON if on else _OFF, site_id=site_id, actor=actor)
    return True


def by_person(session: Session, person: Person, *, on: bool) -> bool:
    """The same by a senior or admin. Raises Forbidden."""
    if not person.role.includes(MAY):
        raise Forbidden("only seniors and admins may begin or end a lock-down", code="role_needed")
    return switch(session, person.site_id, on=on, actor=person.id)


def standing(session: Session, site_id: str) -> LockDown | None:
    """The lock-down of this site; None where none is on."""
    if not session.scalar(select(Site.hold_all).where(Site.id == site_id)):
        return None
    row = session.execute(
        select(AuditEvent.at, Moderator.name)
        .outerjoin(Moderator, Moderator.id == AuditEvent.actor)
        .where(AuditEvent.site_id == site_id, AuditEvent.action == _ON)
        .order_by(AuditEvent.id.desc())
        .limit(1)
    ).first()
    return LockDown(row.name, row.at) if row else LockDown(None, 0)
