"""The desk as one page: queue, item, context. Everything that its templates show is gathered here."""

from dataclasses import dataclass
from typing import Any

from flask import Response, make_response, render_template
from flask import session as cookie
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import ACTIONS, REJECT_REASONS, Role, Status
from moderation.errors import NotFound
from moderation.http import service
from moderation.services import context, queue
from moderation.services.plain_text import plain_text
from moderation.services.queue import Item
from moderation.services.views import iso
from moderation.store.session import now_ms
from moderation.web import words
from moderation.web.marks import pieces
from moderation.web.place import Place
from moderation.web.session import person

_EXCERPT = 140


@dataclass(frozen=True)
class Trouble:
    """Why an action was refused, in words, and what the moderator had typed."""

    text: str
    status: int
    note: str = ""


def render(place: Place, item_id: str | None, trouble: Trouble | None = None) -> Response:
    """The desk with this item open; without an id the first of the list is. Raises NotFound."""
    now = now_ms()
    with service().store.read() as session:
        listed, following = queue.items(session, person().site_id, place.filter, now)
        opened = queue.item(session, person().site_id, item_id, now) if item_id else next(iter(listed), None)
        page = {
            "place": place, "now": now, "person": person(), "trouble": trouble, "said": cookie.get("said"),
            "view": "item" if item_id else "list", "rows": [_row(item) for item in listed],
            "following": place.url(after=following) if following else None, "w": words, "iso": iso,
            "actions": ACTIONS, "reject_reasons": REJECT_REASONS, "summary": _summary(session, place, now),
            "opened": _opened(session, opened, now) if opened else None,
        }  # fmt: skip
        page |= _neighbours(session, place, listed, following, opened)
    return make_response(render_template("desk.html", **page), trouble.status if trouble else 200)


def _row(item: Item) -> dict[str, Any]:
    """One line of the queue."""
    decided = words.strongest_first(signal for signal in item.signals if signal.get("decided"))
    text = " ".join(plain_text(item.comment.body, item.comment.format).text[: _EXCERPT * 4].split())
    return {
        "id": item.comment.id, "excerpt": text[:_EXCERPT] + ("…" if len(text) > _EXCERPT else ""),
        "author": item.comment.author_name, "at": item.comment.created_at, "claim": item.claim,
        "reason": decided[0] if decided else None, "more": max(0, len(decided) - 1),
        "status": Status(item.comment.status), "escalated": item.comment.escalated,
    }  # fmt: skip


def _summary(session: Session, place: Place, now: int) -> dict[str, Any]:
    """The numbers above the queue, all counted from rows."""
    site_id, settings = person().site_id, service().settings
    came, went = context.flow(session, site_id, now)
    return {
        "count": queue.count(session, site_id, place.filter), "oldest": context.oldest_held(session, site_id),
        "in": came, "out": went, "reasons": queue.reasons_in_use(session, site_id),
        "next_check": context.next_check(session, round(settings.sweep_seconds * 1000)),
    }  # fmt: skip


def _opened(session: Session, item: Item, now: int) -> dict[str, Any]:
    """The item in the middle with all that stands around it."""
    around = context.context(session, item.comment)
    verdict = around.verdict
    signals = list(verdict.signals) if verdict else []
    shown, quoted = pieces(item.comment.body, item.comment.format, signals)
    return {
        "comment": item.comment, "article": item.article, "claim": item.claim, "around": around, "verdict": verdict,
        "mine": bool(item.claim) and item.comment.claimed_by == person().id, "pieces": shown, "quoted": quoted,
        "signals": words.strongest_first(signals), "status": Status(item.comment.status),
        "others_claim": bool(item.claim) and item.comment.claimed_by != person().id,
        "for_senior": item.comment.escalated and person().role is Role.MODERATOR,
        "parent": _excerpt(around.parent.body, around.parent.format) if around.parent else None,
    }  # fmt: skip


def _excerpt(body: str, format: str) -> str:
    text = " ".join(plain_text(body, format).text.split())
    return text[:300] + ("…" if len(text) > 300 else "")


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
    further = Place(place.chosen | {"after": following})
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
