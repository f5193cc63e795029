"""Working together, as plain forms: who takes an item over or gets it, and notes."""

from collections.abc import Callable

from flask import Blueprint, Response, redirect, request
from flask import session as cookie
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from moderation.errors import ModerationError, NotFound
from moderation.http import service
from moderation.services import claims, notes
from moderation.store.session import now_ms
from moderation.web import page, words
from moderation.web.page import Trouble
from moderation.web.place import Place
from moderation.web.session import as_response, person, require_sign_in

pages = Blueprint("together_pages", __name__, url_prefix="/review")
pages.before_request(require_sign_in)


def _claim_ms() -> int:
    return round(service().settings.claim_seconds * 1000)


@pages.post("/<item_id>/take-over")
def take_over(item_id: str) -> Response:
    """A senior takes the item from whoever has claimed it."""

    def do(session: Session) -> str:
        name = claims.take_over(session, person(), item_id, now_ms(), _claim_ms())
        if name is None:
            return _("It was free; it is yours now.")
        return _("Taken over from %(name)s. It is yours now.", name=name)

    return _done(item_id, do)


@pages.post("/<item_id>/assign")
def assign(item_id: str) -> Response:
    """Gives the item to a colleague, or to nobody."""

    def do(session: Session) -> str:
        chosen = claims.assign(session, person(), item_id, request.form.get("to") or None)
        return _("Assigned to %(name)s.", name=chosen.name) if chosen else _("Assigned to nobody now.")

    return _done(item_id, do, undo=True)


@pages.post("/<item_id>/notes")
def add_note(item_id: str) -> Response:
    """Writes a note about the comment or its author."""

    def do(session: Session) -> str:
        notes.add(session, person(), item_id, request.form.get("about", ""), request.form.get("text", ""), now_ms())
        return _("Noted.")

    return _done(item_id, do, text=request.form.get("text", ""))


@pages.post("/<item_id>/notes/<note_id>/delete")
def delete_note(item_id: str, note_id: str) -> Response:
    """Deletes one of the moderator's own notes; the item is only the place to come back to."""

    def do(session: Session) -> str:
        notes.delete(session, person(), note_id)
        return _("Note deleted.")

    return _done(item_id, do)


def _done(item_id: str, do: Callable[[Session], str], text: str = "", *, undo: bool = False) -> Response:
    """Does it and shows the item again; a refusal shows it with what was typed."""
    place = Place.of(request.args)
    try:
        with service().store.write() as session:
            said = do(session)
    except NotFound:
        raise
    except ModerationError as error:
        refused = Trouble(words.said(error.detail), error.status, request.form.get("note", ""), noted=text)
        return page.render(place, item_id, refused)
    cookie["said"] = {"text": said, "undo": undo}
    return as_response(redirect(place.url(item_id), 303))
