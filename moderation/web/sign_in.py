"""/login and /logout."""

from flask import Blueprint, Response, make_response, redirect, render_template, request

from moderation.errors import Unauthorized
from moderation.http import service
from moderation.limits import limit_sign_in
from moderation.services import accounts
from moderation.web import session

pages = Blueprint("sign_in", __name__)


@pages.get("/")
def front_door() -> Response:
    """Whoever opens the bare address is most likely a moderator."""
    return session.as_response(redirect("/review", 303))


@pages.get("/login")
def form() -> Response:
    """The sign-in form."""
    return _form(200)


@pages.post("/login")
@limit_sign_in
def submit() -> Response:
    """Signs in and goes back to where the moderator wanted to be."""
    email, password = request.form.get("email", ""), request.form.get("password", "")
    try:
        with service().store.read() as database:
            person = accounts.check_password(database, email, password)
    except Unauthorized as error:
        return _form(422, error.detail, email)
    session.begin(person)
    return session.as_response(redirect(session.local(request.form.get("next")), 303))


@pages.post("/logout")
def sign_out() -> Response:
    """Ends this session."""
    session.end()
    return session.as_response(redirect("/login", 303))


def _form(status: int, error: str | None = None, email: str = "") -> Response:
    target = session.local(request.values.get("next"))
    return make_response(render_template("login.html", next=target, error=error, email=email), status)
