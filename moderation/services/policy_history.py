"""The versions of a policy: who made each, when, why, and what was different."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from moderation.services.policy_changes import Change, changes
from moderation.services.views import iso
from moderation.store.people import Moderator
from moderation.store.tables import Policy

_SHOWN = 100


@dataclass(frozen=True)
class Version:
    """One version; `by` is a name, None where it was made by a command. `changed` is against the version before."""

    version: int
    at: int
    by: str | None
    note: str | None
    changed: Sequence[Change]

    def view(self) -> dict[str, Any]:
        """The same as the moderators' API gives it."""
        return {"version": self.version, "at": iso(self.at), "by": self.by, "note": self.note}


def one(session: Session, policy: Policy) -> dict[str, Any]:
    """A version as the moderators' API gives it, without its document."""
    by = session.get(Moderator, policy.actor) if policy.actor else None
    return Version(policy.version, policy.created_at, by.name if by else None, policy.note, []).view()


def versions(session: Session, site_id: str, after: int = 0) -> list[Version]:
    """The newest versions first, 100 at most, and only those behind `after`."""
    rows = session.execute(
        select(Policy, Moderator.name)
        .outerjoin(Moderator, Moderator.id == Policy.actor)
        .where(Policy.site_id == site_id, Policy.version >= after)
        .order_by(Policy.version.desc())
        .limit(_SHOWN + 1)
    ).all()
    found = []
    for place, (policy, name) in enumerate(rows[:_SHOWN]):
        before = rows[place + 1][0].document if place + 1 < len(rows) else {}
        if policy.version > after:
            found.append(Version(policy.version, policy.created_at, name, policy.note,
                                 changes(before, policy.document) if before else []))  # fmt: skip
    return found


def since(session: Session, site_id: str, base: int) -> list[Version]:
    """What others saved after this version."""
    return versions(session, site_id, base)
