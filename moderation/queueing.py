"""The doorbell: Redis only says that there is work; what the work is stands in the database."""

import logging
import time
from collections.abc import Callable
from uuid import uuid4

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

log = logging.getLogger(__name__)

COMMENTS, WEBHOOKS = "comments", "webhooks"

# Queue -> the job that its doorbell starts, by dotted name: nothing here imports workers.
JOBS = {COMMENTS: "workers.jobs.drain", WEBHOOKS: "workers.jobs.deliver"}

_TIME_LIMIT = 0.05
_SILENCE = 2.0


def connect(url: str, *, time_limit: float | None = None) -> Redis:
    """A client. With a time limit (seconds) it fails fast and never retries."""
    if time_limit is None:
        return Redis.from_url(url)
    # redis-py retries by default, which blocks for seconds on a dead server and would starve the web threads.
    return Redis.from_url(
        url, socket_timeout=time_limit, socket_connect_timeout=time_limit, retry=Retry(NoBackoff(), 0)
    )


class Doorbell:
    """Rings for a worker without ever raising or waiting; after a failure it stays silent for 2 s."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = connect(url, time_limit=_TIME_LIMIT)
        self._clock = clock
        self._silent_until = 0.0

    def ring(self, queue: str = COMMENTS) -> bool:
        """Makes sure that a job for this queue is waiting. False when Redis did not answer."""
        if self._clock() < self._silent_until:
            return False
        try:
            if self._redis.set(f"wake:{queue}", 1, nx=True, ex=5):
                _enqueue(self._redis, queue)
        except RedisError as error:
            self._silent_until = self._clock() + _SILENCE
            log.warning("doorbell %s: %s", queue, type(error).__name__)
            return False
        return True

    def answers(self) -> bool:
        """Whether Redis is there."""
        try:
            return bool(self._redis.ping())
        except RedisError:
            return False


def answered(redis: Redis, queue: str) -> None:
    """To be called first in a job: from now on a new ring starts a new job."""
    redis.delete(f"wake:{queue}")


def queue(redis: Redis, name: str) -> Queue:
    """The RQ queue of this name."""
    return Queue(name, connection=redis, serializer=JSONSerializer)


def _enqueue(redis: Redis, name: str) -> None:
    # A fresh id each time: after a kill -9 of the worker a unique job id would stay "started" and refuse every ring.
    queue(redis, name).enqueue_call(
        JOBS[name], job_id=uuid4().hex, result_ttl=0, failure_ttl=3600, timeout=300, description=JOBS[name]
    )
