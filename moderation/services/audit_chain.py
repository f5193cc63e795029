"""The audit trail as a chain: one sealer links what was committed, anybody with the key can walk it.

Sealing is never part of the transaction that made an event: it would let one deciding transaction wait for the other.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from moderation.domain import chain
from moderation.domain.chain import BEGINNING, Break, Head, Link, Said, Walk
from moderation.services.audit import record_audit
from moderation.store.audit import AuditChain, AuditEvent
from moderation.store.queries import one_view
from moderation.store.session import Store, now_ms

log = logging.getLogger(__name__)

_AT_ONCE = 500
_READ_AT_ONCE = 2000

_SAID = (AuditEvent.id, AuditEvent.site_id, AuditEvent.at, AuditEvent.actor, AuditEvent.action, AuditEvent.subject_id,
         AuditEvent.data)  # fmt: skip
_UNSEALED = AuditEvent.place.is_(None)


def seal_waiting(store: Store, keys: Sequence[bytes], until: Callable[[], bool]) -> bool:
    """Seals what is committed and has no place yet, batch by batch, until none is left or `until` says so.

    Returns whether more is left. While another process seals, there is nothing to do here.
    """
    while True:
        with store.read() as session:
            if session.scalar(select(AuditEvent.id).where(_UNSEALED).limit(1)) is None:
                return False
        began = time.monotonic()
        with store.write() as session:
            done = seal_batch(session, keys, now_ms())
        if done < _AT_ONCE:
            return False
        if until():
            return True
        time.sleep(time.monotonic() - began)  # those who wait for the database have their turn as well


def seal_batch(session: Session, keys: Sequence[bytes], now: int, limit: int = _AT_ONCE) -> int:
    """Gives the next events their place, digest and seal; returns how many. Late ones come after what is sealed."""
    head = session.scalar(select(AuditChain).where(AuditChain.id == 1).with_for_update(skip_locked=True))
    if head is None:  # another sealer has it, or somebody took it away
        if session.get(AuditChain, 1) is None:
            session.add(AuditChain(id=1, place=0, seal="", mac=""))
        return 0
    at = _newest(session)
    if at != (head.place, head.seal) or not chain.signed(keys, at, head.mac):
        log.error("audit chain: it is not as it was left at place %d; run: moderation audit verify", head.place)
        record_audit(session, chain.BROKEN, data={"left": head.place, "found": at.place})
    rows = session.execute(select(*_SAID).where(_UNSEALED).order_by(AuditEvent.id).limit(limit)).all()
    links = []
    for row in rows:
        digest = chain.digest(keys[-1], Said(*row))
        at = Head(at.place + 1, chain.seal(at.seal, at.place + 1, digest))
        links.append({"id": row.id, "place": at.place, "digest": digest, "seal": at.seal})
    if links:
        session.execute(update(AuditEvent), links)
        head.place, head.seal, head.mac, head.sealed_at = *at, chain.signature(keys[-1], at), now
    return len(links)


@dataclass(frozen=True)
class Verified:
    """What a walk found: how many `links`, how many of them `erased`; `unsealed` events wait for the sealer."""

    head: Head
    links: int
    erased: int
    unsealed: int
    broken: Break | None


def verify(store: Store, keys: Sequence[bytes], start: Head = BEGINNING, expect: Head | None = None) -> Verified:
    """Walks the chain from its beginning, or from a head that was kept; notes for the page how a whole walk ended."""
    with store.read() as session:
        one_view(session)
        found = _walk(session, keys, start, expect)
    if start.place == 0:
        with store.write() as session:
            head = session.get(AuditChain, 1, with_for_update=True) or AuditChain(id=1, place=0, seal="", mac="")
            head.verified_at, head.verified_place = now_ms(), found.head.place
            head.broken = str(found.broken) if found.broken else None
            session.add(head)
    return found


def _walk(session: Session, keys: Sequence[bytes], start: Head, expect: Head | None) -> Verified:
    unsealed = session.scalar(select(func.count()).where(_UNSEALED)) or 0
    head = session.get(AuditChain, 1) or AuditChain(place=0, seal="", mac="")
    walk = Walk(keys, start, expect)
    at = Head(head.place, head.seal)
    broken = _unless_there(session, start) or (_unless_there(session, expect) if expect else None)
    for link in () if broken else _links(session, start):
        broken = walk.step(link)
        if broken:
            break
    to_come = sum(int(data.get("count", 0)) for data in session.scalars(
        select(AuditEvent.data).where(_UNSEALED, AuditEvent.action == chain.ERASED)
    ))  # fmt: skip
    broken = broken or walk.arrive(at, chain.signed(walk.keys, at, head.mac), to_come)
    return Verified(walk.head, walk.links, walk.erased, unsealed, broken)


def _unless_there(session: Session, kept: Head) -> Break | None:
    """Whether a head that was kept elsewhere is none of this chain's."""
    if kept.place == 0:
        return None
    row = session.execute(select(AuditEvent.id, AuditEvent.seal).where(AuditEvent.place == kept.place)).first()
    if row is None:
        return Break(kept.place, None, "the event with the seal that was kept is missing: the chain was cut off")
    if row.seal != kept.seal:
        return Break(kept.place, row.id, "its seal is not the one that was kept: the chain was made anew")
    return None


def _links(session: Session, start: Head) -> Iterator[Link]:
    columns = (*_SAID, AuditEvent.place, AuditEvent.digest, AuditEvent.seal, AuditEvent.erased_at)
    in_order = select(*columns).where(AuditEvent.place > start.place).order_by(AuditEvent.place)
    for row in session.execute(in_order.execution_options(yield_per=_READ_AT_ONCE)):
        *said, place, digest, seal, erased_at = cast(tuple[Any, ...], row)
        yield Link(Said(*said), place, digest or "", seal or "", erased_at is not None)


def erase(session: Session, event_ids: Sequence[str], actor: str | None, now: int) -> int:
    """Blanks what these events say of whom, for an erasure; returns how many.

    Digest and seal stay, so the chain still holds; the erasure is an event of its own, and a walk compares the two.
    """
    erased = session.execute(
        update(AuditEvent).where(AuditEvent.id.in_(event_ids), AuditEvent.erased_at.is_(None))
        .values(actor=None, subject_id=None, data={}, erased_at=now)
        .execution_options(synchronize_session=False).returning(AuditEvent.site_id)
    ).scalars().all()  # fmt: skip
    for site_id in sorted(set(erased), key=str):
        record_audit(session, chain.ERASED, site_id=site_id, actor=actor, data={"count": erased.count(site_id)})
    return len(erased)


@dataclass(frozen=True)
class State:
    """The chain's state in cheap facts; times in milliseconds. `broken` is what the last whole walk found."""

    place: int
    sealed_at: int | None
    verified_at: int | None
    verified_place: int | None
    broken: str | None
    oldest_unsealed: int | None


def state(session: Session) -> State:
    """How far the chain goes, and how the last walk ended."""
    head = session.get(AuditChain, 1) or AuditChain(place=0, seal="", mac="")
    oldest = session.scalar(select(AuditEvent.at).where(_UNSEALED).order_by(AuditEvent.id).limit(1))
    return State(head.place, head.sealed_at, head.verified_at, head.verified_place, head.broken, oldest)


def _newest(session: Session) -> Head:
    sealed = select(AuditEvent.place, AuditEvent.seal).where(AuditEvent.place.is_not(None))
    row = session.execute(sealed.order_by(AuditEvent.place.desc()).limit(1)).first()
    return Head(row.place or 0, row.seal or "") if row else BEGINNING
