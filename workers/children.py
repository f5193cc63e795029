"""The RQ workers: one forked child for each queue, started again when it dies."""

import logging
import os
import signal
import time
from types import FrameType

from rq import Worker
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer

from moderation.processes import die_with_parent
from moderation.queueing import connect, queue
from workers.runtime import Runtime, current

log = logging.getLogger(__name__)

_BACK_OFF = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
_CALM = 60.0


class _Worker(Worker):
    """RQ's forking worker whose horses die with it and open connections of their own."""

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        die_with_parent()
        current().store.forget_connections()
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

    def keep_alive(self) -> None:
        """Starts the process if there is none and its back-off is over. Never waits."""
        if self._pid is not None and not self._has_ended():
            return
        if self._pid is None and time.monotonic() >= self._start_after:
            self._start()

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
        pid = os.fork()
        if pid == 0:
            _run_child(self._runtime, self._name)
        self._pid = pid

    def stop(self, patience: float) -> None:
        """Lets the running job end; after `patience` seconds it is killed, and its comments go back."""
        if self._pid is None:
            return
        os.kill(self._pid, signal.SIGTERM)
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if os.waitpid(self._pid, os.WNOHANG)[0]:
                self._pid = None
                return
            time.sleep(0.05)
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        self._pid = None


def _run_child(runtime: Runtime, name: str) -> None:
    status = 1
    try:
        die_with_parent()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, _leave)
        runtime.store.forget_connections()
        redis = connect(runtime.settings.redis_url)
        worker = _Worker([queue(redis, name)], connection=redis, serializer=JSONSerializer, log_job_description=False)
        worker.work(logging_level="WARNING")
        status = 0
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else 0
    except Exception as error:
        log.error("worker of %s: %s", name, type(error).__name__)
    finally:
        os._exit(status)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
