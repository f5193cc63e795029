"""What every job works with; made once in the parent, before any fork."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from redis import Redis

from moderation.config import Settings
from moderation.processes import lives
from moderation.queueing import WEBHOOKS, Doorbell, connect
from moderation.scoring import Classifier
from moderation.services import decide, outbox
from moderation.store.session import Store, now_ms


@dataclass
class Runtime:
    """Settings, database, Redis and the loaded classifier of this process."""

    settings: Settings
    store: Store
    redis: Redis
    doorbell: Doorbell
    classifier: Classifier

    def drain(self, until: Callable[[], bool]) -> int:
        """Decides what is pending and publishes the events of it; returns how many were decided."""
        return decide.drain(
            self.store, self.classifier, self.owner, until=until,
            lease_ms=round(self.settings.lease_seconds * 1000), after_batch=self.publish,
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
    return Runtime(
        settings, Store(settings.database_url, pool_size=2), connect(settings.redis_url),
        Doorbell(settings.redis_url), Classifier.load(settings.scorer, settings.artefacts),
    )  # fmt: skip


def gone(owner: str, host: str) -> bool:
    """Whether this lease's process ran on this machine and is no more."""
    machine, _, pid = owner.rpartition(":")
    if machine != host or not pid.isdigit():
        return False
    return not lives(int(pid))
