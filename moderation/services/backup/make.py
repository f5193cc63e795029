"""Making a backup, while the service runs."""

import hashlib
import hmac
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import func, inspect, select, table, text
from sqlalchemy.orm import Session

from moderation import __version__
from moderation.errors import SetupError
from moderation.services.backup import postgresql
from moderation.services.backup.archive import Manifest, digest_of, pack, whole_or_not_at_all
from moderation.store.audit import AuditChain
from moderation.store.queries import one_view
from moderation.store.session import Store

Found = TypeVar("Found")


@dataclass(frozen=True)
class Secrets:
    """The secret key, and the files that go into the archive (empty: none)."""

    key: str
    files: Mapping[str, bytes]


def fingerprint(key: str) -> str:
    """Tells two secret keys apart and nothing else."""
    return hmac.new(key.encode(), b"backup", hashlib.sha256).hexdigest()[:16] if key else ""


def backup(store: Store, path: Path, secrets: Secrets) -> Manifest:
    """Writes one archive with all that was committed when it began. Raises SetupError; nothing half-written stays."""
    with whole_or_not_at_all(path) as draft:
        copy = draft.with_suffix(".database")
        try:
            facts = _of_sqlite(store, copy) if store.sqlite else _of_postgresql(store, copy)
            manifest = Manifest(
                made_at=datetime.now(UTC).isoformat(timespec="seconds"), program=__version__,
                kind="sqlite" if store.sqlite else "postgresql", key=fingerprint(secrets.key),
                sha256=digest_of(copy), size=copy.stat().st_size, secrets=sorted(secrets.files), **vars(facts),
            )  # fmt: skip
            pack(draft, manifest, copy, secrets.files)
        finally:
            copy.unlink(missing_ok=True)
    return manifest


@dataclass(frozen=True)
class Facts:
    """What stands in the database that was copied."""

    revision: str
    counts: dict[str, int]
    chain: str


def facts_of(session: Session) -> Facts:
    """Counts rows as this session sees them."""
    head = session.get(AuditChain, 1)
    there = set(inspect(session.connection()).get_table_names())
    return Facts(
        str(session.scalar(text("SELECT version_num FROM alembic_version"))),
        {name: session.scalar(select(func.count()).select_from(table(name))) or 0
         for name in sorted(there) if not name.startswith("comment_t")},  # but for the index of texts
        f"{head.place}:{head.seal}" if head else "0:",
    )  # fmt: skip


def _of_sqlite(store: Store, copy: Path) -> Facts:
    """In one step, under one look at the database: writers go on meanwhile."""
    copy.touch(mode=0o600)
    try:
        with closing(sqlite3.connect(store.engine.url.database or "")) as live, closing(sqlite3.connect(copy)) as out:
            live.backup(out)
        return look_at(copy, facts_of)
    except sqlite3.Error as error:
        raise SetupError(f"the copy can't be made: {error}") from None


def look_at(file: Path, look: Callable[[Session], Found]) -> Found:
    """Opens a database file, and leaves it as one file again, without a log beside it."""
    store = Store(f"sqlite:///{file}", pool_size=1)
    try:
        with store.write() as session:
            return look(session)
    finally:
        store.close()
        with closing(sqlite3.connect(file)) as alone:
            alone.execute("PRAGMA journal_mode=DELETE")


def _of_postgresql(store: Store, copy: Path) -> Facts:
    """pg_dump looks through the same window as the counts."""
    with store.read() as session:
        one_view(session)
        snapshot = str(session.scalar(text("SELECT pg_export_snapshot()")))
        postgresql.dump(store.engine, snapshot, copy)
        return facts_of(session)
