"""This machine and what stands beside the database: files, disk, Redis, clocks, the classifier."""

import os
import shutil
import time
from pathlib import Path
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from moderation.queueing import connect
from moderation.scoring import Classifier
from moderation.services.doctor.found import Context, Finding, ok, warning, wrong
from moderation.store.session import now_ms
from moderation.store.tables import WorkerState

_SAMPLE = "Thank you for this careful summary of the briefing."
_SLOW_SECONDS = 1.0
_LITTLE, _NOTHING = 2 * 1024**3, 256 * 1024**2
_DRIFT_MS = 2_000
_REDIS_SECONDS = 3.0


def files(context: Context) -> Finding:
    """Who else on this machine may read database and secrets."""
    open_to_others = [path.name for path in _private(context) if path.exists() and path.stat().st_mode & 0o077]
    if open_to_others:
        names = ", ".join(sorted(open_to_others))
        return warning(f"others on this machine may read: {names}", f"chmod 600 {names} (and 700 on the folder)")
    return ok("only the owner reads them")


def _private(context: Context) -> list[Path]:
    """Files that count by themselves; a folder closed to others protects all that is in it."""
    found = [context.sqlite_file] if context.sqlite_file else []
    if context.folder:
        found += [context.folder / "secret_key", context.folder / "credentials.json"]
    return [path for path in found if path.parent.exists() and path.parent.stat().st_mode & 0o007]


def disk(context: Context) -> Finding:
    """Room where the data grows, and where SQLite and the system put what they need for a while."""
    places = {context.sqlite_file.parent} if context.sqlite_file else set()
    places |= {context.folder} if context.folder else set()
    places = places or {Path("/tmp")}  # nosec B108 # noqa: S108 (only its room is asked for)
    free = [(shutil.disk_usage(place).free, place) for place in places if place.exists()]
    if not free:
        return wrong("the data folder is not there", "name it with --data, or make it")
    least, place = min(free)
    if not os.access(place, os.W_OK):
        return wrong("the data folder can't be written", "give it to the user who runs the service")
    says = f"{least / 1024**3:.1f} GB free"
    if least < _NOTHING:
        return wrong(says, "make room now: comments are refused when it is full")
    return warning(says, "make room, or shorten what is kept") if least < _LITTLE else ok(says)


def redis(context: Context) -> Finding:
    """Reachable, keeps what it is told, and throws no rings away."""
    client = connect(context.settings.redis_url, time_limit=_REDIS_SECONDS)
    try:
        about: dict[str, Any] = client.info()
    except (RedisError, OSError) as error:
        todo = "start it, or set MODERATION_REDIS_URL; until then comments wait up to a sweep for their decision"
        return wrong(f"does not answer ({type(error).__name__})", todo)
    version = f"version {about.get('valkey_version') or about.get('redis_version')}"
    policy = about.get("maxmemory_policy")
    if policy not in ("noeviction", None) and about.get("maxmemory"):
        return warning(f"{version}, throws keys away when it is full ({policy})", "set maxmemory-policy noeviction")
    if about.get("aof_last_write_status", "ok") != "ok" or about.get("rdb_last_bgsave_status", "ok") != "ok":
        return wrong(f"{version}, can't write to its disk", "look at its log and at its disk")
    if not about.get("aof_enabled"):
        return ok(f"{version}; rings are not on disk, which costs a sweep's delay after a crash and no data")
    return ok(f"{version}, writes to disk, keeps all")


def clock(context: Context) -> Finding:
    """Leases, tokens and signatures compare times of several machines."""
    apart = {"Redis": _off_redis(context), "the database": _off_database(context), "a worker": _worker_ahead(context)}
    known = {name: ms for name, ms in apart.items() if ms is not None}
    if not known:
        return ok("only this machine's clock counts")
    name, most = max(known.items(), key=lambda pair: abs(pair[1]))
    says = f"{abs(most) / 1000:.1f} s apart from {name}"
    if abs(most) >= context.settings.lease_seconds * 1000 / 2:
        return wrong(says, "let both machines set their clocks by NTP: leases end too early or too late")
    return warning(says, "let both machines set their clocks by NTP") if abs(most) >= _DRIFT_MS else ok(says)


def _off_redis(context: Context) -> int | None:
    try:
        seconds, micros = connect(context.settings.redis_url, time_limit=_REDIS_SECONDS).time()
    except (RedisError, OSError):
        return None
    return int(seconds) * 1000 + int(micros) // 1000 - now_ms()


def _off_database(context: Context) -> int | None:
    if context.store.sqlite:
        return None
    with context.store.read() as session:
        theirs = session.scalar(text("SELECT extract(epoch FROM clock_timestamp()) * 1000"))
    return int(theirs or 0) - now_ms()


def _worker_ahead(context: Context) -> int | None:
    """A worker that is behind can't be told from one that is gone; doctor on its own machine tells."""
    try:
        with context.store.read() as session:
            ahead = (session.scalar(select(func.max(WorkerState.seen_at))) or 0) - now_ms()
    except SQLAlchemyError:  # no such table yet
        return None
    return ahead if ahead >= _DRIFT_MS else None


def scorer(context: Context) -> Finding:
    """Its files are whole, and it scores."""
    loaded = Classifier.load(context.settings.scorer, context.settings.artefacts)
    if loaded.error:
        return wrong(
            f"{loaded.name}: {loaded.error}", "put the files of this version back; comments are held meanwhile"
        )
    loaded.score([_SAMPLE])
    began = time.perf_counter()
    loaded.score([_SAMPLE])
    took = time.perf_counter() - began
    says = f"{loaded.name}, {took * 1000:.1f} ms for a comment"
    return warning(says, "the machine is very slow or very busy") if took > _SLOW_SECONDS else ok(says)
