"""Real databases and a real Redis for the tests, each on a socket of its own."""

import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import ColumnElement, Engine, event, func, select

from moderation import embedded
from moderation.processes import dying_with
from moderation.store import schema
from moderation.store.session import Store, new_id
from moderation.store.tables import Comment
from tests.conftest import postgresql_programs


@event.listens_for(Engine, "connect")
def _in_no_order(connection: Any, _record: object) -> None:
    """Rows nobody ordered come backwards, in tests and in what they test: PostgreSQL, too, gives them in the order they
    were put in only as long as it has no room of deleted ones to fill."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA reverse_unordered_selects = ON")


def until(condition: Callable[[], object], seconds: float = 90.0, what: str = "the condition") -> None:
    """Waits for a condition to become true; fails the test when it does not. A busy machine has all the time it needs:
    a test that passes does not wait longer for it."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.02)


def count(store: Store, *conditions: ColumnElement[bool]) -> int:
    """How many comments fulfil them."""
    with store.read() as session:
        return int(session.scalar(select(func.count()).select_from(Comment).where(*conditions)) or 0)


def end(process: "subprocess.Popen[bytes]", ask: signal.Signals) -> None:
    """Asks a server to end, and ends it when a busy machine keeps it from doing so."""
    process.send_signal(ask)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Valkey server of the product's own choice."""
    folder = Path(tempfile.mkdtemp(prefix="redis-"))
    path = embedded.socket_path(folder)
    command = embedded.command(embedded.find_server(), folder, path)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=dying_with(os.getpid()))
    client = Redis.from_url(f"unix://{path}")

    def answers() -> bool:
        try:
            return bool(client.ping())
        except RedisError:
            return False

    until(answers, what="Redis")
    yield f"unix://{path}"
    end(process, signal.SIGTERM)
    shutil.rmtree(folder, ignore_errors=True)


# Rows that a migration put there are kept aside, to be put back.
_KEEP = """
DO $$ DECLARE name text; many bigint; BEGIN
  CREATE SCHEMA kept;
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('SELECT count(*) FROM public.%I', name) INTO many;
    IF many > 0 THEN EXECUTE format('CREATE TABLE kept.%I AS SELECT * FROM public.%I', name, name); END IF;
  END LOOP;
END $$
"""
_EMPTY = """
DO $$ DECLARE name text; BEGIN
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('DELETE FROM public.%I', name);
  END LOOP;
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'kept' LOOP
    EXECUTE format('INSERT INTO public.%I SELECT * FROM kept.%I', name, name);
  END LOOP;
END $$
"""
# What a test may have changed besides rows, and how large it left the database.
_SHAPE = """
SELECT (SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace),
       (SELECT count(*) FROM pg_trigger), (SELECT count(*) FROM pg_constraint)
"""
_GROWN = 20_000_000


class PostgreSQL:
    """One server for the whole run; `new_database` is a fresh one with our tables, `emptied_database` the same for
    one test after the other, which costs a tenth of the time."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self._shape: tuple[object, ...] | None = None
        self._size = 0
        self._user = pwd.getpwnam("postgres").pw_name if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(folder, self._user)
        self._run(programs / "initdb", "-D", folder / "data", "-U", "test", "--auth=trust", "--no-sync", "-E", "UTF8",
                  "--locale=C.UTF-8")  # fmt: skip
        self._process = subprocess.Popen(
            [programs / "postgres", "-D", folder / "data", "-k", folder, "-c", "listen_addresses=",
             "-c", "max_connections=300", "-c", "fsync=off"],
            user=self._user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=dying_with(os.getpid()),
        )  # fmt: skip
        until(self._answers, 60, "PostgreSQL")
        self._create("template")
        store = Store(self.url("template"), pool_size=1)
        schema.upgrade(store)
        store.close()

    def url(self, name: str) -> str:
        """SQLAlchemy address of a database."""
        return f"postgresql+psycopg://test@/{name}?host={self.folder}"

    def new_database(self) -> str:
        """Address of a fresh database with our tables."""
        name = f"t{new_id()}"
        self._create(name, " TEMPLATE template")
        return self.url(name)

    def emptied_database(self) -> str:
        """Address of a database with our tables and nothing in it; whoever still uses it is thrown out."""
        url = self.url("emptied")
        if self._shape is not None:
            with self._connect("emptied") as connection:
                # Each is waited for: one that still commits would leave a row behind.
                connection.execute("SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
                                   " WHERE datname = 'emptied' AND pid <> pg_backend_pid()")  # fmt: skip
                connection.execute(_EMPTY)
                size = connection.execute("SELECT pg_database_size('emptied')").fetchone()
                if size and int(str(size[0])) < self._size + _GROWN and self._look(connection) == self._shape:
                    return url
            with self._connect() as connection:
                connection.execute("DROP DATABASE emptied WITH (FORCE)")
        self._create("emptied", " TEMPLATE template")
        with self._connect("emptied") as connection:
            connection.execute(_KEEP)
            self._shape = self._look(connection)
            size = connection.execute("SELECT pg_database_size('emptied')").fetchone()
            self._size = int(str(size[0])) if size else 0
        return url

    def stop(self) -> None:
        """Ends the server."""
        end(self._process, signal.SIGQUIT)  # at once: nobody needs its data any more

    def _run(self, *command: object) -> None:
        subprocess.run([str(part) for part in command], user=self._user, check=True, capture_output=True)

    def _connect(self, name: str = "postgres") -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(f"host={self.folder} user=test dbname={name}", autocommit=True)

    def _look(self, connection: "psycopg.Connection[tuple[object, ...]]") -> "tuple[object, ...] | None":
        return connection.execute(_SHAPE).fetchone()

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _create(self, name: str, options: str = "") -> None:
        with self._connect() as connection:
            connection.execute(f"CREATE DATABASE {name}{options}")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server of this run's own."""
    programs = postgresql_programs()
    assert programs is not None
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    server = PostgreSQL(folder, programs)
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    store = Store(f"sqlite:///{path}", pool_size=1)
    schema.upgrade(store)
    store.close()
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with our tables and no rows; each test that asks for it runs on SQLite and on PostgreSQL."""
    if request.param == "postgresql":
        server: PostgreSQL = request.getfixturevalue("postgresql")
        return server.emptied_database()
    path = tmp_path / "moderation.sqlite3"
    shutil.copy(request.getfixturevalue("_sqlite_template"), path)
    return f"sqlite:///{path}"
