"""The safety net, run in the worker's parent. It needs no Redis: what nobody fetches, it decides itself."""

import logging
import time

from moderation.queueing import COMMENTS, WEBHOOKS
from moderation.services import decide, health, webhooks
from moderation.store.session import now_ms
from workers.runtime import Runtime, gone

log = logging.getLogger(__name__)


def sweep(runtime: Runtime) -> None:
    """Gives back the leases of processes that are gone, rings for what waits, and signs life."""
    now = now_ms()
    with runtime.store.write() as session:
        owners = [owner for owner in decide.lease_owners(session) if gone(owner, runtime.settings.host)]
        freed = decide.give_back(session, owners) if owners else 0
        waiting = decide.waiting_since(session, now) is not None
        due = webhooks.due(session, now)
        health.sign_of_life(session, runtime.settings.host, runtime.classifier, now)
    if freed:
        log.warning("sweep: %d comments given back by workers that are gone", freed)
    if waiting and not runtime.doorbell.ring(COMMENTS):
        log.warning("sweep: Redis is not there, deciding without it")
        end = time.monotonic() + runtime.settings.sweep_seconds
        runtime.drain(until=lambda: time.monotonic() >= end)
    if due and not runtime.doorbell.ring(WEBHOOKS):
        webhooks.deliver_due(runtime.store, runtime.settings)
