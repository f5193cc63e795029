"""Accounts at an outside sign-in service (OpenID Connect), and whose they are here."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from moderation.errors import Forbidden, Invalid, NotFound
from moderation.services import accounts, invitations
from moderation.services.accounts import Person, at_first_site
from moderation.services.audit import record_audit
from moderation.store.people import Invitation, Membership, Moderator


@dataclass(frozen=True)
class Identity:
    """Who the sign-in service says that somebody is. `email` is None unless the service has verified it."""

    issuer: str
    subject: str
    email: str | None
    name: str

    @property
    def key(self) -> str:
        """What is kept of it: a subject is a name only within its issuer."""
        return f"{self.issuer} {self.subject}"


def recognise(session: Session, identity: Identity, invitation: str | None = None) -> Person:
    """The moderator with this identity: known by it, else by a verified address, else by the secret of an invitation
    to that address.

    Raises Forbidden for a stranger, for an address that is not verified, and for one that belongs to an account with
    another identity of the same issuer: there an address has been given to somebody else.
    """
    known = session.scalar(select(Moderator).where(Moderator.oidc_subject == identity.key))
    if known:
        return _enter(session, known, invitation)
    if identity.email is None:
        raise Forbidden("the sign-in service has not verified your e-mail address", code="email_not_verified")
    try:
        email = accounts.address(identity.email)
    except Invalid:
        raise Forbidden("the sign-in service gave no usable e-mail address", code="email_not_verified") from None
    by_address = accounts.with_address(session, email)
    if by_address is None:
        return _invited(session, identity, email, invitation)
    if (by_address.oidc_subject or "").startswith(f"{identity.issuer} "):
        raise Forbidden("this e-mail address belongs to another account here; ask an admin", code="other_identity")
    by_address.oidc_subject = identity.key
    person = _enter(session, by_address, invitation)
    record_audit(session, "moderator.oidc_linked", site_id=person.site_id, subject_id=person.id, actor=person.id)
    return person


def _enter(session: Session, moderator: Moderator, invitation: str | None) -> Person:
    """At the site that the invitation is for, if it is theirs; else at their first."""
    link = _open_link(session, invitation, moderator.email)
    if link and session.get(Membership, (moderator.id, link.site_id)) is None:
        return invitations.join_known(session, str(invitation), moderator.id)
    return at_first_site(session, moderator)


def _invited(session: Session, identity: Identity, email: str, invitation: str | None) -> Person:
    if _open_link(session, invitation, email) is None:
        raise Forbidden("nobody here has your e-mail address; an admin must invite you first", code="not_invited")
    try:
        name = accounts.display_name(identity.name)
    except Invalid:
        name = email.partition("@")[0]
    return invitations.join_new(session, str(invitation), name, None, identity.key)


def _open_link(session: Session, secret: str | None, email: str) -> Invitation | None:
    try:
        link = invitations.find(session, secret or "", invitations.JOIN)
    except NotFound:
        return None
    return link if link.email == email else None
