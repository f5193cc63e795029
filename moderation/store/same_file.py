"""SQLite's file may be taken away, or another put in its place, under open connections: they would go on as if nothing
had happened, and what they accept would be gone with the file. So each use of a connection looks."""

import os
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

_FILE = "file"


def watch(engine: Engine) -> None:
    """From now on a connection to a file that is not the one of this name any more is given up for a new one."""
    path = engine.url.database or ""

    def connected(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info[_FILE] = _identity(path)

    def used(_connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        if record.info.get(_FILE) != _identity(path):
            raise DisconnectionError("the database's file is another one now")

    event.listen(engine, "connect", connected)
    event.listen(engine, "checkout", used)


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
