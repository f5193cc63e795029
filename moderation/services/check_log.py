"""Writes what was checked in the background, so that an answer never waits for the database's writer."""

import atexit
import logging
import threading
from typing import Any

from moderation.store.feedback import Check
from moderation.store.queries import insert_rows
from moderation.store.session import Store

log = logging.getLogger(__name__)

_PAUSE = 0.25  # seconds between two writes
_PAUSE_AFTER_FAILURE = 5.0
_MOST = 20_000  # rows that wait at most; more than that are given up, and counted


class CheckLog:
    """Rows of `checks` on their way into the database; one thread a process, there while rows wait.

    A process that is killed loses what it took in since the last write: feedback on it finds no match.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[dict[str, Any]] = []
        self._guard = threading.Lock()
        self._writing = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._dropped = 0

    def add(self, row: dict[str, Any]) -> None:
        """Takes a row; returns at once."""
        with self._guard:
            if len(self._waiting) >= _MOST:
                self._dropped += 1
                return
            self._waiting.append(row)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="check log", daemon=True)
                self._thread.start()
                atexit.unregister(self.flush)
                atexit.register(self.flush)

    def close(self) -> None:
        """Writes what waits, for the last time: the database may end after this."""
        self._closed.set()
        atexit.unregister(self.flush)
        if (writer := self._thread) is not None:
            writer.join()
        self.flush()

    def flush(self) -> bool:
        """Writes what waits. A database that can't be written to keeps it waiting: False."""
        with self._writing:
            with self._guard:
                rows, self._waiting = self._waiting, []
                dropped, self._dropped = self._dropped, 0
            if not rows and not dropped:
                return True
            if dropped:
                log.warning("%d checks were not kept: too many at once", dropped)
            try:
                with self._store.write() as session:
                    insert_rows(session, Check, rows)
            except Exception as error:  # the answers are given; only later matching is at stake
                log.error("checks can't be written: %s", type(error).__name__)
                with self._guard:
                    self._waiting = (rows + self._waiting)[:_MOST]
                return False
        return True

    def _run(self) -> None:
        pause = _PAUSE
        while not self._closed.wait(pause):
            pause = _PAUSE if self.flush() else _PAUSE_AFTER_FAILURE
            with self._guard:
                if not self._waiting:
                    self._thread = None
                    return
