"""The outbox: events get their place in the feed at release, by one publisher at a time.

A reader that follows `next` misses none: positions are given under a lock and become visible in order.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from moderation.errors import Invalid
from moderation.services.links import Links
from moderation.services.views import iso
from moderation.store.queries import insert_rows, one_of, update_rows
from moderation.store.tables import Delivery, Event, Feed, Site

_AT_ONCE = 1000
_NO_LINKS = Links("", "")


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
    update_rows(session, Event, [{"id": id, "position": feed.last_position + n} for n, id in enumerate(ids, 1)])
    feed.last_position += len(ids)
    with_webhook = session.execute(
        select(Event.id, Event.site_id)
        .join(Site, Site.id == Event.site_id)
        .where(one_of(session, Event.id, ids), Event.webhook, Site.webhook_url.is_not(None))
    ).all()
    _deliver(session, [(id, site_id) for id, site_id in with_webhook], now)
    return len(with_webhook)


def add(session: Session, rows: Sequence[dict[str, Any]], _now: int) -> None:
    """Puts new events into the outbox; who publishes finds them when their time has come."""
    insert_rows(session, Event, rows)


def add_published(session: Session, rows: Sequence[dict[str, Any]], now: int) -> None:
    """The same for events whose time has come: they get their places at once, unless others wait before them."""
    if not rows:
        return
    last = session.scalars(select(Feed.last_position).where(Feed.id == 1).with_for_update()).one()
    if waiting(session, now) or any(row["release_at"] > now for row in rows):
        add(session, rows, now)
        return
    insert_rows(session, Event, [row | {"position": last + n} for n, row in enumerate(rows, 1)])
    session.execute(
        update(Feed).where(Feed.id == 1).values(last_position=last + len(rows))
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    sites = {row["site_id"] for row in rows if row["webhook"]}
    asking = set(session.scalars(select(Site.id).where(Site.id.in_(sorted(sites)), Site.webhook_url.is_not(None))))
    _deliver(session, [(r["id"], r["site_id"]) for r in rows if r["webhook"] and r["site_id"] in asking], now)


def _deliver(session: Session, events: Sequence[tuple[str, str]], now: int) -> None:
    """Starts the deliveries of these events (id, site)."""
    insert_rows(session, Delivery, [
        {"event_id": event_id, "site_id": site_id, "attempts": 0, "next_at": now, "delivered_at": None,
         "last_status": None, "last_error": None} for event_id, site_id in events
    ])  # fmt: skip


def _due(now: int) -> Select[str]:
    return select(Event.id).where(Event.position.is_(None), Event.release_at <= now)


def feed_page(session: Session, site_id: str, after: str, limit: int, links: Links = _NO_LINKS) -> dict[str, Any]:
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
    return {"events": [event_view(event, links) for event in events], "next": last}


def event_view(event: Event, links: Links = _NO_LINKS) -> dict[str, Any]:
    """An event as the feed and the webhook give it; a statement of reasons gets the address of its page."""
    data = event.data
    if event.decision_id and "statement" in data:
        data = data | {"statement": data["statement"] | {"url": links.statement(event.decision_id)}}
    return {"id": event.id, "type": event.type, "occurred_at": iso(event.occurred_at), "data": data}
