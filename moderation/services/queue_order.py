"""The orders of the queue, and the cursors by which one goes on in them."""

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, literal_column, or_

from moderation.domain.lifecycle import Status
from moderation.errors import Invalid
from moderation.services.queue_filter import Filter, statuses
from moderation.store.tables import Comment
from moderation.store.workspace import HeldScore


@dataclass(frozen=True)
class Key:
    """A column of an order and whether it runs downwards. The last one is an id, which makes the order total."""

    column: SQLColumnExpression[Any]
    down: bool

    def sorted(self, *, back: bool) -> ColumnElement[Any]:
        """For ORDER BY; `back` turns the order round."""
        return self.column.desc() if self.down != back else self.column.asc()


Order = Sequence[Key]

# Written as in the index over it: a parameter in place of the number would not be recognised.
_DOUBT: ColumnElement[float] = literal_column("abs(comments.risk - 0.5)")

SORTS = ("risk", "oldest", "newest", "uncertain", "attribute")


def order_of(wanted: Filter) -> Order:
    """The order that is asked for. Raises Invalid."""
    orders: dict[str, Order] = {
        "risk": (Key(Comment.risk, True), Key(Comment.id, False)),
        "oldest": (Key(Comment.id, False),),
        "newest": (Key(Comment.id, True),),
        "uncertain": (Key(_DOUBT, False), Key(Comment.id, False)),
        "attribute": (Key(HeldScore.score, True), Key(HeldScore.comment_id, False)),
    }
    if wanted.sort not in orders:
        raise Invalid(f"sort must be one of {', '.join(SORTS)}", extra={"field": "sort"})
    if wanted.sort == "attribute" and not wanted.attribute:
        raise Invalid("the sort attribute needs an attribute to go by", extra={"field": "attribute"})
    if wanted.sort == "attribute" and statuses(wanted) != [Status.HELD]:
        raise Invalid("the sort attribute is for held comments only", extra={"field": "sort"})
    return orders[wanted.sort]


def behind(order: Order, values: Sequence[Any], *, back: bool) -> list[SQLColumnExpression[bool]]:
    """Conditions of the rows that come after these values in this order, or with `back` before them."""
    first, value = order[0], values[0]
    further: ColumnElement[bool] = first.column < value if first.down != back else first.column > value
    if len(order) == 1:
        return [further]
    equal = and_(first.column == value, *behind(order[1:], values[1:], back=back))
    # Said once more as one range, for that is what an index is entered by.
    reach = first.column <= value if first.down != back else first.column >= value
    return [reach, or_(further, equal)]


def encode(values: Sequence[Any]) -> str:
    """A row's keys as a cursor."""
    return base64.urlsafe_b64encode(json.dumps(list(values)).encode()).decode().rstrip("=")


def decode(cursor: str, order: Order, field: str) -> list[Any]:
    """The keys again. Raises Invalid for what is no cursor of this order."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if isinstance(values, list) and len(values) == len(order) and re.fullmatch("[0-9a-f]{32}", values[-1]):
            return [float(value) for value in values[:-1]] + values[-1:]
    except (ValueError, TypeError, OverflowError, RecursionError):
        pass
    raise Invalid("this is not a cursor of this list", code="invalid_cursor", extra={"field": field})
