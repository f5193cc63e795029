"""A person's sessions and tokens as they see them: which there are, where each works, and ending them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Role
from moderation.errors import NotFound
from moderation.services.accounts import Person
from moderation.services.audit import record_audit
from moderation.store.people import Membership, SignIn
from moderation.store.session import now_ms
from moderation.store.tables import Site


@dataclass(frozen=True)
class Workplace:
    """A site where somebody moderates."""

    id: str
    name: str
    role: Role


def workplaces(session: Session, person_id: str) -> list[Workplace]:
    """The sites of a person, by name."""
    rows = session.execute(
        select(Site.id, Site.name, Membership.role)
        .join(Membership, Membership.site_id == Site.id)
        .where(Membership.moderator_id == person_id)
        .order_by(Site.name, Site.id)
    )
    return [Workplace(row.id, row.name, Role(row.role)) for row in rows]


def work_at(session: Session, person: Person, site_id: str) -> None:
    """Moves this session to another of the person's sites. Raises NotFound when it is none of theirs."""
    if site_id not in {place.id for place in workplaces(session, person.id)}:
        raise NotFound("there is no such site among yours")
    session.execute(update(SignIn).where(SignIn.id == person.sign_in).values(site_id=site_id))


def open_of(session: Session, person: Person) -> Sequence[SignIn]:
    """The person's sessions and tokens, the one used last first."""
    mine = (SignIn.moderator_id == person.id) & (SignIn.expires_at > now_ms())
    return session.scalars(select(SignIn).where(mine).order_by(SignIn.seen_at.desc(), SignIn.id)).all()


def end_one(session: Session, person: Person, sign_in_id: str) -> None:
    """Ends one of the person's own. Raises NotFound when it is none of theirs, or over already."""
    mine = (SignIn.moderator_id == person.id) & (SignIn.id == sign_in_id)
    if session.scalar(delete(SignIn).where(mine).returning(SignIn.id)) is None:
        raise NotFound("there is no such session")
    _ended(session, person, person.id, 1)


def end_others(session: Session, person: Person) -> int:
    """Ends all of the person's own but this one; returns how many."""
    mine = (SignIn.moderator_id == person.id) & (SignIn.id != person.sign_in)
    count = len(session.scalars(delete(SignIn).where(mine).returning(SignIn.id)).all())
    _ended(session, person, person.id, count)
    return count


def end_all_of(session: Session, person: Person, moderator_id: str) -> int:
    """Ends all sessions and tokens of a colleague, wherever they are: each can reach this site. Returns how many.

    Raises NotFound for whoever is not of the person's site.
    """
    here = (Membership.moderator_id == moderator_id) & (Membership.site_id == person.site_id)
    if session.scalar(select(Membership.moderator_id).where(here)) is None:
        raise NotFound("there is nobody like that here")
    count = len(session.scalars(delete(SignIn).where(SignIn.moderator_id == moderator_id).returning(SignIn.id)).all())
    _ended(session, person, moderator_id, count)
    return count


def _ended(session: Session, person: Person, whose: str, count: int) -> None:
    record_audit(session, "moderator.sessions_ended", site_id=person.site_id, subject_id=whose, actor=person.id,
                 data={"count": count})  # fmt: skip
