"""What is sent to a site's webhook, in the form of Standard Webhooks."""

import json
from datetime import datetime
from urllib.parse import urlsplit

from standardwebhooks import Webhook

from moderation.errors import Invalid
from moderation.services import webhook_secrets
from moderation.services.links import Links
from moderation.services.outbox import event_view
from moderation.store.tables import Event, Site


def check_url(url: str) -> None:
    """Raises Invalid unless this is an http(s) address with a host and without credentials."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and not parts.username and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good:
        raise Invalid("the webhook must be an http or https address", code="invalid_webhook", extra={"field": "url"})


def signed(site: Site, event: Event, at: datetime, links: Links | None = None) -> tuple[dict[str, str], bytes]:
    """Headers and body of one delivery; `webhook-id` is the event's and the same on each try.

    While the site changes its secret there are two signatures, with a space between.
    """
    body = json.dumps(event_view(event, links or Links("", "")), ensure_ascii=False, separators=(",", ":"))
    in_force = webhook_secrets.in_force(site, round(at.timestamp() * 1000))
    signature = " ".join(Webhook(secret).sign(event.id, at, body) for secret in in_force)
    headers = {
        "Content-Type": "application/json", "User-Agent": "moderation-webhooks",
        "webhook-id": event.id, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature,
    }  # fmt: skip
    return headers, body.encode()
