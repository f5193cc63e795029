"""Events on their way to the sites' webhooks: at least once, those of a comment in order, retried with back-off."""

import logging
import threading
import time
from collections import deque
from collections.abc import Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from moderation import metrics
from moderation.config import Settings
from moderation.services.links import Links
from moderation.services.webhook_calls import Answer, Lines
from moderation.services.webhooks import signed
from moderation.store.session import Store, now_ms
from moderation.store.tables import Delivery, Event, Site

log = logging.getLogger(__name__)

# Seconds until the next try; after the last one the delivery is given up (the feed still has the event).
RETRIES = (5, 30, 120, 600, 3_600, 4 * 3_600, 12 * 3_600, 24 * 3_600)
# An event that failed more often than this no longer holds up the site's later ones.
_FAILURES_IN_ORDER = 3
_SITES_AT_ONCE = 16
# Calls to one site at the same time; they are of different comments.
_LINES = 8
# What one transaction leases and another one records.
_PIECE = 256
# A site's turn begins no call after this; a lease holds for as long as the last call may take, and for recording it.
_TURN_SECONDS = 2.0
_LEASE_SECONDS = 5.0
# Up to this others are served while a receiver that hangs is waited for.
_ROUND_AT_MOST = 60.0
# No rest and no lease is longer; so whatever waits longer for its next try need not be read.
_REST_AT_MOST_MS = 600_000
# How soon what comes due is seen while others are being waited for.
_LOOK_SECONDS = 0.1


@dataclass
class _Piece:
    """Leased deliveries of one site, in the order of the feed; `until` (milliseconds) marks them as ours."""

    site: Site
    events: Sequence[Event]
    until: int
    answers: list[tuple[Event, Answer]] = field(default_factory=list)
    failed: threading.Event = field(default_factory=threading.Event)


def due(session: Session, now: int) -> bool:
    """Whether any delivery may be tried now."""
    return session.scalar(_to_serve(now).limit(1)) is not None


def deliver_due(store: Store, settings: Settings, *, seconds: float = 60.0, linger: float = 0.0) -> bool:
    """Tries what is due; a site that fails is left alone until its next try. True means that there is more to do.

    Sites are served side by side, so that one whose receiver hangs holds up no other. After `seconds` no more is begun,
    unless such a one has to be waited for anyway; for `linger` seconds it waits for what may come.
    """
    began = quiet = time.monotonic()
    under_way: dict[str, tuple[Future[None], float]] = {}
    with (
        Lines(settings.webhook_allow_private, settings.webhook_timeout_seconds) as lines,
        ThreadPoolExecutor(_SITES_AT_ONCE, "webhooks") as pool,
    ):
        post = _Post(store, settings, lines)
        while True:
            for site in [site for site, (task, _) in under_way.items() if task.done()]:
                under_way.pop(site)[0].result()
            now = time.monotonic()
            hangs = any(now - since > 2 * _TURN_SECONDS for _, since in under_way.values())
            over = now >= began + (_ROUND_AT_MOST if hangs else seconds)
            room = 0 if over else _SITES_AT_ONCE - len(under_way)
            for site in _plan(store, under_way, room) if room else ():
                under_way[site] = pool.submit(post.serve, site), now
            if under_way:
                quiet = time.monotonic()
                wait([task for task, _ in under_way.values()], _LOOK_SECONDS, FIRST_COMPLETED)
            elif over or now >= quiet + linger:
                break
            else:
                time.sleep(_LOOK_SECONDS)
    return bool(_plan(store, (), 1))


def _plan(store: Store, busy: Collection[str], many: int) -> Sequence[str]:
    """So many sites that can be served, none of those that are `busy`; by lot, so that of a great many none is last."""
    query = _to_serve(now_ms()).where(Site.id.not_in(list(busy))).order_by(func.random()).limit(many)
    with store.read() as session:
        return session.scalars(query).all()


def _to_serve(now: int) -> Select[str]:
    """Sites with something due that need not rest. How much waits there does not matter: only the oldest is looked at,
    in the order of its index, for PostgreSQL would walk through the table to find any."""
    waits = select(Delivery.event_id).where(Delivery.site_id == Site.id, Delivery.next_at <= now)
    oldest = waits.order_by(Delivery.event_id).limit(1).scalar_subquery()
    return select(Site.id).where(oldest.is_not(None), Site.id.not_in(_resting(now)))


def _resting(now: int) -> Select[str]:
    """Sites with a delivery that is being tried or waits to be tried again, which for the sake of the order hold up
    their others; only one that failed often no longer does."""
    soon = Delivery.next_at > now, Delivery.next_at <= now + _REST_AT_MOST_MS
    return select(Delivery.site_id).where(*soon, Delivery.attempts <= _FAILURES_IN_ORDER)


@dataclass(frozen=True)
class _Post:
    """Serves the sites of one call of `deliver_due`."""

    store: Store
    settings: Settings
    lines: Lines

    def serve(self, site_id: str) -> None:
        """Tries what is due of a site, a piece at a time, until one is not taken or the turn is over."""
        end = time.monotonic() + _TURN_SECONDS
        while piece := self.lease(site_id):
            self._try_all(piece, end)
            self._record(piece)
            if piece.failed.is_set() or time.monotonic() >= end:
                return

    def lease(self, site_id: str, many: int = _PIECE) -> _Piece | None:
        """Puts the oldest that are due out of reach of other workers; None when none is, or the site must rest.

        Ids say when events were made, and some are released after later ones: so of a comment all that is due is taken.
        """
        now = now_ms()
        lease = round((self.settings.webhook_timeout_seconds + _TURN_SECONDS + _LEASE_SECONDS) * 1000)
        until = now + min(lease, _REST_AT_MOST_MS)
        with self.store.write() as session:
            # Who has the site's row is alone in leasing for it: two who look at once would both see that nobody has.
            lock = select(Site).where(Site.id == site_id).with_for_update(skip_locked=True, key_share=True)
            site = session.scalars(lock).one_or_none()
            if site is None or session.scalars(_resting(now).where(Delivery.site_id == site_id).limit(1)).first():
                return None
            mine = select(Delivery.event_id).where(Delivery.site_id == site_id, Delivery.next_at <= now)
            oldest = session.scalars(mine.order_by(Delivery.event_id).limit(many)).all()
            comments = select(Event.comment_id).where(Event.id.in_(oldest))
            events = session.scalars(
                select(Event).join(Delivery, Delivery.event_id == Event.id)
                .where(Event.comment_id.in_(comments), Delivery.next_at <= now).order_by(Event.position)
            ).all()  # fmt: skip
            _set(session, [event.id for event in events], next_at=until)
        return _Piece(site, events, until) if events else None

    def _try_all(self, piece: _Piece, end: float) -> None:
        """One call first: a receiver that is down hears of no more. Then several at once, of different comments."""
        chains: dict[str, deque[Event]] = {}
        for event in piece.events:
            chains.setdefault(event.comment_id, deque()).append(event)
        self._try(piece, chains[piece.events[0].comment_id].popleft())
        waiting = deque(chains.values())

        def line() -> None:
            while waiting and not piece.failed.is_set():
                try:
                    chain = waiting.popleft()
                except IndexError:  # another line was faster
                    return
                while chain and not piece.failed.is_set() and time.monotonic() < end:
                    self._try(piece, chain.popleft())

        with ThreadPoolExecutor(_LINES, "webhook lines") as pool:
            for task in [pool.submit(line) for _ in range(min(_LINES, len(chains)))]:
                task.result()

    def _try(self, piece: _Piece, event: Event) -> None:
        links = Links(self.settings.base_url, self.settings.secret_key)
        headers, body = signed(piece.site, event, datetime.now(UTC), links)
        answer = self.lines.post(piece.site.webhook_url or "", headers, body)
        piece.answers.append((event, answer))
        if not answer.taken:
            piece.failed.set()

    def _record(self, piece: _Piece) -> None:
        """What became of them, in one transaction; what was not tried is due as before."""
        now = now_ms()
        taken: dict[int | None, list[str]] = {}
        for event, answer in piece.answers:
            if answer.taken:
                taken.setdefault(answer.status, []).append(event.id)
        refused = [(event, answer) for event, answer in piece.answers if not answer.taken]
        tried = {event.id for event, _ in piece.answers}
        results: list[str] = []
        with self.store.write() as session:
            for status, ids in taken.items():
                results += ["delivered"] * len(ids)
                _set(session, ids, attempts=Delivery.attempts + 1, delivered_at=now, next_at=None,
                     last_status=status, last_error=None)  # fmt: skip
            results += [_refused(session, event, answer, now) for event, answer in refused]
            _set(session, [event.id for event in piece.events if event.id not in tried], piece.until, next_at=now)
        for result in results:
            metrics.posted(result)


def _refused(session: Session, event: Event, answer: Answer, now: int) -> str:
    delivery = session.get_one(Delivery, event.id)
    delivery.attempts += 1
    delivery.last_status, delivery.last_error = answer.status, answer.error
    about = {"event_id": event.id, "comment_id": event.comment_id}
    if delivery.attempts > len(RETRIES):
        delivery.next_at = None
        log.error("webhook given up after %d tries", delivery.attempts, extra=about)
        return "given_up"
    delivery.next_at = now + RETRIES[delivery.attempts - 1] * 1000
    log.warning("webhook: %s", answer.error or answer.status, extra=about)
    return "failed"


def _set(session: Session, ids: Sequence[str], leased_until: int | None = None, **values: Any) -> None:
    """Changes these deliveries; with `leased_until` only those that nobody else has leased since."""
    if ids:
        ours = [] if leased_until is None else [Delivery.next_at == leased_until]
        session.execute(
            update(Delivery).where(Delivery.event_id.in_(ids), *ours).values(**values)
            .execution_options(synchronize_session=False)
        )  # fmt: skip
