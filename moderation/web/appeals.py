"""/appeals: what authors ask to be looked at again, oldest first; decided by somebody else than who rejected it."""

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask import session as cookie
from flask_babel import gettext as _
from flask_babel import lazy_gettext as marked

from moderation.domain.lifecycle import REJECT_REASONS, Source, Status
from moderation.errors import ModerationError, NotFound
from moderation.http import service
from moderation.services import appeals
from moderation.services.appeals import Waiting
from moderation.services.plain_text import plain_text
from moderation.services.views import iso
from moderation.store.session import now_ms
from moderation.web import words
from moderation.web.opened import hidden_why
from moderation.web.refusals import refusal
from moderation.web.session import as_response, person, require_sign_in
from moderation.web.voices import pages_of, place

pages = Blueprint("appeals", __name__, url_prefix="/appeals")
pages.before_request(require_sign_in)

KEYS = {
    "next": marked("Next appeal"), "previous": marked("Previous appeal"), "approve": marked("Overturn and publish"),
    "reject": marked("The rejection stands"), "note": marked("Answer to the author"),
    "article": marked("Open in the queue"), "reveal": marked("Show a blurred comment, or open it in the queue"),
}  # fmt: skip


@pages.get("")
def overview() -> Response:
    """All open appeals."""
    return _page()


@pages.post("/<appeal_id>/<outcome>")
def decide(appeal_id: str, outcome: str) -> Response:
    """Upholds the rejection or overturns it, and goes on with the next."""
    if outcome not in ("uphold", "overturn"):
        raise NotFound("there is no such action")
    try:
        with service().store.write() as session:
            appeals.decide(
                session, person(), appeal_id, outcome=outcome, answer=request.form.get("answer"), now=now_ms()
            )
    except NotFound:
        raise
    except ModerationError as error:
        return _page(error, appeal_id)
    done = _("The rejection stands. The author reads your answer.")
    cookie["appeals"] = _("Overturned. The comment is published.") if outcome == "overturn" else done
    following = request.form.get("next", "")
    return as_response(redirect(pages_of(f"a-{following}" if following.isalnum() else ""), 303))


def _page(error: ModerationError | None = None, appeal_id: str | None = None) -> Response:
    with service().store.read() as session:
        shown = appeals.page(session, person(), place())
        total = appeals.count(session, person().site_id)
    after = [*(one.appeal.id for one in shown.rows[1:]), ""]
    page = render_template(
        "appeals.html", cards=[_card(one, following) for one, following in zip(shown.rows, after, strict=False)],
        total=total, shown=shown, here=pages_of(), now=now_ms(), iso=iso, w=words, limit=appeals.TEXT_LENGTH,
        said=None if error else cookie.pop("appeals", None), trouble=refusal(error) if error else None,
        typed={"id": appeal_id, "answer": request.form.get("answer", "")} if appeal_id else {},
        keys_here=KEYS,
    )  # fmt: skip
    return make_response(page, error.status if error else 200)


def _card(one: Waiting, following: str) -> dict[str, Any]:
    return {
        "waiting": one, "appeal": one.appeal, "comment": one.comment, "article": one.article, "next": following,
        "text": plain_text(one.comment.body, one.comment.format).text.strip(), "ruling": _ruling(one),
        "status": Status(one.comment.status), "barred": refusal_of(one),
        "veil": hidden_why(one.comment, one.decision.signals),
    }  # fmt: skip


def refusal_of(one: Waiting) -> str | None:
    """Why this person may not decide it, as a sentence."""
    return f"{_(one.barred[:1].upper() + one.barred[1:])}." if one.barred else None


def _ruling(one: Waiting) -> str:
    """Who rejected it, and why."""
    decision = one.decision
    if decision.source == Source.POLICY:
        found = [words.name_of(signal) for signal in decision.signals if signal.get("decided")]
        return _("Rejected by policy v%(version)s: %(reasons)s", version=decision.policy_version or 0,
                 reasons=", ".join(found))  # fmt: skip
    why = _(REJECT_REASONS[decision.reason][1]) if decision.reason in REJECT_REASONS else decision.reason or ""
    return _("Rejected by %(name)s: %(reason)s", name=one.by or "", reason=why)
