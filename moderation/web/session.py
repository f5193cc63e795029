"""Who is signed in on the pages. The signed cookie holds the sign-in's secret; the database holds its hash."""

from datetime import timedelta
from typing import cast
from urllib.parse import urlsplit

from flask import Flask, Response, g, redirect, request, session, url_for
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response as AnyResponse

from moderation.config import Settings
from moderation.errors import SetupError, Unauthorized
from moderation.http import service, session_token
from moderation.services import accounts
from moderation.services.accounts import Person

csrf = CSRFProtect()

_LEAST_SECRET = 32


def install(app: Flask, settings: Settings) -> None:
    """Cookies and the CSRF check of page forms; blueprints of the JSON API are exempted in app.py.

    Raises SetupError without a secret that can sign them.
    """
    if len(settings.secret_key) < _LEAST_SECRET:
        raise SetupError(f"MODERATION_SECRET_KEY must have at least {_LEAST_SECRET} characters: it signs the sessions")
    app.config.update(
        SESSION_COOKIE_NAME="moderation", SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies, SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=settings.session_hours),
        # A form left open through a long shift still posts: its token lives as long as the session.
        WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=settings.secure_cookies,
    )  # fmt: skip
    csrf.init_app(app)


def begin(person: Person) -> None:
    """Signs this browser in. Whatever the session held before is gone, so nobody can plant one."""
    with service().store.write() as database:
        token, _ = accounts.sign_in(database, person, service().settings.session_hours)
    session.clear()
    session.permanent = True
    session["sign_in"] = token


def end() -> None:
    """Signs this browser out."""
    with service().store.write() as database:
        accounts.sign_out(database, session_token())
    session.clear()


def require_sign_in() -> Response | None:
    """Before each request of the desk: sets g.person, or sends the browser to the sign-in page and back."""
    try:
        with service().store.read() as database:
            g.person = accounts.signed_in(database, session_token())
    except Unauthorized:
        # A form's address can't be opened afterwards; its page can.
        back = request.full_path.rstrip("?") if request.method == "GET" else "/review"
        return as_response(redirect(url_for("sign_in.form", next=back), 303))
    return None


def person() -> Person:
    """The moderator who makes this request."""
    return cast(Person, g.person)


def local(target: str | None) -> str:
    """The target if it is a path of this service, else the desk: a link to us must not lead elsewhere."""
    target = target or ""
    parts = urlsplit(target)
    foreign = parts.scheme or parts.netloc or "\\" in target or any(ord(letter) < 32 for letter in target)
    return target if target.startswith("/") and not target.startswith("//") and not foreign else "/review"


def as_response(response: AnyResponse) -> Response:
    """Flask's redirect() is typed as the wider kind."""
    return cast(Response, response)
