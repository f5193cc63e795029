"""What is kept of an author with very many comments, shown and erased? `python -m benchmarks.erasure`

Comments and decisions, half of them by one author: a thousand came in and were decided, the others are copies of their
rows. SQLite with synchronous=FULL, then a PostgreSQL server with its usual settings. The export is written to a file;
then the author is erased by a process of its own, which is killed on the way (kill -9), and the sweep goes on. Others'
comments are accepted meanwhile, one after another: the longest of these says how long the writer was held at most.
"""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from benchmarks.command import options, place
from benchmarks.decisions import comments_from
from benchmarks.queue_databases import postgresql
from moderation.config import Settings
from moderation.services import erasure, intake, personal_data, sites
from moderation.store import schema
from moderation.store.audit import AuditEvent
from moderation.store.privacy import Erasing
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment, Decision, Event, HoldReason
from moderation.store.workspace import HeldScore
from workers import runtime

_EMAIL = "prolific@example.org"
_SECRET = "k" * 32  # of a database that is gone at the end
_REAL = 1000
# In a copy, another id in place of the version and what follows it; places in the feed and names are the copy's own.
_OTHER_ID = "substr({name}, 1, 12) || :copy || substr({name}, 17)"
_IDS = ("id", "comment_id", "decision_id", "subject_id", "replaces")
_CHANGED = {name: _OTHER_ID.format(name=name) for name in _IDS}
_CHANGED |= {"external_id": "external_id || :copy", "position": "position + :number"}
_PAUSE = 0.02
_MIB = 1024 * 1024


def fill(url: str, comments: int) -> str:
    """So many comments of the author, and as many of others, all decided; returns the id of their site."""
    work = runtime.make(Settings(database_url=url, redis_url="redis://127.0.0.1:1/0", scorer="linear"))
    schema.upgrade(work.store)
    with work.store.write() as session:
        site, _ = sites.create_site(session, "bench")
        site_id = site.id
        fresh = comments_from(0, _REAL)
        theirs = [replace(one, author_email=_EMAIL, author_id=None) if n % 2 else one for n, one in enumerate(fresh)]
        intake.submit(session, site_id, theirs, now_ms())
    work.drain(until=lambda: False)
    for copy in range(1, max(1, 2 * comments // _REAL)):
        with work.store.write() as session:
            _copy(session, copy)
    if not work.store.sqlite:
        with work.store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as autocommit:
            autocommit.execute(text("VACUUM ANALYZE"))  # what autovacuum does by itself on a server that lives longer
    work.store.close()
    return site_id


def _copy(session: Session, copy: int) -> None:
    """All that came in and was decided once more, under other ids."""
    of_comments = "subject_id IN (SELECT id FROM comments)"
    for table in (Comment, Decision, HoldReason, HeldScore, Event, AuditEvent):
        names = [column.name for column in table.__table__.columns]
        values = ", ".join(_CHANGED.get(name, name) for name in names)
        first = of_comments if table is AuditEvent else "comment_id IS NOT NULL" if table is not Comment else "TRUE"
        own = "subject_id" if table is AuditEvent else "id" if table is Comment else "comment_id"
        session.execute(
            text(
                f"INSERT INTO {table.__tablename__} ({', '.join(names)}) SELECT {values} FROM {table.__tablename__}"
                f" WHERE {first} AND substr({own}, 13, 1) = '7'"  # what is no copy itself
            ),
            {"copy": f"c{copy:03x}", "number": copy * 10_000_000},
        )


def memory(pid: int) -> float:
    """Resident memory of a process in MiB; 0 when it is gone."""
    try:
        pages = int((Path("/proc") / str(pid) / "statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / _MIB


@contextmanager
def regularly(look: Callable[[], None], pause: float) -> Iterator[None]:
    """Does this again and again in a thread beside what is measured; a failure there is one here."""
    over, failures = threading.Event(), list[BaseException]()

    def run() -> None:
        try:
            while not over.wait(pause):
                look()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if failures:
        raise failures[0]


def export(url: str, site_id: str, out: Path) -> None:
    """What `moderation privacy export` does."""
    store = Store(url, pool_size=2)
    with store.read() as session, open(out, "w", encoding="utf-8") as file:
        author = erasure.find_author(session, site_id, email=_EMAIL)
        for piece in personal_data.document(session, author, [_SECRET], now_ms()):
            file.write(piece)


def erase(url: str, site_id: str) -> None:
    """What `moderation privacy erase` does."""
    store = Store(url, pool_size=2)
    with store.read() as session:
        author = erasure.find_author(session, site_id, email=_EMAIL)
    erasure.erase(store, [_SECRET], author)


def sweep(url: str, _site_id: str) -> None:
    """What the worker's sweep does of it."""
    store = Store(url, pool_size=2)
    while erasure.resume(store, [_SECRET]):
        pass


def run(what: Callable[..., None], *given: object, until: Callable[[], bool] = lambda: False) -> tuple[float, str]:
    """Does this in a process of its own, killed once `until` holds; seconds, and how its memory went."""
    process = multiprocessing.get_context("spawn").Process(target=what, args=given)
    began, seen = time.monotonic(), list[float]()
    process.start()
    while process.is_alive():
        seen.append(memory(process.pid or 0))
        if until():
            process.kill()
        process.join(0.1)
    if process.exitcode not in (0, -9):
        raise RuntimeError(f"{what.__name__} ended with {process.exitcode}")
    known = [one for one in seen if one]
    tenth = known[len(known) // 10 :]
    return time.monotonic() - began, f"{tenth[0]:.0f} after a tenth, {max(known):.0f} at most"


class Others:
    """Comments of others, accepted one after another while something else goes on."""

    def __init__(self, store: Store, site_id: str) -> None:
        self._store, self._site_id = store, site_id
        self._fresh = iter(comments_from(100_000_000, 100_000))
        self.took: list[float] = []

    def accept(self) -> None:
        """One more; how long it took is kept, in seconds."""
        began = time.monotonic()
        with self._store.write() as session:
            intake.submit(session, self._site_id, [next(self._fresh)], now_ms())
        self.took.append(time.monotonic() - began)

    def told(self) -> str:
        """Median, 99th percentile and longest, in milliseconds."""
        cuts = quantiles(self.took, n=100)
        return f"{median(self.took) * 1000:.0f} / {cuts[98] * 1000:.0f} / {max(self.took) * 1000:.0f}"


def left(store: Store) -> int:
    """Comments that still hold the author's address."""
    with store.read() as session:
        return session.scalar(select(func.count()).where(Comment.author_email == _EMAIL)) or 0


def measure(url: str, out: Path, comments: int) -> None:
    """Prints the table; the export goes to `out`."""
    site_id = fill(url, comments)
    store = Store(url, pool_size=4)
    print(f"\n{store.engine.dialect.name}, load {os.getloadavg()[0]:.0f}\n")
    took, grew = run(export, url, site_id, out)
    print("| | seconds | memory, MiB | others' accepts meanwhile: p50 / p99 / longest ms |\n| --- | --- | --- | --- |")
    print(f"| export, {out.stat().st_size / _MIB:.0f} MiB | {took:.1f} | {grew} | - |", flush=True)
    alone = Others(store, site_id)
    for _ in range(200):
        alone.accept()
    print(f"| nothing else | - | - | {alone.told()} |")
    for name, what, until in (
        ("erasure, killed once a third is done", erase, lambda: left(store) < comments * 2 // 3),
        ("the sweep goes on to the end", sweep, lambda: False),
    ):
        others = Others(store, site_id)
        others._fresh = iter(comments_from(200_000_000 + len(name) * 1_000_000, 100_000))
        with regularly(others.accept, _PAUSE):
            took, grew = run(what, url, site_id, until=until)
        print(f"| {name}; left: {left(store):,} | {took:.1f} | {grew} | {others.told()} |", flush=True)
    with store.read() as session:
        waiting = session.scalar(select(func.count()).select_from(Erasing))
    if left(store) or waiting:
        raise RuntimeError("the author is not erased")
    store.close()


def main() -> None:
    """Fills, measures, prints."""
    chosen = options("erasure", __doc__, rounds=1, comments=100_000)
    print(f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {chosen.comments:,} comments of one author")
    with place(chosen.folder) as folder:
        measure(f"sqlite:///{folder / 'erasure.sqlite3'}", folder / "export.json", chosen.comments)
        with postgresql(folder / "postgresql") as url:
            measure(url, folder / "export.json", chosen.comments)


if __name__ == "__main__":
    main()
