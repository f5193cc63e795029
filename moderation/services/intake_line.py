"""Comments of many requests, kept in one transaction: one disk flush serves all that came while the last one ran.

One thread writes what all requests brought and tells each its answer. It starts with the first that comes, so after any
fork, and ends when nothing has come for a while. No more can wait than requests are served at a time.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from sqlalchemy.exc import InterfaceError, OperationalError

from moderation.by_turns import Gate
from moderation.services import addresses, intake
from moderation.services.intake import ArticleTold, NewComment, Submitted
from moderation.store.session import Store, now_ms

_AT_ONCE = 512
_IDLE_SECONDS = 1.0
_ARTICLE_SECONDS = 5.0
_RING_SECONDS = 0.05  # between two rings at least: each costs as much as keeping a comment
_ARTICLES = 10_000


@dataclass(eq=False)
class _Brought:
    """What one request brought, and in the end what became of it: answers or an error, as soon as `gate` opens."""

    site_id: str
    comments: Sequence[NewComment]
    answers: list[Submitted] | None = None
    error: BaseException | None = None
    gate: Gate = field(default_factory=Gate)

    @property
    def over(self) -> bool:
        """Whether there is nothing to wait for any more."""
        return self.answers is not None or self.error is not None


class _Told:
    """What was told of articles in the last seconds; then another process may have heard something newer."""

    def __init__(self) -> None:
        self._until = time.monotonic() + _ARTICLE_SECONDS
        self._told: set[ArticleTold] = set()

    def __contains__(self, told: object) -> bool:
        if time.monotonic() >= self._until or len(self._told) > _ARTICLES:
            self.__init__()  # type: ignore[misc]
        return told in self._told

    def note(self, told: Iterable[ArticleTold]) -> None:
        """Of articles that are kept."""
        self._told.update(told)


class IntakeLine:
    """The line of one process before one database; `ring` is called when there is something new to decide."""

    def __init__(self, store: Store, ring: Callable[[], object], secret_key: str) -> None:
        self._store = store
        self._secret_key = secret_key
        self._ring = ring
        self._articles = _Told()
        self._lock = threading.Lock()
        self._waiting: SimpleQueue[_Brought] = SimpleQueue()
        self._writer: threading.Thread | None = None
        self._news = False  # something was kept since it rang last
        self._next_ring = 0.0

    def submit(self, site_id: str, comments: Sequence[NewComment]) -> list[Submitted]:
        """As `intake.submit`, and committed. What goes wrong with others' comments does not harm these."""
        mine = _Brought(site_id, comments)
        with self._lock:
            self._waiting.put(mine)
            if self._writer is None or not self._writer.is_alive():
                self._writer = threading.Thread(target=self._write, name="intake", daemon=True)
                self._writer.start()
        mine.gate.wait()
        if mine.error is not None:
            raise mine.error
        return mine.answers or []

    def _write(self) -> None:
        """Serves those who wait, until there are none for a while."""
        while True:
            if group := self._next():
                self._serve_or_tell(group)
            if self._news:
                self._ring_in_time()
            elif not group:
                with self._lock:
                    if self._waiting.empty():
                        self._writer = None
                        return

    def _ring_in_time(self) -> None:
        """Rings now, or soon after the last time; whatever waits longer than that is rung for."""
        now = time.monotonic()
        if now >= self._next_ring:
            self._news, self._next_ring = False, now + _RING_SECONDS
            self._ring()

    def _next(self) -> list[_Brought]:
        """What has come by now; waits a while for the first."""
        group: list[_Brought] = []
        with suppress(Empty):
            patience = max(0.0, self._next_ring - time.monotonic()) if self._news else _IDLE_SECONDS
            group.append(self._waiting.get(timeout=patience))
            while sum(len(one.comments) for one in group) < _AT_ONCE:
                group.append(self._waiting.get_nowait())
        return group

    def _serve_or_tell(self, group: Sequence[_Brought]) -> None:
        try:
            self._serve(group)
        except BaseException as error:  # nobody may wait for this thread for ever
            for one in group:
                one.error = one.error or (None if one.over else error)
        for one in group:
            one.gate.open()
        self._news = self._news or any(answer.created for one in group for answer in one.answers or ())

    def _serve(self, group: Sequence[_Brought]) -> None:
        try:
            self._keep(group)
        except (OperationalError, InterfaceError) as error:  # the database is not there, for nobody
            for one in group:
                one.error = error
        except Exception as error:
            self._articles = _Told()
            if len(group) == 1:
                group[0].error = error
                return
            for one in group:  # one of them can't be kept: each by itself, then
                with suppress(Exception):
                    self._serve([one])

    def _keep(self, group: Sequence[_Brought]) -> None:
        """Writes them all, or none. A comment that two of them brought is the first one's."""
        answers: list[Submitted] = []
        with self._store.write() as session:
            for site_id in sorted({one.site_id for one in group}):
                theirs = [one for one in group if one.site_id == site_id]
                comments = [comment for one in theirs for comment in one.comments]
                comments = addresses.kept(session, site_id, self._secret_key, comments)
                answers += intake.submit(session, site_id, comments, now_ms(), told=self._articles)
        # Only now, for only now it is committed.
        self._articles.note(intake.article_told(one.site_id, comment) for one in group for comment in one.comments)
        ready = iter(answers)
        for one in sorted(group, key=lambda one: one.site_id):
            one.answers = [next(ready) for _ in one.comments]
