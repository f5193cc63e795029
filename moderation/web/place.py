"""Where a moderator is in the queue: the filter, as the address says it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from moderation.services.queue_filter import ANY, ESCALATED, PARTS, SEVERAL, Filter, filter_of
from moderation.web.session import person

PAGE_SIZE = 30
_PAGING = ("after", "before")
_NAMES = (*PARTS, *_PAGING)
_DEFAULTS = {"status": "held", "sort": "risk"}
_AT_MOST = 20
_LONGEST = 2048
_BY_SCORE = "attribute-"

Value = str | tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """The parts of the filter that differ from the default, by name. `section` and `article` may be several."""

    chosen: Mapping[str, Value]

    @classmethod
    def of(cls, args: MultiDict[str, str]) -> "Place":
        """The place that an address names; unknown parts of it are left out."""
        given = {name: _values(args, name) for name in _NAMES}
        chosen: dict[str, Value] = {}
        for name, values in given.items():
            if values:
                chosen[name] = values if name in SEVERAL else values[0]
        sort = str(chosen.get("sort", ""))
        if sort.startswith(_BY_SCORE):  # one field of the form for both
            chosen |= {"sort": "attribute", "attribute": sort.removeprefix(_BY_SCORE)}
        return cls({name: value for name, value in chosen.items() if value != _DEFAULTS.get(name)})

    @property
    def narrow(self) -> bool:
        """Whether it leaves anything out of what is held."""
        order = ("sort", "attribute") if self.get("sort") == "attribute" else ("sort",)
        return any(name not in (*order, *_PAGING) for name in self.chosen)

    @property
    def filter(self) -> Filter:
        """The same for the query. An order that does not fit what is listed gives way to that of risk."""
        chosen: dict[str, Any] = _DEFAULTS | dict(self.chosen)
        if self.order_gives_way:
            chosen = {name: value for name, value in chosen.items() if name not in ("sort", "attribute")}
        return filter_of(chosen, person().id, limit=PAGE_SIZE)

    @property
    def order_gives_way(self) -> bool:
        """Whether the order by a score can't be had: scores are kept for what is held only."""
        by_score = self.get("sort") == "attribute"
        return by_score and (self.get("status") not in ("held", ESCALATED) or not self.get("attribute"))

    def get(self, name: str) -> str:
        """One part; of several values the first."""
        value = self.chosen.get(name) or _DEFAULTS.get(name, "")
        return value if isinstance(value, str) else value[0]

    def all(self, name: str) -> tuple[str, ...]:
        """All values of a part."""
        value = self.chosen.get(name) or ()
        return (value,) if isinstance(value, str) else tuple(value)

    def url(self, item_id: str | None = None, deed: str | None = None, **changes: Value | None) -> str:
        """The address of the list, of an item or of a deed on it, with this filter or a changed one."""
        path = "/".join(part for part in ("/review", item_id, deed) if part)
        query = self.query(**changes)
        return f"{path}?{query}" if query else path

    def query(self, **changes: Value | None) -> str:
        """The part of the address behind its question mark."""
        if any(changes.get(name) for name in _PAGING):  # there is one way to go on
            changes = dict.fromkeys(_PAGING) | changes
        chosen = {name: value for name, value in (dict(self.chosen) | changes).items() if value}
        return urlencode({n: v for n, v in chosen.items() if v != _DEFAULTS.get(n)}, doseq=True)

    def without(self, name: str, value: str) -> str:
        """The address of the first page with this value taken out."""
        rest = tuple(one for one in self.all(name) if one != value)
        gone: dict[str, Any] = {name: rest or None, "after": None, "before": None}
        if name == "sort":
            gone["attribute"] = None
        return self.url(**gone)

    @property
    def saved(self) -> dict[str, Any]:
        """The filter as a named queue keeps it: without the page."""
        return {name: list(value) if isinstance(value, tuple) else value
                for name, value in self.chosen.items() if name in PARTS}  # fmt: skip


def _values(args: MultiDict[str, str], name: str) -> tuple[str, ...]:
    """What is given for a part, each value once."""
    cleaned = (value.strip().replace("\0", "")[:_LONGEST] for value in args.getlist(name))
    return tuple(dict.fromkeys(value for value in cleaned if value))[:_AT_MOST]


__all__ = ["ANY", "PAGE_SIZE", "Place"]
