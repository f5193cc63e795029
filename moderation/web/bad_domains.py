"""/domains: the site's list of bad domains, searched, added to and taken from; for admins.

What holds for all sites is shown, and is changed by command alone.
"""

import io
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext

from moderation.domain.lifecycle import Role
from moderation.errors import Invalid, ModerationError
from moderation.http import service
from moderation.services import bad_domains, policies
from moderation.web import rooms
from moderation.web.session import as_response, person, require_sign_in
from moderation.web.trouble import flashed, in_words, said_on

pages = Blueprint("bad_domains", __name__, url_prefix="/domains")
pages.before_request(require_sign_in)
pages.before_request(lambda: rooms.need(Role.ADMIN))

LARGEST = 4 * 1024 * 1024  # bytes of a list; a longer one is loaded by command
_SHOWN = 50
_LONGEST = 253


@pages.get("")
def overview() -> Response:
    """A page of the list, those that what was searched for stands in."""
    return _page(200)


@pages.post("/add")
def add() -> Response:
    """One domain."""
    typed = request.form.get("domain", "")[: 2 * _LONGEST]
    if not bad_domains.read_line(typed):
        raise Invalid(_("this is no domain"), extra={"field": "domain"})
    done = bad_domains.load(service().store, [typed], person().site_id, actor=person().id)
    return _said(_("It is on the list now.") if done.added else _("It was on the list already."))


@pages.post("/load")
def load() -> Response:
    """A list, as `moderation domains load` takes it."""
    sent = request.files.get("list")
    if sent is None or not sent.filename:
        raise Invalid(_("choose a file"), extra={"field": "list"})
    whole = sent.stream.read(LARGEST + 1)
    if len(whole) > LARGEST:
        raise Invalid(
            _("a list may have %(number)s MiB here; a longer one is loaded by command", number=LARGEST // 1024**2),
            extra={"field": "list"},
        )
    lines = io.StringIO(whole.decode("utf-8", "replace").replace("\0", "?"))
    done = bad_domains.load(service().store, lines, person().site_id, actor=person().id)
    said = _("%(new)s new domains, %(known)s were there already.", new=done.added, known=done.known)
    if done.wrong:
        first = ", ".join(map(str, done.first_wrong))
        said += " " + _("Lines that are no domains: %(number)s, first at %(lines)s.", number=done.wrong, lines=first)
    return _said(said)


@pages.post("/remove")
def remove() -> Response:
    """Takes what was chosen off the list."""
    names = [name.replace("\0", "") for name in request.form.getlist("domain")[:_SHOWN]]
    if not names:
        raise Invalid(_("choose domains"), extra={"field": "domain"})
    with service().store.write() as session:
        count = bad_domains.remove(session, names, person().site_id, actor=person().id)
    return _said(ngettext("One domain is taken off.", "%(num)d domains are taken off.", count))


def _said(words: str) -> Response:
    """Back to the part of the list that the form stood in."""
    flash(words, "said")
    asked = _asked()
    return as_response(redirect(f"/domains?{urlencode(asked)}" if asked else "/domains", 303))


def _asked() -> dict[str, str]:
    given = ((name, request.args.get(name, "").replace("\0", "").strip()[:_LONGEST]) for name in ("list", "q", "after"))
    return {name: value for name, value in given if value}


def _page(status: int, error: ModerationError | None = None) -> Response:
    asked, shown = _asked(), flashed()
    of_all = asked.get("list") == "all"
    which = None if of_all else person().site_id
    with service().store.read() as session:
        found = bad_domains.listed(
            session, which, asked.get("after", ""), part=asked.get("q", "").casefold(), most=_SHOWN + 1
        )
        idle = not policies.current(session, person().site_id).asks_anywhere("bad_domain")
        counts = {"": bad_domains.count(session, person().site_id), "all": bad_domains.count(session, None)}
    domains, further = found[:_SHOWN], len(found) > _SHOWN
    first = {name: value for name, value in asked.items() if name != "after"}
    page = render_template(
        "bad_domains.html", domains=domains, counts=counts, of_all=of_all, asked=asked, query=urlencode(asked),
        idle=idle,
        following=f"/domains?{urlencode(first | {'after': domains[-1]})}" if further else None,
        first=f"/domains?{urlencode(first)}" if "after" in asked else None, most=LARGEST // 1024**2,
        said=shown.get("said"), trouble=in_words(error), field=error.extra.get("field") if error else None,
    )  # fmt: skip
    return make_response(page, status)


said_on(pages, _page, 413, 422)
