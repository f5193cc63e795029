"""Sites and their keys."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from moderation.errors import Forbidden, NotFound, Unauthorized
from moderation.services import policies, webhook_secrets
from moderation.services.audit import record_audit
from moderation.services.webhooks import check_url
from moderation.store.session import new_id, now_ms
from moderation.store.tables import Site, SiteKey

SCOPES = ("submit", "read", "score")


@dataclass(frozen=True)
class KeyHolder:
    """The site behind a key, what it may do, when it ends (milliseconds; None: never), when its use was noted."""

    site_id: str
    scopes: frozenset[str]
    expires_at: int | None = None
    used_at: int | None = None

    def need_valid(self, now: int) -> None:
        """Raises Unauthorized when the key has ended."""
        if self.expires_at is not None and self.expires_at <= now:
            raise Unauthorized("this key has ended; use the newer one", code="key_expired")

    def need(self, scope: str) -> None:
        """Raises Forbidden when the key lacks this scope."""
        if scope not in self.scopes:
            raise Forbidden(f"this key lacks the scope {scope}", code="missing_scope", extra={"scope": scope})


def digest(secret: str) -> str:
    """SHA-256 of a random secret; such a secret has too many bits to be guessed, so no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_key(prefix: str) -> str:
    """A random key: lower-case letters and digits, short enough to be a host label."""
    return prefix + base64.b32encode(secrets.token_bytes(25)).decode().lower()


def create_site(session: Session, name: str) -> tuple[Site, str]:
    """A new site with the default policy; returns it and its key, which is shown only now."""
    site = Site(
        id=new_id(), name=name, created_at=now_ms(), webhook_url=None, webhook_secret=None,
        publishable_key=new_key("pk"), origins=[], options={}, coral_secrets=[],
    )  # fmt: skip
    session.add(site)
    session.flush()
    policies.apply(session, site.id, policies.default_document())
    record_audit(session, "site.created", site_id=site.id)
    return site, create_key(session, site.id, SCOPES)


def create_key(session: Session, site_id: str, scopes: tuple[str, ...], *, actor: str | None = None) -> str:
    """A further key of a site."""
    key = new_key("sk")
    session.add(SiteKey(digest=digest(key), site_id=site_id, scopes=list(scopes), created_at=now_ms()))
    record_audit(session, "key.created", site_id=site_id, actor=actor, data={"scopes": list(scopes)})
    return key


def holder_of(session: Session, key: str) -> KeyHolder:
    """Who this key belongs to. Raises Unauthorized."""
    columns = select(SiteKey.site_id, SiteKey.scopes, SiteKey.expires_at, SiteKey.used_at)
    row: Any = session.execute(columns.where(SiteKey.digest == digest(key))).first()
    if row is None:
        raise Unauthorized("there is no such key")
    holder = KeyHolder(row.site_id, frozenset(row.scopes), row.expires_at, row.used_at)
    holder.need_valid(now_ms())
    return holder


def find_site(session: Session, name_or_id: str | None) -> Site:
    """A site by id or name; without either, the only one there is. Raises NotFound."""
    query = select(Site).order_by(Site.created_at).limit(2)
    if name_or_id:
        query = query.where((Site.id == name_or_id) | (Site.name == name_or_id))
    found = session.scalars(query).all()
    if len(found) != 1:
        raise NotFound("there is no such site" if name_or_id else "there is more than one site or none; name one")
    return found[0]


def of_page(session: Session, publishable_key: str, origin: str) -> str:
    """Id of the site whose page at this origin shows this key. Raises Unauthorized, or Forbidden for a strange page."""
    site = session.scalar(select(Site).where(Site.publishable_key == publishable_key))
    if site is None:
        raise Unauthorized("there is no such publishable key")
    if origin not in site.origins:
        raise Forbidden("the site does not list this page's origin", code="origin_not_allowed")
    return site.id


def lists_origin(session: Session, origin: str) -> bool:
    """Whether a page at this origin belongs to any site."""
    return any(origin in origins for origins in session.scalars(select(Site.origins)))


def set_webhook(session: Session, site: Site, url: str | None) -> str | None:
    """Sets or removes the webhook; returns the new signing secret. Raises Invalid for a bad address."""
    if url is not None:
        check_url(url)
    site.webhook_url = url
    site.webhook_secret = webhook_secrets.new_secret() if url else None
    site.former_webhook_secret = site.former_webhook_secret_until = None
    record_audit(session, "site.webhook_set", site_id=site.id, data={"set": url is not None})
    return site.webhook_secret


def set_origins(session: Session, site: Site, origins: list[str]) -> None:
    """The pages (scheme and host) that may use the publishable key."""
    site.origins = origins
    record_audit(session, "site.origins_set", site_id=site.id, data={"count": len(origins)})


def follow_address(session: Session, site: Site, base_url: str, last: str | None = None) -> None:
    """Lets our own pages use the publishable key at the address of this start, and no more at that of the last."""
    own, gone = _own_origins(base_url), _own_origins(last) if last else []
    origins = own + [origin for origin in site.origins if origin not in own and origin not in gone]
    if origins != site.origins:
        set_origins(session, site, origins)


def _own_origins(base_url: str) -> list[str]:
    """The origin of an address; a loopback address goes by two names."""
    parts = urlsplit(base_url)
    origin = f"{parts.scheme}://{parts.netloc}"
    return [origin, origin.replace("127.0.0.1", "localhost")] if parts.hostname == "127.0.0.1" else [origin]
