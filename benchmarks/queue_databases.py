"""Databases full of comments for the benchmark of the queue: SQLite and a PostgreSQL server of its own."""

import json
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import select, text

from benchmarks.queue_rows import Row, Size, article_rows, rows
from moderation.domain.lifecycle import Role
from moderation.processes import dying_with
from moderation.services import accounts, sites
from moderation.store import schema
from moderation.store.session import Store, now_ms
from moderation.store.tables import Article, Base, Comment, Decision, HoldReason
from moderation.store.voices import Report
from moderation.store.workspace import HeldScore

EMAIL, PASSWORD = "ann@example.org", "correct horse battery"
_CHUNK = 5_000


def fill(url: str, size: Size) -> None:
    """Makes our tables and their rows at this address."""
    store = Store(url, pool_size=1)
    schema.upgrade(store)
    with store.write() as session:
        site, _ = sites.create_site(session, "bench")
        person = accounts.create_moderator(session, site.id, EMAIL, PASSWORD, Role.ADMIN)
        site_id, person_id = site.id, person.id
    later = [] if store.sqlite else _without_indexes(store)
    connection = store.engine.raw_connection()
    insert = _into_sqlite if store.sqlite else _into_postgresql
    cursor = connection.cursor()
    if store.sqlite:
        cursor.execute("PRAGMA synchronous=OFF")
        cursor.execute("PRAGMA foreign_keys=OFF")
        cursor.execute("BEGIN")
    else:
        cursor.execute("SET session_replication_role = replica")  # no look at foreign keys
    insert(cursor, Article, article_rows(site_id, size))
    for chunk in _chunks(rows(site_id, person_id, size, now_ms())):
        insert(cursor, Comment, [row.comment for row in chunk])
        insert(cursor, Decision, [row.decision for row in chunk])
        insert(cursor, HoldReason, [one for row in chunk for one in row.reasons])
        insert(cursor, HeldScore, [one for row in chunk for one in row.scores])
        insert(cursor, Report, [row.report for row in chunk if row.report])
    cursor.execute("COMMIT")
    connection.close()
    if not store.sqlite:
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as autocommit:
            for index in later:
                autocommit.exec_driver_sql(index)
            autocommit.execute(text("VACUUM ANALYZE"))  # what autovacuum does by itself on a server that lives longer
    store.close()


def _without_indexes(store: Store) -> list[str]:
    """Takes PostgreSQL's indexes away but for those of keys, and says how to make them: over rows that are there it
    makes them several times as fast."""
    kept = select(text("1")).select_from(text("pg_constraint")).where(text("conindid = indexrelid")).exists()
    found = select(text("indexrelid::regclass::text"), text("pg_get_indexdef(indexrelid)")).select_from(
        text("pg_index")
    )
    with store.write() as session:
        tables = [str(table.__tablename__) for table in (Comment, Decision, HoldReason, HeldScore, Report)]
        ours = text("indrelid = ANY (CAST(:tables AS regclass[]))").bindparams(tables=tables)
        names, made = zip(*session.execute(found.where(ours, ~kept)), strict=True)
        for name in names:
            session.execute(text(f"DROP INDEX {name}"))
    return list(made)


def _chunks(made: Iterable[Row]) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    for row in made:
        chunk.append(row)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _names(table: type[Base], made: list[dict[str, Any]]) -> list[str]:
    """The columns that these rows fill; the database knows what the others begin with."""
    return [column.name for column in table.__table__.columns if any(column.name in row for row in made)]


def _values(names: list[str], made: list[dict[str, Any]]) -> Iterator[list[Any]]:
    for row in made:
        values = [row.get(name) for name in names]
        yield [json.dumps(value) if isinstance(value, dict | list) else value for value in values]


def _into_sqlite(cursor: Any, table: type[Base], made: list[dict[str, Any]]) -> None:
    names = _names(table, made)
    marks = ", ".join("?" for _ in names)
    statement = f"INSERT INTO {table.__tablename__} ({', '.join(names)}) VALUES ({marks})"
    cursor.executemany(statement, _values(names, made))


def _into_postgresql(cursor: Any, table: type[Base], made: list[dict[str, Any]]) -> None:
    names = _names(table, made)
    with cursor.copy(f"COPY {table.__tablename__} ({', '.join(names)}) FROM STDIN") as copy:
        for values in _values(names, made):
            copy.write_row(values)


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A server with its usual settings in this folder; gives the address of a database."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    user = pwd.getpwnam("postgres").pw_name if os.geteuid() == 0 else None
    folder.mkdir(parents=True, exist_ok=True)
    if user:
        shutil.chown(folder, user)
    data = folder / "data"
    if not data.exists():
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", "bench", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8"],
            user=user, check=True, capture_output=True,
        )  # fmt: skip
    command = [str(programs / "postgres"), "-D", str(data), "-k", str(folder), "-c", "listen_addresses="]
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(command, user=user, stdout=quiet, stderr=quiet, preexec_fn=dying_with(os.getpid()))
    try:
        _wait(folder)
        yield f"postgresql+psycopg://bench@/postgres?host={folder}"
    finally:
        server.send_signal(signal.SIGINT)  # at once, whoever is connected
        server.wait(60)


def _wait(folder: Path) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(f"host={folder} user=bench dbname=postgres").close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
