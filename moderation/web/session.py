"""Who is signed in on the pages. The signed cookie holds the sign-in's secret; the database holds its hash."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import cast
from urllib.parse import urlsplit

from flask import Flask, Request, Response, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from moderation.back_off import remember_device
from moderation.config import Settings
from moderation.errors import SetupError, Unauthorized
from moderation.http import service, session_token, whose
from moderation.services import accounts, preferences, sign_ins
from moderation.services.accounts import Person
from moderation.services.sign_ins import Workplace
from moderation.web.agents import agent_words

csrf = CSRFProtect()

_LEAST_SECRET = 32


class _Sessions(SecureCookieSessionInterface):
    """Where there is no cookie, as with programs, there is nothing to find out about it."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)


def install(app: Flask, settings: Settings) -> None:
    """Cookies and the CSRF check of page forms; blueprints of the JSON API are exempted in app.py.

    Raises SetupError without a secret that can sign them.
    """
    if len(settings.secret_key) < _LEAST_SECRET:
        raise SetupError(f"MODERATION_SECRET_KEY must have at least {_LEAST_SECRET} characters: it signs the sessions")
    app.config.update(
        SESSION_COOKIE_NAME=cookie_name(settings), SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.https, SESSION_COOKIE_PATH="/", SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=settings.session_hours),
        # A form left open through a long shift still posts: its token lives as long as the session.
        WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=settings.secure_cookies,
    )  # fmt: skip
    app.session_interface = _Sessions()
    csrf.init_app(app)
    app.context_processor(lambda: {"workplaces": _workplaces})


def cookie_name(settings: Settings) -> str:
    """Over https a name that browsers take from this very host only, and never from a page without TLS."""
    return "__Host-moderation" if settings.https else "moderation"


def begin(person: Person) -> None:
    """Signs this browser in. Whatever the session held before is gone, so nobody can plant one."""
    agent, before = agent_words(request.headers.get("User-Agent", "")), session_token()
    with service().store.write() as database:
        accounts.sign_out(database, before)
        token, _ = accounts.sign_in(database, person, service().settings.session_hours, agent=agent)
    session.clear()
    session.permanent = True
    session["sign_in"] = token
    remember_device(person)


def end() -> None:
    """Signs this browser out."""
    with service().store.write() as database:
        accounts.sign_out(database, session_token())
    session.clear()


def require_sign_in() -> Response | None:
    """Before each request of the desk: sets g.person and their choices, or sends the browser to sign in and back."""
    try:
        _recognise()
    except Unauthorized:
        # A form's address can't be opened afterwards; its page can.
        back = request.full_path.rstrip("?") if request.method == "GET" else "/review"
        return as_response(redirect(url_for("sign_in.form", next=back), 303))
    return None


def require_sign_in_unused() -> Response | None:
    """The same for what the page's script does by itself: it must not keep an unattended session open."""
    try:
        _recognise(used=False)
    except Unauthorized:
        return Response(status=204)  # a browser would take a sign-in page for a broken stream and ask for ever
    return None


def visitor() -> Person | None:
    """Who is signed in in this browser, on a page that is open to everybody."""
    try:
        _recognise()
    except Unauthorized:
        return None
    return person()


def _recognise(*, used: bool = True) -> None:
    g.person = whose(session_token(), used=used)
    g.preferences = preferences.of(g.person.settings)
    g.language = g.preferences.language


def _workplaces() -> list[Workplace]:
    """For the navigation: the sites of the signed-in person."""
    with reading() as database:
        return sign_ins.workplaces(database, person().id)


@contextmanager
def reading() -> Iterator[Session]:
    """A session for looking only; what a page's template looks up by itself is read in the page's own one."""
    if "reading" in g:
        yield g.reading
        return
    with service().store.read() as database:
        g.reading = database
        try:
            yield database
        finally:
            g.pop("reading")


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
