"""The jobs, by the dotted names that moderation.queueing.JOBS gives. They carry no arguments: the database knows."""

import functools
import logging
import time
from collections.abc import Callable

from moderation import logs
from moderation.queueing import COMMENTS, WEBHOOKS, answered
from moderation.services import deliveries
from workers.runtime import current

log = logging.getLogger(__name__)

DRAIN_SECONDS = 2.0
# Short, so that a stop need not break it off; but connections to receivers are kept while there is a steady stream.
DELIVER_SECONDS, LINGER_SECONDS = 4.0, 1.0


def _logged(job: Callable[[], None]) -> Callable[[], None]:
    """RQ would write an exception's text, which can quote a comment, to its log and to Redis. The sweep tries again."""

    @functools.wraps(job)
    def run() -> None:
        logs.begin(job=job.__name__)
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
    # A full batch means that there is work for a colleague too; one ring wakes only one.
    runtime.drain(until=lambda: time.monotonic() >= end, more=lambda: runtime.doorbell.ring(COMMENTS))
    if time.monotonic() >= end:
        runtime.doorbell.ring(COMMENTS)


@_logged
def deliver() -> None:
    """Posts the webhooks that are due, for 4 s; then rings again if more are."""
    runtime = current()
    answered(runtime.redis, WEBHOOKS)
    if deliveries.deliver_due(runtime.store, runtime.settings, seconds=DELIVER_SECONDS, linger=LINGER_SECONDS):
        runtime.doorbell.ring(WEBHOOKS)
