"""What every job works with; made once in the parent, before any fork."""

import gc
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from redis import Redis

from moderation import metrics
from moderation.config import Settings
from moderation.processes import lives
from moderation.queueing import WEBHOOKS, Doorbell, connect
from moderation.scoring import Classifier
from moderation.services import decide, deliveries, outbox
from moderation.store.session import Store, now_ms
from workers.scorer_beside import beside


@dataclass
class Runtime:
    """Settings, database, Redis and the loaded classifier of this process."""

    settings: Settings
    store: Store
    redis: Redis
    doorbell: Doorbell
    classifier: Classifier
    counts: Path

    def count(self, role: str) -> None:
        """From now on this process counts for Prometheus under a place of its own; to be called after each fork."""
        metrics.begin(self.counts, role)

    def drain(self, until: Callable[[], bool], more: Callable[[], object] = lambda: None) -> int:
        """Decides what is pending and publishes the events of it; returns how many were decided.

        `more` is called while this process has a full batch, so that others can join in.
        """
        with beside(self.classifier) as classifier:
            return decide.drain(
                self.store, classifier, self.owner, until=until,
                lease_ms=round(self.settings.lease_seconds * 1000), after_batch=self._spread, full=more,
            )  # fmt: skip

    def publish(self) -> None:
        """Releases the events whose time has come and rings for their delivery."""
        with self.store.read() as session:
            if not outbox.waiting(session, now_ms()):
                return
        with self.store.write() as session:
            due = outbox.publish(session, now_ms())
        if due:
            self.doorbell.ring(WEBHOOKS)

    def _spread(self) -> None:
        """A batch was written, with its events: rings for those that go to a webhook, and publishes what waited."""
        self.publish()
        with self.store.read() as session:
            due = deliveries.due(session, now_ms())
        if due:
            self.doorbell.ring(WEBHOOKS)

    @property
    def owner(self) -> str:
        """Who holds a lease: machine and process, so that the machine can tell when the process is gone."""
        return f"{self.settings.host}:{os.getpid()}"


_current: list[Runtime] = []


def install(runtime: Runtime) -> None:
    """Makes this the runtime of the process and of all that it forks."""
    _current[:] = [runtime]


def current() -> Runtime:
    """The runtime of this process."""
    return _current[0]


def make(settings: Settings) -> Runtime:
    """Loads the classifier and opens the database; no connection is made yet."""
    made = Runtime(
        settings, Store(settings.database_url, pool_size=2), connect(settings.redis_url),
        Doorbell(settings.redis_url), Classifier.load(settings.scorer, settings.artefacts),
        Path(settings.metrics_folder) if settings.metrics_folder else metrics.own_folder(),
    )  # fmt: skip
    # What is loaded stays: the collector need not walk through it with every batch, and forks go on sharing it.
    gc.collect()
    gc.freeze()
    return made


def gone(owner: str, host: str) -> bool:
    """Whether this lease's process ran on this machine and is no more."""
    machine, _, pid = owner.rpartition(":")
    if machine != host or not pid.isdigit():
        return False
    return not lives(int(pid))
