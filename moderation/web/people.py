"""/people: who moderates the site, with which role, and who is invited; for admins."""

from datetime import UTC, datetime

from babel.dates import format_date
from flask import Blueprint, Response, flash, make_response, redirect, render_template, request
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Role
from moderation.errors import Conflict, Invalid, ModerationError
from moderation.http import service
from moderation.services import invitations, people, sign_ins
from moderation.services.views import iso
from moderation.store.session import now_ms
from moderation.store.tables import Site
from moderation.web import letters, rooms, words
from moderation.web.session import as_response, person, require_sign_in
from moderation.web.trouble import flashed, in_words, need_storable_ids, said_on
from moderation.web.words_of_people import ROLE_WORDS

pages = Blueprint("people", __name__, url_prefix="/people")
pages.before_request(require_sign_in)
pages.before_request(lambda: rooms.need(Role.ADMIN))
pages.before_request(need_storable_ids)


@pages.get("")
def overview() -> Response:
    """Everybody, and the open invitations."""
    return _page(200)


@pages.post("/invite")
def invite() -> Response:
    """Makes an invitation; its link goes out by mail, or is shown to the admin once."""
    with service().store.write() as session:
        made, secret = invitations.invite(session, person(), request.form.get("email", ""), _role())
        site = session.get_one(Site, made.site_id).name
    link = letters.address_of(f"/join/{secret}")
    if letters.sent(made.email, *letters.invitation(site, link, person().name)):
        flash(_("The invitation is on its way to %(email)s.", email=made.email), "said")
    else:
        _hand_over(link, _("Give this link to %(email)s. It works once, for 7 days.", email=made.email))
    return _back()


@pages.post("/invitations/<invitation_id>/revoke")
def revoke(invitation_id: str) -> Response:
    """Ends an open invitation."""
    with service().store.write() as session:
        invitations.revoke(session, person(), invitation_id)
    flash(_("The invitation is taken back; its link works no more."), "said")
    return _back()


@pages.post("/<moderator_id>/role")
def set_role(moderator_id: str) -> Response:
    """Gives somebody another role."""
    role = _role()
    with service().store.write() as session:
        name = people.one_of_site(session, person().site_id, moderator_id).name
        people.set_role(session, person().site_id, moderator_id, role, person())
    flash(_("%(name)s is now: %(role)s.", name=name, role=ROLE_WORDS[role]), "said")
    return _back()


@pages.post("/<moderator_id>/remove")
def remove(moderator_id: str) -> Response:
    """Takes somebody off the site, at once."""
    with service().store.write() as session:
        name = people.one_of_site(session, person().site_id, moderator_id).name
        freed = people.remove(session, person().site_id, moderator_id, person())
    said = _("%(name)s is no longer here and is signed out.", name=name)
    if freed:
        said += " " + ngettext("One comment is free again.", "%(num)d comments are free again.", freed)
    flash(said, "said")
    return _back()


@pages.post("/<moderator_id>/sign-out")
def sign_out(moderator_id: str) -> Response:
    """Ends all sessions and tokens of somebody."""
    with service().store.write() as session:
        name = people.one_of_site(session, person().site_id, moderator_id).name
        sign_ins.end_all_of(session, person(), moderator_id)
    flash(_("%(name)s is signed out everywhere.", name=name), "said")
    return _back()


@pages.post("/<moderator_id>/reset")
def reset(moderator_id: str) -> Response:
    """A link for a new password: sent to its owner, or shown to the admin where the account is this site's alone."""
    if not service().settings.passwords:
        raise Invalid(_("passwords are switched off here"), code="passwords_off")
    with service().store.write() as session:
        email, secret = invitations.reset_link(session, person(), moderator_id)
        may_see = people.only_here(session, person().site_id, moderator_id)
        if not may_see and not service().settings.smtp_host:
            raise _not_yours()
    link = letters.address_of(f"/reset/{secret}")
    if letters.sent(email, *letters.reset(link)):
        flash(_("A link for a new password is on its way to %(email)s.", email=email), "said")
    elif not may_see:
        raise _not_yours()
    else:
        _hand_over(link, _("Give this link to %(email)s. It works once, for 24 hours.", email=email))
    return _back()


def _not_yours() -> Conflict:
    return Conflict(
        _("this account also moderates other sites, so its link may only go to its own address, and no letter could be "
          "sent; whoever runs the service can make one"), code="account_shared",
    )  # fmt: skip


def _hand_over(link: str, said: str) -> None:
    if service().settings.smtp_host:
        said = _("The letter could not be sent.") + " " + said
    flash(said, "said")
    flash(link, "link")


def _role() -> Role:
    try:
        return Role(request.form.get("role", ""))
    except ValueError:
        raise Invalid(_("choose a role"), extra={"field": "role"}) from None


def _back() -> Response:
    return as_response(redirect("/people", 303))


def _page(status: int, error: ModerationError | None = None) -> Response:
    shown = flashed()
    with service().store.read() as session:
        page = render_template(
            "people.html", colleagues=people.of_site(session, person().site_id), roles=ROLE_WORDS, now=now_ms(),
            invitations=invitations.open_of(session, person().site_id), names=_names(session), w=words, iso=iso,
            said=shown.get("said"), link=shown.get("link"), trouble=in_words(error), settings=service().settings,
            email=request.form.get("email", ""), chosen=request.form.get("role", "moderator"),
            field=error.extra.get("field") if error else None, date=_date,
        )  # fmt: skip
    return make_response(page, status)


def _date(at: int) -> str:
    return format_date(datetime.fromtimestamp(at / 1000, UTC), "long", locale=get_locale() or "en")


def _names(session: Session) -> dict[str, str]:
    return {colleague.id: colleague.name for colleague in people.of_site(session, person().site_id)}


said_on(pages, _page, 409, 422)
