"""/account: one's own name, password, sites, sessions and tokens."""

from collections.abc import Callable

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from moderation.errors import ModerationError
from moderation.http import service
from moderation.limits import limit_sign_in
from moderation.services import accounts, sign_ins
from moderation.services.views import iso
from moderation.store.people import Moderator
from moderation.store.session import now_ms
from moderation.web import words
from moderation.web.agents import agent_words
from moderation.web.session import as_response, person, require_sign_in
from moderation.web.sign_in import need_passwords
from moderation.web.trouble import flashed, in_words, need_storable_ids

pages = Blueprint("account", __name__, url_prefix="/account")
pages.before_request(require_sign_in)
pages.before_request(need_storable_ids)


@pages.get("")
def own() -> Response:
    """All of it on one page."""
    return _page(200)


@pages.post("/name")
def rename() -> Response:
    """Sets the name that others see."""
    return _do("name", lambda session: accounts.rename(session, person(), request.form.get("name", "")),
               _("Your name is set."))  # fmt: skip


@pages.post("/password")
@limit_sign_in
def change_password() -> Response:
    """Sets a new password; the other sessions end."""
    need_passwords()
    old, new = request.form.get("old", ""), request.form.get("password", "")
    return _do("password", lambda session: accounts.change_password(session, person(), old, new),
               _("Your password is set. Everything else that was signed in as you is signed out."))  # fmt: skip


@pages.post("/sessions/<sign_in_id>/end")
def end_one(sign_in_id: str) -> Response:
    """Ends one session or token."""
    return _do("sessions", lambda session: sign_ins.end_one(session, person(), sign_in_id), _("Ended."))


@pages.post("/sessions/end-others")
def end_others() -> Response:
    """Ends all but this one."""
    with service().store.write() as session:
        count = sign_ins.end_others(session, person())
    if count:
        flash(ngettext("One other is signed out.", "%(num)d others are signed out.", count), "said")
    else:
        flash(_("There was no other."), "said")
    return _back()


@pages.post("/tokens")
def make_token() -> Response:
    """A token for a program, shown once; the way to one for whoever has no password."""
    agent = agent_words(request.headers.get("User-Agent", ""))
    with service().store.write() as session:
        token, _ends = accounts.sign_in(session, person(), service().settings.session_hours, "token", agent)
    flash(token, "token")
    return _back()


def _do(part: str, deed: Callable[[Session], None], said: str) -> Response:
    try:
        with service().store.write() as session:
            deed(session)
    except ModerationError as error:
        return _page(error.status, error, part)
    flash(said, "said")
    return _back()


def _back() -> Response:
    return as_response(redirect("/account", 303))


def _page(status: int, error: ModerationError | None = None, part: str | None = None) -> Response:
    shown = flashed()
    with service().store.read() as session:
        page = render_template(
            "account.html", me=session.get_one(Moderator, person().id), now=now_ms(), w=words, iso=iso, part=part,
            sites=sign_ins.workplaces(session, person().id), sign_ins=sign_ins.open_of(session, person()),
            said=shown.get("said"), token=shown.get("token"), trouble=in_words(error), settings=service().settings,
            field=error.extra.get("field") if error else None, typed=request.form.get("name"),
        )  # fmt: skip
    return make_response(page, status)
