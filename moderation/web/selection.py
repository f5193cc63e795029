"""Several comments at once: what was ticked in the queue is decided, escalated or assigned as one, all or none."""

from flask import Blueprint, Response, jsonify, redirect, request
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import ACTIONS
from moderation.errors import Invalid, ModerationError
from moderation.http import service, wants_page
from moderation.services import claims, review
from moderation.services.review import Act
from moderation.store.session import new_id, now_ms
from moderation.web import page
from moderation.web.desk import how_many_left, note, refused, say
from moderation.web.place import Place
from moderation.web.session import as_response, person, require_sign_in

pages = Blueprint("selection", __name__, url_prefix="/review")
pages.before_request(require_sign_in)

MOST = 500


@pages.post("/batch")
def batch() -> Response:
    """Does one thing to the ticked comments. The one that can't have it is named, and then nothing is done to any."""
    place, seen = Place.of(request.args), _ticked()
    deed = request.form.get("deed") or ("reject" if request.form.get("reason") else "")
    try:
        if not seen:
            raise Invalid("tick at least one comment first", extra={"field": "item"})
        with service().store.write() as session:
            text = _assign(session, list(seen)) if deed == "assign" else _act(session, seen, deed)
    except ModerationError as error:
        return _refused(place, error, len(seen))
    left = how_many_left(place) if deed in ACTIONS else None
    say(text, undo=True, left=left)
    if not wants_page():
        return jsonify({"said": text, "left": left, "open": place.url(), "at": now_ms()})
    return as_response(redirect(place.url(), 303))


def _ticked() -> dict[str, int | None]:
    """What was ticked: id -> the version that the moderator saw, as `id:version`."""
    seen: dict[str, int | None] = {}
    for value in request.form.getlist("item")[:MOST]:
        id, _, version = value.partition(":")
        seen[id] = int(version) if version.isascii() and version.isdigit() and len(version) < 10 else None
    return seen


def _act(session: Session, seen: dict[str, int | None], deed: str) -> str:
    versions = {id: version for id, version in seen.items() if version is not None}
    wanted = Act(deed, reason=request.form.get("reason") or None, note=note(), versions=versions)
    grace_ms = round(service().settings.grace_seconds * 1000)
    done = review.act(session, person(), list(seen), wanted, now_ms(), grace_ms)
    if deed == "approve":
        return ngettext("Approved %(num)s comment.", "Approved %(num)s comments.", done)
    if deed == "reject":
        return ngettext("Rejected %(num)s comment.", "Rejected %(num)s comments.", done)
    return ngettext("Escalated %(num)s comment.", "Escalated %(num)s comments.", done)


def _assign(session: Session, ids: list[str]) -> str:
    to = request.form.get("to") or None
    chosen = None
    batch = new_id()
    for id in ids:
        chosen = claims.assign(session, person(), id, to, batch=batch)
    if chosen is None:
        return ngettext("Assigned %(num)s comment to nobody.", "Assigned %(num)s comments to nobody.", len(ids))
    many = "Assigned %(num)s comment to %(name)s.", "Assigned %(num)s comments to %(name)s."
    return ngettext(*many, len(ids), name=chosen.name)


def _refused(place: Place, error: ModerationError, count: int) -> Response:
    """The refusal opens the item that it is about; what was ticked stays ticked."""
    id = str(error.extra.get("id", ""))
    shown = id if id and page.exists(id) else None
    return refused(place, shown, error, _("Nothing was done to any of them.") if count > 1 else "")


@pages.app_context_processor
def _around() -> dict[str, object]:
    """For the list: what was ticked in the post that is being answered."""
    return {"ticked": {value.partition(":")[0] for value in request.form.getlist("item")}}
