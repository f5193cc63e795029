"""The database: there, set up well, at our version, whole."""

import sqlite3
import threading

from sqlalchemy import text
from sqlalchemy.orm import Session

from moderation.config import Settings
from moderation.services.doctor.found import Context, Finding, ok, warning, wrong
from moderation.store import schema

_OLDEST = 130_000
# Of a worker, besides the processes that decide: its parent, the child for webhooks, an errand for these.
_OTHERS_OF_A_WORKER = 3
_OF_A_PROCESS = 4  # connections: a pool of two, and two over it


def reach(context: Context) -> Finding:
    """It answers."""
    if (file := context.sqlite_file) and not file.exists():
        return wrong("the database file is not there", "run: moderation db upgrade (or name the data folder: --data)")
    try:
        with context.store.read() as session:
            version = session.scalar(text("SELECT sqlite_version()" if context.store.sqlite else "SHOW server_version"))
    except Exception as error:  # whatever the driver raises for an address it can't use
        todo = "is it running, and are host, name and password in MODERATION_DATABASE_URL right?"
        return wrong(f"can't be reached ({type(error).__name__})", todo)
    finally:
        context.store.close()
    return ok(f"{'SQLite' if context.store.sqlite else 'PostgreSQL'} {version}")


def settings(context: Context) -> Finding:
    """That what was answered survives a power cut, and that there are connections enough."""
    with context.store.read() as session:
        if context.store.sqlite:
            return _sqlite(session)
        return _postgresql(session, context.settings)


def _sqlite(session: Session) -> Finding:
    journal = str(session.scalar(text("PRAGMA journal_mode")))
    if journal != "wal":
        return wrong(f"journal mode {journal}", "the file system can't do WAL (a network drive?): use a local disk")
    return ok("write-ahead log, every commit synced")


def _postgresql(session: Session, settings: Settings) -> Finding:
    shown = {name: str(session.scalar(text(f"SHOW {name}")))
             for name in ("server_version_num", "fsync", "full_page_writes", "synchronous_commit")}  # fmt: skip
    if int(shown["server_version_num"]) < _OLDEST:
        return wrong("older than PostgreSQL 13", "upgrade it")
    if session.scalar(text("SELECT pg_is_in_recovery()")):
        return wrong("this is a replica, which takes no writes", "name the primary in MODERATION_DATABASE_URL")
    loose = [name for name in ("fsync", "full_page_writes") if shown[name] != "on"]
    loose += ["synchronous_commit"] if shown["synchronous_commit"] == "off" else []
    if loose:
        return wrong(f"{' and '.join(loose)} off: a power cut loses accepted comments", "switch on in postgresql.conf")
    if not session.scalar(text("SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'")):
        return warning("without pg_trgm searches read texts one by one", "see Search in docs/operate.md")
    return _connections(session, settings)


def _connections(session: Session, settings: Settings) -> Finding:
    most = int(session.scalar(text("SELECT current_setting('max_connections')::int"
                                   " - current_setting('superuser_reserved_connections')::int")) or 0)  # fmt: skip
    wanted = connections_wanted(settings)
    says = f"{most} connections; web and one worker of this machine want {wanted} at most"
    if wanted > most:
        names = "MODERATION_WEB_THREADS, MODERATION_WEB_PROCESSES or MODERATION_WORKER_PROCESSES"
        return wrong(says, f"raise max_connections, or lower {names}")
    return warning(says, "little is left for other machines") if wanted > most * 0.8 else ok(says)


def connections_wanted(settings: Settings) -> int:
    """Connections that web and one worker with these settings hold at most."""
    processes = settings.worker_processes + _OTHERS_OF_A_WORKER + bool(settings.metrics_port)
    return settings.web_processes * settings.web_threads + processes * _OF_A_PROCESS


def migrations(context: Context) -> Finding:
    """At the version of this program."""
    problem = schema.check(context.store)
    if problem is None:
        return ok("at the version of this program")
    todo = "run: moderation db upgrade" if "db upgrade" in problem else "use the program that fits"
    return wrong(problem, todo)


def integrity(context: Context) -> Finding:
    """SQLite's own quick look at its file; PostgreSQL watches over its own."""
    file = context.sqlite_file
    if file is None:
        return ok("left to PostgreSQL (data_checksums, pg_amcheck)")
    connection = sqlite3.connect(f"file:{file.absolute()}?mode=ro", uri=True, check_same_thread=False)
    limit = threading.Timer(55.0, connection.interrupt)
    limit.daemon = True
    limit.start()
    try:
        said = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
    except sqlite3.OperationalError as error:
        if "interrupted" not in str(error):
            raise
        return warning("the file is too large to be looked at in a minute", "run PRAGMA quick_check in a quiet hour")
    finally:
        limit.cancel()
        connection.close()
    if said == ["ok"]:
        return ok("the file is whole")
    return wrong("the database file is damaged", "stop the service, keep a copy of the file, restore the last backup")
