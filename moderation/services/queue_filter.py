"""What a moderator wants listed, as conditions over comments.

Each part of a filter is said twice: as a check of one comment, and as a way that leads to the comments which pass it.
A part that leaves few is followed to its comments; else the queue is walked in its order and each one is checked.
Both take a bounded number of steps, however many comments there are.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, literal_column, or_, select
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Status
from moderation.errors import Invalid
from moderation.store.queries import ids_by_text, text_contains
from moderation.store.tables import Article, Comment, HoldReason
from moderation.store.voices import Report

# A part is followed when it leaves no more than this; what leaves more is common enough to be met on the way.
FEW = 1_000
_FEW_TEXTS = 2_000
_SAMPLE = 300
_KEY = re.compile("[0-9a-f]{64}")

ESCALATED, ANY, NOBODY, UNKNOWN = "escalated", "any", "nobody", "none"

Condition = ColumnElement[bool]


@dataclass(frozen=True)
class Filter:
    """What to list; a part that is not given leaves everything.

    `attribute` is what the comment is held for, or with the sort `attribute` the score to go by instead; `reason` a
    rule's name; `article` ids or addresses; `author` a key or an exact name; `language` a code or `none`; `report`
    `any` or the reason of an open report; `assigned` a moderator's id or `nobody`; `escalated` `yes` or `no`; `q` is
    looked for in the body and the author's name. `after` and `before` are cursors of a page.
    """

    status: str = Status.HELD.value
    sort: str = "risk"
    attribute: str | None = None
    reason: str | None = None
    article: tuple[str, ...] = ()
    section: tuple[str, ...] = ()
    author: str | None = None
    language: str | None = None
    report: str | None = None
    assigned: str | None = None
    escalated: str | None = None
    q: str | None = None
    limit: int = 50
    after: str | None = None
    before: str | None = None

    @property
    def scored(self) -> str | None:
        """The attribute whose score gives the order."""
        return self.attribute if self.sort == "attribute" else None

    @property
    def author_key(self) -> str | None:
        """The author, if it is named by its key."""
        return self.author if self.author and _KEY.fullmatch(self.author) else None

    @property
    def needles(self) -> list[str]:
        """The texts to look for; where no index leads to an author's name it is found like any text, and compared."""
        by_index = self.author_key or self.status in (Status.HELD, ESCALATED)
        return [text for text in (self.q, None if by_index else self.author) if text]

    @property
    def narrow(self) -> bool:
        """Whether anything but the status is asked for."""
        named = (self.attribute, self.reason, self.article, self.section, self.author, self.language, self.report,
                 self.assigned, self.escalated, self.q)  # fmt: skip
        return any(named) or self.status == ESCALATED


# What an address, a saved queue and the API may name; of the last two several at once.
PARTS = ("status", "sort", "attribute", "reason", "author", "language", "report", "assigned", "escalated", "q",
         "section", "article")  # fmt: skip
SEVERAL = ("section", "article")
ME = "me"


def filter_of(chosen: Mapping[str, Any], me: str, **more: Any) -> Filter:
    """A filter as it is written down; what is assigned to `me` is assigned to this moderator."""
    values: dict[str, Any] = {
        name: tuple(value) if name in SEVERAL else value for name, value in chosen.items() if value
    }
    if values.get("assigned") == ME:
        values["assigned"] = me
    return Filter(**(values | more))


@dataclass(frozen=True)
class Chosen:
    """A filter as conditions, those on the text apart.

    `ids`, where some part leaves few, are all that can meet it; else `some` are the first that a part leads to.
    `exact`: these meet it, without another look at each.
    """

    statuses: Sequence[Status]
    conditions: Sequence[Condition]
    texts: Sequence[Condition]
    ids: Sequence[str] | None
    some: Sequence[str] = ()
    exact: bool = False

    @property
    def in_windows(self) -> bool:
        """Whether one must look at comment after comment, and perhaps at very many for each that is meant."""
        short = list(self.statuses) == [Status.HELD] and len(self.conditions) == 1 and not self.texts
        return self.ids is None and bool(self.texts or self.conditions) and not short

    @property
    def all(self) -> Sequence[Condition]:
        """All conditions."""
        return [*self.conditions, *self.texts]


def statuses(wanted: Filter) -> list[Status]:
    """Where to look. Raises Invalid for a filter with a value that none of its parts may have."""
    if wanted.escalated not in (None, "", "yes", "no"):
        raise Invalid("escalated must be yes or no", extra={"field": "escalated"})
    if wanted.status == ANY:
        return list(Status)
    if wanted.status == ESCALATED:
        return [Status.HELD]
    if wanted.status not in set(Status):
        raise Invalid("there is no such status", extra={"field": "status"})
    return [Status(wanted.status)]


def in_status(status: Status) -> Condition:
    """A word of the statement, not a parameter: only so is an index of one status used for it."""
    return Comment.status == literal_column(f"'{status.value}'")


def choose(session: Session, site_id: str, wanted: Filter) -> Chosen:
    """The conditions of this filter, and what its parts lead to; found once in a transaction. Raises Invalid."""
    key = ("queue", site_id, replace(wanted, limit=0, after=None, before=None))
    if key not in session.info:
        session.info[key] = _choose(session, site_id, wanted)
    chosen: Chosen = session.info[key]
    return chosen


def _choose(session: Session, site_id: str, wanted: Filter) -> Chosen:
    where = statuses(wanted)
    conditions: list[Condition] = []
    found: set[str] | None = None
    some: list[str] = []
    exact = not wanted.needles and not wanted.scored
    for part in _parts(site_id, wanted, where):
        conditions.append(part.check)
        exact = exact and part.exact and len(conditions) == 1
        if part.lead is not None and not _settled(found):
            ids = list(session.scalars(part.lead.limit(FEW + 1)))
            found, some = _meet(found, ids, FEW), some or ids
    for needle in wanted.needles:
        if not _settled(found) and not _common(session, site_id, where, needle):
            found = _meet(found, _by_text(session, site_id, where, needle), _FEW_TEXTS)
    texts = [text_contains(session, needle) for needle in wanted.needles]
    return Chosen(where, conditions, texts, None if found is None else sorted(found), some, exact)


def only_part(site_id: str, wanted: Filter) -> "Part | None":
    """The part of this filter, where there is one alone. Raises Invalid."""
    parts = list(_parts(site_id, wanted, statuses(wanted)))
    alone = len(parts) == 1 and not wanted.needles and not wanted.scored
    return parts[0] if alone else None


def _settled(found: set[str] | None) -> bool:
    """Whether looking at each of these is cheaper than to narrow them."""
    return found is not None and len(found) <= FEW // 10


def _meet(found: set[str] | None, ids: list[str] | None, most: int) -> set[str] | None:
    if ids is None or len(ids) > most:
        return found
    return set(ids) if found is None else found.intersection(ids)


def _common(session: Session, site_id: str, where: Sequence[Status], needle: str) -> bool:
    """Whether a small sample has this text so often that the index would bring far too many."""
    status = Status.HELD if Status.HELD in where else where[0]
    sample = (
        select(text_contains(session, needle).label("has"))
        .where(Comment.site_id == site_id, in_status(status))
        .order_by(Comment.id.desc())
        .limit(_SAMPLE)
        .subquery()
    )
    hits = session.scalar(select(func.count()).select_from(sample).where(sample.c.has))
    return (hits or 0) > _SAMPLE // 20


def _by_text(session: Session, site_id: str, where: Sequence[Status], needle: str) -> list[str] | None:
    found = ids_by_text(session, needle, _FEW_TEXTS + 1) if list(where) != [Status.PENDING] else None
    if found is None or Status.PENDING not in where:
        return found
    pending = select(Comment.id).where(Comment.site_id == site_id, in_status(Status.PENDING))
    return found + list(session.scalars(pending.where(text_contains(session, needle)).limit(_FEW_TEXTS + 1)))


@dataclass(frozen=True)
class Part:
    """The check of a part, and the ids that an index leads to; not `exact`: others are among them, or some twice."""

    check: Condition
    lead: Select[Any] | None
    exact: bool = True


def _parts(site_id: str, wanted: Filter, where: Sequence[Status]) -> Iterator[Part]:
    """The parts that are asked for."""
    here = select(Comment.id).where(Comment.site_id == site_id, *([in_status(where[0])] if len(where) == 1 else []))
    held = list(where) == [Status.HELD]
    for column, name in ((HoldReason.rule, wanted.reason), (HoldReason.attribute, wanted.attribute)):
        if name and not (column is HoldReason.attribute and wanted.scored):
            yield _related(HoldReason, HoldReason.site_id == site_id, column == name)
    if wanted.report:
        reason = [] if wanted.report == ANY else [Report.reason == wanted.report]
        yield _related(Report, Report.site_id == site_id, Report.outcome.is_(None), *reason)
    for articles in _articles(site_id, wanted):
        in_these = Comment.article_id.in_(articles)
        lead = select(Comment.id).where(in_these, *([in_status(where[0])] if len(where) == 1 else []))
        yield Part(in_these, lead)
    if wanted.author_key:
        yield Part(Comment.author_key == wanted.author_key, here.where(Comment.author_key == wanted.author_key))
    elif wanted.author:
        named = Comment.author_name == wanted.author
        yield Part(named, here.where(named) if held else None)
    if wanted.language:
        spoken = Comment.language.is_(None) if wanted.language == UNKNOWN else Comment.language == wanted.language
        yield Part(spoken, here.where(spoken) if held else None)
    if wanted.assigned:
        nobody = wanted.assigned == NOBODY
        given = Comment.assigned_to.is_(None) if nobody else Comment.assigned_to == wanted.assigned
        yield Part(given, None if nobody else here.where(given))
    yield from _escalated(wanted, here)


def _escalated(wanted: Filter, here: Select[Any]) -> Iterator[Part]:
    if wanted.escalated == "yes" or wanted.status == ESCALATED:
        yield Part(Comment.escalated.is_(True), here.where(Comment.escalated))
    if wanted.escalated == "no":
        yield Part(~Comment.escalated, None)


def _articles(site_id: str, wanted: Filter) -> Iterator[Select[Any]]:
    mine = select(Article.id).where(Article.site_id == site_id)
    if wanted.section:
        yield mine.where(Article.section.in_(wanted.section))
    if wanted.article:
        yield mine.where(or_(Article.id.in_(wanted.article), Article.url.in_(wanted.article)))


def _related(table: type[HoldReason] | type[Report], *conditions: Condition) -> Part:
    check = exists().where(table.comment_id == Comment.id, *conditions)
    return Part(check, select(table.comment_id).where(*conditions), exact=False)
