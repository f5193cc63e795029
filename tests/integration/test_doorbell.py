"""The doorbell: one waiting job however often it rings, and never an error or a wait."""

import socket

import pytest
from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer
from rq.utils import import_attribute

from moderation import queueing
from moderation.queueing import COMMENTS, JOBS, Doorbell, answered, connect, queue


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def redis(redis_url: str) -> Redis:
    client = connect(redis_url)
    client.flushall()
    return client


def test_many_rings_are_one_job(redis: Redis, redis_url: str) -> None:
    bell = Doorbell(redis_url)
    assert all(bell.ring() for _ in range(10))
    assert queue(redis, COMMENTS).count == 1


def test_after_the_answer_a_ring_is_a_new_job(redis: Redis, redis_url: str) -> None:
    bell = Doorbell(redis_url)
    bell.ring()
    answered(redis, COMMENTS)
    bell.ring()
    assert queue(redis, COMMENTS).count == 2


def test_jobs_carry_no_text_and_leave_nothing_behind(redis: Redis, redis_url: str) -> None:
    Doorbell(redis_url).ring()
    (job,) = queue(redis, COMMENTS).jobs
    assert (job.func_name, job.args, job.kwargs, job.result_ttl) == (JOBS[COMMENTS], [], {}, 0)


def test_every_job_can_be_found_by_its_name() -> None:
    assert all(callable(import_attribute(name)) for name in JOBS.values())


def test_a_dead_redis_is_silence_not_an_error(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queueing, "_TIME_LIMIT", 0.05)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        clock = Clock()
        bell = Doorbell(f"redis://127.0.0.1:{nobody.getsockname()[1]}/0", clock)
        assert not bell.ring()
        nobody.listen(1)  # now it would connect and then hang until the time limit
        assert not bell.ring()
        assert nobody.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        nobody.setblocking(False)
        with pytest.raises(BlockingIOError):
            nobody.accept()  # within the silence it did not even try
        clock.now = 2.5
        assert not bell.ring()
        nobody.accept()[0].close()


def test_a_failing_job_does_not_stop_the_queue(redis: Redis, redis_url: str) -> None:
    # No runtime is installed in this process, so the real job fails; the next ring must still be heard.
    bell = Doorbell(redis_url)
    bell.ring()
    jobs = Queue(COMMENTS, connection=redis, serializer=JSONSerializer)
    SimpleWorker([jobs], connection=redis, serializer=JSONSerializer).work(burst=True, logging_level="CRITICAL")
    assert jobs.count == 0
    redis.delete(f"wake:{COMMENTS}")  # it runs out by itself after 5 s
    assert bell.ring()
    assert jobs.count == 1
