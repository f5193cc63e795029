"""Pages of a list that is long, by the keys of its rows: no page is slower for being far behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import Session

from moderation.services.queue_order import Order, behind, decode, encode

Row = TypeVar("Row")


@dataclass(frozen=True)
class Paged(Generic[Row]):
    """The rows of a page and the cursors around it, None at the ends."""

    rows: Sequence[Row]
    next: str | None
    previous: str | None


@dataclass(frozen=True)
class Place:
    """Which page: `limit` rows behind the cursor `after`, or those before the cursor `before`, or the first ones."""

    limit: int = 50
    after: str | None = None
    before: str | None = None


def paged(session: Session, query: Select[*tuple[Any, ...]], order: Order, place: Place) -> Paged[Any]:
    """The page at this place; each row ends in the order's keys. Where nothing is left there, the first page is given.

    Raises Invalid for what is no cursor of this order.
    """
    back = bool(place.before) and not place.after
    cursor = place.before if back else place.after
    start = decode(cursor, order, "before" if back else "after") if cursor else None
    rows = _some(session, query, order, start, back=back, limit=place.limit + 1)
    if start and (not rows or (back and len(rows) <= place.limit)):  # the top, whole
        rows, start, back = _some(session, query, order, None, back=False, limit=place.limit + 1), None, False
    more, rows = len(rows) > place.limit, rows[: place.limit]
    if back:
        rows.reverse()
    first, last = (_cursor(rows[0], order), _cursor(rows[-1], order)) if rows else (None, None)
    if back:
        return Paged(rows, last, first if more else None)
    return Paged(rows, last if more else None, first if start else None)


def _some(
    session: Session,
    query: Select[*tuple[Any, ...]],
    order: Order,
    start: Sequence[Any] | None,
    *,
    back: bool,
    limit: int,
) -> list[Any]:
    keyed = query.add_columns(*(key.column.label(f"key{n}") for n, key in enumerate(order)))
    if start:
        keyed = keyed.where(*behind(order, start, back=back))
    return list(session.execute(keyed.order_by(*(key.sorted(back=back) for key in order)).limit(limit)))


def _cursor(row: Any, order: Order) -> str:
    return encode(list(row)[-len(order) :])
