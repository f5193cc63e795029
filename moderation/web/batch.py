"""/by-score: what waits by score, a range of it, a look at a few, and one decision on all of it."""

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from moderation.domain.lifecycle import ACTIONS, REJECT_REASONS, Role, Status
from moderation.domain.shares import ENOUGH, Expected, wilson
from moderation.errors import Invalid, ModerationError, NotFound
from moderation.http import service
from moderation.services import batches, histogram
from moderation.services.batches import Look, Wanted
from moderation.services.histogram import BINS, DAYS, SCALES, Choice, Histogram, Scope
from moderation.services.plain_text import plain_text
from moderation.store.session import now_ms
from moderation.store.tables import Article
from moderation.store.workspace import Batch
from moderation.web import batch_words, rooms, score_chart, words
from moderation.web.keys import preferences
from moderation.web.session import as_response, person, require_sign_in
from moderation.web.veil import veil

pages = Blueprint("batch", __name__, url_prefix="/by-score")
pages.before_request(require_sign_in)
# Whoever may lift an escalation may decide on many at once; one slip here is hundreds on the desk.
pages.before_request(lambda: rooms.need(Role.SENIOR))

_FIRST = "TOXICITY"
_LONGEST_NOTE = 2000


@pages.get("")
def overview() -> Response:
    """The histogram with a range on it."""
    return _page(request.args)


@pages.post("")
def begin() -> Response:
    """Freezes the range and leads to the few to look at."""
    form = request.form
    try:
        low, high = _range(form)
        wanted = Wanted(_scope(form), low, high, form.get("action", ""), *_given(form))
        with service().store.write() as session:
            batch = batches.begin(session, person(), wanted, now_ms())
    except Invalid as error:
        return _page(form, error)
    return _to(batch.id)


@pages.get("/<batch_id>")
def batch(batch_id: str) -> Response:
    """The few to look at; afterwards, what was done."""
    return _batch_page(batch_id)


@pages.post("/<batch_id>/looks")
def look(batch_id: str) -> Response:
    """Keeps the answer to one look."""
    with service().store.write() as session:
        found = batches.answer(
            session, person(), batch_id, request.form.get("comment", ""), request.form.get("answer", "")
        )
    open_ones = [n for n, look in enumerate(found.looks, 1) if look["answer"] is None]
    return _to(batch_id, f"look-{open_ones[0]}" if open_ones else "deed")


@pages.post("/<batch_id>/do")
def do(batch_id: str) -> Response:
    """Carries the batch out."""
    settings = service().settings
    try:
        with service().store.write() as session:
            batches.finish(
                session, person(), batch_id, all_the_same="all_the_same" in request.form, now=now_ms(),
                grace_ms=round(settings.grace_seconds * 1000),
            )  # fmt: skip
    except NotFound:
        raise
    except ModerationError as error:
        return _batch_page(batch_id, error)
    return _to(batch_id)


@pages.post("/<batch_id>/undo")
def undo(batch_id: str) -> Response:
    """Takes the batch back."""
    try:
        with service().store.write() as session:
            batches.undo(session, person(), batch_id, now_ms())
    except ModerationError as error:
        if not _exists(batch_id):
            raise
        return _batch_page(batch_id, error)
    return _to(batch_id)


def _to(batch_id: str, anchor: str | None = None) -> Response:
    return as_response(redirect(url_for("batch.batch", batch_id=batch_id, _anchor=anchor), 303))


def _exists(batch_id: str) -> bool:
    with service().store.read() as session:
        try:
            batches.find(session, person(), batch_id)
        except NotFound:
            return False
    return True


def _scope(args: MultiDict[str, str]) -> Scope:
    """What an address or a form asks for; what is unknown there is left out."""
    article, section = (args.get(name, "").strip().replace("\0", "")[:2048] or None for name in ("article", "section"))
    bins = next((number for number in BINS if args.get("bins") == str(number)), BINS[0])
    up_to = next((end for end in SCALES if args.get("up_to") == str(end)), None)
    attribute = args.get("attribute") or _FIRST
    return Scope(attribute if attribute in words.ATTRIBUTE_WORDS else _FIRST, article, section, bins, up_to)


def _number(args: MultiDict[str, str], name: str) -> float:
    """A number of the form, rounded as the scores' borders are. Raises Invalid."""
    try:
        return round(float(args.get(name, "").strip().replace(",", ".")), 4)
    except (ValueError, OverflowError):
        raise Invalid("a range needs two numbers from 0 to 1, the lower one first", extra={"field": name}) from None


def _range(args: MultiDict[str, str]) -> tuple[float, float]:
    low, high = _number(args, "low"), _number(args, "high")
    histogram.check_range(low, high)
    return low, high


def _given(form: MultiDict[str, str]) -> tuple[str | None, str | None]:
    """Reason and note; only a rejection has a reason."""
    reason = form.get("reason") if form.get("action") == "reject" else None
    return reason or None, form.get("note", "").strip()[:_LONGEST_NOTE] or None


def _page(args: MultiDict[str, str], error: ModerationError | None = None) -> Response:
    """The histogram's page for what the address or a refused form says."""
    site_id, scope = person().site_id, _scope(args)
    with service().store.read() as session:
        shown = histogram.histogram(session, site_id, scope, now_ms())
        chosen = None
        try:
            chosen = _chosen(session, shown, args)
        except Invalid as bad:
            error = error or bad
        page: dict[str, Any] = {
            "shown": shown, "chosen": chosen, "drawing": score_chart.drawing(shown, chosen), "args": args,
            "article": _article(session, site_id, scope), "sections": histogram.sections(session, site_id),
        }  # fmt: skip
    page |= {
        "c": score_chart, "w": words, "bw": batch_words, "actions": ACTIONS, "reject_reasons": REJECT_REASONS,
        "attributes": words.ATTRIBUTE_WORDS, "scales": SCALES, "widths": BINS, "days": DAYS, "enough": ENOUGH,
        "most": batches.MOST, "looks": batches.LOOKS,
        "range_trouble": batch_words.trouble(error) if error else None,
        "bad_field": error.extra.get("field") if error else None,
    }  # fmt: skip
    return make_response(render_template("batch.html", **page), error.status if error else 200)


def _chosen(session: Session, shown: Histogram, args: MultiDict[str, str]) -> Choice:
    asked = args.get("low") is not None or args.get("high") is not None
    low, high = _range(args) if asked else (0.0, shown.edges[len(shown.bins) // 4])
    return histogram.choice(session, person().site_id, shown, low, high)


def _article(session: Session, site_id: str, scope: Scope) -> Article | None:
    return histogram.article(session, site_id, scope.article) if scope.article else None


def _batch_page(batch_id: str, error: ModerationError | None = None) -> Response:
    with service().store.read() as session:
        batch = batches.find(session, person(), batch_id)
        undone = batches.undone(session, batch)
        drawn = batches.looks(session, batch) if batch.state == "open" else []
        article = _article(session, person().site_id, Scope(batch.attribute, batch.article))
    place: dict[str, Any] = {
        "attribute": batch.attribute, "low": score_chart.score(batch.low), "high": score_chart.score(batch.high),
        "article": batch.article, "section": batch.section,
    }  # fmt: skip
    page = {
        "batch": batch, "undone": undone, "c": score_chart, "w": words, "bw": batch_words, "actions": ACTIONS,
        "looks": [_shown(look) for look in drawn],
        "answers": _answers(batch), "article": article, "back": url_for("batch.overview", **place),
        "expected": Expected(**batch.expected) if batch.expected else None,
        "trouble": batch_words.trouble(error) if error else None, "reject_reasons": REJECT_REASONS,
    }  # fmt: skip
    return make_response(render_template("batch_look.html", **page), error.status if error else 200)


def _shown(look: Look) -> dict[str, Any]:
    """One comment to look at; whoever wants abuse blurred finds it so here, too."""
    comment = look.comment
    return {
        "look": look, "text": plain_text(comment.body, comment.format).text,
        "veil": veil(preferences().blur, Status(comment.status), look.signals),
    }  # fmt: skip


def _answers(batch: Batch) -> dict[str, Any]:
    """The looks in numbers: how many were drawn, answered, found wrong, and what that says of the rest."""
    answers = [look["answer"] for look in batch.looks]
    wrong, drawn = answers.count("wrong"), len(answers)
    rest = len(batch.items) - drawn
    low, high = wilson(wrong, drawn)
    return {
        "drawn": drawn, "given": drawn - answers.count(None), "wrong": wrong, "rest": rest,
        "left": len(batch.items) - wrong, "low": round(low * rest), "high": round(high * rest),
    }  # fmt: skip
