"""The jobs, by the dotted names that moderation.queueing.JOBS gives. They carry no arguments: the database knows."""

import time

from moderation.queueing import COMMENTS, WEBHOOKS, answered
from moderation.services import webhooks
from workers.runtime import current

DRAIN_SECONDS = 2.0


def drain() -> None:
    """Decides pending comments until none is left or 2 s have passed; then rings again."""
    runtime = current()
    answered(runtime.redis, COMMENTS)
    end = time.monotonic() + DRAIN_SECONDS
    runtime.drain(until=lambda: time.monotonic() >= end)
    if time.monotonic() >= end:
        runtime.doorbell.ring(COMMENTS)


def deliver() -> None:
    """Posts the webhooks that are due."""
    runtime = current()
    answered(runtime.redis, WEBHOOKS)
    webhooks.deliver_due(runtime.store, runtime.settings)
