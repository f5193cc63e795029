"""/reports: comments that readers reported, what weighs most first; a ruling here is the same as at the desk."""

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask import session as cookie
from flask_babel import gettext as _
from flask_babel import lazy_gettext as marked

from moderation.domain.lifecycle import ACTIONS, REJECT_REASONS, Role, Status
from moderation.domain.voices import REPORT_REASONS
from moderation.errors import Invalid, ModerationError, NotFound
from moderation.http import service
from moderation.services import reports, review
from moderation.services.plain_text import plain_text
from moderation.services.reports import Reported
from moderation.services.review import Act
from moderation.services.views import iso
from moderation.store.session import now_ms
from moderation.web import words
from moderation.web.opened import hidden_why
from moderation.web.refusals import refusal
from moderation.web.session import as_response, person, require_sign_in
from moderation.web.voices import pages_of, place

pages = Blueprint("reports_page", __name__, url_prefix="/reports")
pages.before_request(require_sign_in)

# The reason of a rejection that says most nearly what a reader meant.
NEAREST = {
    "insult": "insult", "threat": "threat", "personal_data": "personal_data", "spam": "spam",
    "sexual": "sexually_explicit", "illegal": "illegal", "other": "other",
}  # fmt: skip
KEYS = {
    "next": marked("Next comment"), "previous": marked("Previous comment"), "approve": marked("Approve or keep up"),
    "reject": marked("Choose the reason of a rejection; Enter rejects"), "note": marked("Write a note"),
    "undo": marked("Undo your last action"), "article": marked("Open in the queue"),
    "reveal": marked("Show a blurred comment, or open it in the queue"),
}  # fmt: skip
_KEPT = marked("Kept up. The reports are closed.")
_DONE = {"approve": marked("Approved. The reports are closed."), "reject": marked("Rejected. The reports are closed.")}


@pages.get("")
def overview() -> Response:
    """All comments with open reports."""
    return _page()


@pages.post("/undo")
def undo() -> Response:
    """Takes the last ruling back; the reports that it closed are open again."""
    try:
        with service().store.write() as session:
            undone = review.undo(session, person(), now_ms())
    except ModerationError as error:
        return _page(error)
    cookie["reports"] = {"text": _("Undone. The comment is as it was before.")}
    return as_response(redirect(pages_of(f"c-{undone[0]}"), 303))


@pages.post("/<comment_id>/<deed>")
def rule(comment_id: str, deed: str) -> Response:
    """Rules on a comment as the moderator saw it, and goes on with the next."""
    if deed not in _DONE:
        raise NotFound("there is no such action")
    wanted = Act(
        deed, _version(), request.form.get("reason") if deed == "reject" else None,
        request.form.get("note", "").strip() or None,
    )  # fmt: skip
    try:
        with service().store.write() as session:
            live = reports.is_live(session, person().site_id, comment_id)
            review.act(
                session, person(), [comment_id], wanted, now_ms(), round(service().settings.grace_seconds * 1000)
            )
    except NotFound:
        raise
    except ModerationError as error:
        return _page(error, comment_id)
    cookie["reports"] = {"text": str(_KEPT if live and deed == "approve" else _DONE[deed]), "undo": True}
    following = request.form.get("next", "")
    return as_response(redirect(pages_of(f"c-{following}" if following.isalnum() else ""), 303))


def _version() -> int:
    try:
        return int(request.form.get("version", ""))
    except ValueError:
        raise Invalid("the form lacks the item's version; reload the page", extra={"field": "version"}) from None


def _page(error: ModerationError | None = None, comment_id: str | None = None) -> Response:
    with service().store.read() as session:
        shown = reports.page(session, person().site_id, place())
        total = reports.count(session, person().site_id)
        hold_at = reports.hold_at(session, person().site_id)
    after = [*(one.comment.id for one in shown.rows[1:]), ""]
    page = render_template(
        "reports.html", cards=[_card(one, following) for one, following in zip(shown.rows, after, strict=False)],
        total=total, shown=shown, here=pages_of(), hold_at=hold_at, now=now_ms(), iso=iso, w=words,
        reasons=REPORT_REASONS, reject_reasons=REJECT_REASONS, actions=ACTIONS,
        done=None if error else cookie.pop("reports", None), trouble=refusal(error) if error else None,
        typed=_typed(comment_id), keys_here=KEYS,
    )  # fmt: skip
    return make_response(page, error.status if error else 200)


def _typed(comment_id: str | None) -> dict[str, str]:
    """What was typed into the form that was refused."""
    if comment_id is None:
        return {}
    return {"id": comment_id, "note": request.form.get("note", ""), "reason": request.form.get("reason", "")}


def _card(one: Reported, following: str) -> dict[str, Any]:
    return {
        "reported": one, "comment": one.comment, "article": one.article, "next": following,
        "text": plain_text(one.comment.body, one.comment.format).text.strip(),
        "veil": hidden_why(one.comment, one.signals),
        "status": Status(one.comment.status), "live": one.comment.status == Status.APPROVED,
        "summary": words.reported(one), "nearest": NEAREST.get(next(iter(one.reasons), "other"), "other"),
        "barred": one.comment.escalated and not person().role.includes(Role.SENIOR),
    }  # fmt: skip
