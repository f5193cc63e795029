"""Who calls: a site's program by its key, or a moderator by session or token. Checked before the body is read."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import current_app, g, request
from flask_wtf.csrf import validate_csrf
from wtforms import ValidationError

from moderation.errors import Forbidden, Unauthorized
from moderation.http import service, session_token, whose
from moderation.limits import count_call
from moderation.services import accounts

View = TypeVar("View", bound=Callable[..., Any])


def needs(scope: str) -> Callable[[View], View]:
    """Marks a view: the site key must have this scope."""

    def mark(view: View) -> View:
        view.scope = scope  # type: ignore[attr-defined]
        return view

    return mark


def bearer() -> str:
    """The token of the Authorization header, or an empty string."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def require_site_key() -> None:
    """Before each request of a site's API: sets g.holder. Raises Unauthorized or Forbidden."""
    key = bearer()
    if not key:
        raise Unauthorized("send the site key as: Authorization: Bearer KEY")
    g.holder = service().keys.holder(key)
    count_call(key)
    view = current_app.view_functions[request.endpoint or ""]
    g.holder.need(getattr(view, "scope", "read"))


def site_id() -> str:
    """The site whose key this request carries."""
    return str(g.holder.site_id)


def require_moderator() -> None:
    """Before each request of the moderators' API: sets g.person from the token, else from the page's session.

    Raises Unauthorized; Forbidden when a session's changing request does not carry X-CSRFToken, for a
    cookie is sent also with what another site makes the browser post.
    """
    token = bearer()
    if not token and request.method not in ("GET", "HEAD", "OPTIONS"):
        _require_csrf_header()
    g.person = whose(token or session_token())


def _require_csrf_header() -> None:
    if not session_token():
        raise Unauthorized("sign in first", code="not_signed_in")
    try:
        validate_csrf(request.headers.get("X-CSRFToken"))
    except ValidationError:
        raise Forbidden("with a session, send the page's token as X-CSRFToken", code="csrf") from None


def person() -> accounts.Person:
    """The moderator who makes this request."""
    found: accounts.Person = g.person
    return found
