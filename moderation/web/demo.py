"""/demo: a newsroom's article with comments and a form, as a site that uses this service would show them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask_limiter.errors import RateLimitExceeded
from pydantic import ValidationError

from moderation import metrics
from moderation.errors import Conflict, Forbidden, Invalid, NotFound, TooMany
from moderation.http import service
from moderation.limits import limit_public
from moderation.services import articles, demo, reader_form, sites
from moderation.services.reader_form import ReaderComment
from moderation.services.threads import thread
from moderation.store.session import now_ms
from moderation.web.session import as_response
from moderation.web.words import absolute, ago

pages = Blueprint("demo", __name__)

_DEEPEST = 4


@dataclass(frozen=True)
class _Field:
    """What the form says of a field that was left empty, and of one with a value that can't be taken."""

    missing: str
    wrong: str


FIELDS = {
    "name": _Field("Enter your name.", "Enter a name of at most 200 characters."),
    "email": _Field("Enter your e-mail address.", "Enter an e-mail address like name@example.org."),
    "url": _Field("", "Enter a web address that begins with http:// or https://, or leave the field empty."),
    "body": _Field("Write your comment.", "Shorten your comment: it may have about 20,000 letters."),
}
_GONE = "The comment that you answer is no longer here. Send yours again, and it stands by itself."
_CLOSED = "Comments on this article are closed."
_FOREIGN = "Comments can be sent from this site's own address only. Open the article there, and send it again."
_SLOW = "One comment every {} seconds, please. Yours is still here: send it again then."
_TOO_MANY = "Too many comments were sent from here. Wait a minute, then send it again."


@pages.get("/demo")
def article() -> Response:
    """The article, its approved comments, the form."""
    return _page({"parent_id": request.args.get("reply_to", "")}, sent="sent" in request.args)


@pages.post("/demo/comments")
@limit_public
def submit() -> Response:
    """The form as a browser without script sends it."""
    typed = _typed()
    try:
        _receive(typed)
    except ValidationError as error:
        return _page(typed, 422, _said(error, typed))
    except Invalid:  # the answered comment was taken down meanwhile
        return _page(typed | {"parent_id": ""}, 422, {"": _GONE})
    except Conflict as error:  # the article was closed while somebody wrote
        return _page(typed, error.status, {"": _CLOSED})
    except Forbidden as error:
        return _page(typed, error.status, {"": _FOREIGN})
    except TooMany as error:
        answer = _page(typed, error.status, {"": _SLOW.format(error.extra["retry_after"])})
        answer.headers["Retry-After"] = str(error.extra["retry_after"])
        return answer
    metrics.accepted("public")
    service().doorbell.ring()
    return as_response(redirect("/demo?sent=1#respond", 303))


@pages.errorhandler(RateLimitExceeded)
def _too_many(_error: RateLimitExceeded) -> Response:
    return _page(_typed(), 429, {"": _TOO_MANY})


def _typed() -> dict[str, str]:
    typed = {name: request.form.get(name, "").strip() for name in ("name", "email", "url", "parent_id", "subject")}
    # Browsers send line ends of a form as CR LF; scripts and sites send LF.
    return typed | {"body": request.form.get("body", "").replace("\r\n", "\n")}


def _receive(typed: dict[str, str]) -> None:
    with service().store.write() as session:
        place = _place(demo.find(session))
        sites.of_page(session, place.publishable_key, request.headers.get("Origin", ""))
        comment = ReaderComment.model_validate({
            "body": typed["body"], "parent_id": typed["parent_id"] or None, "subject": typed["subject"],
            "author": {"name": typed["name"], "email": typed["email"], "url": typed["url"] or None},
            "article": {"url": place.article_url, "title": demo.article()["title"]},
        })  # fmt: skip
        reader_form.receive(
            session, place.site_id, comment, service().settings.secret_key, ip=request.remote_addr,
            user_agent=request.headers.get("User-Agent"), now=now_ms(),
        )  # fmt: skip


def _said(error: ValidationError, typed: dict[str, str]) -> dict[str, str]:
    """Field -> what is wrong with it, in the order of the form; "" stands for what no field is to blame for."""
    bad = {str(problem["loc"][-1]) for problem in error.errors(include_input=False)}
    said = {
        name: words.wrong if typed[name].strip() else words.missing for name, words in FIELDS.items() if name in bad
    }
    return said or {"": _GONE}


def _place(found: demo.Place | None) -> demo.Place:
    if found is None:
        raise NotFound("the demo has no content yet; start it with: moderation up --demo")
    return found


def _page(
    typed: dict[str, str], status: int = 200, errors: dict[str, str] | None = None, *, sent: bool = False
) -> Response:
    with service().store.read() as session:
        place = _place(demo.find(session))
        comments = thread(session, place.site_id, place.article_url)
        closed = articles.is_closed(session, place.site_id, place.article_url)
    names = {comment["id"]: comment["author_name"] for comment in comments}
    page = render_template(
        "demo.html", article=demo.article(), place=place, comments=_in_order(comments), names=names, fields=FIELDS,
        typed=typed, errors=errors or {}, sent=sent, time_of=_time_of, closed=_CLOSED if closed else None,
    )  # fmt: skip
    return make_response(page, status)


def _in_order(comments: list[dict[str, Any]]) -> list[tuple[dict[str, Any], int]]:
    """Each comment followed by its answers, with how deep it stands; a long exchange is indented no further."""
    answers: dict[str | None, list[dict[str, Any]]] = {}
    for comment in comments:
        answers.setdefault(comment["parent_id"], []).append(comment)
    ordered = []
    waiting = [(comment, 0) for comment in reversed(answers.get(None, []))]
    while waiting:
        comment, depth = waiting.pop()
        ordered.append((comment, depth))
        waiting += [(answer, min(depth + 1, _DEEPEST)) for answer in reversed(answers.get(comment["id"], []))]
    return ordered


def _time_of(iso: str) -> tuple[str, str]:
    """How long ago, and the time in full."""
    at, now = round(datetime.fromisoformat(iso).timestamp() * 1000), now_ms()
    past = ago(at, now)
    return past if past == "now" else f"{past} ago", absolute(at)
