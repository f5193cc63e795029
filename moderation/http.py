"""What the JSON API and the pages share: the service behind a request, problem+json, request ids, access log."""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import BoundedSemaphore
from typing import Any, cast

from flask import Flask, Response, current_app, g, json, render_template, request, session
from werkzeug.exceptions import HTTPException

from moderation import logs, metrics
from moderation.config import Settings
from moderation.domain.text import N_
from moderation.errors import ModerationError
from moderation.queueing import Doorbell
from moderation.safe_headers import safe
from moderation.scoring import Classifier
from moderation.services import accounts
from moderation.services.accounts import Person
from moderation.services.check_log import CheckLog
from moderation.services.intake_line import IntakeLine
from moderation.services.known import Known
from moderation.services.known_keys import KnownKeys
from moderation.store.session import Store, new_id, now_ms

log = logging.getLogger("moderation.access")

_CODES = {
    400: "malformed", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
    408: "timeout", 413: "too_large", 414: "too_large", 415: "unsupported_media_type", 429: "rate_limited",
    431: "too_large", 503: "unavailable",
}  # fmt: skip


@dataclass(frozen=True)
class Service:
    """What a request works with. `waiting` bounds how many requests may wait for a decision; `classifier` loads it on
    the first call and gives the same one ever after; `checks` takes what the drop-in interfaces were asked; `keys`
    knows site keys, `intake` keeps comments, `known` has what desks were shown a moment ago."""

    settings: Settings
    store: Store
    doorbell: Doorbell
    waiting: BoundedSemaphore
    classifier: Callable[[], Classifier]
    checks: CheckLog
    keys: KnownKeys
    intake: IntakeLine
    known: Known = field(default_factory=Known)

    def close(self) -> None:
        """The end of the app: what waits is written, and connections are closed."""
        self.checks.close()
        self.store.close()


def service() -> Service:
    """The service of the running app."""
    return cast(Service, current_app.extensions["moderation"])


def problem(status: int, code: str, detail: str, extra: dict[str, Any] | None = None) -> Response:
    """An error as application/problem+json (RFC 9457) with a stable code."""
    body = {"type": "about:blank", "title": code.replace("_", " "), "status": status, "code": code, "detail": detail}
    response = Response(json.dumps(body | (extra or {})), status, mimetype="application/problem+json")
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if status == 413:  # the rest of the body was not read, so the connection is of no use any more
        response.headers["Connection"] = "close"
    if extra and "retry_after" in extra:
        response.headers["Retry-After"] = str(extra["retry_after"])
    return response


_PROGRAMS = (
    "/v1/", "/openapi.json", "/healthz", "/readyz", "/metrics", "/v1alpha1/", "/$discovery", "/batch", "/1.1/", "/1.2/",
    "/s/", "/integrations/",
)  # fmt: skip


def wants_page() -> bool:
    """Whether this request comes from a person's browser on one of the pages, not from a program."""
    asks = "text/html" in request.headers.get("Accept", "")
    return asks and not request.path.startswith(_PROGRAMS)


def session_token() -> str:
    """The sign-in that the browser's signed session cookie carries, or an empty string."""
    return str(session.get("sign_in", ""))


def whose(secret: str, *, used: bool = True) -> Person:
    """Who this session or token belongs to; that it is in use is noted once a minute, unless only a script of the page
    speaks (`used`). Raises Unauthorized."""
    now, idle = now_ms(), round(service().settings.session_idle_hours * 3_600_000)
    with service().store.read() as database:
        person = accounts.signed_in(database, secret, idle)
    if used and accounts.unseen(person, now):
        with service().store.write() as database:
            accounts.seen(database, person, now)
    return person


_TITLES = {
    400: N_("This could not be read"), 401: N_("Please sign in"), 403: N_("Not allowed"), 404: N_("Nothing here"),
    405: N_("Not an address to open"), 409: N_("It has changed"), 413: N_("Too large"),
    422: N_("Something does not fit"), 429: N_("One moment, please"),
    500: N_("Something went wrong"), 503: N_("Not available now"),
}  # fmt: skip


def _answer(status: int, code: str, detail: str, extra: dict[str, Any] | None = None) -> Response:
    """A problem document for a program; for a person's browser a page that says the same in words."""
    if not wants_page():
        return problem(status, code, detail, extra)
    title = _TITLES.get(status, _TITLES[500])
    page = render_template("error.html", status=status, title=title, detail=detail, request_id=g.get("request_id"))
    response = Response(page, status, mimetype="text/html")
    if status == 413:  # the rest of the body was not read, so the connection is of no use any more
        response.headers["Connection"] = "close"
    if extra and "retry_after" in extra:
        response.headers["Retry-After"] = str(extra["retry_after"])
    return response


def of_error(error: ModerationError) -> Response:
    """The answer to an error of ours."""
    return _answer(error.status, error.code, error.detail, error.extra)


def of_http_exception(error: HTTPException) -> Response:
    """The answer to an error of the framework's."""
    status = error.code or 500
    if status < 400:  # a redirect of the router
        return cast(Response, error.get_response())
    answer = _answer(status, _CODES.get(status, "error"), error.description or error.name)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            answer.headers[name] = value
    return answer


def of_fault(error: Exception) -> Response:
    """The answer to a fault of ours; the log has where, never what the code had in hand."""
    logging.getLogger("moderation").error("fault", exc_info=error)
    return _answer(500, "internal_error", N_("Something went wrong here. It is logged under the request id."))


def install(app: Flask) -> None:
    """Request ids, access log and security headers for every route."""
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(lambda _error: logs.begin())


_REQUEST_ID = re.compile(r"^[0-9a-f-]{8,64}$")


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.match(given) else new_id()
    logs.begin(request_id=g.request_id)
    g.began = time.perf_counter()


def _end(response: Response) -> Response:
    headers = response.headers
    there = {name.lower() for name, _ in headers}
    for name, value in safe(service().settings.https).items():
        if name.lower() not in there:
            headers.add(name, value)
    headers["X-Request-Id"] = g.request_id
    # The template of the route, never the path or the query: these can hold what a reader typed.
    route = request.url_rule.rule if request.url_rule else "-"
    took = time.perf_counter() - g.began
    metrics.answered(request.method, route, response.status_code, took)
    ms = round(took * 1000, 1)
    about = {"method": request.method, "route": route, "status": response.status_code, "ms": ms}
    log.info("%s %s %d %.1f ms", *about.values(), extra=about)
    return response
