"""Does what a comment costs depend on how many are stored?

Two databases on one PostgreSQL server of its own, a small one and a large one; accepts, decisions and the queue's page
on both in turn. `python -m benchmarks.flat --comments 1000000` makes them in ./var and removes them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from flask.testing import FlaskClient
from sqlalchemy import text

from benchmarks.command import options, place
from benchmarks.decisions import comments_from
from benchmarks.flat_rows import fill
from benchmarks.queue import cpu_seconds, sign_in
from benchmarks.queue_databases import postgresql
from moderation.app import create_app
from moderation.config import Settings
from moderation.services import intake
from moderation.services.leases import BATCH
from moderation.store.session import Store, now_ms
from workers import runtime

SMALL = 10_000
_SINGLES = 20


@dataclass
class Side:
    """One database, with all that is measured on it."""

    site: str
    work: runtime.Runtime
    client: FlaskClient
    made: int = 0

    def singles(self) -> None:
        """Takes comments in, each in a transaction of its own."""
        for _ in range(_SINGLES):
            self._submit(1)

    def hundred(self) -> None:
        """Takes a batch in."""
        self._submit(100)

    def top_up(self) -> None:
        """Makes the next drain one full batch."""
        self.work.drain(until=lambda: False)
        self._submit(BATCH)

    def drain(self) -> None:
        """Decides one batch."""
        if self.work.drain(until=lambda: False) != BATCH:
            raise RuntimeError("not one batch was decided")

    def page(self) -> None:
        """Asks for the queue as it opens."""
        if self.client.get("/review", headers={"Accept": "text/html"}).status_code != 200:
            raise RuntimeError("no page")

    def written(self) -> int:
        """Bytes that the server wrote to its log so far."""
        with self.work.store.read() as session:
            return int(session.scalar(text("SELECT pg_current_wal_insert_lsn() - '0/0'")) or 0)

    def _submit(self, many: int) -> None:
        fresh = comments_from(self.made, many)
        self.made += many
        with self.work.store.write() as session:
            intake.submit(session, self.site, fresh, now_ms())


# Name -> (what is done before, what is measured, how many of it).
STEPS: dict[str, tuple[Callable[[Side], None] | None, Callable[[Side], None], int]] = {
    "accept, one by one": (None, Side.singles, _SINGLES),
    "accept, batch of 100": (None, Side.hundred, 100),
    f"decide, batch of {BATCH}": (Side.top_up, Side.drain, BATCH),
    "queue page": (None, Side.page, 1),
}

Times = dict[str, list[tuple[float, float, float]]]


def measure(small: Side, large: Side, rounds: int) -> tuple[Times, Times]:
    """Of each database and step, (clock ms, processor ms, bytes of log) of one comment or page, by round."""
    results: tuple[Times, Times] = ({name: [] for name in STEPS}, {name: [] for name in STEPS})
    for turn in range(rounds + 1):  # the first one warms up
        for name, (before, step, many) in STEPS.items():
            pairs = [(small, results[0]), (large, results[1])]
            for side, times in pairs[:: -1 if turn % 2 else 1]:
                if before:
                    before(side)
                log = side.written()
                began, cpu = time.perf_counter(), cpu_seconds()
                step(side)
                took = (time.perf_counter() - began) * 1000 / many, (cpu_seconds() - cpu) * 1000 / many
                if turn:
                    times[name].append((*took, (side.written() - log) / many))
    return results


def _side(url: str, site: str) -> Side:
    settings = Settings(database_url=url, secret_key="k" * 32, redis_url="redis://127.0.0.1:1/0", scorer="linear")
    client = create_app(settings).test_client()
    sign_in(client)
    return Side(site, runtime.make(settings), client)


def main() -> None:
    """Measures and prints."""
    given = options("flat", __doc__, rounds=15, comments=1_000_000)
    with place(given.folder) as folder, postgresql(folder / "postgresql") as url:
        sides = []
        for many, database in ((SMALL, "small"), (given.comments, "large")):
            _create(url, database)
            address, began = url.replace("/postgres?", f"/{database}?"), time.monotonic()
            site = fill(address, many)
            print(f"{many:,} comments filled in {time.monotonic() - began:.0f} s, {_size(address, many)}", flush=True)
            sides.append(_side(address, site))
        _show(measure(sides[0], sides[1], given.rounds), given.comments)


def _create(url: str, database: str) -> None:
    store = Store(url, pool_size=1)
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {database}"))
    store.close()


def _size(url: str, comments: int) -> str:
    store = Store(url, pool_size=1)
    with store.read() as session:
        size = session.scalar(text("SELECT pg_database_size(current_database())"))
    store.close()
    return f"{size / comments:,.0f} bytes a comment"


def _show(results: tuple[Times, Times], comments: int) -> None:
    print(f"\n| median ms | {SMALL:,}: clock / processor | {comments:,}: clock / processor | x | log, bytes |")
    print("| --- | --- | --- | --- | --- |")
    for name in STEPS:
        cells = [[median(one[i] for one in times[name]) for i in (0, 1)] for times in results]
        ratios = " / ".join(f"{large / small:.2f}" if small else "-" for small, large in zip(*cells, strict=True))
        log = " / ".join(f"{median(one[2] for one in times[name]):,.0f}" for times in results)
        both = " | ".join(f"{clock:.2f} / {cpu:.2f}" for clock, cpu in cells)
        print(f"| {name} | {both} | {ratios} | {log} |")


if __name__ == "__main__":
    main()
