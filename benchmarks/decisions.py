"""How many comments a second are decided, beside the scorer alone on the same texts?

Decided is the worker's own drain on SQLite with synchronous=FULL: lease, score, facts, policy, write, publish.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

from sqlalchemy import case, func, select

from benchmarks.texts import texts
from moderation.config import Settings
from moderation.services import intake, sites
from moderation.services.intake import NewComment
from moderation.services.leases import BATCH
from moderation.store import schema
from moderation.store.session import now_ms
from moderation.store.tables import Comment
from workers import runtime

_SUBMIT = 500


@dataclass(frozen=True)
class Round:
    """Comments per second, twice: decided, and scored only. `held` is the share of all comments so far."""

    decided: float
    scored: float
    held: float


def measure(folder: Path, rounds: int, comments: int) -> list[Round]:
    """One Round after the other, each on fresh comments in a store that keeps filling."""
    url = f"sqlite:///{folder / 'decisions.sqlite3'}"
    work = runtime.make(Settings(database_url=url, redis_url="redis://127.0.0.1:1/0"))
    schema.upgrade(work.store)
    with work.store.write() as session:
        site, _ = sites.create_site(session, "bench")
    source, results = _comments(0, texts()), []
    for turn in range(rounds + 1):  # the first one warms up
        fresh = list(islice(source, comments if turn else BATCH))
        for start in range(0, len(fresh), _SUBMIT):
            with work.store.write() as session:
                intake.submit(session, site.id, fresh[start : start + _SUBMIT], now_ms())
        bodies = [comment.body for comment in fresh]
        if turn % 2:
            decided, scored = _drain(work, len(fresh)), _score(work, bodies)
        else:
            scored, decided = _score(work, bodies), _drain(work, len(fresh))
        if turn:
            results.append(Round(decided, scored, _held(work)))
    work.store.close()
    return results


def _drain(work: runtime.Runtime, expected: int) -> float:
    began = time.perf_counter()
    decided = work.drain(until=lambda: False)
    took = time.perf_counter() - began
    if decided != expected:
        raise RuntimeError(f"{decided} of {expected} comments were decided")
    return decided / took


def _score(work: runtime.Runtime, bodies: list[str]) -> float:
    began = time.perf_counter()
    for start in range(0, len(bodies), BATCH):
        work.classifier.score(bodies[start : start + BATCH])
    return len(bodies) / (time.perf_counter() - began)


def _held(work: runtime.Runtime) -> float:
    with work.store.read() as session:
        return session.scalar(select(func.avg(case((Comment.status == "held", 1.0), else_=0.0)))) or 0.0


def comments_from(start: int, many: int) -> list[NewComment]:
    """So many comments, none of them twice however often this is asked with a later `start`."""
    return list(_comments(start, islice(texts(), many)))


def _comments(start: int, bodies: Iterable[str]) -> Iterator[NewComment]:
    for n, text in zip(count(start), bodies, strict=False):
        yield NewComment(
            external_id=f"bench-{n}", body=text, format="plain", author_name=f"Reader {n % 2000}",
            author_email=f"reader{n % 2000}@example.org", author_url=None, author_id=None,
            article_url=f"https://news.example/{n % 50}", article_title="An article",
        )  # fmt: skip


if __name__ == "__main__":
    from benchmarks.decisions_table import main

    main()
