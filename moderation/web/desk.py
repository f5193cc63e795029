"""/review: the queue, and what is done there, as plain forms. Each post ends in a redirect to the next item.

The desk's script sends the same posts and asks for JSON: what to say, how many are left, and where to go.
"""

from typing import Any

from flask import Blueprint, Response, jsonify, redirect, request
from flask import session as cookie
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import ACTIONS, NOTE_FOR_AUTHOR
from moderation.errors import Invalid, ModerationError, NotFound
from moderation.http import problem, service, wants_page
from moderation.services import notes, queue, review
from moderation.services.review import Act
from moderation.store.session import now_ms
from moderation.web import page
from moderation.web.keys import preferences
from moderation.web.page import Trouble
from moderation.web.place import Place
from moderation.web.reasons import offered
from moderation.web.refusals import refusal
from moderation.web.session import as_response, local, person, require_sign_in

pages = Blueprint("desk", __name__, url_prefix="/review")
pages.before_request(require_sign_in)


@pages.app_context_processor
def _around() -> dict[str, object]:
    """For the actions: the reasons of a rejection in the order in which they are offered."""
    return {"offered": offered}


@pages.get("")
def queue_page() -> Response:
    """The queue with its first item open."""
    return page.render(Place.of(request.args), None)


@pages.get("/<item_id>")
def item(item_id: str) -> Response:
    """The queue with this item open."""
    return page.render(Place.of(request.args), item_id)


@pages.post("/<item_id>/<deed>")
def do(item_id: str, deed: str) -> Response:
    """Claims, releases or rules; the form carries the version that the moderator saw."""
    place = Place.of(request.args)
    try:
        with service().store.write() as session:
            text = _do(session, item_id, deed)
    except NotFound:
        raise
    except ModerationError as error:
        return refused(place, item_id, error)
    ruled = deed in ACTIONS
    left = how_many_left(place) if ruled else None
    say(text, undo=ruled, left=left)
    if not wants_page():
        return jsonify({"said": text, "left": left, "open": place.url(item_id), "at": now_ms()})
    following = request.form.get("next") if ruled and preferences().advance else None
    stays = not ruled or not preferences().advance
    return as_response(redirect(local(following or place.url(item_id if stays else None)), 303))


def _do(session: Session, item_id: str, deed: str) -> str:
    """Does it, and returns what to say."""
    settings, now = service().settings, now_ms()
    if deed == "claim":
        review.claim(session, person(), item_id, now, round(settings.claim_seconds * 1000))
        minutes = round(settings.claim_seconds / 60)
        return ngettext(
            "Claimed. It is yours for %(num)s minute.", "Claimed. It is yours for %(num)s minutes.", minutes
        )
    if deed == "release":
        review.release(session, person(), item_id, now)
        return _("Released. Others can take it.")
    if deed not in ACTIONS:
        raise NotFound("there is no such action")
    wanted = Act(deed, _version(), request.form.get("reason") or None, note())
    review.act(session, person(), [item_id], wanted, now, round(settings.grace_seconds * 1000))
    if wanted.reason in NOTE_FOR_AUTHOR and (between_us := request.form.get("note", "").strip()):
        notes.add(session, person(), item_id, "comment", between_us, now)
    return f"{_(ACTIONS[deed].done)}."


def note() -> str | None:
    """The note with a decision. Where the author is told of it, it has a field of its own, so that what is meant for
    colleagues never gets there."""
    told = request.form.get("reason") in NOTE_FOR_AUTHOR
    return request.form.get("other_note" if told else "note", "").strip() or None


def _version() -> int:
    try:
        return int(request.form.get("version", ""))
    except ValueError:
        raise Invalid("the form lacks the item's version; reload the page", extra={"field": "version"}) from None


def how_many_left(place: Place) -> int | None:
    """How many still wait where the moderator is; None where the list is not one of what waits, or is very long."""
    if place.get("status") not in ("held", "escalated"):
        return None
    with service().store.read() as session:
        counted = queue.count(session, person().site_id, place.filter)
    return None if counted.more else counted.number


def say(text: str, *, undo: bool = False, left: int | None = None) -> None:
    """The quiet line; it stays until the next action."""
    cookie["said"] = {"text": text if left is None else f"{text} {_('%(number)s left.', number=left)}", "undo": undo}


def refused(place: Place, item_id: str | None, error: ModerationError, also: str = "", **more: Any) -> Response:
    """Why nothing was done, in words: on the item's page, or for the script."""
    text = f"{refusal(error)} {also}".strip()
    if not wants_page():
        return problem(error.status, error.code, text, {k: v for k, v in error.extra.items() if k == "id"} | more)
    return page.render(place, item_id, Trouble(text, error.status, request.form.get("note", "")))
