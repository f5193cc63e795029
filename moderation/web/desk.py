"""/review: the queue, and what is done there, as plain forms. Each post ends in a redirect to the next item."""

from flask import Blueprint, Response, redirect, request
from flask import session as cookie
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import ACTIONS
from moderation.errors import Invalid, ModerationError, NotFound
from moderation.http import service
from moderation.services import review
from moderation.services.review import Act
from moderation.store.session import now_ms
from moderation.web import page
from moderation.web.page import Trouble
from moderation.web.place import Place
from moderation.web.session import as_response, local, person, require_sign_in

pages = Blueprint("desk", __name__, url_prefix="/review")
pages.before_request(require_sign_in)


@pages.get("")
def queue() -> Response:
    """The queue with its first item open."""
    return page.render(Place.of(request.args), None)


@pages.get("/<item_id>")
def item(item_id: str) -> Response:
    """The queue with this item open."""
    return page.render(Place.of(request.args), item_id)


@pages.post("/undo")
def undo() -> Response:
    """Takes the last action back and opens the item it was done to."""
    place = Place.of(request.args)
    try:
        with service().store.write() as session:
            undone = review.undo(session, person(), now_ms())
    except ModerationError as error:
        shown = str(error.extra.get("id", "")) or request.form.get("item", "")
        return page.render(place, shown if shown and page.exists(shown) else None, _trouble(error))
    _say("Undone. The comment is as it was before." if len(undone) == 1 else f"Undone for {len(undone)} comments.")
    return as_response(redirect(place.url(undone[0]), 303))


@pages.post("/<item_id>/<deed>")
def do(item_id: str, deed: str) -> Response:
    """Claims, releases or rules; the form carries the version that the moderator saw."""
    place = Place.of(request.args)
    try:
        with service().store.write() as session:
            stays = _do(session, item_id, deed)
    except NotFound:
        raise
    except ModerationError as error:
        return page.render(place, item_id, _trouble(error, item_id))
    following = None if stays else request.form.get("next")
    return as_response(redirect(local(following or place.url(item_id if stays else None)), 303))


def _do(session: Session, item_id: str, deed: str) -> bool:
    """Does it, notes what to say, and returns whether the item stays open."""
    settings, now = service().settings, now_ms()
    if deed == "claim":
        review.claim(session, person(), item_id, now, round(settings.claim_seconds * 1000))
        _say(f"Claimed. It is yours for {settings.claim_seconds / 60:.0f} minutes.")
    elif deed == "release":
        review.release(session, person(), item_id, now)
        _say("Released. Others can take it.")
    elif deed in ACTIONS:
        wanted = Act(deed, _version(), request.form.get("reason") or None, request.form.get("note", "").strip() or None)
        review.act(session, person(), [item_id], wanted, now, round(settings.grace_seconds * 1000))
        _say(f"{ACTIONS[deed].done}.", undo=True)
    else:
        raise NotFound("there is no such action")
    return deed not in ACTIONS


def _version() -> int:
    try:
        return int(request.form.get("version", ""))
    except ValueError:
        raise Invalid("the form lacks the item's version; reload the page", extra={"field": "version"}) from None


def _say(text: str, *, undo: bool = False) -> None:
    """The quiet line; it stays until the next action."""
    cookie["said"] = {"text": text, "undo": undo}


_NOW = {"approve": "approved", "hold": "held", "reject": "rejected"}


def _trouble(error: ModerationError, item_id: str | None = None) -> Trouble:
    """A refusal in words: who did what, and that nothing was lost."""
    by, done = error.extra.get("by"), _NOW.get(str(error.extra.get("action")), "changed")
    who = "You" if by == person().name else by
    note = request.form.get("note", "")
    if error.code == "claimed":
        text = f"{by} has claimed this comment and is working on it. Nothing was changed."
    elif error.code in ("stale_version", "decided_since") and by == "policy":
        text = "The comment was edited and checked again since you opened it. Here it is as it stands now."
    elif error.code in ("stale_version", "decided_since") and by:
        text = f"{who} {done} this comment since you opened it. Your action was not applied; here it is as it stands."
    else:
        text = f"{error.detail[:1].upper()}{error.detail[1:]}."
    return Trouble(text, error.status, note)
