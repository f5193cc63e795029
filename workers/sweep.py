"""The safety net, run in the worker's parent. It needs no Redis: what nobody fetches, it decides itself."""

import logging
import time
from collections.abc import Callable

from moderation.domain import chain
from moderation.queueing import COMMENTS, WEBHOOKS
from moderation.services import (
    audit_chain,
    deliveries,
    erasure,
    fingerprints,
    health,
    leases,
    rescore,
    retention,
)
from moderation.store.session import now_ms
from workers.runtime import Runtime, gone

log = logging.getLogger(__name__)

_DRAIN_SECONDS = 1.0
_SEAL_SECONDS = 0.5


def deliver(runtime: Runtime) -> None:
    """Posts the webhooks that are due."""
    deliveries.deliver_due(runtime.store, runtime.settings)


def sign_of_life(runtime: Runtime) -> None:
    """Lets /readyz know that a worker is there, and how its classifier is."""
    with runtime.store.write() as session:
        health.sign_of_life(
            session, runtime.owner, runtime.classifier, now_ms(), gone=lambda name: gone(name, runtime.settings.host)
        )


def seal(runtime: Runtime) -> bool:
    """Links new audit events into the chain, half a second at a time; True means that more are left."""
    if not runtime.settings.secret_key:  # a service can't run like this; a worker by itself can
        return False
    end = time.monotonic() + _SEAL_SECONDS
    keys = chain.keys(runtime.settings.secret_key, runtime.settings.former_secret_keys)
    return audit_chain.seal_waiting(runtime.store, keys, until=lambda: time.monotonic() >= end)


def sweep(runtime: Runtime, deliver_aside: Callable[[], None]) -> bool:
    """Looks after comments and webhooks, removes what is old, seals audit events; True means that more is left."""
    left = _comments(runtime, deliver_aside)
    if runtime.settings.secret_key:  # retention has days: a slice a sweep
        left |= erasure.resume(runtime.store, runtime.settings.secret_keys)
        retention.apply(runtime.store, runtime.settings.secret_keys, now_ms())
    return seal(runtime) or left


def _comments(runtime: Runtime, deliver_aside: Callable[[], None]) -> bool:
    """Gives back the leases of processes that are gone, puts back what was held unscored, rings for what waits.

    What Redis or its workers leave lying is done here, a second at a time; True means that more is left.
    `deliver_aside` posts webhooks without holding this process up, for a receiver may hang.
    """
    now = now_ms()
    with runtime.store.write() as session:
        owners = leases.lease_owners(session)
        dead = [owner for owner in owners if gone(owner, runtime.settings.host)]
        freed = leases.give_back(session, dead) if dead else 0
        if runtime.owner in owners:  # left from a round in which the database failed
            leases.let_go(session, runtime.owner)
        back = rescore.rescore(session, now) if runtime.classifier.scorer else 0
        oldest = leases.waiting_since(session, now)
        due = deliveries.due(session, now)
        fingerprints.forget(session, now)
    if freed:
        log.warning("sweep: %d comments given back by workers that are gone", freed)
    if back:
        log.warning("sweep: %d comments that were held as not scored are decided anew", back)
    if due and not runtime.doorbell.ring(WEBHOOKS):
        deliver_aside()
    if oldest is None:
        return False
    rang = runtime.doorbell.ring(COMMENTS)
    # A ring that was taken and led to nothing: its worker hangs, or waits before it connects again.
    overdue = now - oldest > 2 * runtime.settings.sweep_seconds * 1000 and set(owners) == set(dead)
    if rang and not overdue:
        return False
    log.warning("sweep: %s, deciding here", "nobody fetches" if rang else "Redis is not there")
    end = time.monotonic() + _DRAIN_SECONDS
    runtime.drain(until=lambda: time.monotonic() >= end)
    return time.monotonic() >= end
