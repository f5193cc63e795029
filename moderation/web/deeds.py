"""What a moderator did last: the list of it, and undoing it one after another."""

from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as marked
from flask_babel import ngettext

from moderation.domain.lifecycle import REJECT_REASONS
from moderation.errors import ModerationError
from moderation.http import service, wants_page
from moderation.services import deeds, review
from moderation.services.deeds import Deed
from moderation.services.views import iso
from moderation.store.session import now_ms
from moderation.web import page, words
from moderation.web.desk import refused, say
from moderation.web.place import Place
from moderation.web.session import as_response, person, require_sign_in

pages = Blueprint("deeds", __name__, url_prefix="/review")
pages.before_request(require_sign_in)

_WHY_NOT = {
    "undone": marked("Undone."),
    "edited": marked("Can't be undone: the comment was edited and is being checked anew."),
    "withdrawn": marked("Can't be undone: the comment was withdrawn."),
}
_DONE = {"approve": marked("Approved"), "reject": marked("Rejected"), "escalate": marked("Escalated"),
         "assign": marked("Assigned"), "hold": marked("Held")}  # fmt: skip


@pages.get("/done")
def last() -> str:
    """The person's last ten actions at this site, newest first."""
    with service().store.read() as session:
        found = deeds.last(session, person())
    newest = next((deed.id for deed in found if deed.state == "standing"), None)
    rows, place = [_row(deed) for deed in found], Place.of(request.args)
    return render_template("deeds.html", rows=rows, newest=newest, place=place, now=now_ms(), iso=iso, w=words)


@pages.post("/undo")
def undo() -> Response:
    """Takes the last action back, or the one named, and opens the item it was done to."""
    place = Place.of(request.args)
    try:
        with service().store.write() as session:
            undone = review.undo(session, person(), now_ms(), request.form.get("deed") or None)
            versions = deeds.versions(session, undone)
    except ModerationError as error:
        shown = str(error.extra.get("id", "")) or request.form.get("item", "")
        return refused(place, shown if shown and page.exists(shown) else None, error, before=_before())
    many = ngettext("Undone for %(num)s comment.", "Undone for %(num)s comments.", len(undone))
    text = _("Undone. The comment is as it was before.") if len(undone) == 1 else many
    say(text)
    opened = place.url(undone[0])
    if not wants_page():
        return jsonify(
            {"said": text, "left": None, "open": opened, "undone": undone, "versions": versions, "at": now_ms()}
        )
    return as_response(redirect(opened, 303))


def _before() -> str | None:
    """The deed that can be undone in place of one that can't be any more."""
    with service().store.read() as session:
        return next((deed.id for deed in deeds.last(session, person()) if deed.state == "standing"), None)


def _row(deed: Deed) -> dict[str, Any]:
    many = ngettext("%(num)s comment", "%(num)s comments", deed.count)
    why = _(REJECT_REASONS[deed.reason][1]) if deed.reason in REJECT_REASONS else None
    return {"deed": deed, "done": _DONE.get(deed.action, deed.action), "what": many if deed.count > 1 else None,
            "why": why, "not": _why_not(deed)}  # fmt: skip


def _why_not(deed: Deed) -> str | None:
    """Why it can't be undone any more; None where it can."""
    if deed.state == "standing":
        return None
    if deed.state != "decided_since":
        return str(_WHY_NOT[deed.state])
    if deed.action == "assign":
        return _("Can't be undone: decided or assigned anew since.")
    if deed.by == "policy":
        return _("Can't be undone: the comment was edited and checked again.")
    who = {"site": _("the site's staff"), "report": _("a report"), "appeal": _("an appeal")}.get(deed.by or "", deed.by)
    if deed.by == person().name:
        return _("Can't be undone by itself: you have decided on the comment again since.")
    if deed.count > 1:
        return _("Can't be undone: %(who)s has decided on one of the comments since.", who=who)
    return _("Can't be undone: %(who)s has decided since.", who=who)
