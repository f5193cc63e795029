"""The calls of Akismet 1.1 and 1.2, answered word for word: programs compare the bodies as strings."""

import csv
import io
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from dataclasses import fields as fields_of
from typing import Any

from flask import Blueprint, Response, g, json, request
from sqlalchemy.exc import SQLAlchemyError

from moderation.compat import akismet_checks as checks
from moderation.compat.akismet_fields import Fields, read_fields
from moderation.compat.keys import holder_of_any
from moderation.errors import Forbidden, Invalid, ModerationError, TooLarge, Unauthorized
from moderation.http import service
from moderation.services import check_counts, sites
from moderation.services.check_counts import Counts, Month

routes = Blueprint("akismet", __name__)
log = logging.getLogger("moderation")

_THANKS = "Thanks for making the web a better place."
_MOST_KEY = 100  # characters; ours are shorter
_KEY = re.compile(r"(sk[a-z2-7]+)\.", re.I)  # a first label of Host that could be one of ours
_ORDERS = {"total": "api_calls"} | {name: name for name in ("spam", "ham", "missed_spam", "false_positives")}


def _text(body: str, **headers: str) -> Response:
    """Exactly this body, 200; a header's name is written with underscores."""
    named = {f"X-akismet-{name.replace('_', '-')}": value for name, value in headers.items()}
    return Response(body, headers=named, mimetype="text/plain")


def verify_key(fields: Fields, _site_id: str) -> Response:
    """Getting here, the key is ours."""
    _need(fields, "blog")
    return _text("valid")


def comment_check(fields: Fields, site_id: str) -> Response:
    """Spam or not, by the scorer and the site's policy."""
    _need(fields, "blog")
    _need_named(fields, "user_ip")
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
        _need(fields, "blog")
        _need_named(fields, "user_ip")
    checks.label(fields, site_id, spam=spam)
    return _text(_THANKS)


def usage_limit(_fields: Fields, site_id: str) -> Response:
    """How many checks this month; there is no limit."""
    with service().store.read() as session:
        usage = check_counts.asked(session, site_id, checks.INTERFACE, Month.now())
    return _json({"limit": "none", "usage": usage, "percentage": "0.00", "throttled": False})


def key_sites(fields: Fields, site_id: str) -> Response:
    """Counts by blog in one month, as JSON or CSV."""
    month = Month.of(fields.get("month").strip()) if fields.get("month") else Month.now()
    with service().store.read() as session:
        rows = check_counts.by_blog(session, site_id, checks.INTERFACE, month)
    wanted = fields.get("filter").strip()
    rows = [row for row in rows if wanted in row.blog]
    order = _ORDERS.get(fields.get("order").strip(), "api_calls")
    rows.sort(key=lambda row: getattr(row, order), reverse=True)
    limit, offset = _number(fields, "limit", 500), _number(fields, "offset", 0)
    shown = rows[offset : offset + limit]
    if fields.get("format").strip() == "csv":
        return _csv(month, shown)
    return _json({month.name: [_row(row) for row in shown], "limit": limit, "offset": offset, "total": len(rows)})


def _row(row: Counts) -> dict[str, Any]:
    numbers = {name: str(value) for name, value in asdict(row).items() if name != "blog"}
    return {"site": row.blog, **numbers, "is_revoked": False}


def _csv(month: Month, rows: list[Counts]) -> Response:
    out = io.StringIO()
    lines = csv.writer(out)
    lines.writerow([f"Active sites for {month.name}"])
    lines.writerow(["Site", "Total API Calls", "Spam", "Ham", "Missed Spam", "False Positives", "Is Revoked"])
    for row in rows:
        # A cell that begins like a formula would be one in a spreadsheet.
        site = f"'{row.blog}" if row.blog[:1] in ("=", "+", "-", "@") else row.blog
        lines.writerow([site, *(getattr(row, field.name) for field in fields_of(Counts)[1:]), "false"])
    return Response(out.getvalue(), mimetype="text/csv")


def _json(content: dict[str, Any]) -> Response:
    return Response(json.dumps(content), mimetype="application/json")


def _number(fields: Fields, name: str, default: int) -> int:
    given = fields.get(name).strip()
    return min(int(given), 500 if name == "limit" else 10**9) if given.isdecimal() and len(given) < 10 else default


def _need(fields: Fields, name: str) -> None:
    if not fields.get(name):
        raise Invalid(f'Empty "{name}" value', code="invalid_field", extra={"field": name})


def _need_named(fields: Fields, name: str) -> None:
    """The field has to be there; some programs have nothing to put into it."""
    if name not in fields.values:
        raise Invalid(f'Empty "{name}" value', code="invalid_field", extra={"field": name})


Call = Callable[[Fields, str], Response]
_CALLS: dict[str, tuple[Call, tuple[str, ...]]] = {
    "1.1/verify-key": (verify_key, ("POST",)),
    "1.1/comment-check": (comment_check, ("POST",)),
    "1.1/submit-spam": (submit_spam, ("POST",)),
    "1.1/submit-ham": (submit_ham, ("POST",)),
    "1.2/usage-limit": (usage_limit, ("GET", "POST")),
    "1.2/key-sites": (key_sites, ("GET", "POST")),
}


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


def _view(call: Call) -> Callable[..., Response]:
    def view(key: str | None = None) -> Response:
        fields = read_fields(request)
        return call(fields, _site_of(fields, key))

    return view


def _elsewhere(rest: str, **_key: str) -> Response:
    known = f"{request.url_rule.rule.rpartition('/')[0][-3:]}/{rest}" in _CALLS if request.url_rule else False
    status, said = (405, "method not allowed") if known else (404, "there is no such call")
    return Response(said, status, {"Allow": "POST"} if known else None, mimetype="text/plain")


_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def _install() -> Iterator[None]:
    for prefix in ("/", "/s/<key>/"):
        for path, (call, methods) in _CALLS.items():
            name = f"{call.__name__}{'_of' if prefix != '/' else ''}"
            yield routes.add_url_rule(prefix + path, name, _view(call), methods=methods)
        for version in ("1.1", "1.2"):
            rule = f"{prefix}{version}/<path:rest>"
            yield routes.add_url_rule(rule, None, _elsewhere, methods=_METHODS, provide_automatic_options=False)


list(_install())


@routes.errorhandler(ModerationError)
def _of_error(error: ModerationError) -> Response:
    if isinstance(error, TooLarge):
        return Response(error.detail, 413, {"Connection": "close"}, mimetype="text/plain")
    if isinstance(error, Unauthorized | Forbidden | Invalid):
        return _text("invalid", debug_help=error.detail)
    return _not_checked(error.detail)


@routes.errorhandler(SQLAlchemyError)
def _of_database(error: SQLAlchemyError) -> Response:
    log.error("database: %s", type(error).__name__, exc_info=error)
    return _not_checked("the database can't be used now; try again")


@routes.errorhandler(Exception)
def _of_fault(error: Exception) -> Response:
    log.error("fault in request %s", g.get("request_id"), exc_info=error)
    return _not_checked(f"something went wrong here; it is logged under {g.get('request_id')}")


def _not_checked(why: str) -> Response:
    """Neither yes nor no: WordPress then holds the comment for a person, and asks again later."""
    return _text(f"This was not done: {why}", debug_help=why, error="not-done")
