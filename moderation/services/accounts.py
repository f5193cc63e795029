"""Moderators, their passwords, and how they are recognised."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Role
from moderation.domain.text import one_line
from moderation.errors import Conflict, Invalid, Unauthorized
from moderation.services.audit import record_audit
from moderation.services.sites import digest
from moderation.store.people import Membership, Moderator, SignIn
from moderation.store.queries import insert_new
from moderation.store.session import new_id, now_ms

hasher = PasswordHasher()
_MIN_PASSWORD = 10
_MAX_PASSWORD = 1000
_MAX_NAME = 80
_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]{1,64}@[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]{1,250}")
_ASCII_LOWER = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_SEEN_EVERY_MS = 60_000


@dataclass(frozen=True)
class Person:
    """A signed-in moderator at the site they work on; `sign_in` is the id of their session, `seen_at` its last use,
    `settings` what they have chosen for the pages."""

    id: str
    site_id: str
    name: str
    email: str
    role: Role
    sign_in: str = ""
    seen_at: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


def address(email: str) -> str:
    """An e-mail address as it is kept. Raises Invalid for what is none.

    Only ASCII letters lose their case: other letters may become those of another person's address by it.
    """
    email = email.strip().translate(_ASCII_LOWER)
    if not _ADDRESS.fullmatch(email):
        raise Invalid("this is not an e-mail address", extra={"field": "email"})
    return email


def display_name(name: str) -> str:
    """A person's name as others see it. Raises Invalid for an empty, too long or unprintable one."""
    name = " ".join(name.split())
    if not 0 < len(name) <= _MAX_NAME or not name.isprintable():
        raise Invalid(f"the name needs 1 to {_MAX_NAME} letters", extra={"field": "name"})
    return name


def password_hash(password: str) -> str:
    """The hash to keep of a new password. Raises Invalid for one that is too short or too long."""
    if len(password) < _MIN_PASSWORD:
        raise Invalid(f"the password needs at least {_MIN_PASSWORD} characters", extra={"field": "password"})
    if len(password) > _MAX_PASSWORD:
        raise Invalid(f"the password may have at most {_MAX_PASSWORD} characters", extra={"field": "password"})
    return hasher.hash(password)


def create_moderator(
    session: Session, site_id: str, email: str, password: str, role: Role, name: str | None = None
) -> Moderator:
    """A new moderator of a site. Raises Invalid for a short password, Conflict for an address in use."""
    email = address(email)
    moderator = add_person(session, email, name or email.partition("@")[0], password_hash(password), None)
    session.add(Membership(moderator_id=moderator.id, site_id=site_id, role=role.value, created_at=now_ms()))
    record_audit(session, "moderator.created", site_id=site_id, subject_id=moderator.id, data={"role": role.value})
    return moderator


def add_person(session: Session, email: str, name: str, hashed: str | None, subject: str | None) -> Moderator:
    """A new person without a site. Raises Conflict for an address in use, also by one who comes at the same moment."""
    row: dict[str, Any] = {
        "id": new_id(), "email": email, "name": one_line(name), "password_hash": hashed, "oidc_subject": subject,
        "settings": {}, "created_at": now_ms(),
    }  # fmt: skip
    if not insert_new(session, Moderator, [row]):
        raise Conflict("there is a moderator with this e-mail address", code="email_in_use")
    return session.get_one(Moderator, row["id"])


def with_address(session: Session, email: str) -> Moderator | None:
    """The moderator with this address; None also for what can't be one."""
    try:
        return session.scalar(select(Moderator).where(Moderator.email == address(email)))
    except Invalid:
        return None


def free_address(session: Session, name: str, domain: str) -> str:
    """name@domain, or the same with a suffix when a moderator has that address already."""
    taken = session.scalar(select(Moderator.id).where(Moderator.email == f"{name}@{domain}"))
    return f"{name}-{new_id()[-8:]}@{domain}" if taken else f"{name}@{domain}"


def check_password(session: Session, email: str, password: str) -> Person:
    """The moderator with this address and password. Raises Unauthorized without saying which was wrong."""
    moderator = with_address(session, email)
    if not password_matches(moderator, password) or moderator is None:
        raise Unauthorized("the e-mail address or the password is wrong", code="wrong_credentials")
    return at_first_site(session, moderator)


def slowed(session: Session, email: str) -> None:
    """Notes that wrong passwords slow this account down from now on. A row is written for nobody's address as well:
    else the time that an answer takes would tell whose there are."""
    moderator = with_address(session, email)
    sites = select(Membership.site_id).where(Membership.moderator_id == (moderator.id if moderator else ""))
    site_id = session.scalar(sites.order_by(Membership.created_at, Membership.site_id).limit(1))
    record_audit(session, "moderator.sign_in_slowed", site_id=site_id, subject_id=moderator.id if moderator else None)


def password_matches(moderator: Moderator | None, password: str) -> bool:
    """Whether this is their password; takes as long when there is nobody or no password."""
    try:
        hasher.verify((moderator.password_hash if moderator else None) or _nobody(), password)
    except (Argon2Error, InvalidHashError):
        return False
    return True


@cache
def _nobody() -> str:
    """Checked when there is no such moderator, so that the answer takes as long."""
    return hasher.hash(secrets.token_urlsafe())


def change_password(session: Session, person: Person, old: str, new: str) -> None:
    """Sets a new password and ends all other sessions and tokens. Raises Invalid when the old one is wrong."""
    moderator = session.get_one(Moderator, person.id)
    if not password_matches(moderator, old):
        raise Invalid("the present password is wrong", code="wrong_password", extra={"field": "old"})
    moderator.password_hash = password_hash(new)
    session.execute(delete(SignIn).where(SignIn.moderator_id == person.id, SignIn.id != person.sign_in))
    record_audit(
        session, "moderator.password_changed", site_id=person.site_id, subject_id=person.id, actor=person.id
    )  # fmt: skip


def rename(session: Session, person: Person, name: str) -> None:
    """Sets the name that others see. Raises Invalid."""
    session.get_one(Moderator, person.id).name = display_name(name)
    record_audit(session, "moderator.renamed", site_id=person.site_id, subject_id=person.id, actor=person.id)


def at_first_site(session: Session, moderator: Moderator) -> Person:
    """The moderator at the site that they joined first. Raises Unauthorized when they have left all."""
    first = session.scalar(
        select(Membership)
        .where(Membership.moderator_id == moderator.id)
        .order_by(Membership.created_at, Membership.site_id)
        .limit(1)
    )
    if first is None:
        raise Unauthorized("this account has no site any more; ask an admin", code="no_site")
    return _person(moderator, first)


def sign_in(
    session: Session, person: Person, hours: float, kind: str = "session", agent: str | None = None
) -> tuple[str, int]:
    """A new session or token: (secret, end in milliseconds). Only the secret's hash is kept."""
    token, now = secrets.token_urlsafe(32), now_ms()
    expires_at = now + round(hours * 3_600_000)
    session.execute(delete(SignIn).where(SignIn.expires_at < now))
    session.add(SignIn(
        digest=digest(token), id=new_id(), moderator_id=person.id, site_id=person.site_id, kind=kind, agent=agent,
        created_at=now, seen_at=now, expires_at=expires_at,
    ))  # fmt: skip
    _seen(session, person, now)
    record_audit(session, "moderator.signed_in", site_id=person.site_id, subject_id=person.id, actor=person.id)
    return token, expires_at


def signed_in(session: Session, token: str, idle_ms: int | None = None) -> Person:
    """Who this session or token belongs to.

    Raises Unauthorized when it is none or over, when nobody used the session for `idle_ms`, or they left the site.
    """
    here = (Membership.moderator_id == SignIn.moderator_id) & (Membership.site_id == SignIn.site_id)
    query = (
        select(Moderator, Membership, SignIn)
        .join(SignIn, SignIn.moderator_id == Moderator.id)
        .join(Membership, here)
        .where(SignIn.digest == digest(token), SignIn.expires_at > now_ms())
    )
    if idle_ms is not None:
        query = query.where((SignIn.kind == "token") | (SignIn.seen_at > now_ms() - idle_ms))
    row = session.execute(query).first()
    if row is None:
        raise Unauthorized("sign in first", code="not_signed_in")
    return _person(*row)


def unseen(person: Person, now: int) -> bool:
    """Whether it is time to note that this session is in use: once a minute is enough."""
    return person.seen_at < now - _SEEN_EVERY_MS


def seen(session: Session, person: Person, now: int) -> None:
    """Notes that this session is in use."""
    session.execute(update(SignIn).where(SignIn.id == person.sign_in).values(seen_at=now))
    _seen(session, person, now)


def sign_out(session: Session, token: str) -> None:
    """Ends this session or token."""
    session.execute(delete(SignIn).where(SignIn.digest == digest(token)))


def _seen(session: Session, person: Person, now: int) -> None:
    here = (Membership.moderator_id == person.id) & (Membership.site_id == person.site_id)
    session.execute(update(Membership).where(here).values(seen_at=now))


def _person(moderator: Moderator, at: Membership, by: SignIn | None = None) -> Person:
    return Person(
        moderator.id, at.site_id, moderator.name, moderator.email, Role(at.role),
        sign_in=by.id if by else "", seen_at=by.seen_at if by else 0, settings=moderator.settings,
    )  # fmt: skip
