"""Events to a site's webhook, in the form of Standard Webhooks; at least once, retried with back-off."""

import ipaddress
import json
import logging
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from urllib.parse import urlsplit

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from standardwebhooks import Webhook
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from moderation.config import Settings
from moderation.errors import Invalid
from moderation.services.outbox import event_view
from moderation.store.session import Store, now_ms
from moderation.store.tables import Delivery, Event, Site

log = logging.getLogger(__name__)

# Seconds until the next try; after the last one the delivery is given up (the feed still has the event).
RETRIES = (5, 30, 120, 600, 3_600, 4 * 3_600, 12 * 3_600, 24 * 3_600)
# So often an event is tried before the site's later ones go ahead of it.
_TRIES_IN_ORDER = 3
_AT_ONCE = 20
_LEASE_SECONDS = 5.0
_CONNECT_SECONDS = 5.0
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


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
    if isinstance(ip, ipaddress.IPv6Address):
        # An IPv4 address in the clothes of an IPv6 one; a gateway (NAT64) would take it to that host.
        nat64 = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None
        ip = ip.ipv4_mapped or ip.sixtofour or nat64 or ip
    return ip.is_global and not ip.is_multicast


def post(target: Target, headers: dict[str, str], body: bytes, timeout: float) -> Answer:
    """One POST to the checked address; redirects are not followed. Never raises for what the network does.

    `timeout` (seconds) limits the whole call, also for a receiver that answers a byte at a time.
    """
    connection = _connection(target, min(timeout, _CONNECT_SECONDS))
    parts = urlsplit(target.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    limit = threading.Timer(timeout, _cut, (connection,))
    limit.daemon = True
    limit.start()
    try:
        connection.connect()
        connection.timeout = timeout
        connection.request("POST", path, body=body, headers={**headers, "Host": parts.netloc}, preload_content=False)
        return Answer(connection.getresponse().status)
    except (HTTPError, HTTPException, OSError, ValueError) as error:
        return Answer(None, type(error).__name__)
    finally:
        limit.cancel()
        connection.close()


def _connection(target: Target, connect_timeout: float) -> HTTPConnection:
    if not target.tls:
        return HTTPConnection(target.ip, target.port, timeout=connect_timeout)
    return HTTPSConnection(
        target.ip, target.port, timeout=connect_timeout, server_hostname=target.host, assert_hostname=target.host
    )


def _cut(connection: HTTPConnection) -> None:
    if connection.sock is not None:
        with suppress(OSError):
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


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
    lease = settings.webhook_timeout_seconds + _LEASE_SECONDS
    while batch := _take(store, round(lease * 1000)):
        end = time.monotonic() + _LEASE_SECONDS
        failing: set[str] = set()
        for event, site in batch:
            # Never past the lease: another worker may have what is left by then.
            if site.id in failing or time.monotonic() > end:
                _put_back(store, event)
                continue
            answer = _try(settings, site, event)
            _note(store, event, answer)
            if not answer.taken:
                failing.add(site.id)


def _take(store: Store, lease_ms: int) -> list[tuple[Event, Site]]:
    """Due deliveries, put out of reach of other workers for `lease_ms`.

    For the sake of the order a site is passed over while it has one that is being tried or waits to be tried
    again; only a delivery that failed often no longer holds up the others.
    """
    now = now_ms()
    resting = select(Delivery.site_id).where(Delivery.next_at > now, Delivery.attempts <= _TRIES_IN_ORDER)
    with store.write() as session:
        rows = session.execute(
            select(Event, Site)
            .join(Delivery, Delivery.event_id == Event.id)
            .join(Site, Site.id == Event.site_id)
            .where(Delivery.next_at <= now, Delivery.site_id.not_in(resting))
            .order_by(Event.position)
            .limit(_AT_ONCE)
            .with_for_update(of=(Delivery, Site), skip_locked=True, key_share=True)
        ).all()
        if rows:
            ids = [event.id for event, _ in rows]
            session.execute(
                update(Delivery).where(Delivery.event_id.in_(ids)).values(next_at=now + lease_ms)
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


def _put_back(store: Store, event: Event) -> None:
    with store.write() as session:
        session.get_one(Delivery, event.id).next_at = now_ms()
