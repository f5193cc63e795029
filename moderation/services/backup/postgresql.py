"""PostgreSQL's own programs, pg_dump and pg_restore: found, fit for the server, and told everything but on their
command line, which others on the machine can read."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from moderation.errors import SetupError

# Parameters of the address, as libpq's environment calls them.
_VARIABLES = {
    "host": "PGHOST", "hostaddr": "PGHOSTADDR", "port": "PGPORT", "user": "PGUSER",
    "password": "PGPASSWORD",  # nosec B105 (the name of a variable)
    "dbname": "PGDATABASE", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY", "passfile": "PGPASSFILE", "service": "PGSERVICE", "options": "PGOPTIONS",
    "target_session_attrs": "PGTARGETSESSIONATTRS", "channel_binding": "PGCHANNELBINDING",
}  # fmt: skip
# What our own connection may be in the way of, waits no longer than this.
_LOCK_TIMEOUT = "30s"
_ASIDE = "moderation_before"


def dump(engine: Engine, snapshot: str, out: Path) -> None:
    """Writes the database as that snapshot shows it, in pg_dump's custom format. Raises SetupError."""
    program = _program("pg_dump", _server(engine))
    _run(engine, program, "--format=custom", "--compress=6", "--no-owner", "--no-acl", "--schema=public",
         f"--snapshot={snapshot}",
         f"--lock-wait-timeout={_LOCK_TIMEOUT}", f"--file={out}")  # fmt: skip


def load(engine: Engine, dumped: Path) -> None:
    """Puts a dump into a database whose schema is empty, in one transaction. Raises SetupError."""
    program = _program("pg_restore", _server(engine))
    # The schema itself is there already, with the extension that its index of texts is made with.
    _run(engine, program, "--no-owner", "--no-acl", "--schema=public", "--single-transaction", "--exit-on-error",
         "--dbname=", str(dumped))  # fmt: skip


@contextmanager
def put_aside(engine: Engine) -> Iterator[None]:
    """Makes room for other tables; those that were there are dropped at the end, or are back when anything fails.

    The tables are moved, not their schema: what an extension has put there may belong to somebody else.
    """
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'"))
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {_ASIDE}"))
        if _tables(connection, _ASIDE):  # a restore was killed: what it had begun is worth nothing, this is the rest
            _drop(connection, "public")
        else:
            _move(connection, "public", _ASIDE)
        with suppress(DBAPIError), connection.begin_nested():  # without it the dump has no index that asks for it
            connection.execute(text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
    try:
        yield
    except BaseException:
        with engine.begin() as connection:
            _drop(connection, "public")
            _move(connection, _ASIDE, "public")
            connection.execute(text(f"DROP SCHEMA {_ASIDE}"))
        raise
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {_ASIDE} CASCADE"))


def _tables(connection: Connection, place: str) -> list[str]:
    query = text("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = :place ORDER BY tablename")
    return list(connection.scalars(query, {"place": place}))


def _move(connection: Connection, place: str, to: str) -> None:
    for table in _tables(connection, place):
        connection.execute(text(f"ALTER TABLE {place}.{table} SET SCHEMA {to}"))


def _drop(connection: Connection, place: str) -> None:
    for table in _tables(connection, place):
        connection.execute(text(f"DROP TABLE {place}.{table} CASCADE"))


def _server(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("SHOW server_version_num")) or 0) // 10_000


def _program(name: str, server: int) -> str:
    """The newest of these programs on this machine. Raises SetupError when there is none that knows this server."""
    found = [str(path) for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}")]
    found += [path] if (path := shutil.which(name)) else []
    best = max(((_major(path), path) for path in found), default=(0, ""))
    if best[0] >= server:
        return best[1]
    there = f"only that of version {best[0]}" if best[0] else "none"
    raise SetupError(
        f"{name} of PostgreSQL {server} or newer is needed, and here is {there}: install postgresql-client-{server}"
    )


def _major(program: str) -> int:
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    version = re.search(r"(\d+)[.\d]*\b", said)
    return int(version[1]) if version else 0


def _run(engine: Engine, *command: str) -> None:
    _, parameters = engine.dialect.create_connect_args(engine.url)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MODERATION_", "PG"))}
    env |= {_VARIABLES[name]: str(value) for name, value in parameters.items() if name in _VARIABLES}
    env.setdefault("PGCONNECT_TIMEOUT", "10")
    done = subprocess.run(command, env=env, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL)
    if done.returncode:
        raise SetupError(f"{Path(command[0]).name} failed: {_reason(done.stderr)}")


def _reason(said: str) -> str:
    """What went wrong, without what the failing row held: details and data come on further lines."""
    for line in said.splitlines():
        if found := re.search(r"(?:error|FATAL|ERROR): +(.*)", line):
            return found[1][:200]
    return "it did not say why"
