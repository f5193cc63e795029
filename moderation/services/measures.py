"""What the database says of the work that waits, in few cheap questions; for Prometheus."""

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from moderation import __version__
from moderation.domain.lifecycle import Status
from moderation.services import audit_chain, health, leases
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment, Delivery, Event, Site, WorkerState

# Beyond this many it matters no more how many; and so many sites are asked one by one.
COUNTED, _SITES = 10_000, 200
_FRESH_SECONDS = 5.0
_TRIED_OFTEN = 3
# In the words of the index that has only these.
_PENDING = text("status = 'pending' AND received_at > 0")


@dataclass(frozen=True)
class Facts:
    """Ages in seconds, 0 where nothing waits; counts stop at COUNTED (of each site, for `held_comments`)."""

    pending_comments: int
    oldest_pending_seconds: float
    held_comments: int
    oldest_held_seconds: float
    outbox_lag_seconds: float
    delivery_lag_seconds: float
    deliveries_waiting: int
    deliveries_failing: int
    workers_alive: int
    workers_without_scorer: int
    worker_seen_seconds: float
    audit_seal_lag_seconds: float


_HELP = {
    "pending_comments": "comments that wait for their decision", "held_comments": "comments that wait for a moderator",
    "oldest_pending_seconds": "age of the oldest comment that waits for its decision and that no worker has",
    "oldest_held_seconds": "age of the oldest comment that waits for a moderator",
    "outbox_lag_seconds": "how long the oldest event whose time has come waits for its release",
    "delivery_lag_seconds": "how long the oldest webhook that is due waits",
    "deliveries_waiting": "webhooks that are due or wait to be tried again",
    "deliveries_failing": "those of them that failed three times or more",
    "workers_alive": "workers that have shown themselves within 15 s",
    "workers_without_scorer": "those of them whose scorer does not work",
    "worker_seen_seconds": "time since the newest sign of life of any worker",
    "audit_seal_lag_seconds": "age of the oldest audit event without a seal",
}  # fmt: skip


def facts(session: Session, now: int) -> Facts:
    """Reads them all. Every question is a few steps in an index, however much is stored."""
    held_at, held = _held(session)
    event = select(Event.release_at).where(Event.position.is_(None), Event.release_at <= now)
    due = session.scalar(select(func.min(Delivery.next_at)).where(Delivery.next_at > 0))
    attempts = session.scalars(select(Delivery.attempts).where(Delivery.next_at > 0).limit(COUNTED)).all()
    states = session.scalars(select(WorkerState)).all()
    alive = [state for state in states if state.seen_at >= now - health.FRESH_MS]

    def age(since: int | None) -> float:
        return 0.0 if since is None else max(0, now - since) / 1000

    return Facts(
        pending_comments=_some(session, _PENDING),
        oldest_pending_seconds=age(leases.waiting_since(session, now)),
        held_comments=held, oldest_held_seconds=age(held_at),
        outbox_lag_seconds=age(session.scalar(event.order_by(Event.release_at).limit(1))),
        delivery_lag_seconds=age(due), deliveries_waiting=len(attempts),
        deliveries_failing=sum(tries >= _TRIED_OFTEN for tries in attempts),
        workers_alive=len(alive), workers_without_scorer=sum(state.scorer_error is not None for state in alive),
        worker_seen_seconds=age(max((state.seen_at for state in states), default=None)),
        audit_seal_lag_seconds=age(audit_chain.state(session).oldest_unsealed),
    )  # fmt: skip


def _held(session: Session) -> tuple[int | None, int]:
    """(when the oldest held comment came in, how many there are): site by site, since each index begins with it."""
    oldest, count = [], 0
    for site_id in session.scalars(select(Site.id).limit(_SITES)):
        mine = (Comment.site_id == site_id, Comment.status == Status.HELD)
        first = session.scalar(select(Comment.received_at).where(*mine).order_by(Comment.id).limit(1))
        if first is not None:
            oldest.append(first)
            count += _some(session, *mine)
    return min(oldest, default=None), count


def _some(session: Session, *conditions: object) -> int:
    some = select(Comment.id).where(*conditions).limit(COUNTED).subquery()  # type: ignore[arg-type]
    return session.scalar(select(func.count()).select_from(some)) or 0


class Gauges(Collector):
    """The facts as gauges, read at most every 5 seconds however often they are asked for."""

    def __init__(self, store: Store, about: Mapping[str, str]) -> None:
        self._store = store
        self._about = {"version": __version__, **about}
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._facts: Facts | None = None

    def collect(self) -> Iterator[Metric]:
        """Without a database there is only what needs none."""
        found = self._fresh()
        build = GaugeMetricFamily("moderation_build_info", "what runs here", labels=list(self._about))
        build.add_metric(list(self._about.values()), 1)
        yield build
        yield GaugeMetricFamily("moderation_database_up", "whether the database answers", value=found is not None)
        if found is None:
            return
        said = asdict(found)
        for field in fields(found):
            yield GaugeMetricFamily(f"moderation_{field.name}", _HELP[field.name], value=said[field.name])

    def _fresh(self) -> Facts | None:
        with self._lock:
            if time.monotonic() - self._read_at >= _FRESH_SECONDS:
                try:
                    with self._store.read() as session:
                        self._facts = facts(session, now_ms())
                except SQLAlchemyError:
                    self._facts = None
                self._read_at = time.monotonic()
            return self._facts
