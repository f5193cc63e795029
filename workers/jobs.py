"""The jobs, by the dotted names that moderation.queueing.JOBS gives. They carry no arguments: the database knows."""

import functools
import logging
import time
from collections.abc import Callable

from moderation.queueing import COMMENTS, WEBHOOKS, answered
from workers.runtime import current
from workers.sweep import deliver as deliver_due

log = logging.getLogger(__name__)

DRAIN_SECONDS = 2.0


def _logged(job: Callable[[], None]) -> Callable[[], None]:
    """RQ would write an exception's text, which can quote a comment, to its log and to Redis. The sweep tries again."""

    @functools.wraps(job)
    def run() -> None:
        try:
            job()
        except Exception as error:
            log.error("job %s: %s", job.__name__, type(error).__name__, exc_info=error)

    return run


@_logged
def drain() -> None:
    """Decides pending comments until none is left or 2 s have passed; then rings again."""
    runtime = current()
    answered(runtime.redis, COMMENTS)
    end = time.monotonic() + DRAIN_SECONDS
    runtime.drain(until=lambda: time.monotonic() >= end)
    if time.monotonic() >= end:
        runtime.doorbell.ring(COMMENTS)


@_logged
def deliver() -> None:
    """Posts the webhooks that are due."""
    runtime = current()
    answered(runtime.redis, WEBHOOKS)
    deliver_due(runtime)
