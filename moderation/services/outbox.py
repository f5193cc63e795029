"""The outbox: events get their place in the feed at release, by one publisher at a time.

A reader that follows `next` misses none: positions are given under a lock and become visible in order.
"""

from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from moderation.errors import Invalid
from moderation.services.views import iso
from moderation.store.queries import insert_rows
from moderation.store.tables import Delivery, Event, Feed, Site

_AT_ONCE = 1000


def waiting(session: Session, now: int) -> bool:
    """Whether any event's time has come."""
    return session.scalar(_due(now).limit(1)) is not None


def publish(session: Session, now: int) -> int:
    """Releases the events whose time has come; returns how many webhook deliveries that starts."""
    feed = session.scalars(select(Feed).where(Feed.id == 1).with_for_update()).one()
    # An event that is locked is being taken back (an undo inside the grace): it is not ours to release.
    due = _due(now).order_by(Event.release_at, Event.id).limit(_AT_ONCE).with_for_update(skip_locked=True)
    ids = session.scalars(due).all()
    if not ids:
        return 0
    session.execute(update(Event), [{"id": id, "position": feed.last_position + n} for n, id in enumerate(ids, 1)])
    feed.last_position += len(ids)
    with_webhook = session.execute(
        select(Event.id, Event.site_id)
        .join(Site, Site.id == Event.site_id)
        .where(Event.id.in_(ids), Event.webhook, Site.webhook_url.is_not(None))
    ).all()
    if with_webhook:
        insert_rows(session, Delivery, [
            {"event_id": event_id, "site_id": site_id, "attempts": 0, "next_at": now, "delivered_at": None,
             "last_status": None, "last_error": None} for event_id, site_id in with_webhook
        ])  # fmt: skip
    return len(with_webhook)


def _due(now: int) -> Select[str]:
    return select(Event.id).where(Event.position.is_(None), Event.release_at <= now)


def feed_page(session: Session, site_id: str, after: str, limit: int) -> dict[str, Any]:
    """Events of a site after a cursor. Raises Invalid for a cursor that is not one of ours."""
    if after and not (after.isascii() and after.isdigit() and len(after) <= 18):
        raise Invalid("after is not a cursor of this feed", code="invalid_cursor", extra={"field": "after"})
    events = session.scalars(
        select(Event)
        .where(Event.site_id == site_id, Event.position > int(after or 0))
        .order_by(Event.position)
        .limit(limit)
    ).all()
    last = str(events[-1].position) if events else after or "0"
    return {"events": [event_view(event) for event in events], "next": last}


def event_view(event: Event) -> dict[str, Any]:
    """An event as the feed and the webhook give it."""
    return {"id": event.id, "type": event.type, "occurred_at": iso(event.occurred_at), "data": event.data}
