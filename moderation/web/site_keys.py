"""/keys: a site's keys and the secret of its webhook, made, replaced and ended; for admins. Each is shown once."""

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as marked

from moderation.domain.lifecycle import Role
from moderation.errors import Invalid, ModerationError
from moderation.http import service
from moderation.services import site_keys, sites, webhook_secrets
from moderation.store.session import now_ms
from moderation.store.tables import Site
from moderation.web import rooms
from moderation.web.session import as_response, person, require_sign_in
from moderation.web.trouble import flashed, in_words, need_storable_ids, said_on

pages = Blueprint("site_keys", __name__, url_prefix="/keys")
pages.before_request(require_sign_in)
pages.before_request(lambda: rooms.need(Role.ADMIN))
pages.before_request(need_storable_ids)

SCOPE_WORDS = {
    "submit": marked("send comments"), "read": marked("read decisions and the feed"), "score": marked("score texts"),
}  # fmt: skip
# Hours that what is replaced works on, as a form says it -> words.
OVERLAPS = {"1": marked("for an hour"), "24": marked("for a day"), "168": marked("for a week"),
            "720": marked("for 30 days"), "0": marked("not at all")}  # fmt: skip
_HOUR = 3_600_000


@pages.get("")
def overview() -> Response:
    """All keys, those that ended as well, and when the webhook's secret changes."""
    return _page(200)


@pages.post("")
def create() -> Response:
    """A further key."""
    scopes = tuple(scope for scope in sites.SCOPES if scope in request.form.getlist("scope"))
    if not scopes:
        raise Invalid(_("choose what the key may do"), extra={"field": "scope"})
    with service().store.write() as session:
        made = sites.create_key(session, person().site_id, scopes, actor=person().id)
    return _shown(made, _("The key is made."))


@pages.post("/<key_id>/rotate")
def rotate(key_id: str) -> Response:
    """A new key in place of one, which works on for the time that was chosen."""
    overlap = _overlap()
    with service().store.write() as session:
        made = site_keys.rotate(
            session, person().site_id, key_id, now_ms(), overlap_ms=overlap, actor=person().id
        )  # fmt: skip
    return _shown(made, _("There is a new key in place of %(id)s.", id=key_id))


@pages.post("/<key_id>/revoke")
def revoke(key_id: str) -> Response:
    """Ends a key, at once."""
    with service().store.write() as session:
        site_keys.revoke(session, person().site_id, key_id, now_ms(), actor=person().id)
    flash(_("The key %(id)s is ended.", id=key_id), "said")
    return as_response(redirect("/keys", 303))


@pages.post("/webhook/rotate")
def rotate_webhook_secret() -> Response:
    """A new secret; that of before signs beside it for the time that was chosen."""
    overlap = _overlap()
    with service().store.write() as session:
        site = session.get_one(Site, person().site_id)
        made = webhook_secrets.rotate(session, site, now_ms(), overlap, actor=person().id)
    return _shown(made, _("The webhook has a new secret."))


def _overlap() -> int:
    """Milliseconds. Raises Invalid."""
    if (hours := request.form.get("overlap", "")) not in OVERLAPS:
        raise Invalid(_("choose how long the old one works on"), extra={"field": "overlap"})
    return int(hours) * _HOUR


def _shown(secret: str, said: str) -> Response:
    flash(said, "said")
    flash(secret, "secret")
    return as_response(redirect("/keys", 303))


def _page(status: int, error: ModerationError | None = None) -> Response:
    shown, now = flashed(), now_ms()
    with service().store.read() as session:
        site = session.get_one(Site, person().site_id)
        every = [(site_keys.key_id(one), one) for one in site_keys.of_site(session, site.id)]
        live = [one for one in every if one[1].expires_at is None or one[1].expires_at > now]
        page = render_template(
            "site_keys.html", live=live, ended=[one for one in every if one not in live], scopes=SCOPE_WORDS,
            overlaps=OVERLAPS, said=shown.get("said"), secret=shown.get("secret"), trouble=in_words(error),
            webhook=bool(site.webhook_url), both=len(webhook_secrets.in_force(site, now)) > 1,
            until=site.former_webhook_secret_until, field=error.extra.get("field") if error else None,
        )  # fmt: skip
    answer = make_response(page, status)
    answer.headers["Cache-Control"] = "no-store"
    return answer


said_on(pages, _page, 409, 422)
