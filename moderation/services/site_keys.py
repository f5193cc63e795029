"""Keys of a site over time: listed, replaced with an overlap, ended. A key's id is the beginning of its digest."""

from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from moderation.errors import NotFound
from moderation.services.audit import record_audit
from moderation.services.sites import KeyHolder, create_key
from moderation.store.session import Store
from moderation.store.tables import SiteKey

_ID_LETTERS = 8
_USED_MS = 3_600_000


def key_id(key: SiteKey) -> str:
    """What a key is called in lists and commands; the key itself can't be read off it."""
    return key.digest[:_ID_LETTERS]


def of_site(session: Session, site_id: str) -> Sequence[SiteKey]:
    """All keys of a site, also those that have ended, the oldest first."""
    return session.scalars(
        select(SiteKey).where(SiteKey.site_id == site_id).order_by(SiteKey.created_at, SiteKey.digest)
    ).all()  # fmt: skip


def rotate(session: Session, site_id: str, wanted: str, now: int, *, overlap_ms: int, actor: str | None = None) -> str:
    """A new key with the scopes of an old one, which works on for the overlap. Raises NotFound."""
    old = _live(session, site_id, wanted, now)
    _end(session, old, now + overlap_ms, actor)
    return create_key(session, site_id, tuple(old.scopes), actor=actor)


def revoke(session: Session, site_id: str, wanted: str, now: int, *, actor: str | None = None) -> None:
    """Ends a key now; a web process that has just seen it knows it for a second more. Raises NotFound."""
    _end(session, _live(session, site_id, wanted, now), now, actor)


def note_use(store: Store, digest: str, holder: KeyHolder, now: int) -> None:
    """Notes that a key is in use, once an hour. No request fails because this can't be written."""
    if holder.used_at is not None and holder.used_at > now - _USED_MS:
        return
    with suppress(SQLAlchemyError), store.write() as session:
        session.execute(update(SiteKey).where(SiteKey.digest == digest).values(used_at=now))


def _live(session: Session, site_id: str, wanted: str, now: int) -> SiteKey:
    """The key with this id. One that has ended is not found, and no more is one of two that share it."""
    found = [
        key for key in of_site(session, site_id)
        if key_id(key) == wanted and (key.expires_at is None or key.expires_at > now)
    ]  # fmt: skip
    if len(found) != 1:
        raise NotFound("the site has no such key that works")
    return found[0]


def _end(session: Session, key: SiteKey, at: int, actor: str | None) -> None:
    key.expires_at = at if key.expires_at is None else min(key.expires_at, at)
    record_audit(
        session, "key.ended", site_id=key.site_id, actor=actor, data={"key": key_id(key), "at": key.expires_at}
    )
