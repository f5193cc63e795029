"""The people of a site: who they are, their roles, and how they leave. A site always keeps an admin."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Role
from moderation.errors import Conflict, Forbidden, NotFound
from moderation.services.accounts import Person
from moderation.services.audit import record_audit
from moderation.store.people import Invitation, Membership, Moderator, SignIn
from moderation.store.queries import insert_new
from moderation.store.session import now_ms
from moderation.store.tables import Comment


@dataclass(frozen=True)
class Member:
    """Somebody of a site. `password` and `outside` say how they may sign in."""

    id: str
    name: str
    email: str
    role: Role
    seen_at: int | None
    password: bool
    outside: bool


def of_site(session: Session, site_id: str) -> list[Member]:
    """All people of a site, by name."""
    rows = session.execute(
        select(Moderator, Membership)
        .join(Membership, Membership.moderator_id == Moderator.id)
        .where(Membership.site_id == site_id)
        .order_by(Moderator.name, Moderator.id)
    )
    return [_member(*row) for row in rows]


def one_of_site(session: Session, site_id: str, moderator_id: str) -> Member:
    """One of them. Raises NotFound."""
    row = session.execute(
        select(Moderator, Membership)
        .join(Membership, Membership.moderator_id == Moderator.id)
        .where(Membership.site_id == site_id, Moderator.id == moderator_id)
    ).first()
    if row is None:
        raise NotFound("there is nobody like that here")
    return _member(*row)


def need_admin(session: Session, site_id: str, actor: Person | None) -> None:
    """Raises Forbidden unless the actor is an admin of the site now; None is whoever runs the service."""
    if actor is None:
        return
    here = (Membership.moderator_id == actor.id) & (Membership.site_id == site_id)
    if session.scalar(select(Membership.role).where(here)) != Role.ADMIN:
        raise Forbidden("only an admin may do this", code="role_needed")


def add_member(session: Session, site_id: str, moderator_id: str, role: Role, actor: str | None = None) -> None:
    """Makes somebody a moderator of a further site. Raises Conflict when they are one already."""
    row = {"moderator_id": moderator_id, "site_id": site_id, "role": role.value, "created_at": now_ms(),
           "seen_at": None}  # fmt: skip
    if not insert_new(session, Membership, [row], key="moderator_id"):
        raise Conflict("this person is a moderator of the site already", code="already_member")
    record_audit(session, "moderator.joined", site_id=site_id, subject_id=moderator_id, actor=actor,
                 data={"role": role.value})  # fmt: skip


def set_role(session: Session, site_id: str, moderator_id: str, role: Role, actor: Person | None) -> Role:
    """Gives somebody another role; returns the one they had. `actor` None is whoever runs the service.

    Raises Forbidden when the actor is no admin any more, NotFound, Conflict for the last admin.
    """
    member = _locked(session, site_id, moderator_id, actor, stays=role is Role.ADMIN)
    before = Role(member.role)
    if before is role:
        return before
    member.role = role.value
    if role is not Role.ADMIN:
        _revoke_invitations_of(session, site_id, moderator_id)
    record_audit(
        session, "moderator.role_set", site_id=site_id, subject_id=moderator_id, actor=actor.id if actor else None,
        data={"from": before.value, "to": role.value},
    )  # fmt: skip
    return before


def remove(session: Session, site_id: str, moderator_id: str, actor: Person | None) -> int:
    """Takes somebody off the site: their sessions there end, what they had claimed or were assigned is free again.

    Returns how many comments that were. Raises as set_role does.
    """
    member = _locked(session, site_id, moderator_id, actor, stays=False)
    session.delete(member)
    session.flush()
    session.execute(delete(SignIn).where(SignIn.moderator_id == moderator_id, SignIn.site_id == site_id))
    _revoke_invitations_of(session, site_id, moderator_id)
    freed = _free_comments(session, site_id, moderator_id)
    record_audit(
        session, "moderator.removed", site_id=site_id, subject_id=moderator_id, actor=actor.id if actor else None,
        data={"role": member.role, "freed": freed},
    )  # fmt: skip
    return freed


def _locked(session: Session, site_id: str, moderator_id: str, actor: Person | None, *, stays: bool) -> Membership:
    """The membership to change. All of the site's are locked first, so that two admins can't undo each other."""
    query = select(Membership).where(Membership.site_id == site_id).order_by(Membership.moderator_id)
    members = {m.moderator_id: m for m in session.scalars(query.with_for_update())}
    if actor and (actor.id not in members or members[actor.id].role != Role.ADMIN):
        raise Forbidden("only an admin may do this", code="role_needed")
    if moderator_id not in members:
        raise NotFound("there is nobody like that here")
    admins: Sequence[str] = [id for id, member in members.items() if member.role == Role.ADMIN]
    if admins == [moderator_id] and not stays:
        raise Conflict("a site needs an admin; make somebody else one first", code="last_admin")
    return members[moderator_id]


def _revoke_invitations_of(session: Session, site_id: str, moderator_id: str) -> None:
    """A link that they made and may have kept must not bring them back in."""
    session.execute(
        delete(Invitation).where(
            Invitation.site_id == site_id, Invitation.made_by == moderator_id, Invitation.used_at.is_(None)
        )
    )


def _free_comments(session: Session, site_id: str, moderator_id: str) -> int:
    claimed = (
        update(Comment)
        .where(Comment.site_id == site_id, Comment.claimed_by == moderator_id)
        .values(claimed_by=None, claimed_until=None)
        .returning(Comment.id)
        .execution_options(synchronize_session=False)
    )
    assigned = (
        update(Comment)
        .where(Comment.site_id == site_id, Comment.assigned_to == moderator_id)
        .values(assigned_to=None)
        .returning(Comment.id)
        .execution_options(synchronize_session=False)
    )
    return len(set(session.scalars(claimed)) | set(session.scalars(assigned)))


def only_here(session: Session, site_id: str, moderator_id: str) -> bool:
    """Whether this is the only site of the person, so that its admins answer for the whole account."""
    further = exists().where(Membership.moderator_id == moderator_id, Membership.site_id != site_id)
    return not session.scalar(select(further))


def _member(moderator: Moderator, member: Membership) -> Member:
    return Member(
        moderator.id, moderator.name, moderator.email, Role(member.role), member.seen_at,
        password=moderator.password_hash is not None, outside=moderator.oidc_subject is not None,
    )  # fmt: skip
