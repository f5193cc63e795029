"""How many comments a second are accepted durably, beside a bare Flask hello on the same server?

Real servers, real HTTP on the loopback device, SQLite with synchronous=FULL, the doorbell on a real Valkey;
no worker runs. Each comment that was answered 202 is counted again in the database at the end.
"""

import json
import os
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from benchmarks import servers
from benchmarks.client import Load, get, load, post
from benchmarks.texts import texts
from moderation.services import sites
from moderation.store import schema
from moderation.store.session import Store

BATCH = 100
_warm_up_seconds = 0.5


@dataclass(frozen=True)
class Target:
    """One thing to load: where, with which requests, and how many comments an answer stands for."""

    name: str
    port: int
    request: Callable[[], bytes]
    expected: int
    comments: int
    database: Path | None


def measure(folder: Path, rounds: int, seconds: float) -> dict[str, list[Load]]:
    """Rounds for each target, interleaved: name -> one Load a round."""
    results: dict[str, list[Load]] = {}
    with ExitStack() as stack:
        redis_url = stack.enter_context(servers.redis())
        targets = [
            target
            for server in ("gunicorn", *(["granian"] if servers.HAS_GRANIAN else []))
            for target in _targets(stack, server, folder, redis_url)
        ]
        accepted = dict.fromkeys((target.database for target in targets if target.database), 0)
        for turn in range(rounds + 1):  # the first one warms up
            for target in targets if turn % 2 else reversed(targets):
                one = load(target.port, target.request, target.expected, seconds if turn else _warm_up_seconds)
                if target.database:
                    accepted[target.database] += one.answers * target.comments
                if turn:
                    results.setdefault(target.name, []).append(one)
    for database, number in accepted.items():
        _check(database, number)
    return results


def _targets(stack: ExitStack, server: str, folder: Path, redis_url: str) -> Iterator[Target]:
    database = folder / f"{server}.sqlite3"
    url = f"sqlite:///{database}"
    key = _new_site(url)
    env = {name: value for name, value in os.environ.items() if not name.startswith("MODERATION_")} | {
        "MODERATION_DATABASE_URL": url,
        "MODERATION_REDIS_URL": redis_url,
        "MODERATION_SECRET_KEY": "k" * 32,
    }
    bodies = _comments(server)
    hello, service = free_port(), free_port()
    stack.enter_context(servers.started(server, "hello", hello, env))
    stack.enter_context(servers.started(server, "service", service, env))

    def single() -> bytes:
        return post("/v1/comments", key, next(bodies))

    def batch() -> bytes:
        items = b",".join(next(bodies) for _ in range(BATCH))
        return post("/v1/comments/batch", key, b'{"comments":[' + items + b"]}")

    yield Target(f"{server} hello", hello, lambda: get("/hello"), 200, 0, None)
    yield Target(f"{server} one comment", service, single, 202, 1, database)
    yield Target(f"{server} batch of {BATCH}", service, batch, 200, BATCH, database)


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


def _check(database: Path, accepted: int) -> None:
    connection = sqlite3.connect(database)
    kept = connection.execute("SELECT count(*) FROM comments").fetchone()[0]
    connection.close()
    if kept != accepted:
        raise RuntimeError(f"{accepted} comments were accepted and {kept} are kept")
