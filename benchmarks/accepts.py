"""How many comments a second are accepted durably, beside a bare Flask hello on gunicorn with as many threads?

Real servers, real HTTP on the loopback device, SQLite with synchronous=FULL and PostgreSQL with its usual settings, the
doorbell on a real Valkey; no worker runs. Each comment that was accepted is counted again in the database at the end.
Alone: `python -m benchmarks.accepts`.
"""

import json
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from sqlalchemy import func, select

from benchmarks import servers
from benchmarks.client import Load, get, load, post
from benchmarks.queue_databases import postgresql
from benchmarks.texts import texts
from moderation.services import sites
from moderation.store import schema
from moderation.store.session import Store
from moderation.store.tables import Comment

HELLO = "hello"
BATCHES = (100, 500)
_warm_up_seconds = 0.5


@dataclass(frozen=True)
class Target:
    """One thing to load: where, with which requests, and how many comments an answer stands for."""

    name: str
    port: int
    request: Callable[[], bytes]
    expected: int
    comments: int
    database: str


def measure(folder: Path, rounds: int, seconds: float) -> dict[tuple[str, int], list[Load]]:
    """Rounds for each target, interleaved: (name, comments in a request) -> one Load a round."""
    results: dict[tuple[str, int], list[Load]] = {}
    with ExitStack() as stack:
        redis_url = stack.enter_context(servers.redis())
        port = free_port()
        stack.enter_context(servers.started("hello", port, dict(os.environ)))
        targets = [Target(HELLO, port, lambda: get("/hello"), 200, 0, "")]
        server = tempfile.mkdtemp(prefix="bench-pg-")
        for name, url in (
            ("SQLite", f"sqlite:///{folder / 'accepts.sqlite3'}"),
            ("PostgreSQL", stack.enter_context(postgresql(Path(server)))),
        ):
            targets += _targets(stack, name, url, redis_url)
        accepted = dict.fromkeys((target.database for target in targets if target.database), 0)
        for turn in range(rounds + 1):  # the first one warms up
            for target in targets if turn % 2 else reversed(targets):
                one = load(target.port, target.request, target.expected, seconds if turn else _warm_up_seconds)
                if target.database:
                    accepted[target.database] += one.answers * target.comments
                if turn:
                    results.setdefault((target.name, target.comments), []).append(one)
        for database, number in accepted.items():
            _check(database, number)
    return results


def _targets(stack: ExitStack, name: str, url: str, redis_url: str) -> Iterator[Target]:
    key = _new_site(url)
    env = {name: value for name, value in os.environ.items() if not name.startswith("MODERATION_")} | {
        "MODERATION_DATABASE_URL": url,
        "MODERATION_REDIS_URL": redis_url,
        "MODERATION_SECRET_KEY": "k" * 32,
    }
    bodies, port = _comments(name), free_port()
    stack.enter_context(servers.started("service", port, env))
    yield Target(name, port, lambda: post("/v1/comments", key, next(bodies)), 202, 1, url)

    def batch(size: int) -> Callable[[], bytes]:
        def request() -> bytes:
            items = b",".join(next(bodies) for _ in range(size))
            return post("/v1/comments/batch", key, b'{"comments":[' + items + b"]}")

        return request

    for size in BATCHES:
        yield Target(name, port, batch(size), 200, size, url)


def _new_site(url: str) -> str:
    store = Store(url, pool_size=1)
    schema.upgrade(store)
    with store.write() as session:
        _, key = sites.create_site(session, "bench")
    store.close()
    return key


def _comments(prefix: str) -> Iterator[bytes]:
    for n, text in zip(count(), texts(), strict=False):
        yield json.dumps({
            "external_id": f"{prefix}-{n}", "body": text,
            "author": {"name": f"Reader {n % 2000}", "email": f"reader{n % 2000}@example.org"},
            "article": {"url": f"https://news.example/{n % 50}", "title": "An article"},
        }).encode()  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _check(url: str, accepted: int) -> None:
    store = Store(url, pool_size=1)
    with store.read() as session:
        kept = session.scalar(select(func.count()).select_from(Comment))
    store.close()
    if kept != accepted:
        raise RuntimeError(f"{accepted} comments were accepted and {kept} are kept")


if __name__ == "__main__":
    from benchmarks.__main__ import print_accepts

    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        print_accepts(measure(Path(name), 5, 2.0))
