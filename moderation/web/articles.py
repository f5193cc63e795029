"""/articles: where comments come in, and what holds there: closed, or everything held."""

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask import session as cookie
from flask_babel import gettext as _
from flask_babel import lazy_gettext as marked

from moderation.domain.lifecycle import Role
from moderation.errors import Forbidden, Invalid, NotFound
from moderation.http import service
from moderation.services import articles, lock_down, policies
from moderation.services.articles import MAY_DO, Deed
from moderation.store.session import now_ms
from moderation.web.session import as_response, person, require_sign_in
from moderation.web.words import said

pages = Blueprint("articles", __name__, url_prefix="/articles")
pages.before_request(require_sign_in)

STATE_WORDS = {"": marked("All"), "closed": marked("Closed"), "held": marked("All comments held")}
STEP_WORDS = {
    "close": marked("Closed by %(who)s"),
    "open": marked("Opened again by %(who)s"),
    "hold": marked("All comments held, by %(who)s"),
    "release": marked("Holding all comments ended by %(who)s"),
    "slow": marked("Slow mode set by %(who)s"),
}
_DONE: dict[str, str] = {
    "close": marked("Closed. Readers are told so, and what comes in all the same is rejected."),
    "open": marked("Open again for comments."),
    "hold": marked("From now on every new comment here is held."),
    "release": marked("New comments here are decided by the rules again."),
    "slow": marked("The slow mode is set."),
}

_LOCKED = {
    True: marked("Locked down: from now on every new comment of the site is held."),
    False: marked("The lock-down is over: new comments are decided by the rules again."),
}


@pages.get("")
def overview() -> Response:
    """Articles by their newest comment, or found by title, address or section."""
    q = request.args.get("q", "").strip().replace("\0", "")[:200]
    state = request.args.get("state", "")
    state = state if state in STATE_WORDS else ""
    with service().store.read() as session:
        found = articles.listed(session, person().site_id, q, state)
    page = render_template(
        "articles.html", found=found, q=q, state=state, states=STATE_WORDS, said=cookie.pop("said_here", None)
    )
    return make_response(page)


@pages.post("/lock-down")
def lock() -> Response:
    """Begins or ends the lock-down of the site; for seniors and admins."""
    on = request.form.get("do") == "begin"
    with service().store.write() as session:
        lock_down.by_person(session, person(), on=on)
    cookie["said_here"] = str(_LOCKED[on])
    return as_response(redirect("/articles", 303))


@pages.get("/<article_id>")
def article(article_id: str) -> Response:
    """One article."""
    return _page(article_id)


@pages.post("/<article_id>")
def do(article_id: str) -> Response:
    """Closes, opens, holds all, or ends that."""
    deed = request.form.get("do", "")
    if deed not in MAY_DO:
        raise NotFound(_("there is no such action"))
    wanted: Deed = deed  # type: ignore[assignment]
    try:
        with service().store.write() as session:
            if deed == "slow":
                articles.slow(session, person(), article_id, _seconds())
            else:
                articles.do(session, person(), article_id, wanted, now_ms())
    except Forbidden as error:
        return _page(article_id, said(error.detail), error.status)
    except Invalid:
        return _page(article_id, _("Enter a whole number from 1 to 86,400, or nothing for no slow mode."), 422)
    cookie["said_here"] = str(_DONE[deed])
    return as_response(redirect(f"/articles/{article_id}", 303))


def _seconds() -> int | None:
    typed = request.form.get("seconds", "").strip()
    if not typed:
        return None
    if not (typed.isascii() and typed.isdigit() and len(typed) < 10):
        raise Invalid("this is no number of seconds", extra={"field": "seconds"})
    return int(typed)


def _page(article_id: str, trouble: str | None = None, status: int = 200) -> Response:
    with service().store.read() as session:
        one = articles.one(session, person().site_id, article_id)
        history = articles.history(session, person().site_id, article_id)
        policy = policies.current(session, person().site_id)
    own = policy.at(one.article.section, one.article.url) is not policy
    page = render_template(
        "article.html", one=one, history=history, steps=STEP_WORDS, own_rules=own, trouble=trouble,
        said=cookie.pop("said_here", None) if not trouble else None,
        may_close=person().role.includes(Role.SENIOR),
    )  # fmt: skip
    return make_response(page, status)
