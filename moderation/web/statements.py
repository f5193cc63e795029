"""/statement/TOKEN: why a comment was rejected, for its author, who has no account here; and the form of an appeal.

The link is the proof: nobody can make one without the service's secret key, and nobody who lacks it can post the form
either. So the form needs no session and no other token.
"""

from datetime import datetime

from babel.dates import format_date
from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request
from flask_babel import gettext as _
from flask_limiter.errors import RateLimitExceeded

from moderation.domain.lifecycle import Status
from moderation.domain.statement import in_words
from moderation.domain.voices import AppealOutcome
from moderation.errors import ModerationError, NotFound
from moderation.http import service
from moderation.limits import limit_appeals, limit_statements
from moderation.services import appeals, statements
from moderation.services.links import read_statement_token
from moderation.services.statements import Shown
from moderation.services.views import iso
from moderation.store.session import now_ms
from moderation.web.session import as_response
from moderation.web.words import locale

pages = Blueprint("statements", __name__, url_prefix="/statement")


@pages.after_request
def _unlisted(response: Response) -> Response:
    """The address is a secret between the author and us: no search engine and no other site may hear of it."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@pages.errorhandler(NotFound)
def _unknown(_error: NotFound) -> Response:
    return make_response(render_template("statement_gone.html", often=False), 404)


@pages.errorhandler(RateLimitExceeded)
def _too_often(_error: RateLimitExceeded) -> Response:
    return make_response(render_template("statement_gone.html", often=True), 429)


@pages.get("/<token>")
@limit_statements
def statement(token: str) -> Response:
    """The statement of reasons with its state, and the form while there can be an appeal."""
    return _page(_decision_id(token))


@pages.post("/<token>")
@limit_appeals
def appeal(token: str) -> Response:
    """Takes the author's appeal in."""
    decision_id = _decision_id(token)
    try:
        with service().store.write() as session:
            appeals.file(session, decision_id, request.form.get("text", ""), now_ms())
    except NotFound:
        raise
    except ModerationError as error:
        return _page(decision_id, error)
    return as_response(redirect(f"/statement/{token}#appeal", 303))


def _decision_id(token: str) -> str:
    found = read_statement_token(str(current_app.secret_key), token)
    if found is None:
        raise NotFound("there is no such statement")
    return found


def _page(decision_id: str, error: ModerationError | None = None) -> Response:
    now = now_ms()
    with service().store.read() as session:
        about = statements.shown(session, decision_id, now)
    page = render_template(
        "statement.html", about=about, parts=in_words(about.statement, _, _day), state=_state(about),
        limit=appeals.TEXT_LENGTH,
        may_appeal=about.may_appeal(now), late=about.until is not None and now > about.until, day=_day, iso=iso,
        outcome=_OUTCOMES.get(about.appeal.outcome or "") if about.appeal else None,
        typed=request.form.get("text", ""), trouble=_trouble(error),
    )  # fmt: skip
    return make_response(page, error.status if error else 200)


def _day(at: str | int) -> str:
    """A day in the reader's language, from an ISO time or milliseconds."""
    time = datetime.fromisoformat(at if isinstance(at, str) else iso(at))
    return format_date(time, "long", locale())


def _state(about: Shown) -> str:
    """How the comment stands now: its status, or that it was rejected anew since."""
    status = about.comment.status
    return "rejected_anew" if status == Status.REJECTED and not about.stands else status


_OUTCOMES = {outcome.value: outcome for outcome in AppealOutcome}


def _trouble(error: ModerationError | None) -> str | None:
    if error is None:
        return None
    if error.code == "not_appealable":
        return _("There can be no appeal against this decision any more.")
    return _("Please write between 1 and %(number)s letters.", number=appeals.TEXT_LENGTH)
