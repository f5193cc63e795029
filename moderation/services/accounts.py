"""Moderators, their passwords, and their sessions and tokens."""

import secrets
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Role
from moderation.errors import Conflict, Invalid, Unauthorized
from moderation.services.audit import record_audit
from moderation.services.sites import digest
from moderation.store.session import new_id, now_ms
from moderation.store.tables import Moderator, SignIn

_hasher = PasswordHasher()
# Checked when there is no such moderator, so that the answer takes as long.
_NOBODY = _hasher.hash(secrets.token_urlsafe())
_MIN_PASSWORD = 10


@dataclass(frozen=True)
class Person:
    """A signed-in moderator."""

    id: str
    site_id: str
    name: str
    email: str
    role: Role


def create_moderator(
    session: Session, site_id: str, email: str, password: str, role: Role, name: str | None = None
) -> Moderator:
    """A new moderator of a site. Raises Invalid for a short password, Conflict for an address in use."""
    email = email.strip().lower()
    if "@" not in email[1:-1]:
        raise Invalid("this is not an e-mail address", extra={"field": "email"})
    if len(password) < _MIN_PASSWORD:
        raise Invalid(f"the password needs at least {_MIN_PASSWORD} characters", extra={"field": "password"})
    if session.scalar(select(Moderator.id).where(Moderator.email == email)):
        raise Conflict("there is a moderator with this e-mail address", code="email_in_use")
    moderator = Moderator(
        id=new_id(), site_id=site_id, email=email, name=name or email.partition("@")[0], role=role.value,
        password_hash=_hasher.hash(password), created_at=now_ms(),
    )  # fmt: skip
    session.add(moderator)
    record_audit(session, "moderator.created", site_id=site_id, subject_id=moderator.id, data={"role": role.value})
    return moderator


def free_address(session: Session, name: str, domain: str) -> str:
    """name@domain, or the same with a suffix when a moderator has that address already."""
    taken = session.scalar(select(Moderator.id).where(Moderator.email == f"{name}@{domain}"))
    return f"{name}-{new_id()[-8:]}@{domain}" if taken else f"{name}@{domain}"


def check_password(session: Session, email: str, password: str) -> Person:
    """The moderator with this address and password. Raises Unauthorized without saying which was wrong."""
    moderator = session.scalar(select(Moderator).where(Moderator.email == email.strip().lower()))
    try:
        _hasher.verify(moderator.password_hash if moderator else _NOBODY, password)
    except (Argon2Error, InvalidHashError):
        moderator = None
    if moderator is None:
        raise Unauthorized("the e-mail address or the password is wrong", code="wrong_credentials")
    return _person(moderator)


def sign_in(session: Session, person: Person, hours: float) -> tuple[str, int]:
    """A new session or token: (secret, end in milliseconds). Only the secret's hash is kept."""
    token, now = secrets.token_urlsafe(32), now_ms()
    expires_at = now + round(hours * 3_600_000)
    session.execute(delete(SignIn).where(SignIn.expires_at < now))
    session.add(SignIn(digest=digest(token), moderator_id=person.id, created_at=now, expires_at=expires_at))
    record_audit(session, "moderator.signed_in", site_id=person.site_id, subject_id=person.id, actor=person.id)
    return token, expires_at


def signed_in(session: Session, token: str) -> Person:
    """Who this session or token belongs to. Raises Unauthorized when it is none or over."""
    moderator = session.scalar(
        select(Moderator)
        .join(SignIn, SignIn.moderator_id == Moderator.id)
        .where(SignIn.digest == digest(token), SignIn.expires_at > now_ms())
    )
    if moderator is None:
        raise Unauthorized("sign in first", code="not_signed_in")
    return _person(moderator)


def sign_out(session: Session, token: str) -> None:
    """Ends this session or token."""
    session.execute(delete(SignIn).where(SignIn.digest == digest(token)))


def _person(moderator: Moderator) -> Person:
    return Person(moderator.id, moderator.site_id, moderator.name, moderator.email, Role(moderator.role))
