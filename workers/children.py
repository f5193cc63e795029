"""The RQ workers: forked children, one or more for each queue, started again when it dies."""

import logging
import os
import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType

from rq import Worker
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer

from moderation.processes import die_with_parent
from moderation.queueing import connect, queue
from workers.ring import Ring
from workers.runtime import Runtime, current

log = logging.getLogger(__name__)

# Short: a child that ends because Redis is away must be there soon after Redis is back.
_BACK_OFF = (0.0, 1.0, 2.0, 5.0)
_CALM = 10.0


class _Worker(Worker):
    """RQ's forking worker whose horses die with it and open connections of their own."""

    max_connection_wait_time = 2.0

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        die_with_parent(self.pid)
        current().store.forget_connections()
        current().count("job")
        super().main_work_horse(job, queue)


class Child:
    """One RQ worker process on one queue."""

    def __init__(self, runtime: Runtime, name: str) -> None:
        self._runtime = runtime
        self._name = name
        self._pid: int | None = None
        self._deaths = 0
        self._started_at = 0.0
        self._start_after = 0.0

    def keep_alive(self) -> bool:
        """Starts the process if there is none and its back-off is over; True when it has just died. Never waits."""
        died = self._pid is not None and self._has_ended()
        if self._pid is None and time.monotonic() >= self._start_after:
            self._start()
        return died

    def _has_ended(self) -> bool:
        pid, status = os.waitpid(self._pid or 0, os.WNOHANG)
        if pid == 0:
            return False
        calm = time.monotonic() - self._started_at > _CALM
        self._deaths = 0 if calm else min(self._deaths + 1, len(_BACK_OFF) - 1)
        self._start_after = time.monotonic() + _BACK_OFF[self._deaths]
        log.warning("worker of %s ended (%d), starts again", self._name, os.waitstatus_to_exitcode(status))
        self._pid = None
        return True

    def _start(self) -> None:
        self._started_at = time.monotonic()
        self._pid = fork(self._runtime, lambda: _work(self._runtime, self._name))

    def ask_to_end(self) -> None:
        """Lets the running job end."""
        if self._pid is not None:
            os.kill(self._pid, signal.SIGTERM)

    def end(self, deadline: float) -> None:
        """Waits until the process is gone; past the deadline (monotonic) it is killed, and its comments go back."""
        while self._pid is not None and not os.waitpid(self._pid, os.WNOHANG)[0]:
            if time.monotonic() >= deadline:
                os.kill(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)
                break
            time.sleep(0.05)
        self._pid = None


class Errand:
    """Work done beside the parent, in a process of its own; one at a time. For when no queue can carry it."""

    def __init__(self, runtime: Runtime, errand: Callable[[Runtime], None]) -> None:
        self._runtime = runtime
        self._errand = errand
        self._pid: int | None = None

    def start(self) -> None:
        """Begins, unless it is under way."""
        if self._pid is None or os.waitpid(self._pid, os.WNOHANG)[0]:
            self._pid = fork(self._runtime, lambda: self._errand(self._runtime))


def stop(children: Sequence[Child], patience: float) -> None:
    """Ends these children side by side, within `patience` seconds."""
    deadline = time.monotonic() + patience
    for child in children:
        child.ask_to_end()
    for child in children:
        child.end(deadline)


def fork(runtime: Runtime, task: Callable[[], None]) -> int:
    """Does the task in a child process that dies with this one; returns its pid."""
    parent = os.getpid()
    if pid := os.fork():
        return pid
    status = 1
    try:
        die_with_parent(parent)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, _leave)
        runtime.store.forget_connections()
        runtime.count("job")
        task()
        status = 0
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else 0
    except Exception as error:
        log.error("worker: %s", type(error).__name__)
    finally:
        os._exit(status)


def _work(runtime: Runtime, name: str) -> None:
    redis = connect(runtime.settings.redis_url)
    worker = _Worker(
        [queue(redis, name)], connection=redis, serializer=JSONSerializer, job_class=Ring, log_job_description=False
    )
    worker.work(logging_level="WARNING")


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
