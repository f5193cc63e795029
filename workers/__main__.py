"""`python -m workers`: loads the classifier, then keeps the RQ workers of each queue alive and sweeps.

The parent runs no thread, so that its forks are safe.
"""

import logging
import signal
import sys
import time
from contextlib import suppress
from types import FrameType

from sqlalchemy.exc import SQLAlchemyError

from moderation.config import load_settings
from moderation.errors import SetupError
from moderation.logs import last_words, log_to_stderr
from moderation.processes import announce
from moderation.queueing import COMMENTS, JOBS
from moderation.store import schema
from workers import metrics_port, runtime
from workers.children import Child, Errand, stop
from workers.sweep import deliver, sign_of_life, sweep

log = logging.getLogger("workers")

_TICK = 0.25
_PUBLISH_EVERY = 1.0
_PATIENCE = 6.0


class _Stop(BaseException):
    """Not an Exception: it can arrive while a comment is scored, and is no failure of that comment."""


def main() -> None:
    """Works until SIGTERM or SIGINT. Raises SetupError when the database is not ready."""
    settings = load_settings()
    log_to_stderr(settings.log_format)
    work = runtime.make(settings)
    if problem := schema.check(work.store):
        raise SetupError(problem)
    work.store.forget_connections()
    runtime.install(work)
    work.count("worker")
    if sys.argv[1:] == ["sweep"]:
        work.publish()
        sweep(work, deliver_aside=lambda: deliver(work))
        return
    many = {COMMENTS: settings.worker_processes}
    children = [Child(work, name) for name in JOBS for _ in range(many.get(name, 1))]
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    log.info("worker ready, scorer %s", work.classifier.name)
    with suppress(SQLAlchemyError):  # the loop tries again
        sign_of_life(work)
    if sys.argv[1:2] == ["--ready"]:
        announce(int(sys.argv[2]))
    try:
        _loop(work, children)
    except _Stop:
        stop(children, _PATIENCE)


def _loop(work: runtime.Runtime, children: list[Child]) -> None:
    next_sweep = next_publish = 0.0
    webhooks, port = Errand(work, deliver), Errand(work, metrics_port.serve)
    while True:
        died = [child.keep_alive() for child in children]
        if any(died):
            next_sweep = 0.0  # what the dead one had leased goes back at once
        now = time.monotonic()
        try:
            if now >= next_publish:
                next_publish = now + _PUBLISH_EVERY
                work.publish()
            if now >= next_sweep:
                next_sweep = now + work.settings.sweep_seconds
                sign_of_life(work)
                if work.settings.metrics_port:
                    port.start()
                if sweep(work, webhooks.start):
                    next_sweep = now
        except SQLAlchemyError as error:
            log.error("database: %s", type(error).__name__)
        except Exception as error:  # the safety net itself must not fall; the next round tries again
            log.error("sweep: %s", type(error).__name__, exc_info=error)
        time.sleep(_TICK)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    # The first signal counts: a second one must not break off the orderly end.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise _Stop


try:
    main()
except SetupError as problem:
    sys.exit(1 if last_words(f"worker: {problem}") else f"worker: {problem}")
