"""Feeds all open streams of one process: a single look at the database a second and site, whatever their number."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from moderation.errors import ModerationError
from moderation.services import queue, watch
from moderation.services.queue import Filter
from moderation.services.watch import Assignment, Seen
from moderation.store.session import Store, now_ms

log = logging.getLogger("moderation.live")

PULSE = 1.0
_RECOUNT_MS = 3_000  # counts follow decisions at most this often
_RECOUNT_ANYWAY_MS = 30_000
_OF_ONE_PERSON = 3


@dataclass(frozen=True)
class Wish:
    """What one desk shows: the comments by id, its filter without a cursor, and when (ms) its list was made.

    `key` is the filter as an address says it: desks with the same one share a count.
    """

    site_id: str
    person_id: str
    digest: str
    ids: tuple[str, ...]
    filter: Filter
    key: str
    since: int


@dataclass(frozen=True)
class Sight:
    """What the desk has to know now: `count` as people read it, taken at `counted`; `waiting` is how many comments are
    assigned to the person."""

    at: int
    seen: dict[str, Seen]
    present: watch.Present
    count: str
    counted: int
    new: int
    waiting: int
    assignment: Assignment | None


@dataclass(eq=False)
class Stream:
    """One desk that listens. Only the newest sight is kept: a slow browser skips, and never makes anything pile up."""

    wish: Wish
    ended: bool = False
    _sight: Sight | None = None
    _fresh: threading.Condition = field(default_factory=threading.Condition)

    def put(self, sight: Sight) -> None:
        """A newer sight."""
        with self._fresh:
            self._sight = sight
            self._fresh.notify_all()

    def end(self) -> None:
        """Nothing more comes."""
        with self._fresh:
            self.ended = True
            self._fresh.notify_all()

    def next(self, seconds: float) -> Sight | None:
        """The newest sight that was not given yet; None when there is none within this time."""
        with self._fresh:
            if self._sight is None and not self.ended:
                self._fresh.wait(seconds)
            sight, self._sight = self._sight, None
            return sight


class Hub:
    """The streams of this process, at most `most` of them. `alive` turns False when the process is to end; a session
    that nobody used for `idle_ms` is over."""

    def __init__(self, store: Store, most: int, idle_ms: int) -> None:
        self.alive: Callable[[], bool] = lambda: True
        self.most = most
        self._store = store
        self._idle_ms = idle_ms
        self._changed = threading.Condition()
        self._pollers: dict[str, _Poller] = {}

    def open(self, wish: Wish) -> Stream | None:
        """A stream for this desk, or None when there is no room: then it asks now and then, as without streams."""
        with self._changed:
            listening = [stream for poller in self._pollers.values() for stream in poller.streams]
            own = [stream for stream in listening if stream.wish.person_id == wish.person_id]
            if len(listening) >= self.most or len(own) >= _OF_ONE_PERSON or not self.alive():
                return None
            poller = self._pollers.get(wish.site_id)
            if poller is None:
                poller = self._pollers[wish.site_id] = _Poller(self._store, wish.site_id, self._idle_ms)
                threading.Thread(target=self._run, args=(poller,), name="live", daemon=True).start()
            stream = Stream(wish)
            poller.streams.append(stream)
            self._changed.notify_all()
            return stream

    def close(self, stream: Stream) -> None:
        """The desk has gone; again is no harm."""
        stream.end()
        with self._changed:
            poller = self._pollers.get(stream.wish.site_id)
            if poller and stream in poller.streams:
                poller.streams.remove(stream)
            self._changed.notify_all()

    def look(self, wish: Wish) -> Sight | None:
        """The same once, for a desk that can't have a stream; None for somebody who is not signed in."""
        (sight,) = _Poller(self._store, wish.site_id, self._idle_ms).look([wish])
        return sight

    def _run(self, poller: "_Poller") -> None:
        while True:
            with self._changed:
                if not poller.streams:
                    del self._pollers[poller.site_id]
                    return
                streams = list(poller.streams)
            try:
                poller.pulse(streams)
            except (SQLAlchemyError, ModerationError) as error:  # the next look may do better
                log.error("desks can't be told what is new: %s", type(error).__name__)
            with self._changed:
                self._changed.wait(PULSE)


@dataclass(frozen=True)
class _Counted:
    count: str
    new: int
    at: int
    tick: object


class _Poller:
    def __init__(self, store: Store, site_id: str, idle_ms: int) -> None:
        self.site_id = site_id
        self.streams: list[Stream] = []
        self._store = store
        self._idle_ms = idle_ms
        self._counts: dict[tuple[str, int], _Counted] = {}
        self._assigned: dict[str, frozenset[str]] = {}
        self._last: dict[str, Assignment | None] = {}

    def pulse(self, streams: list[Stream]) -> None:
        """One look, told to all of these."""
        sights = self.look([stream.wish for stream in streams])
        for stream, sight in zip(streams, sights, strict=True):
            if sight is None:
                stream.end()
            else:
                stream.put(sight)

    def look(self, wishes: list[Wish]) -> list[Sight | None]:
        """What these desks have to know; None for one whose person is no longer signed in."""
        now = now_ms()
        with self._store.read() as session:
            signed_in = watch.still_signed_in(session, {wish.digest for wish in wishes}, now, self._idle_ms)
            seen = watch.seen(session, self.site_id, {id for wish in wishes for id in wish.ids}, now)
            present = watch.present(session, self.site_id, now)
            self._look_at_assigned(session)
            self._count(session, {(wish.key, wish.since): wish.filter for wish in wishes}, now)
        return [self._sight(wish, now, seen, present) if wish.digest in signed_in else None for wish in wishes]

    def _sight(self, wish: Wish, now: int, seen: dict[str, Seen], present: watch.Present) -> Sight:
        counted = self._counts[wish.key, wish.since]
        return Sight(
            now, {id: seen[id] for id in wish.ids if id in seen}, {id: present[id] for id in wish.ids if id in present},
            counted.count, counted.at, counted.new,
            len(self._assigned.get(wish.person_id, ())), self._last.get(wish.person_id),
        )  # fmt: skip

    def _look_at_assigned(self, session: Session) -> None:
        assigned = watch.assigned(session, self.site_id)
        for person_id, ids in assigned.items():
            if ids != self._assigned.get(person_id):
                self._last[person_id] = watch.last_assignment(session, ids)
        self._last = {person_id: last for person_id, last in self._last.items() if person_id in assigned}
        self._assigned = assigned

    def _count(self, session: Session, wanted: Mapping[tuple[str, int], Filter], now: int) -> None:
        """Counts anew what may have changed; each filter once, however many desks show it."""
        tick = watch.tick(session, now)
        counted: dict[str, str] = {}
        kept: dict[tuple[str, int], _Counted] = {}
        for (key, since), shown in wanted.items():
            known = self._counts.get((key, since))
            if known is None or now - known.at >= (_RECOUNT_MS if tick != known.tick else _RECOUNT_ANYWAY_MS):
                if key not in counted:
                    counted[key] = str(queue.count(session, self.site_id, shown))
                new = queue.count_new(session, self.site_id, shown, since)
                known = _Counted(counted[key], new, now, tick)
            kept[key, since] = known
        self._counts = kept
