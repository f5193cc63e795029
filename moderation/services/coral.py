"""The secrets with which a site's Coral signs, and whether a call bears such a signature."""

import hashlib
import hmac
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from moderation.errors import Invalid, NotFound, Unauthorized
from moderation.services.audit import record_audit
from moderation.store.tables import Site

_KEPT = 5  # secrets of one site; Coral signs with the old and the new one while a secret is changed
_SIGNATURES = 10  # looked at in one header
_SHORTEST, _LONGEST = 16, 200


def add_secret(session: Session, site: Site, secret: str) -> None:
    """Adds a signing secret; the oldest go when there are more than five. Raises Invalid."""
    if not (_SHORTEST <= len(secret) <= _LONGEST and secret.isascii() and secret.isprintable() and " " not in secret):
        raise Invalid("this can't be a signing secret of Coral: copy it from there in full", code="invalid_secret")
    others = [known for known in site.coral_secrets if known != secret]
    _set(session, site, [secret, *others][:_KEPT])


def remove_secrets(session: Session, site: Site) -> None:
    """From now on no call of Coral's is taken for this site."""
    _set(session, site, [])


def site_of(session: Session, site_id: str | None) -> Site:
    """The site of a call: by the id in its address, else the only one with a secret. Raises NotFound."""
    if site_id:
        site = session.get(Site, site_id)
        found = [site] if site and site.coral_secrets else []
    else:
        found = [site for site in session.scalars(select(Site)) if site.coral_secrets]
    if len(found) != 1:
        raise NotFound("no site has a secret of Coral's here" if not found else "name the site in the address")
    return found[0]


def check_signature(secrets: Sequence[str], header: str, body: bytes) -> None:
    """Raises Unauthorized unless one of the header's signatures is that of the body by one of the secrets."""
    given = [value.strip() for name, _, value in (part.partition("=") for part in header.split(",")) if
             name.strip() == "sha256"]  # fmt: skip
    wanted = [hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode() for secret in secrets]
    # Each is compared, also after one has fitted, so that the time says nothing.
    fits = [hmac.compare_digest(value.encode(), one) for value in given[:_SIGNATURES] for one in wanted]
    if not any(fits):
        raise Unauthorized("the signature is not that of a secret of this site", code="bad_signature")


def _set(session: Session, site: Site, secrets: list[str]) -> None:
    site.coral_secrets = secrets
    record_audit(session, "site.coral_secrets_set", site_id=site.id, data={"count": len(secrets)})
