"""What the desk shows of a whole site around its comments, known for a moment: nobody sees that it is a second old.

What somebody has done themselves they do see, so nothing is taken that was read before that.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from moderation.services import claims, context, queue, queue_choices
from moderation.services.accounts import Person
from moderation.services.claims import Colleague
from moderation.services.queue import Count, Filter
from moderation.store.audit import AuditEvent
from moderation.store.session import made_ms

T = TypeVar("T")

_MS = 2_000
_AT_MOST = 5_000


@dataclass(frozen=True)
class Look:
    """A look at a person's site. `since` is when they did something there last (milliseconds)."""

    known: "Known"
    session: Session
    person: Person
    now: int
    since: int

    def rules(self) -> list[str]:
        """Names of the rules that have held comments."""
        return self._of("rules", lambda: queue_choices.reasons(self.session, self.person.site_id))

    def sections(self) -> list[str]:
        """Sections of the articles."""
        return self._of("sections", lambda: queue_choices.sections(self.session, self.person.site_id))

    def languages(self) -> list[str]:
        """Codes of the languages of what is held."""
        return self._of("languages", lambda: queue_choices.languages(self.session, self.person.site_id))

    def colleagues(self) -> Sequence[Colleague]:
        """All who moderate for the site, by name."""
        return self._of("colleagues", lambda: claims.colleagues(self.session, self.person.site_id))

    def flow(self) -> tuple[int, int]:
        """How many comments were held, and how many decided by a moderator, in the last hour."""
        return self._of("flow", lambda: context.flow(self.session, self.person.site_id, self.now))

    def oldest_held(self) -> int | None:
        """When the comment that has been held longest came in."""
        return self._of("oldest", lambda: context.oldest_held(self.session, self.person.site_id))

    def count(self, wanted: Filter, most: int) -> Count:
        """How many comments a filter holds, counted from the rows, up to `most`. Raises Invalid."""
        return self._of((wanted, most), lambda: queue.count(self.session, self.person.site_id, wanted, most))

    def _of(self, what: object, make: Callable[[], T]) -> T:
        return self.known.get((self.person.site_id, what), self, make)


class Known:
    """What one process has read lately."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, object], tuple[int, Any]] = {}

    def look(self, session: Session, person: Person, now: int) -> Look:
        """For one answer to this person; `now` is from before the session's first read."""
        theirs = (AuditEvent.site_id == person.site_id) & (AuditEvent.actor == person.id)
        newest = session.scalar(select(func.max(AuditEvent.id)).where(theirs))
        return Look(self, session, person, now, made_ms(newest) if newest else 0)

    def get(self, key: tuple[str, object], look: Look, make: Callable[[], T]) -> T:
        """What was read of this at most two seconds ago and since the person's last deed, else what is made now."""
        at, known = self._read.get(key, (-1, None))
        if at > look.since and look.now - at < _MS:
            return cast(T, known)
        value = make()
        if len(self._read) >= _AT_MOST:
            self._read = {}
        self._read[key] = look.now, value
        return value
