"""Bringing a database to the version that this program needs."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from moderation.errors import SetupError
from moderation.store.session import Store

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"

# Less than the second after which PostgreSQL ends one of those who wait for one another: it is we who step back.
LOCK_TIMEOUT_MS = 700
_TRIES = 180
_PAUSE_SECONDS = 0.5
_IN_USE = ("55P03", "40P01")  # lock_not_available, deadlock_detected
_ADVISORY_KEY = 0x6D6F646572617465  # "moderate"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def check(store: Store) -> str | None:
    """None when the database is at our version, or at a newer one that ours can work with; else one line that says what
    is wrong."""
    scripts = ScriptDirectory.from_config(_config())
    try:
        with store.engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
            known = {script.revision for script in scripts.walk_revisions()}
            if current is not None and current not in known and _works_with(connection) & known:
                return None
    except SQLAlchemyError as error:
        return f"the database can't be reached ({type(error).__name__})"
    if current == scripts.get_current_head():
        return None
    if current is not None and current not in known:
        return "the database was made by a newer version of this program; upgrade the program or use another database"
    return "the database is not up to date; run: moderation db upgrade"


def _works_with(connection: Connection) -> set[str]:
    """What a newer database says of the oldest program that can work with it."""
    if not inspect(connection).has_table("compatibility"):
        return set()
    return set(connection.scalars(text("SELECT oldest FROM compatibility")))


def open_ready(url: str) -> Store:
    """The database of a command. Raises SetupError when it is not at our version."""
    store = Store(url, pool_size=1)
    if problem := check(store):
        raise SetupError(problem)
    return store


def upgrade(store: Store, target: str = "head") -> None:
    """Runs the migrations that are missing, while programs of the version before may work. Raises SetupError when that
    can't be done. Two at once are safe: the second waits, and finds nothing to do."""
    problem = check(store)
    if problem is None:
        return
    if "db upgrade" not in problem:
        raise SetupError(problem)
    config = _config()
    config.attributes["engine"] = store.engine
    config.attributes["lock_timeout"] = LOCK_TIMEOUT_MS
    with _alone(store):
        for left in reversed(range(_TRIES)):
            try:
                command.upgrade(config, target)
            except OperationalError as error:
                # A table was in use for too long. To wait on would keep everybody behind us out of it, too.
                if getattr(error.orig, "sqlstate", None) not in _IN_USE or not left:
                    raise
                log.warning("a table is in use; trying again")
                time.sleep(_PAUSE_SECONDS)
            else:
                return


@contextmanager
def _alone(store: Store) -> Iterator[None]:
    """Keeps other upgrades of this database out. SQLite's one writer does that by itself."""
    if store.sqlite:
        yield
        return
    # Never in a transaction: an index that is made concurrently would wait for those who wait here.
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _ADVISORY_KEY}):
            time.sleep(_PAUSE_SECONDS)
        try:
            yield
        finally:
            connection.scalar(text("SELECT pg_advisory_unlock(:key)"), {"key": _ADVISORY_KEY})
