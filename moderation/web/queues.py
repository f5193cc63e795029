"""Named queues from the desk: saved, renamed, shared and deleted by plain forms; each leads back to the list."""

from flask import Blueprint, Response, redirect, request
from flask import session as cookie
from flask_babel import gettext as _

from moderation.errors import ModerationError, NotFound
from moderation.http import service
from moderation.services import saved_queues
from moderation.store.session import now_ms
from moderation.web import page, words
from moderation.web.page import Trouble
from moderation.web.place import Place
from moderation.web.session import as_response, person, require_sign_in

pages = Blueprint("queues", __name__, url_prefix="/review/queues")
pages.before_request(require_sign_in)


@pages.post("")
def save() -> Response:
    """Keeps the filter of this address under the name of the form."""
    place = Place.of(request.args)
    name, shared = request.form.get("name", ""), "shared" in request.form
    try:
        with service().store.write() as session:
            saved = saved_queues.save(session, person(), name, place.saved, shared=shared, now=now_ms())
    except ModerationError as error:
        return page.render(place, None, _trouble(error))
    return _back(place, _("Saved as “%(name)s”.", name=saved.name))


@pages.post("/<queue_id>/change")
def change(queue_id: str) -> Response:
    """A new name; shared with the site's moderators or not."""
    place = Place.of(request.args)
    name, shared = request.form.get("name", ""), "shared" in request.form
    try:
        with service().store.write() as session:
            changed = saved_queues.change(session, person(), queue_id, name, shared)
    except NotFound:
        raise
    except ModerationError as error:
        return page.render(place, None, _trouble(error))
    return _back(place, _("The queue is now “%(name)s”.", name=changed.name))


@pages.post("/<queue_id>/delete")
def delete(queue_id: str) -> Response:
    """Takes the name away; the comments stay."""
    place = Place.of(request.args)
    try:
        with service().store.write() as session:
            saved_queues.remove(session, person(), queue_id)
    except NotFound:
        raise
    except ModerationError as error:
        return page.render(place, None, _trouble(error))
    return _back(place, _("Deleted. The comments are where they were."))


def _back(place: Place, said: str) -> Response:
    cookie["said"] = {"text": said, "undo": False}
    return as_response(redirect(place.url(), 303))


def _trouble(error: ModerationError) -> Trouble:
    said = {
        "name_in_use": _("There is a queue with this name already. Nothing was saved."),
        "too_many_queues": _("You have as many named queues as one may have. Delete one first."),
        "role_needed": _("Only who made a shared queue, or an admin, may change it."),
    }
    fields = {
        "name": _("A queue needs a name of %(most)s characters at most. Nothing was saved.",
                  most=saved_queues.LONGEST_NAME),
    }  # fmt: skip
    field = str(error.extra.get("field", ""))
    return Trouble(said.get(error.code) or fields.get(field) or words.said(error.detail), error.status)
