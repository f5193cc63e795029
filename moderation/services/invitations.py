"""One-time links: to join a site, and to set a new password. Only the hash of a link's secret is kept."""

import secrets
from collections.abc import Sequence

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Role
from moderation.errors import Conflict, Forbidden, Invalid, NotFound
from moderation.services import accounts, people
from moderation.services.accounts import Person
from moderation.services.audit import record_audit
from moderation.services.sites import digest
from moderation.store.people import Invitation, Membership, Moderator, SignIn
from moderation.store.session import new_id, now_ms

JOIN, RESET = "join", "reset"
_DAY_MS = 24 * 3_600_000
_LIFE_MS = {JOIN: 7 * _DAY_MS, RESET: _DAY_MS}
# Nobody gets a second letter this soon, however often somebody asks for one in their name.
_PAUSE_MS = 5 * 60_000


def invite(session: Session, person: Person, email: str, role: Role) -> tuple[Invitation, str]:
    """Invites somebody to the person's site; returns the invitation and the secret of its link.

    An older open invitation to the same address ends. Raises Invalid for no address, Conflict for a moderator of the
    site, Forbidden when the person is no admin any more.
    """
    email = accounts.address(email)
    people.need_admin(session, person.site_id, person)
    known = accounts.with_address(session, email)
    if known and session.get(Membership, (known.id, person.site_id)):
        raise Conflict("this person is a moderator of the site already", code="already_member")
    made, secret = _make(session, JOIN, person.site_id, email, role=role, made_by=person.id)
    record_audit(session, "moderator.invited", site_id=person.site_id, subject_id=made.id, actor=person.id,
                 data={"role": role.value})  # fmt: skip
    return made, secret


def open_of(session: Session, site_id: str) -> Sequence[Invitation]:
    """The invitations of a site that nobody has used yet, newest first."""
    waiting = (Invitation.used_at.is_(None)) & (Invitation.expires_at > now_ms())
    mine = (Invitation.site_id == site_id) & (Invitation.kind == JOIN)
    return session.scalars(select(Invitation).where(mine, waiting).order_by(Invitation.id.desc())).all()


def revoke(session: Session, person: Person, invitation_id: str) -> None:
    """Ends an open invitation. Raises NotFound when it is used, over, or another site's."""
    mine = (Invitation.site_id == person.site_id) & (Invitation.id == invitation_id) & (Invitation.kind == JOIN)
    people.need_admin(session, person.site_id, person)
    ended = session.scalar(delete(Invitation).where(mine, Invitation.used_at.is_(None)).returning(Invitation.id))
    if ended is None:
        raise NotFound("there is no such open invitation")
    record_audit(
        session, "moderator.invitation_revoked", site_id=person.site_id, subject_id=invitation_id, actor=person.id
    )  # fmt: skip


def find(session: Session, secret: str, kind: str) -> Invitation:
    """The open link with this secret. Raises NotFound that says in kind words why it is none."""
    found = session.scalar(select(Invitation).where(Invitation.digest == digest(secret), Invitation.kind == kind))
    if found is None:
        raise NotFound("this link was taken back, was replaced by a newer one, or is not complete", code="link_over")
    if found.used_at is not None:
        raise NotFound("this link was used already; it works only once", code="link_over")
    if found.expires_at <= now_ms():
        raise NotFound("this link is too old; ask for a new one", code="link_over")
    return found


def join_new(session: Session, secret: str, name: str, hashed: str | None, subject: str | None = None) -> Person:
    """Makes the account that the link invites to and joins the site; the link is used up.

    One of password hash and OIDC subject is given. Raises NotFound for a link that is over, Conflict when the address
    has an account, Invalid for a bad name.
    """
    name = accounts.display_name(name)
    link = _use(session, secret, JOIN)
    moderator = accounts.add_person(session, link.email, name, hashed, subject)
    people.add_member(session, link.site_id, moderator.id, Role(link.role), actor=moderator.id)
    return _at(moderator, link)


def join_known(session: Session, secret: str, person_id: str) -> Person:
    """Lets the account that the link invites join the site; the link is used up.

    Raises NotFound for a link that is over, Forbidden for another's link, Conflict for a moderator of the site.
    """
    link = _use(session, secret, JOIN)
    moderator = session.get_one(Moderator, person_id)
    if moderator.email != link.email:
        raise Forbidden("this invitation is for another e-mail address", code="other_address")
    people.add_member(session, link.site_id, moderator.id, Role(link.role), actor=moderator.id)
    return _at(moderator, link)


def join_with_password(session: Session, secret: str, password: str) -> Person:
    """Lets the account that the link invites join, by its password. Raises Invalid for a wrong one, else as above."""
    known = accounts.with_address(session, find(session, secret, JOIN).email)
    if not accounts.password_matches(known, password) or known is None:
        raise Invalid("the password is wrong", code="wrong_password", extra={"field": "password"})
    return join_known(session, secret, known.id)


def reset_link(session: Session, person: Person, moderator_id: str) -> tuple[str, str]:
    """An admin's link for a colleague who lost the password; returns (address, secret).

    Raises NotFound for whoever is not of the site, Forbidden when the person is no admin any more.
    """
    people.need_admin(session, person.site_id, person)
    colleague = people.one_of_site(session, person.site_id, moderator_id)
    _, secret = _make(session, RESET, person.site_id, colleague.email, role=colleague.role, made_by=person.id)
    record_audit(
        session, "moderator.reset_made", site_id=person.site_id, subject_id=moderator_id, actor=person.id
    )  # fmt: skip
    return colleague.email, secret


def reset_link_for(session: Session, email: str, *, pause: bool = True) -> tuple[str, str] | None:
    """A link for whoever forgot their password: (address, secret); None when nobody has that address and a site.

    With `pause`, also None when they got one minutes ago.
    """
    moderator = accounts.with_address(session, email)
    if moderator is None:
        return None
    member = session.scalar(select(Membership).where(Membership.moderator_id == moderator.id).limit(1))
    recent = (Invitation.kind == RESET) & (Invitation.email == moderator.email) & (Invitation.used_at.is_(None))
    last = session.scalar(select(Invitation.created_at).where(recent))
    if member is None or (pause and last and last > now_ms() - _PAUSE_MS):
        return None
    _, secret = _make(session, RESET, member.site_id, moderator.email, role=Role(member.role), made_by=None)
    record_audit(session, "moderator.reset_made", site_id=member.site_id, subject_id=moderator.id)
    return moderator.email, secret


def set_password(session: Session, secret: str, password: str) -> None:
    """Sets the password of whom the link was made for and ends all their sessions; the link is used up.

    Raises Invalid for a bad password, NotFound for a link that is over.
    """
    hashed = accounts.password_hash(password)
    link = _use(session, secret, RESET)
    moderator = accounts.with_address(session, link.email)
    if moderator is None:
        raise NotFound("this link is too old; ask for a new one", code="link_over")
    moderator.password_hash = hashed
    session.execute(delete(SignIn).where(SignIn.moderator_id == moderator.id))
    record_audit(
        session, "moderator.password_reset", site_id=link.site_id, subject_id=moderator.id, actor=moderator.id
    )  # fmt: skip


def _make(
    session: Session, kind: str, site_id: str, email: str, *, role: Role, made_by: str | None
) -> tuple[Invitation, str]:
    """A new link in place of an older one of the same kind to the same address; what is over goes, too."""
    secret, now = secrets.token_urlsafe(32), now_ms()
    older = (Invitation.kind == kind) & (Invitation.email == email) & (Invitation.used_at.is_(None))
    if kind == JOIN:  # each site invites for itself
        older &= Invitation.site_id == site_id
    session.execute(delete(Invitation).where(older | (Invitation.expires_at < now - _LIFE_MS[JOIN])))
    made = Invitation(
        digest=digest(secret), id=new_id(), kind=kind, site_id=site_id, email=email, role=role.value, made_by=made_by,
        created_at=now, expires_at=now + _LIFE_MS[kind], used_at=None,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made, secret


def _use(session: Session, secret: str, kind: str) -> Invitation:
    """Uses the link up. Of two at the same moment one gets it; a failure later in the transaction gives it back."""
    link = find(session, secret, kind)
    mine = (Invitation.digest == link.digest) & (Invitation.used_at.is_(None))
    used = update(Invitation).where(mine).values(used_at=now_ms()).returning(Invitation.id)
    if session.scalar(used.execution_options(synchronize_session=False)) is None:
        raise NotFound("this link was used already; it works only once", code="link_over")
    return link


def _at(moderator: Moderator, link: Invitation) -> Person:
    return Person(moderator.id, link.site_id, moderator.name, moderator.email, Role(link.role))
