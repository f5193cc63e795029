"""The calls of Akismet, answered word for word: programs compare the bodies as strings."""

import logging
import re
from collections.abc import Callable

from flask import Blueprint, Response, g, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from moderation.compat import akismet_checks as checks
from moderation.compat.akismet_fields import Fields, read_fields
from moderation.compat.akismet_usage import key_sites, usage_limit
from moderation.compat.keys import holder_of_any
from moderation.errors import Forbidden, Invalid, ModerationError, TooLarge, Unauthorized
from moderation.http import service
from moderation.services import sites

routes = Blueprint("akismet", __name__)
log = logging.getLogger("moderation")

_THANKS = "Thanks for making the web a better place."
_MOST_KEY = 100  # characters; ours are shorter
_KEY = re.compile(r"(sk[a-z2-7]+)\.", re.I)  # a first label of Host that could be one of ours


def _text(body: str, **headers: str) -> Response:
    """Exactly this body with status 200; `pro_tip` becomes X-akismet-pro-tip."""
    named = {f"X-akismet-{name.replace('_', '-')}": value for name, value in headers.items()}
    return Response(body, headers=named, mimetype="text/plain")


def verify_key(fields: Fields, _site_id: str) -> Response:
    """Getting here, the key is one of ours."""
    _need(fields, "blog")
    return _text("valid")


def comment_check(fields: Fields, site_id: str) -> Response:
    """Spam or not, by the scorer and the site's policy."""
    _need(fields, "blog", "user_ip")
    answer = checks.check(fields, site_id)
    headers = {"guid": answer.id} | ({"pro_tip": "discard"} if answer.discard else {})
    return _text("true" if answer.spam else "false", **headers)


def submit_spam(fields: Fields, site_id: str) -> Response:
    """A moderator says: this is spam."""
    return _submit(fields, site_id, spam=True)


def submit_ham(fields: Fields, site_id: str) -> Response:
    """A moderator says: this is no spam."""
    return _submit(fields, site_id, spam=False)


def _submit(fields: Fields, site_id: str, *, spam: bool) -> Response:
    if not fields.from_json:  # Coral sends JSON, and names no blog in it
        _need(fields, "blog", "user_ip")
    checks.label(fields, site_id, spam=spam)
    return _text(_THANKS)


def _need(fields: Fields, blog: str, user_ip: str | None = None) -> None:
    """The blog has to be named; the address has to be there, but some programs have nothing to put into it."""
    empty = None if fields.get(blog) else blog
    if user_ip and user_ip not in fields.values:
        empty = empty or user_ip
    if empty:
        raise Invalid(f'Empty "{empty}" value', code="invalid_field", extra={"field": empty})


Call = Callable[[Fields, str], Response]
_CALLS: dict[str, tuple[Call, list[str]]] = {
    "1.1/verify-key": (verify_key, ["POST"]),
    "1.1/comment-check": (comment_check, ["POST"]),
    "1.1/submit-spam": (submit_spam, ["POST"]),
    "1.1/submit-ham": (submit_ham, ["POST"]),
    "1.2/usage-limit": (usage_limit, ["GET", "POST"]),
    "1.2/key-sites": (key_sites, ["GET", "POST"]),
}
# For programs that can carry a key neither in a field nor in Host.
_PREFIXES = {"": "/", "by_prefix_": "/s/<key>/"}
_ROOTS = ("/1.1/", "/1.2/", "/s/")


def _site_of(fields: Fields, key: str | None) -> str:
    """The site of this call. Raises Unauthorized or Forbidden."""
    host = _KEY.match(request.environ.get("HTTP_HOST", ""))
    sent = [key, fields.get("api_key").strip(), fields.get("key").strip(), host and host[1].lower()]
    try:
        return holder_of_any((one for one in sent if one and len(one) <= _MOST_KEY), "score").site_id
    except Unauthorized:
        wanted = service().settings.akismet_site
        if any(sent) or not wanted:
            raise
    with service().store.read() as session:
        return sites.find_site(session, wanted).id


def _answered(call: Call) -> Callable[..., Response]:
    def view(key: str | None = None) -> Response:
        fields = read_fields(request)
        return call(fields, _site_of(fields, key))

    return view


def _install() -> None:
    for prefix, path in _PREFIXES.items():
        for name, (call, methods) in _CALLS.items():
            routes.add_url_rule(path + name, prefix + call.__name__, _answered(call), methods=methods)


_install()


@routes.before_app_request
def _unrouted() -> Response | None:
    """What leads to no call of ours: no such path, another method, a Host that is no name."""
    error = request.routing_exception
    if error is None or (error.code or 500) < 400 or not request.path.startswith(_ROOTS):
        return None
    if error.code not in (404, 405):
        return _not_done(error.name)
    allowed = [(name, value) for name, value in error.get_headers() if name == "Allow"]
    return Response(error.name, error.code, allowed, mimetype="text/plain")


@routes.errorhandler(ModerationError)
def _of_error(error: ModerationError) -> Response:
    if isinstance(error, TooLarge):  # the rest of the body was not read, so the connection is of no use any more
        return Response(error.detail, 413, {"Connection": "close"}, mimetype="text/plain")
    if isinstance(error, Unauthorized | Forbidden | Invalid):
        return _text("invalid", debug_help=error.detail)
    return _not_done(error.detail)


@routes.errorhandler(HTTPException)
def _of_http_exception(error: HTTPException) -> Response:
    return _not_done(error.name)


@routes.errorhandler(SQLAlchemyError)
def _of_database(error: SQLAlchemyError) -> Response:
    log.error("database: %s", type(error).__name__, exc_info=error)
    return _not_done("the database can't be used now; try again")


@routes.errorhandler(Exception)
def _of_fault(error: Exception) -> Response:
    log.error("fault", exc_info=error)
    return _not_done(f"something went wrong here; it is logged under {g.get('request_id')}")


def _not_done(why: str) -> Response:
    """Neither yes nor no: WordPress then holds the comment for a person, and asks again later."""
    return _text(f"This was not done: {why}", debug_help=why, error="not-done")
