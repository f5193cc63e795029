"""/login, /logout, and the way from one of one's sites to another."""

from flask import Blueprint, Response, get_flashed_messages, make_response, redirect, render_template, request
from flask import session as cookie
from flask_babel import gettext as _

from moderation import back_off
from moderation.errors import Forbidden, TooMany, Unauthorized
from moderation.http import service
from moderation.limits import limit_sign_in
from moderation.services import sign_ins
from moderation.web import session

pages = Blueprint("sign_in", __name__)


@pages.get("/")
def front_door() -> Response:
    """Whoever opens the bare address is most likely a moderator."""
    return session.as_response(redirect("/review", 303))


@pages.get("/login")
def form() -> Response:
    """The sign-in form."""
    return login_page(200)


@pages.post("/login")
@limit_sign_in
def submit() -> Response:
    """Signs in and goes back to where the moderator wanted to be."""
    need_passwords()
    email, password = request.form.get("email", ""), request.form.get("password", "")
    try:
        person = back_off.check_password(email, password)
    except Unauthorized as error:
        return login_page(422, _REFUSED[error.code](), email)
    except TooMany as error:
        wait = error.extra["retry_after"]
        said = _("Too many wrong passwords. Please wait %(wait)s seconds.", wait=wait)
        answer = login_page(429, said, email)
        answer.headers["Retry-After"] = str(wait)
        return answer
    session.begin(person)
    return session.as_response(redirect(session.local(request.form.get("next")), 303))


@pages.post("/logout")
def sign_out() -> Response:
    """Ends this session."""
    session.end()
    return session.as_response(redirect("/login", 303))


@pages.post("/site")
def work_at() -> Response:
    """Moves this session to another of the person's sites."""
    if (answer := session.require_sign_in()) is not None:
        return answer
    with service().store.write() as database:
        sign_ins.work_at(database, session.person(), request.form.get("site", ""))
    cookie.pop("said", None)  # what was done at the other site can't be undone from here
    return session.as_response(redirect("/review", 303))


_REFUSED = {
    "wrong_credentials": lambda: _("The e-mail address or the password is wrong. Please try again."),
    "no_site": lambda: _("This account has no site any more. An admin can invite you again."),
}


def need_passwords() -> None:
    """Raises Forbidden where people sign in elsewhere only."""
    if not service().settings.passwords:
        raise Forbidden(_("passwords are switched off here; sign in with the other button"), code="passwords_off")


def login_page(status: int, error: str | None = None, email: str = "") -> Response:
    """The sign-in page, with what went wrong or what has just been done."""
    settings = service().settings
    page = render_template(
        "login.html", next=session.local(request.values.get("next")), error=error, email=email,
        said=next(iter(get_flashed_messages(category_filter=["said"])), None), passwords=settings.passwords,
        outside=settings.oidc_name if settings.oidc_issuer else None,
    )  # fmt: skip
    return make_response(page, status)
