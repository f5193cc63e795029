"""How long does the review page take with a million comments, 100,000 of them open?

The real page through the real app (list, open item, numbers, named queues), signed in, on SQLite and on a PostgreSQL
server of its own. Every view is asked for in turn, round after round, so that a busy minute hits them all alike.
`python -m benchmarks.queue` makes the databases in ./var, which takes some ten minutes and 10 GB, and removes them;
with `--postgresql FOLDER` only PostgreSQL is measured, and its database stays in that folder for the next time.

Each page is asked for twice: as one that nobody has opened in the last two seconds (cold), and at once again.
"""

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean, median
from urllib.parse import urlencode

from flask.testing import FlaskClient

from benchmarks.command import parser, place
from benchmarks.queue_databases import EMAIL, PASSWORD, fill, postgresql
from benchmarks.queue_rows import Size
from moderation.app import create_app
from moderation.config import Settings
from moderation.services.known import Known
from moderation.store.session import Store

_DEEP = 40  # pages on the way to the deep one

VIEWS: dict[str, dict[str, str | list[str]]] = {
    "as it opens (risk)": {},
    "oldest": {"sort": "oldest"},
    "newest": {"sort": "newest"},
    "uncertain": {"sort": "uncertain"},
    "score of insult": {"sort": "attribute", "attribute": "INSULT"},
    "held for insult": {"attribute": "INSULT"},
    "rule, common": {"reason": "toxicity"},
    "rule, rare": {"reason": "house_words"},
    "article, busy": {"article": "https://news.example/0"},
    "two sections": {"section": ["World", "Sport"]},
    "section, rare": {"section": "Chess"},
    "author": {"author": "Reader 0"},
    "language, common": {"language": "uk"},
    "language, rare": {"language": "eo"},
    "reported": {"report": "any"},
    "assigned to me": {"assigned": "me"},
    "assigned to nobody": {"assigned": "nobody"},
    "escalated": {"status": "escalated"},
    "approved, newest": {"status": "approved", "sort": "newest"},
    "all, by risk": {"status": "any"},
    "all, newest": {"status": "any", "sort": "newest"},
    "search, rare word": {"q": "nr777777"},
    "search, common word": {"q": "the"},
    "search, two letters": {"q": "zq"},
    "search, nothing": {"q": "xylophonist"},
    "search, all comments": {"q": "nr77777", "status": "any"},
    "rule, section and word": {"reason": "insult", "section": "World", "q": "war"},
}
QUEUES = ("oldest", "held for insult", "two sections", "language, common", "rule, common")


@dataclass
class Times:
    """Milliseconds of each round: on the clock, and of the processor (this process and the server's)."""

    cold: list[tuple[float, float]] = field(default_factory=list)
    known: list[tuple[float, float]] = field(default_factory=list)


def measure(folder: Path, rounds: int, size: Size) -> Iterator[tuple[str, dict[str, Times]]]:
    """For each database its name, and the times by view."""
    file = folder / "queue.sqlite3"
    if not file.exists():
        fill(f"sqlite:///{file}", size)
    yield "SQLite", _pages(f"sqlite:///{file}", rounds)
    file.unlink()
    yield from measure_postgresql(folder, rounds, size)


def measure_postgresql(folder: Path, rounds: int, size: Size) -> Iterator[tuple[str, dict[str, Times]]]:
    """The same on PostgreSQL alone. Where this folder has a whole database of an earlier run, that one is taken."""
    whole = folder / "filled"
    with postgresql(folder / "postgresql") as url:
        if not whole.exists():
            fill(url, size)
            whole.touch()
        yield "PostgreSQL", _pages(url, rounds)


def _pages(url: str, rounds: int) -> dict[str, Times]:
    app = create_app(Settings(database_url=url, secret_key="k" * 32, redis_url="redis://127.0.0.1:1/0"))
    client = app.test_client()
    sign_in(client)
    _save_queues(client)
    addresses = {name: f"/review?{urlencode(view, doseq=True)}" for name, view in VIEWS.items()}
    for sort in ("risk", "oldest", "uncertain"):
        addresses[f"{sort}, page {_DEEP}"] = _deep(client, sort)
    addresses["score of insult, page 40"] = _deep(client, "attribute&attribute=INSULT")
    times: dict[str, Times] = {name: Times() for name in addresses}
    for turn in range(rounds + 2):  # the first two warm up
        for name, address in list(addresses.items())[:: -1 if turn % 2 else 1]:
            app.extensions["moderation"] = replace(app.extensions["moderation"], known=Known())
            cold, known = _page(client, address), _page(client, address)
            if turn > 1:
                times[name].cold.append(cold)
                times[name].known.append(known)
    store: Store = app.extensions["moderation"].store
    store.close()
    return times


def _page(client: FlaskClient, address: str) -> tuple[float, float]:
    """What a page takes: milliseconds on the clock, and of the processor."""
    began, cpu = time.perf_counter(), cpu_seconds()
    answer = client.get(address, headers={"Accept": "text/html"})
    took, worked = (time.perf_counter() - began) * 1000, (cpu_seconds() - cpu) * 1000
    if answer.status_code != 200:
        raise RuntimeError(f"{address}: {answer.status_code}")
    return took, worked


def cpu_seconds() -> float:
    """Seconds of the processor that this process and the backends of its PostgreSQL server have used."""
    backends = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if not (process / "cmdline").read_bytes().startswith(b"postgres: bench "):
                continue
            if _parent(Path("/proc", str(_parent(process)))) == os.getpid():
                backends += int((process / "schedstat").read_text().split()[0])
        except OSError:  # it ended meanwhile
            continue
    return time.process_time() + backends / 1e9


def _parent(process: Path) -> int:
    return int((process / "stat").read_text().rpartition(")")[2].split()[1])


def show(name: str, times: dict[str, Times]) -> None:
    """Prints a table."""
    print(f"| {name} | cold p50 / p95 ms | processor, mean ms | again p50 / p95 ms | processor, mean ms |")
    print("| --- | --- | --- | --- | --- |")
    for view, one in times.items():
        print(f"| {view} | {_cells(one.cold)} | {_cells(one.known)} |")
    cold = [page for one in times.values() for page in one.cold]
    print(f"| all | {_cells(cold)} | {_cells([page for one in times.values() for page in one.known])} |")


def _cells(pages: list[tuple[float, float]]) -> str:
    clock = [took for took, _ in pages]
    return f"{median(clock):.0f} / {_p95(clock):.0f} | {fmean(worked for _, worked in pages):.0f}"


def _p95(values: list[float]) -> float:
    return sorted(values)[max(0, -(-len(values) * 95 // 100) - 1)]


def main() -> None:
    """Measures and prints."""
    command = parser("queue", __doc__, rounds=20, comments=1_000_000)
    command.add_argument("--postgresql", type=Path, metavar="FOLDER", help="only PostgreSQL, kept in this folder")
    given = command.parse_args()
    size = Size(given.comments, given.comments // 10)
    if given.postgresql:
        given.postgresql.mkdir(parents=True, exist_ok=True)
        for database, times in measure_postgresql(given.postgresql.absolute(), given.rounds, size):
            show(database, times)
        return
    with place(given.folder) as folder:
        for database, times in measure(folder, given.rounds, size):
            show(database, times)
            print()


def sign_in(client: FlaskClient) -> None:
    """Signs in whom the databases were made with."""
    page = client.get("/login", headers={"Accept": "text/html"}).text
    form = {"csrf_token": _token(page), "email": EMAIL, "password": PASSWORD}
    if client.post("/login", data=form, headers={"Accept": "text/html"}).status_code != 303:
        raise RuntimeError("nobody could sign in")


def _save_queues(client: FlaskClient) -> None:
    token = _token(client.get("/review", headers={"Accept": "text/html"}).text)
    for name in QUEUES:
        address = f"/review/queues?{urlencode(VIEWS[name], doseq=True)}"
        client.post(address, data={"csrf_token": token, "name": name}, headers={"Accept": "text/html"})


def _deep(client: FlaskClient, sort: str) -> str:
    """The address of a page far behind the first."""
    address, after = f"/v1/review/items?limit=30&sort={sort}", ""
    for _ in range(_DEEP):
        after = client.get(f"{address}&after={after}" if after else address).get_json()["next"]
    return f"/review?sort={sort}&after={after}"


def _token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    if found is None:
        raise RuntimeError("a page without a form")
    return found[1]


if __name__ == "__main__":
    main()
