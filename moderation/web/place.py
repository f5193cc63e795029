"""Where a moderator is in the queue: the filter, as the address says it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from moderation.services.queue import Filter

PAGE_SIZE = 30
_NAMES = ("status", "sort", "reason", "attribute", "article", "author", "q", "after")
_DEFAULTS = {"status": "held", "sort": "risk"}


@dataclass(frozen=True)
class Place:
    """The parts of the filter that differ from the default, by name."""

    chosen: dict[str, str]

    @classmethod
    def of(cls, args: MultiDict[str, str]) -> "Place":
        """The place that an address names; unknown parts of it are left out."""
        given = {name: args.get(name, "").strip().replace("\0", "")[:2048] for name in _NAMES}
        return cls({name: value for name, value in given.items() if value and value != _DEFAULTS.get(name)})

    @property
    def filter(self) -> Filter:
        """The same for the query."""
        chosen: dict[str, Any] = _DEFAULTS | self.chosen
        return Filter(**chosen, limit=PAGE_SIZE)

    def get(self, name: str) -> str:
        """One part."""
        return self.chosen.get(name) or _DEFAULTS.get(name, "")

    def url(self, item_id: str | None = None, deed: str | None = None, **changes: str | None) -> str:
        """The address of the list, of an item or of a deed on it, with this filter or a changed one."""
        path = "/".join(part for part in ("/review", item_id, deed) if part)
        chosen = {name: value for name, value in (self.chosen | changes).items() if value}
        chosen = {name: value for name, value in chosen.items() if value != _DEFAULTS.get(name)}
        return f"{path}?{urlencode(chosen)}" if chosen else path
