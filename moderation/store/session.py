"""Engines and transactions. A write takes the lock at once, so that it never fails halfway for want of it."""

import math
import re
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry
from uuid_utils import uuid7

from moderation.store import same_file


def new_id() -> str:
    """32 hex digits, sorted by time of making (UUID version 7)."""
    return uuid7().hex


def made_ms(id_: str) -> int:
    """When an id was made, in milliseconds since 1970 UTC."""
    return int(id_[:12], 16)


def now_ms() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


_BUSY_SECONDS = 30
_CHECKPOINT_MS = 1000
_CACHES = 8 * 1024 * 1024  # bytes for the pages that all connections of a process keep; the system keeps them, too
_NO_MORE = 2  # FTS5: a merge that changes fewer rows had nothing to do


class Store:
    """One database. `read()` and `write()` give a session that is one transaction.

    `patience` (seconds) is how long PostgreSQL may work on one statement, or wait for a lock in it; None: for ever.
    """

    def __init__(self, url: str, *, pool_size: int = 20, patience: float | None = None) -> None:
        # As hosting services write it; the driver is our choice, not theirs.
        url = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)
        # Parameters are hidden: an error text would carry comments and addresses into a log.
        self.engine = create_engine(url, hide_parameters=True, **_pool(url, pool_size))
        self.sqlite = self.engine.dialect.name == "sqlite"
        self._writer = self.engine.execution_options(write=True)
        self._write_lock = threading.Lock()
        if self.sqlite:
            event.listen(self.engine, "connect", _sqlite_connect)
            event.listen(self.engine, "begin", _sqlite_begin)
            same_file.watch(self.engine)
        else:
            event.listen(self.engine, "connect", partial(_postgresql_connect, patience=patience))

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for looking only."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that commits at the end, or not at all."""
        if not self.sqlite:
            with Session(self._writer, expire_on_commit=False) as session, session.begin():
                yield session
            return
        # SQLite has one writer; threads that wait here are served in turn instead of polling the file's lock.
        with self._write_lock, Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    def forget_connections(self) -> None:
        """To be called in a forked child: the parent's connections are not ours to use or close."""
        self.engine.dispose(close=False)
        self._write_lock = threading.Lock()

    def forget_deleted(self, seconds: float = math.inf) -> bool:
        """Takes what was deleted out of SQLite's files as well: out of the index of texts and out of the log.

        Step by step, each a short transaction, for about so long; True means that more is left.
        """
        if not self.sqlite:
            return False
        end = time.monotonic() + seconds
        with closing(self.engine.raw_connection()) as connection:
            cursor = connection.cursor()
            if cursor.execute("SELECT 1 FROM sqlite_master WHERE name = 'comment_trigrams'").fetchone():
                while self._merge(connection):
                    if time.monotonic() >= end:
                        return True
            cursor.execute(f"PRAGMA busy_timeout = {_CHECKPOINT_MS}")  # who waits for readers keeps writers waiting
            try:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")
        return False

    def _merge(self, connection: Any) -> bool:
        """One step of bringing the index of texts into one part, in which nothing stands that was deleted."""
        with self._write_lock:
            before = connection.total_changes
            connection.execute("INSERT INTO comment_trigrams (comment_trigrams, rank) VALUES ('merge', -200)")
            return bool(connection.total_changes - before >= _NO_MORE)

    def close(self) -> None:
        """Closes all connections."""
        self.engine.dispose()


def _pool(url: str, size: int) -> dict[str, Any]:
    # The one that was used last is used next: what a connection keeps in memory is then kept a few times, not twenty.
    pool = {"pool_size": size, "max_overflow": size, "pool_use_lifo": True}
    if url.startswith("sqlite"):
        return pool | {"connect_args": {"timeout": _BUSY_SECONDS}}
    named = make_url(url).query  # what the address itself says wins
    limits = {name: value for name, value in _SILENCE.items() if name not in named}
    return pool | {"pool_pre_ping": True, "connect_args": limits, "pool_timeout": 15}


# A network that swallows everything says nothing: without these a thread would wait for its answer for hours.
# Here: 5 s to connect, 10 s for what was sent to arrive, and about 15 s of silence while an answer is awaited.
_SILENCE = {
    "connect_timeout": 5, "tcp_user_timeout": 10_000,
    "keepalives": 1, "keepalives_idle": 5, "keepalives_interval": 3, "keepalives_count": 3,
}  # fmt: skip
# There: the same for a program that was cut off, or its open transaction would keep its comments locked for hours.
_SILENCE_THERE = (
    "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 3; SET tcp_keepalives_count = 3;"
    "SET tcp_user_timeout = 10000; SET idle_in_transaction_session_timeout = 60000"
)


# Our statements are short: compiling one takes longer than it could save.
_AS_IT_IS = "SET jit = off"


def _postgresql_connect(connection: Any, _record: ConnectionPoolEntry, *, patience: float | None) -> None:
    autocommit, connection.autocommit = connection.autocommit, True
    connection.execute(f"{_SILENCE_THERE}; {_AS_IT_IS}")
    if patience:
        connection.execute(f"SET statement_timeout = {round(patience * 1000)}")
    connection.autocommit = autocommit


def _sqlite_connect(connection: Any, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # a 202 must survive a power cut
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA soft_heap_limit={_CACHES}")
    cursor.execute("PRAGMA secure_delete=ON")  # what is erased must not stand in the file's free pages
    cursor.close()
    connection.create_function("holds_text", 2, _holds_text, deterministic=True)


def _holds_text(haystack: str, needle: str) -> bool:
    """SQLite's own comparison knows capital letters of ASCII only."""
    return needle in haystack.lower()


def _sqlite_begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
