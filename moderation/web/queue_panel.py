"""The list at the side of the desk: what is filtered and how to take it away, what can be, and the named queues."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from moderation.domain.voices import REPORT_REASONS
from moderation.services import queue_choices as choices
from moderation.services import saved_queues
from moderation.services.known import Look
from moderation.services.queue import Item, Page
from moderation.services.queue_filter import ANY, ME, NOBODY, UNKNOWN, filter_of
from moderation.services.saved_queues import Named
from moderation.web import words
from moderation.web.place import Place
from moderation.web.session import person
from moderation.web.texts import gettext as _


@dataclass(frozen=True)
class Chip:
    """One thing that the filter asks for, in words, and the address of the list without it."""

    text: str
    url: str


@dataclass(frozen=True)
class Option:
    """A value of a field of the filter form."""

    value: str
    text: str
    chosen: bool


def panel(look: Look, place: Place, shown: Page) -> dict[str, Any]:
    """Everything that _queue.html shows besides the rows."""
    session, people = look.session, {one.id: one.name for one in look.colleagues()}
    return {
        "about": _about(session, place, shown.items, people),
        "previous": place.url(before=shown.previous) if shown.previous else None,
        "chips": list(_chips(session, place, people)),
        "order": order_words(place),
        "fields": _fields(look, place, people),
        "orders": _orders(place),
        "score_orders": _score_orders(place),
        "by_score": attribute_name(place.filter.scored) if place.filter.scored else None,
        "saved": _saved(look, place),
    }  # fmt: skip


def _about(session: Session, place: Place, items: list[Item], people: dict[str, str]) -> dict[str, dict[str, Any]]:
    """By comment: its version, the score that it is listed by, its language, if it is not the page's, its open
    reports, and who it is assigned to."""
    reports = choices.open_reports(session, person().site_id, [item.comment.id for item in items])
    own, scored = words.locale().language, place.filter.scored
    return {
        item.comment.id: {
            "version": item.comment.version,
            "by_score": item.decision.scores.get(scored) if scored and item.decision else None,
            "language": words.language_name(item.comment.language)
            if item.comment.language not in (None, own) else None,
            "reports": reports.get(item.comment.id, 0),
            "assigned": _("you") if item.comment.assigned_to == person().id
            else people.get(item.comment.assigned_to or ""),
        }
        for item in items
    }  # fmt: skip


def order_words(place: Place) -> str:
    """The order as a phrase that begins a list."""
    if place.get("sort") == "attribute" and not place.order_gives_way:
        return _("By the score of %(attribute)s", attribute=attribute_name(place.get("attribute")))
    sort = "risk" if place.order_gives_way else place.get("sort")
    return str(_order_words().get(sort, sort))


def _order_words() -> dict[str, str]:
    return {
        "risk": _("Highest risk first"), "oldest": _("Oldest first"), "newest": _("Newest first"),
        "uncertain": _("Least certain first"),
    }  # fmt: skip


def attribute_name(attribute: str) -> str:
    """An attribute as people call it."""
    return str(words.ATTRIBUTE_WORDS.get(attribute, (attribute.replace("_", " ").capitalize(), ""))[0])


def _report_name(reason: str) -> str:
    return _("any reason") if reason == ANY else _(REPORT_REASONS.get(reason, reason))


def _language_name(code: str) -> str:
    return _("not known") if code == UNKNOWN else words.language_name(code)


def _assigned_name(who: str, people: dict[str, str]) -> str:
    return {ME: _("me"), NOBODY: _("nobody")}.get(who) or people.get(who) or _("somebody who left")


def _chips(session: Session, place: Place, people: dict[str, str]) -> Iterator[Chip]:
    site_id = person().site_id
    titles = choices.articles(session, site_id, place.all("article"))
    for name in ("status", "q", "attribute", "reason", "section", "article", "author", "language", "report", "assigned",
                 "escalated"):  # fmt: skip
        for value in place.all(name):
            if name == "attribute" and place.get("sort") == "attribute":
                continue
            text = _chip(session, name, value, titles, people)
            yield Chip(text, place.without(name, value))


def _chip(session: Session, name: str, value: str, titles: dict[str, str], people: dict[str, str]) -> str:
    if name == "status":
        return str(words.FILTER_WORDS.get(value, value))
    if name == "q":
        return _("“%(text)s”", text=value)
    if name == "attribute":
        return attribute_name(value)
    if name == "reason":
        return _("Rule: %(name)s", name=words.rule_name(value))
    if name == "section":
        return _("Section: %(name)s", name=value)
    if name == "article":
        return _("Article: %(title)s", title=titles.get(value, value))
    if name == "author":
        return _("Author: %(name)s", name=choices.author_name(session, person().site_id, value) or value)
    if name == "language":
        return _("Language: %(name)s", name=_language_name(value))
    if name == "report":
        return _("Reported: %(reason)s", reason=_report_name(value))
    if name == "assigned":
        return _("Assigned to: %(name)s", name=_assigned_name(value, people))
    return _("Escalated") if value == "yes" else _("Not escalated")


def _fields(look: Look, place: Place, people: dict[str, str]) -> dict[str, list[Option]]:
    """The values that each field of the form offers; what is chosen is always among them."""
    return {
        "status": _options(place, "status", [(v, str(t)) for v, t in words.FILTER_WORDS.items()]),
        "attribute": _options(place, "attribute", [(v, attribute_name(v)) for v in words.ATTRIBUTE_WORDS])
        if place.get("sort") != "attribute"
        else [Option(v, attribute_name(v), False) for v in words.ATTRIBUTE_WORDS],
        "reason": _options(place, "reason", [(v, words.rule_name(v)) for v in look.rules()]),
        "section": _options(place, "section", [(v, v) for v in look.sections()]),
        "language": _options(
            place, "language",
            [(v, _language_name(v)) for v in (*look.languages(), UNKNOWN)],
        ),
        "report": _options(place, "report", [(v, _report_name(v)) for v in (ANY, *REPORT_REASONS)]),
        "assigned": _options(place, "assigned", [
            (ME, _("me")), (NOBODY, _("nobody")), *((id, name) for id, name in people.items() if id != person().id),
        ]),
        "escalated": _options(place, "escalated", [("yes", _("only escalated")), ("no", _("not escalated"))]),
    }  # fmt: skip


def _options(place: Place, name: str, values: list[tuple[str, str]]) -> list[Option]:
    chosen = place.all(name) or ((place.get(name),) if name == "status" else ())
    known = {value for value, _text in values}
    return [Option(value, text, value in chosen) for value, text in values] + [
        Option(value, value, True) for value in chosen if value not in known
    ]


def _orders(place: Place) -> list[Option]:
    now = place.get("sort")
    return [Option(value, text, value == now) for value, text in _order_words().items()]


def _score_orders(place: Place) -> list[Option]:
    """The orders by a score, as values of the same field."""
    now = place.get("attribute") if place.get("sort") == "attribute" else None
    return [Option(f"attribute-{v}", attribute_name(v), v == now) for v in words.ATTRIBUTE_WORDS]


def _saved(look: Look, place: Place) -> list[dict[str, Any]]:
    """The named queues with what each holds now."""
    saved, shown = place.saved, []
    for one in saved_queues.listed(look.session, look.person):
        leads, count = place_of(one), look.count(filter_of(one.filter, look.person.id), saved_queues.COUNT_AT_MOST)
        shown.append({"queue": one, "url": leads.url(), "count": count, "open": leads.saved == saved})
    return shown


def place_of(named: Named) -> Place:
    """Where a named queue leads."""
    values: MultiDict[str, str] = MultiDict()
    for name, value in named.filter.items():
        values.setlist(name, [value] if isinstance(value, str) else value)
    return Place.of(values)
