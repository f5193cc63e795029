"""How long does the review page take with a million comments, 100,000 of them open?

The real page through the real app (list, open item, numbers, named queues), signed in, on SQLite and on a PostgreSQL
server of its own. Every view is asked for in turn, round after round, so that a busy minute hits them all alike.
`python -m benchmarks.queue` makes the databases in ./var, which takes some ten minutes and 10 GB, and removes them.
"""

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median
from urllib.parse import urlencode

from flask.testing import FlaskClient

from benchmarks.command import options, place
from benchmarks.queue_databases import EMAIL, PASSWORD, fill, postgresql
from benchmarks.queue_rows import Size
from moderation.app import create_app
from moderation.config import Settings
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

    clock: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def measure(folder: Path, rounds: int, size: Size) -> Iterator[tuple[str, dict[str, Times]]]:
    """For each database its name, and the times by view."""
    file = folder / "queue.sqlite3"
    if not file.exists():
        fill(f"sqlite:///{file}", size)
    yield "SQLite", _pages(f"sqlite:///{file}", rounds)
    file.unlink()
    with postgresql(folder / "postgresql") as url:
        fill(url, size)
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
            began, cpu = time.perf_counter(), cpu_seconds()
            answer = client.get(address, headers={"Accept": "text/html"})
            took, worked = (time.perf_counter() - began) * 1000, (cpu_seconds() - cpu) * 1000
            if answer.status_code != 200:
                raise RuntimeError(f"{address}: {answer.status_code}")
            if turn > 1:
                times[name].clock.append(took)
                times[name].cpu.append(worked)
    store: Store = app.extensions["moderation"].store
    store.close()
    return times


def cpu_seconds() -> float:
    """Seconds of the processor that this process and the backends of our server have used; theirs in steps of 10 ms."""
    backends = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cmdline").read_bytes().startswith(b"postgres: bench "):
                parts = (process / "stat").read_text().rpartition(")")[2].split()
                backends += int(parts[11]) + int(parts[12])
        except OSError:  # it ended meanwhile
            continue
    return time.process_time() + backends / os.sysconf("SC_CLK_TCK")


def show(name: str, times: dict[str, Times]) -> None:
    """Prints a table."""
    print(f"| {name} | p50 ms | p95 ms | processor, mean ms |")
    print("| --- | --- | --- | --- |")
    for view, one in times.items():
        print(f"| {view} | {median(one.clock):.0f} | {_p95(one.clock):.0f} | {fmean(one.cpu):.0f} |")
    every = [value for one in times.values() for value in one.clock]
    print(
        f"| all | {median(every):.0f} | {_p95(every):.0f} | {fmean(v for one in times.values() for v in one.cpu):.0f} |"
    )


def _p95(values: list[float]) -> float:
    return sorted(values)[max(0, -(-len(values) * 95 // 100) - 1)]


def main() -> None:
    """Measures and prints."""
    given = options("queue", __doc__, rounds=20, comments=1_000_000)
    with place(given.folder) as folder:
        for database, times in measure(folder, given.rounds, Size(given.comments, given.comments // 10)):
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
        after = client.get(f"{address}&after={after}" if after else address).json["next"]  # type: ignore[index]
    return f"/review?sort={sort}&after={after}"


def _token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    if found is None:
        raise RuntimeError("a page without a form")
    return found[1]


if __name__ == "__main__":
    main()
