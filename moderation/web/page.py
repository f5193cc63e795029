"""The desk as one page: queue, item, context. Everything that its templates show is gathered here."""

from dataclasses import dataclass, replace
from typing import Any

from flask import Response, make_response, render_template, request
from flask import session as cookie
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import ACTIONS, REJECT_REASONS, Status
from moderation.errors import NotFound
from moderation.http import service
from moderation.services import context, queue, watch
from moderation.services.known import Look
from moderation.services.queue import Item, Page
from moderation.services.views import iso
from moderation.store.session import now_ms
from moderation.web import queue_panel, words
from moderation.web.keys import preferences
from moderation.web.opened import excerpt, hidden_why, opened
from moderation.web.place import Place
from moderation.web.reasons import offered
from moderation.web.session import person, reading

_EXCERPT = 140


@dataclass(frozen=True)
class Trouble:
    """Why an action was refused, in words, and what the moderator had typed: with the decision, and as a note apart."""

    text: str
    status: int
    note: str = ""
    noted: str = ""


def render(place: Place, item_id: str | None, trouble: Trouble | None = None) -> Response:
    """The desk with this item open; without an id the first of the list is. Raises NotFound.

    The desk's script asks for comments ahead of time, and only for what stands around one (`X-Desk: item`).
    """
    now, ahead = now_ms(), bool(item_id) and request.headers.get("X-Desk") == "item"
    with reading() as session:
        look = service().known.look(session, person(), now)
        wanted = replace(place.filter, limit=preferences().rows)
        number = None if ahead else queue.count(session, person().site_id, wanted)  # looks for the page's rows as well
        found = queue.page(session, person().site_id, wanted, now)
        listed, following = found.items, found.next
        item = queue.item(session, person().site_id, item_id, now) if item_id else next(iter(listed), None)
        page = {
            "place": place, "now": now, "trouble": trouble, "view": "item" if item_id else "list", "w": words,
            "iso": iso, "actions": ACTIONS, "reject_reasons": REJECT_REASONS, "offered": offered,
            "excerpt": excerpt, "opened": opened(look, item) if item else None,
        }  # fmt: skip
        page |= _neighbours(session, place, listed, following, item)
        if not ahead:
            page |= _around(look, place, found) | {"count": number}
        answer = make_response(render_template("desk_item.html" if ahead else "desk.html", **page))
    answer.vary.add("X-Desk")
    answer.status_code = trouble.status if trouble else 200
    return answer


def _around(look: Look, place: Place, found: Page) -> dict[str, Any]:
    """The list and the lines above it."""
    return {
        "said": cookie.get("said"), "rows": [_row(item) for item in found.items],
        "following": place.url(after=found.next) if found.next else None, "summary": _summary(look, place, found),
        "panel": queue_panel.panel(look, place, found), "colleagues": look.colleagues(),
    }  # fmt: skip


def _row(item: Item) -> dict[str, Any]:
    """One line of the queue."""
    decided = words.strongest_first(signal for signal in item.signals if signal.get("decided"))
    status = Status(item.comment.status)
    return {
        "id": item.comment.id, "excerpt": excerpt(item.comment, _EXCERPT),
        "veil": hidden_why(item.comment, item.signals),
        "author": item.comment.author_name, "at": item.comment.created_at, "claim": item.claim,
        "reason": decided[0] if decided else None, "more": max(0, len(decided) - 1),
        "status": status, "escalated": item.comment.escalated,
    }  # fmt: skip


def _summary(look: Look, place: Place, found: Page) -> dict[str, Any]:
    """The numbers above the queue, all counted from rows."""
    session, site_id, settings = look.session, look.person.site_id, service().settings
    came, went = look.flow()
    return {
        "oldest": look.oldest_held(),
        "in": came, "out": went,
        "waiting": watch.assigned_to(session, site_id, person().id),
        "next_check": None if found.items else context.next_check(session, round(settings.sweep_seconds * 1000)),
    }  # fmt: skip


def _neighbours(
    session: Session, place: Place, listed: list[Item], following: str | None, opened: Item | None
) -> dict[str, str | None]:
    """Addresses of the next and the previous item; None at the ends."""
    ids = [item.comment.id for item in listed]
    if opened is None:
        return {"next": None, "previous": None}
    if opened.comment.id not in ids:
        return {"next": place.url(ids[0]) if ids else None, "previous": None}
    at = ids.index(opened.comment.id)
    previous = place.url(ids[at - 1]) if at else None
    if at + 1 < len(ids):
        return {"next": place.url(ids[at + 1]), "previous": previous}
    return {"next": _first_of(session, place, following) if following else None, "previous": previous}


def _first_of(session: Session, place: Place, following: str) -> str | None:
    further = Place({**place.chosen, "after": following})
    page, _ = queue.items(session, person().site_id, further.filter, now_ms())
    return further.url(page[0].comment.id) if page else None


def exists(item_id: str) -> bool:
    """Whether this item is still there to be shown."""
    try:
        with service().store.read() as session:
            queue.item(session, person().site_id, item_id, now_ms())
    except NotFound:
        return False
    return True
