"""Bringing a database to the version that this program needs."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import SQLAlchemyError

from moderation.errors import SetupError
from moderation.store.session import Store

MIGRATIONS = Path(__file__).parent / "migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def check(store: Store) -> str | None:
    """None when the database is at our version, else one line that says what is wrong."""
    scripts = ScriptDirectory.from_config(_config())
    try:
        with store.engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
    except SQLAlchemyError as error:
        return f"the database can't be reached ({type(error).__name__})"
    if current == scripts.get_current_head():
        return None
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        return "the database was made by a newer version of this program; upgrade the program or use another database"
    return "the database is not up to date; run: moderation db upgrade"


def open_ready(url: str) -> Store:
    """The database of a command. Raises SetupError when it is not at our version."""
    store = Store(url, pool_size=1)
    if problem := check(store):
        raise SetupError(problem)
    return store


def upgrade(store: Store) -> None:
    """Runs the migrations that are missing. Raises SetupError when that can't be done."""
    problem = check(store)
    if problem is None:
        return
    if "db upgrade" not in problem:
        raise SetupError(problem)
    config = _config()
    config.attributes["engine"] = store.engine
    command.upgrade(config, "head")
