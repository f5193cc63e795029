"""Ways through the comments of a queue: along an index where there is one, else by looking at one after another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Integer, Select, Subquery, and_, func, select, union_all
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Status
from moderation.services.histogram import Scope, waiting_in
from moderation.services.queue_filter import Chosen, Filter, in_status
from moderation.services.queue_order import Key, Order, behind, encode
from moderation.store.queries import one_of
from moderation.store.tables import Comment
from moderation.store.workspace import HeldScore

# So many comments are looked at in one go where no index leads to the few that are meant; the next page goes on.
WINDOW = 3_000
WINDOWS = (300, 1_000, WINDOW)
_PAGE_AT_MOST = 100


@dataclass(frozen=True)
class Walk:
    """A way through the comments: which, in what order, from where, and in which direction."""

    site_id: str
    wanted: Filter
    chosen: Chosen
    order: Order
    place: Sequence[Any] | None
    back: bool


def walk_on(session: Session, walk: Walk) -> tuple[list[Any], str | None]:
    """The next rows (the keys of each, the last one its id) and the cursor behind them, None at the end."""
    if walk.chosen.ids == []:
        return [], None
    limit = walk.wanted.limit
    known: _Top | None = session.info.get(_key(walk))
    if known and walk.place is None and limit <= _PAGE_AT_MOST:
        return known.page(limit)
    if walk.chosen.in_windows:
        return _look(session, walk, limit)
    found = _ordered(walk, session, limit + 1)
    rows = _rows(session, select(*_keys(found, walk.order)).order_by(*_sorted(found, walk)))
    return rows[:limit], encode(rows[limit - 1]) if len(rows) > limit else None


def _look(session: Session, walk: Walk, limit: int) -> tuple[list[Any], str | None]:
    """The same where each comment must be looked at: at more and more of them, until the page is full."""
    rows: list[Any] = []
    for window in WINDOWS:
        found = _ordered(walk, session, window)
        hits = select(*_keys(found, walk.order)).where(found.c.hit == 1)
        rows = _rows(session, hits.order_by(*_sorted(found, walk)).limit(limit + 1))
        if len(rows) > limit:
            return rows[:limit], encode(rows[limit - 1])
    last = _last_of(session, walk)
    return rows, encode(last) if last else None


@dataclass(frozen=True)
class _Top:
    """The first comments that are looked at: how many are meant, the first of those, and the last that was looked at
    where there are more."""

    hits: int
    rows: list[Any]
    last: Any | None

    def page(self, limit: int) -> tuple[list[Any], str | None]:
        last = self.rows[limit - 1] if self.hits > limit else self.last
        return self.rows[:limit], encode(last) if last else None


def _key(walk: Walk) -> tuple[Any, ...]:
    return "top", walk.site_id, replace(walk.wanted, limit=0, after=None, before=None)


def top(session: Session, walk: Walk) -> _Top:
    """Looked at once in a transaction, for the count and for the first page alike; at all where their ids are known."""
    if (known := session.info.get(_key(walk))) is None:
        windowed = walk.chosen.in_windows
        found = _ordered(walk, session, WINDOW)
        hits = select(*_keys(found, walk.order), func.count().over())
        hits = hits.where(found.c.hit == 1) if windowed else hits
        rows = _rows(session, hits.order_by(*_sorted(found, walk)).limit(_PAGE_AT_MOST + 1))
        last = _last_of(session, walk) if windowed else None
        known = session.info[_key(walk)] = _Top(rows[0][-1] if rows else 0, [row[:-1] for row in rows], last)
    return known


def _last_of(session: Session, walk: Walk) -> Any | None:
    """The last of a full window; None where the list ends before."""
    plain = _ordered(replace(walk, chosen=replace(walk.chosen, conditions=(), texts=())), session, WINDOW)
    last = _rows(session, select(*_keys(plain, walk.order)).order_by(*_sorted(plain, walk)).offset(WINDOW - 1))
    return last[0] if last else None


def _rows(session: Session, query: Select[Any]) -> list[Any]:
    return [tuple(row) for row in session.execute(query)]


def _ordered(walk: Walk, session: Session, limit: int) -> Subquery:
    """The first of these comments in this order, out of every status that is asked for."""
    order = [key.sorted(back=walk.back) for key in walk.order]
    parts = [branch.order_by(*order).limit(limit) for branch in branches(session, walk)]
    if len(parts) == 1:
        return parts[0].subquery()
    merged = union_all(*(select(part.subquery()) for part in parts)).subquery()
    return select(merged).order_by(*_sorted(merged, walk)).limit(limit).subquery()


def branches(session: Session, walk: Walk) -> list[Select[Any]]:
    """The comments of each status apart, for each has its part of the index; all at once where their ids are known."""
    chosen, site = walk.chosen, Comment.site_id
    if chosen.ids is None:
        return [_branch(walk, (site == walk.site_id, in_status(status))) for status in chosen.statuses]
    # Not by an index of the site or the status: they would lead past all the others.
    status = func.coalesce(Comment.status, "").in_([status.value for status in chosen.statuses])
    known = one_of(session, Comment.id, chosen.ids)
    return [_branch(walk, (known, func.coalesce(site, "") == walk.site_id, status))]


def _branch(walk: Walk, where: Sequence[Any]) -> Select[Any]:
    chosen, scored = walk.chosen, walk.wanted.scored
    columns: list[Any] = [key.column.label(f"key{n}") for n, key in enumerate(walk.order)]
    if chosen.in_windows:
        columns.append(func.coalesce(and_(*chosen.all).cast(Integer), 0).label("hit"))
    query = select(*(columns or [Comment.id])).where(*where)
    if scored:
        site = HeldScore.site_id if chosen.ids is None else func.coalesce(HeldScore.site_id, "")
        query = query.select_from(HeldScore).join(Comment, Comment.id == HeldScore.comment_id)
        query = query.where(site == walk.site_id, HeldScore.attribute == scored, HeldScore.ruled.is_(None))
    if not chosen.in_windows:
        query = query.where(*chosen.all)
    return query.where(*(behind(walk.order, walk.place, back=walk.back) if walk.place else ()))


def _keys(found: Subquery, order: Sequence[Key]) -> list[Any]:
    return [found.c[f"key{n}"] for n in range(len(order))]


def _sorted(found: Subquery, walk: Walk) -> list[Any]:
    return [
        column.desc() if key.down != walk.back else column.asc()
        for column, key in zip(_keys(found, walk.order), walk.order, strict=True)
    ]


def counted(session: Session, walk: Walk, most: int) -> int:
    """How many there are, or a few more than `most`."""
    if walk.chosen.ids == []:
        return 0
    found = _scores_alone(walk) or branches(session, walk)
    parts = [part.limit(most + 1).subquery() for part in found]
    return sum(session.scalar(select(func.count()).select_from(part)) or 0 for part in parts)


def _scores_alone(walk: Walk) -> list[Select[Any]]:
    """Where nothing but a score is asked for, the scores that wait: they are of held comments, one each and of all of
    them. To look at each comment as well takes thirty times as long."""
    chosen, scored = walk.chosen, walk.wanted.scored
    if not scored or chosen.ids is not None or chosen.all or list(chosen.statuses) != [Status.HELD]:
        return []
    return [select(HeldScore.comment_id).where(*waiting_in(walk.site_id, Scope(scored)))]
