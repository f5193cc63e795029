"""Several worker processes on one backlog, on both databases: all share in it, and nothing is decided twice."""

import multiprocessing
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

import pytest
from redis import Redis
from sqlalchemy import func, select

from moderation.config import Settings
from moderation.domain.lifecycle import Status
from moderation.queueing import COMMENTS, queue
from moderation.services import intake, leases
from moderation.services.intake import NewComment
from moderation.store.audit import AuditEvent
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment, Decision, Event
from workers import jobs, runtime

WORKERS = 3
BACKLOG = 5 * leases.BATCH + 17
PATIENCE = 120


def work(settings: Settings, gate: Barrier, results: "Queue[tuple[int, str]]") -> None:
    """One worker process: drains all, and waits in its first full batch until all the others have one too."""
    made = runtime.make(settings)
    waited: list[int] = []

    def together() -> None:
        if not waited:
            waited.append(gate.wait(PATIENCE))

    try:
        results.put((made.drain(until=lambda: False, more=together), ""))
    except Exception as error:
        results.put((0, repr(error)))


def submit(store: Store, site: tuple[str, str], many: int) -> None:
    """Takes comments of a few authors in."""
    comments = [
        NewComment(f"c{n}", f"Fine number {n}.", "plain", f"Ann {n % 7}", f"ann{n % 7}@example.org", None, None,
                   f"https://news.example/{n % 5}")
        for n in range(many)
    ]  # fmt: skip
    with store.write() as session:
        intake.submit(session, site[0], comments, now_ms())


def test_three_processes_share_a_backlog_and_decide_each_comment_once(
    store: Store, site: tuple[str, str], settings: Settings
) -> None:
    submit(store, site, BACKLOG)
    context = multiprocessing.get_context("spawn")
    gate, results = context.Barrier(WORKERS), context.Queue()
    mine = settings.model_copy(update={"scorer": "linear", "redis_url": "redis://127.0.0.1:1/0"})
    processes = [context.Process(target=work, args=(mine, gate, results)) for _ in range(WORKERS)]
    for process in processes:
        process.start()
    done = [results.get(timeout=2 * PATIENCE) for _ in processes]
    for process in processes:
        process.join(PATIENCE)
    assert [error for _, error in done] == [""] * WORKERS
    assert sum(decided for decided, _ in done) == BACKLOG
    assert min(decided for decided, _ in done) >= leases.BATCH
    with store.read() as session:
        assert session.scalar(select(func.count()).where(Comment.status == Status.PENDING)) == 0
        for column in (Decision.comment_id, Event.comment_id):
            assert session.execute(select(func.count(column), func.count(column.distinct()))).one() == (
                BACKLOG, BACKLOG,
            )  # fmt: skip
        audited = select(func.count()).where(AuditEvent.action.in_(["comment.approved", "comment.held"]))
        assert session.scalar(audited) == BACKLOG
        positions = list(session.scalars(select(Event.position).order_by(Event.position)))
    assert positions == list(range(1, BACKLOG + 1))


def test_a_full_batch_rings_for_a_colleague(
    store: Store, site: tuple[str, str], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "DRAIN_SECONDS", 3_600.0)  # after which a drain that takes long rings as well
    redis = Redis.from_url(settings.redis_url)
    redis.flushall()
    made = runtime.make(settings.model_copy(update={"scorer": "linear"}))
    runtime.install(made)
    submit(store, site, leases.BATCH - 1)
    jobs.drain()
    assert queue(redis, COMMENTS).count == 0
    with store.write() as session:
        more = [NewComment(f"d{n}", f"Good {n}.", "plain", "Bo", None, None, None, "https://news.example/a")
                for n in range(leases.BATCH)]  # fmt: skip
        intake.submit(session, site[0], more, now_ms())
    jobs.drain()
    assert queue(redis, COMMENTS).count == 1
    redis.flushall()
    made.store.close()
