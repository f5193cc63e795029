"""`python -m workers`: loads the classifier, then keeps one RQ worker for each queue alive and sweeps.

The parent runs no thread, so that its forks are safe.
"""

import logging
import signal
import sys
import time
from types import FrameType

from sqlalchemy.exc import SQLAlchemyError

from moderation.config import load_settings
from moderation.errors import SetupError
from moderation.processes import log_to_stderr
from moderation.queueing import JOBS
from moderation.store import schema
from workers import runtime
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
    log_to_stderr()
    settings = load_settings()
    work = runtime.make(settings)
    if problem := schema.check(work.store):
        raise SetupError(problem)
    work.store.forget_connections()
    runtime.install(work)
    if sys.argv[1:] == ["sweep"]:
        work.publish()
        sweep(work, deliver_aside=lambda: deliver(work))
        return
    children = [Child(work, name) for name in JOBS]
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    log.info("worker ready, scorer %s", work.classifier.name)
    try:
        _loop(work, children)
    except _Stop:
        stop(children, _PATIENCE)


def _loop(work: runtime.Runtime, children: list[Child]) -> None:
    next_sweep = next_publish = 0.0
    webhooks = Errand(work, deliver)
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
    sys.exit(f"worker: {problem}")
