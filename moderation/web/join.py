"""/join, /forgot and /reset: what one-time links lead to.

A link's secret goes into the signed session at once and out of the address, so that no history, no log before this
service and no Referer has it. Opening a link uses nothing up: programs that look into letters open them, too.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request
from flask import session as cookie
from flask_babel import gettext as _

from moderation.errors import ModerationError, NotFound
from moderation.http import service
from moderation.limits import limit_sign_in
from moderation.services import accounts, invitations, mail
from moderation.services.accounts import Person
from moderation.services.invitations import JOIN, RESET
from moderation.services.mail import Server
from moderation.store.people import Invitation
from moderation.store.session import Store
from moderation.store.tables import Site
from moderation.web import letters, session
from moderation.web.sign_in import need_passwords
from moderation.web.trouble import in_words

pages = Blueprint("join", __name__)


@pages.after_request
def _say_nothing_of_where_one_came_from(response: Response) -> Response:
    # Not on the forms: there the CSRF check over https wants to see this origin, and their address holds no secret.
    response.headers["Referrer-Policy"] = "no-referrer" if request.view_args else "same-origin"
    return response


@pages.get("/join/<secret>")
def open_invitation(secret: str) -> Response:
    """What an invitation links to."""
    cookie[JOIN] = secret
    return session.as_response(redirect("/join", 303))


@pages.get("/reset/<secret>")
def open_reset(secret: str) -> Response:
    """What the link for a new password links to."""
    cookie[RESET] = secret
    return session.as_response(redirect("/reset", 303))


@pages.get("/join")
def join_form() -> Response:
    """The invitation, and what it needs from whoever opened it."""
    return _join_page(200)


@pages.post("/join")
@limit_sign_in
def join() -> Response:
    """Joins: with a new account, with the account that is signed in, or with the password of one's account."""
    secret, here = str(cookie.get(JOIN, "")), session.visitor()
    try:
        with service().store.read() as database:
            link = invitations.find(database, secret, JOIN)
            known = accounts.with_address(database, link.email)
        joined = _joined(secret, here if here and here.email == link.email else None, known is not None)
    except NotFound as error:
        return _over(error)
    except ModerationError as error:
        return _join_page(error.status, error)
    session.begin(joined)
    return session.as_response(redirect("/review", 303))


def _joined(secret: str, here: Person | None, known: bool) -> Person:
    name, password = request.form.get("name", ""), request.form.get("password", "")
    if here is None:
        need_passwords()
    hashed = None if here or known else accounts.password_hash(password)
    with service().store.write() as database:
        if here:
            return invitations.join_known(database, secret, here.id)
        if known:
            return invitations.join_with_password(database, secret, password)
        return invitations.join_new(database, secret, name, hashed)


def _join_page(status: int, error: ModerationError | None = None) -> Response:
    here = session.visitor()
    try:
        with service().store.read() as database:
            link = invitations.find(database, str(cookie.get(JOIN, "")), JOIN)
            site = database.get_one(Site, link.site_id).name
            known = accounts.with_address(database, link.email) is not None
    except NotFound as over:
        return _over(over)
    settings = service().settings
    page = render_template(
        "join.html", link=link, site=site, known=known, here=here, way=_way(link, here, known),
        outside=settings.oidc_name if settings.oidc_issuer else None, passwords=settings.passwords,
        trouble=in_words(error), field=error.extra.get("field") if error else None, name=request.form.get("name", ""),
    )  # fmt: skip
    return make_response(page, status)


def _way(link: Invitation, here: Person | None, known: bool) -> str:
    """How one joins: as the one who is signed in, not as somebody else, with one's account, or with a new one."""
    if here:
        return "here" if here.email == link.email else "other"
    return "known" if known else "new"


@pages.get("/forgot")
def forgot_form() -> Response:
    """Asks for the address."""
    need_passwords()
    return make_response(render_template("forgot.html", mail=bool(service().settings.smtp_host), asked=False))


@pages.post("/forgot")
@limit_sign_in
def forgot() -> Response:
    """The same answer at the same time, whether there is such a moderator or not: all that differs is done later."""
    need_passwords()
    server, email = mail.server_of(service().settings), request.form.get("email", "")
    if server and email:
        letter = letters.reset("LINK")
        _postroom().submit(_send_reset, service().store, server, email, letter, letters.address_of("/reset/"))
    return make_response(render_template("forgot.html", mail=bool(server), asked=True))


def _send_reset(store: Store, server: Server, email: str, letter: tuple[str, str], base: str) -> None:
    with store.write() as database:
        made = invitations.reset_link_for(database, email)
    if made:
        mail.send(server, made[0], letter[0], letter[1].replace("LINK", base + made[1]))


@cache
def _postroom() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2, "letters")


@pages.get("/reset")
def reset_form() -> Response:
    """Asks for the new password."""
    return _reset_page(200)


@pages.post("/reset")
@limit_sign_in
def reset() -> Response:
    """Sets it; whoever has just set it knows it, so the sign-in page comes next."""
    need_passwords()
    try:
        with service().store.write() as database:
            invitations.set_password(database, str(cookie.get(RESET, "")), request.form.get("password", ""))
    except NotFound as error:
        return _over(error)
    except ModerationError as error:
        return _reset_page(error.status, error)
    session.end()
    flash(_("Your password is set. Sign in with it."), "said")
    return session.as_response(redirect("/login", 303))


def _reset_page(status: int, error: ModerationError | None = None) -> Response:
    need_passwords()
    try:
        with service().store.read() as database:
            link = invitations.find(database, str(cookie.get(RESET, "")), RESET)
    except NotFound as over:
        return _over(over)
    return make_response(render_template("reset.html", link=link, trouble=in_words(error)), status)


def _over(error: ModerationError) -> Response:
    """A link that leads nowhere any more, said kindly."""
    return make_response(render_template("link_over.html", detail=in_words(error)), error.status)
