"""A service from a backup: checked, brought to our version, erasures applied, put in place as a whole or not at all."""

import os
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Select, delete, func, inspect, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from moderation.errors import SetupError
from moderation.services.audit import record_audit
from moderation.services.backup import postgresql
from moderation.services.backup.archive import Manifest, unpack
from moderation.services.backup.make import fingerprint
from moderation.services.health import FRESH_MS
from moderation.store import schema
from moderation.store.people import SignIn
from moderation.store.privacy import Erasure
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment, Feed, Site, WorkerState

# Readers of the feed may have come further than the backup: new events get places beyond any they can have seen.
_LEAP = 1_000_000_000

Erase = Callable[[Session, Sequence[Erasure]], object]


@dataclass(frozen=True)
class Restored:
    """What was put in place: the manifest, the archive's secrets by name, how many erasures were applied, and whether
    the secret key of now is the one of then."""

    manifest: Manifest
    secrets: dict[str, bytes]
    erasures: int
    same_key: bool


def restore(store: Store, path: Path, key: str, erase: Erase, *, erasures: Sequence[Erasure] = (),
            force: bool = False) -> Restored:  # fmt: skip
    """Makes the archive the content of this database. Raises SetupError before anything is changed, or changes nothing.

    Erasures that the database knows, and those handed in, are applied to what comes out of the archive.
    """
    kept = _look_at_target(store, force) + list(erasures)
    place = Path(store.engine.url.database or "").absolute().parent if store.sqlite else Path(tempfile.gettempdir())
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=place) as folder:
        copy = Path(folder) / "database"
        manifest, secrets = unpack(path, copy)
        kind = "sqlite" if store.sqlite else "postgresql"
        if manifest.kind != kind:
            raise SetupError(f"this is a backup of {manifest.kind}; MODERATION_DATABASE_URL names {kind}")
        finish = partial(_finish, manifest=manifest, kept=kept, erase=erase)
        done = _sqlite(store, copy, finish) if store.sqlite else _postgresql(store, copy, finish)
    return Restored(manifest, secrets, done, manifest.key in ("", fingerprint(key)))


def _look_at_target(store: Store, force: bool) -> list[Erasure]:
    """The erasures that the target knows. Raises SetupError when it is in use, or not empty without `force`."""
    if store.sqlite and not Path(store.engine.url.database or "").exists():
        return []
    try:
        with store.read() as session:
            tables = set(inspect(session.connection()).get_table_names())
            if not tables:
                return []
            if "workers" in tables and session.scalar(_alive()):
                raise SetupError("a worker runs on this database; stop web and workers first")
            if not force and "sites" in tables and session.scalar(select(func.count()).select_from(Site)):
                raise SetupError("the database is not empty; --force replaces what is in it")
            return list(session.scalars(select(Erasure))) if "erasures" in tables else []
    except SQLAlchemyError as error:
        if not force or not store.sqlite:
            raise SetupError(f"the database can't be looked at ({type(error).__name__})") from None
        return []  # a damaged file is what backups are for
    finally:
        store.close()


def _alive() -> Select[int]:
    return select(func.count()).select_from(WorkerState).where(WorkerState.seen_at > now_ms() - FRESH_MS)


def _sqlite(store: Store, copy: Path, finish: Callable[[Store], int]) -> int:
    """All is done on the copy, which then takes the place of the file."""
    target = Path(store.engine.url.database or "").absolute()
    ready = Store(f"sqlite:///{copy}", pool_size=1)
    try:
        done = finish(ready)
    finally:
        ready.close()
    with closing(sqlite3.connect(copy)) as alone:
        alone.execute("PRAGMA journal_mode=DELETE")
    copy.chmod(0o600)
    with open(copy, "rb") as file:
        os.fsync(file.fileno())
    for rest in ("-wal", "-shm"):  # they belong to the file that goes
        target.with_name(target.name + rest).unlink(missing_ok=True)
    copy.replace(target)
    return done


def _postgresql(store: Store, copy: Path, finish: Callable[[Store], int]) -> int:
    with postgresql.put_aside(store.engine):
        postgresql.load(store.engine, copy)
        return finish(store)


def _finish(ready: Store, manifest: Manifest, kept: Sequence[Erasure], erase: Erase) -> int:
    schema.upgrade(ready)  # raises for a backup of a newer version
    with ready.write() as session:
        known = set(session.scalars(select(Erasure.id)))
        sites = set(session.scalars(select(Site.id)))
        new = {one.id: one for one in kept if one.id not in known and one.site_id in sites}
        session.add_all(_copy_of(one) for one in new.values())
        session.flush()
        if new:
            erase(session, list(new.values()))
        _begin_anew(session)
        record_audit(session, "backup.restored", data={"made_at": manifest.made_at, "chain": manifest.chain[:20]})
    return len(new)


def _copy_of(one: Erasure) -> Erasure:
    return Erasure(
        id=one.id, site_id=one.site_id, author_hash=one.author_hash, erased_at=one.erased_at, actor=one.actor
    )


def _begin_anew(session: Session) -> None:
    """What held at the moment of the backup and holds no more: sessions, leases, signs of life, places in the feed."""
    session.execute(delete(SignIn))
    session.execute(delete(WorkerState))
    session.execute(
        update(Comment).where(Comment.lease_owner.is_not(None)).values(lease_owner=None, lease_until=None)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    session.execute(update(Feed).values(last_position=Feed.last_position + _LEAP))
