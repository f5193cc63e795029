"""What a site's webhook is signed with: one secret, or two while the site goes over to a new one."""

import base64
import secrets

from sqlalchemy.orm import Session

from moderation.errors import Conflict
from moderation.services.audit import record_audit
from moderation.store.tables import Site


def new_secret() -> str:
    """A random secret, written as Standard Webhooks has it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def in_force(site: Site, now: int) -> list[str]:
    """The secrets that sign now (milliseconds), the newest first; none without a webhook."""
    former = site.former_webhook_secret if now < (site.former_webhook_secret_until or 0) else None
    return [secret for secret in (site.webhook_secret, former) if secret]


def rotate(session: Session, site: Site, now: int, overlap_ms: int, *, actor: str | None = None) -> str:
    """A new secret; the one of before signs beside it for the overlap. A third one ends. Raises Conflict."""
    if not site.webhook_url:
        raise Conflict("the site has no webhook")
    site.former_webhook_secret = site.webhook_secret if overlap_ms else None
    site.former_webhook_secret_until = now + overlap_ms if overlap_ms else None
    site.webhook_secret = made = new_secret()
    until = {"until": site.former_webhook_secret_until} if overlap_ms else {}
    record_audit(session, "site.webhook_secret_rotated", site_id=site.id, actor=actor, data=until)
    return made
