"""Events to a site's webhook, in the form of Standard Webhooks; at least once, retried with back-off."""

import ipaddress
import json
import logging
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import urllib3
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from standardwebhooks import Webhook

from moderation.config import Settings
from moderation.errors import Invalid
from moderation.services.outbox import event_view
from moderation.store.session import Store, now_ms
from moderation.store.tables import Delivery, Event, Site

log = logging.getLogger(__name__)

# Seconds until the next try; after the last one the delivery is given up (the feed still has the event).
RETRIES = (5, 30, 120, 600, 3_600, 4 * 3_600, 12 * 3_600, 24 * 3_600)
_AT_ONCE = 100


@dataclass(frozen=True)
class Target:
    """Where a webhook goes: the address that was checked is the address that is called."""

    url: str
    host: str
    port: int
    ip: str
    tls: bool


@dataclass(frozen=True)
class Answer:
    """What the receiver said: an HTTP status, or the kind of error that kept us from one."""

    status: int | None
    error: str | None = None

    @property
    def taken(self) -> bool:
        """Whether the receiver has the event."""
        return self.status is not None and 200 <= self.status < 300


def check_url(url: str) -> None:
    """Raises Invalid unless this is an http(s) address with a host and without credentials."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and not parts.username and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good:
        raise Invalid("the webhook must be an http or https address", code="invalid_webhook", extra={"field": "url"})


def resolve(url: str, allow_private: bool) -> Target:
    """Looks the host up once. Raises ValueError for an address inside our own network, OSError when there is none."""
    parts = urlsplit(url)
    tls = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if tls else 80)
    addresses = {str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    if not allow_private and any(not _is_public(address) for address in addresses):
        raise ValueError("private address")
    return Target(url, host, port, sorted(addresses, key=lambda a: (":" in a, a))[0], tls)


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and (ip.ipv4_mapped or ip.sixtofour):
        ip = ip.ipv4_mapped or ip.sixtofour or ip
    return ip.is_global and not ip.is_multicast


def post(target: Target, headers: dict[str, str], body: bytes, timeout: float) -> Answer:
    """One POST to the checked address; redirects are not followed. Never raises for what the network does."""
    limits = urllib3.Timeout(connect=min(timeout, 5.0), read=timeout)
    pool: urllib3.HTTPConnectionPool
    if target.tls:
        pool = urllib3.HTTPSConnectionPool(
            target.ip, target.port, server_hostname=target.host, assert_hostname=target.host, timeout=limits
        )
    else:
        pool = urllib3.HTTPConnectionPool(target.ip, target.port, timeout=limits)
    parts = urlsplit(target.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with pool:
        try:
            reply = pool.request(
                "POST", path, body=body, headers={**headers, "Host": parts.netloc}, redirect=False, retries=False,
                preload_content=False,
            )  # fmt: skip
            reply.close()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            return Answer(None, type(error).__name__)
    return Answer(reply.status)


def signed(site: Site, event: Event, at: datetime) -> tuple[dict[str, str], bytes]:
    """Headers and body of one delivery; `webhook-id` is the event's and the same on each try."""
    body = json.dumps(event_view(event), ensure_ascii=False, separators=(",", ":"))
    signature = Webhook(site.webhook_secret or "").sign(event.id, at, body)
    headers = {
        "Content-Type": "application/json", "User-Agent": "moderation-webhooks",
        "webhook-id": event.id, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature,
    }  # fmt: skip
    return headers, body.encode()


def due(session: Session, now: int) -> bool:
    """Whether any delivery waits to be tried now."""
    return session.scalar(select(Delivery.event_id).where(Delivery.next_at <= now).limit(1)) is not None


def deliver_due(store: Store, settings: Settings) -> None:
    """Tries what is due, in the order of the feed; a site that fails is left alone until its next try."""
    failing: set[str] = set()
    tried: set[str] = set()
    while batch := _take(store, settings, failing):
        for event, site in batch:
            if site.id in failing:
                _postpone_untried(store, event)
                continue
            tried.add(event.id)
            answer = _try(settings, site, event)
            _note(store, event, answer)
            if not answer.taken:
                failing.add(site.id)
        if not any(event.id in tried for event, _ in batch):
            return


def _take(store: Store, settings: Settings, failing: set[str]) -> list[tuple[Event, Site]]:
    """Due deliveries, put out of reach of other workers for as long as trying them all may take."""
    now = now_ms()
    with store.write() as session:
        rows = session.execute(
            select(Event, Site)
            .join(Delivery, Delivery.event_id == Event.id)
            .join(Site, Site.id == Event.site_id)
            .where(Delivery.next_at <= now, Event.site_id.not_in(failing))
            .order_by(Event.position)
            .limit(_AT_ONCE)
            .with_for_update(of=Delivery, skip_locked=True)
        ).all()
        if rows:
            lease = now + round(settings.webhook_timeout_seconds * 1000) + 60_000
            ids = [event.id for event, _ in rows]
            session.execute(
                update(Delivery).where(Delivery.event_id.in_(ids)).values(next_at=lease)
                .execution_options(synchronize_session=False)
            )  # fmt: skip
        return [(event, site) for event, site in rows]


def _try(settings: Settings, site: Site, event: Event) -> Answer:
    try:
        target = resolve(site.webhook_url or "", settings.webhook_allow_private)
    except ValueError:
        return Answer(None, "PrivateAddress")
    except OSError as error:
        return Answer(None, type(error).__name__)
    headers, body = signed(site, event, datetime.now(UTC))
    return post(target, headers, body, settings.webhook_timeout_seconds)


def _note(store: Store, event: Event, answer: Answer) -> None:
    now = now_ms()
    with store.write() as session:
        delivery = session.get_one(Delivery, event.id)
        delivery.attempts += 1
        delivery.last_status, delivery.last_error = answer.status, answer.error
        if answer.taken:
            delivery.delivered_at, delivery.next_at = now, None
        elif delivery.attempts > len(RETRIES):
            delivery.next_at = None
            log.error("webhook of event %s given up after %d tries", event.id, delivery.attempts)
        else:
            delivery.next_at = now + RETRIES[delivery.attempts - 1] * 1000
            log.warning("webhook of event %s: %s", event.id, answer.error or answer.status)


def _postpone_untried(store: Store, event: Event) -> None:
    with store.write() as session:
        session.get_one(Delivery, event.id).next_at = now_ms() + RETRIES[0] * 1000
