"""Engines and transactions. A write takes the lock at once, so that it never fails halfway for want of it."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry
from uuid6 import uuid7


def new_id() -> str:
    """32 hex digits, sorted by time of making (UUID version 7)."""
    return uuid7().hex


def now_ms() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


class Store:
    """One database. `read()` and `write()` give a session that is one transaction."""

    def __init__(self, url: str, *, pool_size: int = 20) -> None:
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

    def close(self) -> None:
        """Closes all connections."""
        self.engine.dispose()


def _pool(url: str, size: int) -> dict[str, Any]:
    if url.startswith("sqlite"):
        return {"pool_size": size, "max_overflow": size, "connect_args": {"timeout": 30}}
    return {"pool_size": size, "max_overflow": size, "pool_pre_ping": True}


def _sqlite_connect(connection: Any, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # a 202 must survive a power cut
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
