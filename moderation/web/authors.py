"""/authors: one author's record and comments, and what moderators say of them once for all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, stream_with_context
from flask import session as cookie
from flask_babel import gettext as _
from flask_babel import lazy_gettext as marked
from flask_babel import ngettext
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import REJECT_REASONS, Role
from moderation.domain.standing import Standing, may_set
from moderation.errors import Conflict, Forbidden, Invalid, ModerationError, NotFound
from moderation.http import service
from moderation.services import authors, erasure, notes, personal_data, standings
from moderation.services.review import Act
from moderation.services.standings import Stands
from moderation.store.session import now_ms
from moderation.store.tables import Article, Comment
from moderation.web import rooms
from moderation.web.opened import excerpt, hidden_ids
from moderation.web.session import as_response, local, person, reading, require_sign_in
from moderation.web.words import said

pages = Blueprint("authors", __name__, url_prefix="/authors")
pages.before_request(require_sign_in)

STANDING_WORDS = {
    None: marked("Nothing special"),
    Standing.HOLD: marked("Always hold"),
    Standing.BAN: marked("Banned"),
    Standing.TRUST: marked("Trusted"),
}
MEANING = {
    Standing.HOLD: marked("A moderator looks at every comment of theirs before it is published."),
    Standing.BAN: marked("Every comment of theirs is rejected."),
    Standing.TRUST: marked(
        "Links, contact details, languages and being new don't count; abuse and word lists still do."
    ),
}
STEP_WORDS = {
    None: marked("Standing ended by %(who)s"),
    Standing.HOLD: marked("To be held always, by %(who)s"),
    Standing.BAN: marked("Banned by %(who)s"),
    Standing.TRUST: marked("Trusted by %(who)s"),
}
# Days that a standing lasts, as a form says it -> words.
SPANS = {"": marked("without end"), "1": marked("1 day"), "7": marked("7 days"), "30": marked("30 days"),
         "date": marked("until a date")}  # fmt: skip
_EXCERPT = 200
_ERASE_SECONDS = 2.0
_LONGEST = 40 * 366 * 86_400_000


@dataclass(frozen=True)
class Chooser:
    """What _standing.html shows: see there. `typed` is what was sent, if it is shown again; `whole` is the form of the
    author's own page, with an end on a date and what becomes of the comments that wait."""

    key: str
    stands: Stands | None
    choices: list[Standing | None]
    back: str
    waiting: int = 0
    typed: dict[str, str] = field(default_factory=dict)
    whole: bool = False

    @property
    def may(self) -> bool:
        """Whether this person may change how the author stands now."""
        return may_set(person().role, self.stands.standing if self.stands else None)


def _choices() -> list[Standing | None]:
    return [one for one in (None, *Standing) if may_set(person().role, one)]


@pages.app_context_processor
def _for_every_page() -> dict[str, object]:
    """Lets any page of the workspace include _standing.html."""
    return {"chooser_of": chooser_of, "standing_words": _Words}


def chooser_of(key: str, back: str) -> Chooser:
    """How an author of the person's site stands; `back` is the local path to which the form returns."""
    with reading() as session:
        return Chooser(key, standings.stands(session, person().site_id, key, now_ms()), _choices(), back)


@pages.get("")
def overview() -> Response:
    """Who stands out, and a search by name or e-mail address."""
    q = request.args.get("q", "").strip().replace("\0", "")[:200]
    with service().store.read() as session:
        page = {
            "q": q, "found": authors.found(session, person().site_id, q) if q else None,
            "standing": authors.with_standing(session, person().site_id, now_ms()),
            "erased": cookie.pop("erased", None),
        }  # fmt: skip
    return make_response(render_template("authors.html", **page))


@pages.get("/<key>")
def author(key: str) -> Response:
    """One author."""
    return _page(key)


@pages.post("/<key>/standing")
def stand(key: str) -> Response:
    """Gives or ends a standing; a ban may reject what waits of the author, as one batch that can be undone."""
    back = local(request.form.get("back") or f"/authors/{key}")
    try:
        rejected = _stand(key, request.form.get("standing", ""))
    except NotFound:
        raise
    except (Forbidden, Invalid, Conflict) as error:
        return _page(key, _said(error), error.status, request.form.to_dict())
    _say(_done(request.form.get("standing", ""), rejected), undo=bool(rejected), on_desk=back.startswith("/review"))
    return as_response(redirect(back, 303))


@pages.post("/<key>/notes")
def note(key: str) -> Response:
    """Writes a note about the author for colleagues."""
    text = request.form.get("text", "")
    try:
        with service().store.write() as session:
            latest = authors.author(session, person().site_id, key).latest
            notes.add(session, person(), latest.id, "author", text, now_ms())
    except Invalid as error:
        return _page(key, _said(error), error.status)
    return as_response(redirect(f"/authors/{key}#notes", 303))


@pages.get("/<key>/export")
def export(key: str) -> Response:
    """Everything that is kept about the author, as a file; for admins."""
    rooms.need(Role.ADMIN)
    with service().store.read() as session:
        known = erasure.known_author(session, person().site_id, key)

    def pieces() -> Iterator[str]:
        with service().store.read() as session:
            yield from personal_data.document(session, known, service().settings.secret_keys, now_ms())

    named = {"Content-Disposition": "attachment; filename=author.json"}
    return Response(stream_with_context(pieces()), 200, named, mimetype="application/json")


@pages.post("/<key>/erase")
def erase(key: str) -> Response:
    """Erases the author for good, where an admin has ticked that they mean it."""
    rooms.need(Role.ADMIN)
    with service().store.read() as session:
        known = erasure.known_author(session, person().site_id, key)
    if "sure" not in request.form:
        return _page(key, _("Tick that you mean it. Nothing was changed."), 422)
    keys = service().settings.secret_keys
    done, left = erasure.begin(service().store, keys, known, person().id, seconds=_ERASE_SECONDS)
    said = ngettext("The author is erased, with %(num)s comment.", "The author is erased, with %(num)s comments.", done)
    cookie["erased"] = f"{said} {_('The rest follows by itself.')}" if left else said
    return as_response(redirect("/authors", 303))


def _stand(key: str, wanted: str) -> int:
    now, seen = now_ms(), request.form.get("seen", "")
    known = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 18 else None
    with service().store.write() as session:
        if not wanted:
            standings.lift(session, person(), key, now, seen=known)
            return 0
        if wanted not in set(Standing):
            raise Invalid(_("choose what holds for this author"), extra={"field": "standing"})
        standings.give(session, person(), key, Standing(wanted), _until(now), now, seen=known)
        if wanted != Standing.BAN or "reject" not in request.form:
            return 0
        reason = request.form.get("reason", "other")
        note = _("The author was banned.") if reason == "other" else None
        grace = round(service().settings.grace_seconds * 1000)
        return standings.reject_waiting(session, person(), key, Act("reject", None, reason, note), now, grace)


def _until(now: int) -> int | None:
    """The end that the form names, in milliseconds. Raises Invalid."""
    span = request.form.get("span", "")
    if span.isascii() and span.isdigit():
        return now + round(timedelta(days=min(int(span[:5]), 36_500)).total_seconds() * 1000)
    if span != "date":
        return None
    try:
        at = datetime.fromisoformat(request.form.get("until", "").strip())
    except ValueError:
        raise Invalid(_("enter the date and time until when"), extra={"field": "until"}) from None
    until = round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    if until <= now:
        raise Invalid(_("this time is over already"), extra={"field": "until"})
    return min(until, now + _LONGEST)


def _done(wanted: str, rejected: int) -> str:
    said = {
        "": _("Nothing special holds for this author any more."),
        Standing.HOLD: _("From now on all comments of this author are held."),
        Standing.BAN: _("The author is banned."),
        Standing.TRUST: _("The author is trusted."),
    }[wanted]
    if not rejected:
        return str(said)
    return (
        said
        + " "
        + ngettext("%(num)s waiting comment was rejected.", "%(num)s waiting comments were rejected.", rejected)
    )


def _said(error: ModerationError) -> str:
    """A refusal in words: who did what, and that nothing was changed."""
    if error.code == "stale_version":
        now = error.extra.get("standing")
        words = STANDING_WORDS[Standing(now) if now else None]
        who = error.extra.get("by") or _("Somebody")
        return _("%(who)s has changed this meanwhile: %(now)s. Nothing of yours was applied.", who=who, now=words)
    return f"{said(error.detail)} {_('Nothing was changed.')}"


def _say(text: str, *, undo: bool, on_desk: bool) -> None:
    cookie["said" if on_desk else "told"] = {"text": text, "undo": undo}


def _page(key: str, trouble: str | None = None, status: int = 200, typed: dict[str, str] | None = None) -> Response:
    now, after = now_ms(), request.args.get("after", "")[:32]
    with service().store.read() as session:
        found = authors.author(session, person().site_id, key)
        listed, following = authors.comments(session, person().site_id, key, after)
        page: dict[str, Any] = {
            "author": found, "comments": _rows(session, listed), "following": following, "after": after,
            "chooser": Chooser(
                key, standings.stands(session, person().site_id, key, now), _choices(), f"/authors/{key}",
                authors.waiting(session, person().site_id, key), typed or {}, whole=True,
            ),
            "notes": [one for one in notes.about(session, found.latest) if one.about == "author"],
            "history": standings.history(session, person().site_id, key), "reasons": REJECT_REASONS,
            "trouble": trouble, "told": cookie.pop("told", None),
            "typed_note": request.form.get("text", ""),
        }  # fmt: skip
    return make_response(render_template("author.html", **page), status)


def _rows(session: Session, listed: Sequence[tuple[Comment, Article]]) -> list[dict[str, Any]]:
    hidden = hidden_ids(session, [comment for comment, _ in listed])
    return [
        {
            "id": comment.id, "at": comment.received_at, "status": comment.status,
            "article": article.title or article.url, "excerpt": excerpt(comment, _EXCERPT),
            "hidden": comment.id in hidden,
        }
        for comment, article in listed
    ]  # fmt: skip


class _Words:
    """The words of standings, for templates."""

    standing, meaning, step, spans = STANDING_WORDS, MEANING, STEP_WORDS, SPANS
