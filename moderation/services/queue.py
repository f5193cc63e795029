"""The review queue as moderators see it: what is listed, in which order, page after page.

An item is a comment with its claim; any comment can be listed and ruled on, so that a live one can be taken down.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Source
from moderation.errors import NotFound
from moderation.services import queue_filter, queue_walk
from moderation.services.queue_filter import Chosen, Filter, Part, choose, only_part, statuses
from moderation.services.queue_order import decode, encode, order_of
from moderation.services.queue_walk import Walk, branches, counted, top, walk_on
from moderation.services.views import comment_view, iso, reason_view
from moderation.store.people import Moderator
from moderation.store.queries import one_of, one_of_those
from moderation.store.tables import Article, Comment, Decision

__all__ = ["Count", "Filter", "Item", "Page", "count", "count_new", "item", "items", "page"]

_NEW_AT_MOST = 500
# Beyond these a count says "more than"; a narrow filter may have to look at many comments for each that it counts.
_COUNT_AT_MOST = 10_000
_COUNT_NARROW = 1_000


@dataclass(frozen=True)
class Item:
    """One row of the queue with all that its page shows; `cursor` is its place in the list that it came from."""

    comment: Comment
    article: Article
    decision: Decision | None
    claim: dict[str, Any] | None
    cursor: str | None = None

    def view(self) -> dict[str, Any]:
        """The item as the moderators' API gives it."""
        comment = self.comment
        shown = comment_view(comment, self.decision) | {
            "body": comment.body, "format": comment.format, "author_name": comment.author_name,
            "author_key": comment.author_key, "created_at": iso(comment.created_at),
            "parent_external_id": comment.parent_external_id, "language": comment.language,
            "article": {
                "id": self.article.id, "url": self.article.url, "title": self.article.title,
                "section": self.article.section,
            },
        }  # fmt: skip
        return {
            "id": comment.id, "version": comment.version, "comment": shown, "claim": self.claim,
            "reasons": [r for signal in self.signals if (r := reason_view(signal))],
            "escalated": comment.escalated, "assigned_to": comment.assigned_to,
            "opened_at": iso(comment.decided_at or comment.received_at),
        }  # fmt: skip

    @property
    def signals(self) -> list[dict[str, Any]]:
        """Every signal of the decision that stands, also those that did not decide."""
        return list(self.decision.signals) if self.decision else []


@dataclass(frozen=True)
class Page:
    """Some of the queue. `next` leads on; it may do so behind a page that is not full, even behind an empty one, when
    very many comments had to be looked at. `previous` leads back."""

    items: list[Item]
    next: str | None
    previous: str | None


@dataclass(frozen=True)
class Count:
    """How many comments a filter holds; `more`: at least so many, for counting stopped there."""

    number: int
    more: bool = False

    def __str__(self) -> str:
        return f"{self.number:,}{'+' if self.more else ''}"


def items(session: Session, site_id: str, wanted: Filter, now: int) -> tuple[list[Item], str | None]:
    """A page of items and the cursor of the next one. Raises Invalid for what can't be listed so, or a bad cursor."""
    found = page(session, site_id, wanted, now)
    return found.items, found.next


def page(session: Session, site_id: str, wanted: Filter, now: int) -> Page:
    """A page of items with the cursors around it. Raises Invalid."""
    order, chosen = order_of(wanted), choose(session, site_id, wanted)
    back = bool(wanted.before) and not wanted.after
    start = wanted.after or wanted.before
    place = decode(start, order, "before" if back else "after") if start else None
    rows, further = walk_on(session, Walk(site_id, wanted, chosen, order, place, back))
    if back and further is None:  # it reaches the top: the first page, whole
        rows, further = walk_on(session, Walk(site_id, wanted, chosen, order, None, False))
        back, start = False, None
    if back:
        rows.reverse()
    listed = _items(session, rows, now)
    if not back:
        return Page(listed, further, listed[0].cursor if start and listed else None)
    return Page(listed, listed[-1].cursor if listed else None, further)


def item(session: Session, site_id: str, comment_id: str, now: int) -> Item:
    """One item of this site. Raises NotFound."""
    row = session.execute(_joined(now).where(Comment.site_id == site_id, Comment.id == comment_id)).first()
    if row is None:
        raise NotFound("there is no such review item")
    return _item(row, None)


def count(session: Session, site_id: str, wanted: Filter, most: int | None = None) -> Count:
    """How many comments the filter holds, counted from the rows, up to `most`. Raises Invalid.

    Without `most` it is the number above a page, and what is found on the way serves that page as well.
    """
    order = order_of(wanted)
    if most and most <= queue_filter.FEW and (part := only_part(site_id, wanted)) and part.lead is not None:
        return _of_part(session, site_id, wanted, part, part.lead, most)
    chosen, most = choose(session, site_id, wanted), most or (_COUNT_NARROW if wanted.narrow else _COUNT_AT_MOST)
    if chosen.exact and chosen.ids is not None:
        return Count(min(len(chosen.ids), most), len(chosen.ids) > most)
    if chosen.ids is None and chosen.all and (exactly := _of_few(session, site_id, wanted, chosen)) is not None:
        return Count(min(exactly, most), exactly > most)
    if chosen.exact and chosen.some:
        return Count(min(len(chosen.some), most), more=True)
    if chosen.ids is None and chosen.some and not chosen.texts:
        some = replace(chosen, ids=chosen.some)
        return Count(min(most, counted(session, Walk(site_id, wanted, some, (), None, False), most)), more=True)
    if chosen.in_windows:
        first = top(session, Walk(site_id, wanted, chosen, order, None, False))
        return Count(min(first.hits, most), first.hits > most or first.last is not None)
    if chosen.ids:
        hits = top(session, Walk(site_id, wanted, chosen, order, None, False)).hits
        return Count(min(hits, most), hits > most)
    number = counted(session, Walk(site_id, wanted, chosen, (), None, False), most)
    return Count(min(number, most), number > most)


def _of_part(session: Session, site_id: str, wanted: Filter, part: Part, lead: Select[Any], most: int) -> Count:
    """The same for a filter of one part, counted where the rows are."""
    led = lead.limit(queue_filter.FEW + 1).cte("led")
    all_led = select(func.count()).select_from(led).scalar_subquery()
    if part.exact:
        number = session.scalar(select(all_led)) or 0
        return Count(min(number, most), number > most)
    # Not by an index of the site or the status, as in queue_walk.branches.
    standing = func.coalesce(Comment.status, "").in_([status.value for status in statuses(wanted)])
    here = func.coalesce(Comment.site_id, "") == site_id
    meant = select(func.count()).where(one_of_those(session, Comment.id, select(led.c[0])), here, standing)
    number, hits = session.execute(select(all_led, meant.scalar_subquery())).one()
    if number > queue_filter.FEW and hits <= most:  # there may be more of them
        exactly = _of_few(session, site_id, wanted, Chosen(statuses(wanted), [part.check], (), None))
        return Count(min(hits, most), more=True) if exactly is None else Count(min(exactly, most), exactly > most)
    return Count(min(hits, most), hits > most)


def _of_few(session: Session, site_id: str, wanted: Filter, chosen: Chosen) -> int | None:
    """How many, where so few comments stand like that that each can be looked at; else None."""
    there = replace(chosen, conditions=(), texts=(), some=())
    if counted(session, Walk(site_id, wanted, there, (), None, False), queue_walk.WINDOW) > queue_walk.WINDOW:
        return None
    each = Comment.status.in_([status.value for status in chosen.statuses])
    return session.scalar(select(func.count()).where(Comment.site_id == site_id, each, *chosen.all))


def count_new(session: Session, site_id: str, wanted: Filter, since: int) -> int:
    """How many of these (500 at most) the policy put there after `since`; what a moderator did is not new."""
    # Ids begin with the time of their making, so this is a short range of the primary key, whatever waits.
    verdicts = (
        select(Decision.comment_id, Decision.id)
        .where(Decision.id > f"{since:012x}", Decision.site_id == site_id, Decision.source == Source.POLICY)
        .limit(_NEW_AT_MOST)
    )
    latest = {row.comment_id: row.id for row in session.execute(verdicts)}
    if not latest:
        return 0
    order_of(wanted)
    chosen = choose(session, site_id, wanted)
    fresh = Chosen(chosen.statuses, chosen.all, (), list(latest))
    walk = Walk(site_id, wanted, fresh, (), None, False)
    ids = [id for branch in branches(session, walk) for id in session.scalars(branch)]
    standing = select(Comment.decision_id).where(one_of(session, Comment.id, ids))
    return len(set(session.scalars(standing)) & set(latest.values()))


def _items(session: Session, rows: Sequence[Any], now: int) -> list[Item]:
    """The comments of these rows with all around them, in their order."""
    ids = [row[-1] for row in rows]
    found = {row[0].id: row for row in session.execute(_joined(now).where(Comment.id.in_(ids)))} if ids else {}
    return [_item(found[row[-1]], encode(row)) for row in rows if row[-1] in found]


def _joined(now: int) -> Select[Comment, Article, Decision, str, int | None]:
    live_claim = and_(Moderator.id == Comment.claimed_by, Comment.claimed_until > now)
    return (
        select(Comment, Article, Decision, Moderator.name, Comment.claimed_until)
        .join(Article, Article.id == Comment.article_id)
        .outerjoin(Decision, Decision.id == Comment.decision_id)
        .outerjoin(Moderator, live_claim)
    )


def _item(row: Sequence[Any], cursor: str | None) -> Item:
    comment, article, decision, claimed_by, claimed_until = row[:5]
    claim = {"by": claimed_by, "until": iso(claimed_until)} if claimed_by else None
    return Item(comment, article, decision, claim, cursor)
