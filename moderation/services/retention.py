"""What a site keeps no longer than it chose: gone through by the sweep, a bounded slice of rows at a time.

Ids begin with the time of making, so each task goes once along the ids of one table and notes how far it came; rows
that are younger than what it looks for are never read. A slice and its note are one transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, union_all, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from moderation.domain import address
from moderation.domain.lifecycle import Outcome, Status
from moderation.services.audit import record_audit
from moderation.services.emptying import empty
from moderation.services.options import Options
from moderation.store.feedback import Check
from moderation.store.privacy import GoneThrough
from moderation.store.session import Store
from moderation.store.tables import Comment, Decision, Delivery, Event, Site
from moderation.store.voices import Appeal
from moderation.store.windows import since

_READ_AT_ONCE = 1000
_EMPTIED_AT_ONCE = 100
_CHECKS_AT_ONCE = 5000  # there may be many times as many as comments, and none has anything that hangs on it
_DAY_MS = 86_400_000
# Younger rows may still be committed behind those that are read.
_SETTLED_MS = 60_000

Keys = Sequence[str]


@dataclass(frozen=True)
class Task:
    """Goes along the ids of `along`; `days` says after how many (None: not at all), `do` handles ids of one site and
    returns how many rows it changed. `first_kept` gives the id of a site before which it stops, to come again."""

    along: InstrumentedAttribute[str]
    site: InstrumentedAttribute[str]
    days: Callable[[Options], int | None]
    do: Callable[[Session, Keys, str, list[str]], int]
    at_once: int = _READ_AT_ONCE
    first_kept: Callable[[Session, str], str | None] = lambda _session, _site_id: None


def apply(store: Store, secret_keys: Keys, now: int) -> bool:
    """One slice of each task of each site; True means that more is left. Secret keys: that of now first."""
    with store.read() as session:
        chosen = {row.id: Options.model_validate(row.options) for row in session.execute(select(Site.id, Site.options))}
    left = False
    for site_id, options in chosen.items():
        for name, task in TASKS.items():
            days = task.days(options)
            if days is not None:
                left |= _slice(store, secret_keys, (site_id, name), since(now - max(days * _DAY_MS, _SETTLED_MS)))
    return left


def _slice(store: Store, secret_keys: Keys, place: tuple[str, str], end: str) -> bool:
    """The writer is asked for only where there is something to go through."""
    site_id, name = place
    task = TASKS[name]
    with store.read() as session:
        rows = _following(session, task, place, end)
    if not rows:
        return False
    with store.write() as session:
        at = session.get(GoneThrough, place, with_for_update=True)
        if at is None:
            at = GoneThrough(site_id=site_id, task=name, upto="")
            session.add(at)
            session.flush()  # of two that begin at once the second fails, and comes again with the next sweep
        rows = _following(session, task, place, end)
        mine = [id for id, site in rows if site == site_id]
        done = task.do(session, secret_keys, site_id, mine) if mine else 0
        if rows:
            at.upto = rows[-1][0]
        if done:
            record_audit(session, "retention.applied", site_id=site_id, data={"task": name, "count": done})
    return len(rows) == task.at_once


def _following(session: Session, task: Task, place: tuple[str, str], end: str) -> list[tuple[str, str]]:
    """The next ids, of whatever site: so that a small site beside a large one never reads all at once."""
    upto = session.scalar(select(GoneThrough.upto).where(GoneThrough.site_id == place[0], GoneThrough.task == place[1]))
    query = select(task.along, task.site).where(task.along > (upto or ""), task.along < end)
    if kept := task.first_kept(session, place[0]):
        query = query.where(task.along < kept)
    return [(row[0], row[1]) for row in session.execute(query.order_by(task.along).limit(task.at_once))]


def _hash_addresses(session: Session, secret_keys: Keys, site_id: str, ids: list[str]) -> int:
    plain = select(Comment.id, Comment.ip).where(
        Comment.id.in_(ids), Comment.ip.is_not(None), Comment.ip.not_like(address.PREFIX + "%")
    )
    rows = [
        {"id": row.id, "ip": address.hashed(secret_keys[0], site_id, row.ip)}
        for row in session.execute(plain.order_by(Comment.id))
    ]
    if rows:
        session.execute(update(Comment), rows)
    return len(rows)


def _blank(*columns: str) -> Callable[[Session, Keys, str, list[str]], int]:
    def do(session: Session, _keys: Keys, _site_id: str, ids: list[str]) -> int:
        known = [getattr(Comment, name).is_not(None) for name in columns]
        filled = known[0] if len(known) == 1 else known[0] | known[1]
        found = session.scalars(select(Comment.id).where(Comment.id.in_(ids), filled).order_by(Comment.id)).all()
        if found:
            session.execute(update(Comment), [{"id": id} | dict.fromkeys(columns) for id in found])
        return len(found)

    return do


def _empty_rejected(session: Session, secret_keys: Keys, _site_id: str, ids: list[str]) -> int:
    """By decisions, since a comment may be rejected long after it came in."""
    theirs = select(Decision.comment_id).where(Decision.id.in_(ids), Decision.action == Outcome.REJECT)
    # The rejection that stands must be an old one itself, and nobody may wait for an answer.
    asked = select(Appeal.id).where(Appeal.comment_id == Comment.id, Appeal.outcome.is_(None)).exists()
    stands = (Comment.status == Status.REJECTED) & (Comment.decision_id <= max(ids)) & ~asked
    return _emptied(session, secret_keys, Comment.id.in_(theirs) & stands)


def _empty_withdrawn(session: Session, secret_keys: Keys, _site_id: str, ids: list[str]) -> int:
    theirs = select(Event.comment_id).where(Event.id.in_(ids), Event.type == "comment.withdrawn")
    return _emptied(session, secret_keys, Comment.id.in_(theirs) & (Comment.status == Status.WITHDRAWN))


def _emptied(session: Session, secret_keys: Keys, which: Any) -> int:
    full = which & (Comment.body != "")
    comments = session.scalars(select(Comment).where(full).order_by(Comment.id).with_for_update()).all()
    empty(session, secret_keys, comments)
    return len(comments)


def _on_its_way(session: Session, site_id: str) -> str | None:
    """The oldest event of a site that is not released yet, or still to be delivered; in one look at both, for a
    release makes one of the other."""
    unreleased = select(func.min(Event.id).label("id")).where(Event.site_id == site_id, Event.position.is_(None))
    undelivered = select(func.min(Delivery.event_id)).where(Delivery.site_id == site_id, Delivery.next_at.is_not(None))
    both = union_all(unreleased, undelivered).subquery()
    oldest: str | None = session.scalar(select(func.min(both.c.id)))
    return oldest


def _delete_events(session: Session, _keys: Keys, _site_id: str, ids: list[str]) -> int:
    """Those before the oldest that is on its way; cursors of the feed are positions, and stay good."""
    session.execute(delete(Delivery).where(Delivery.event_id.in_(ids)))
    session.execute(delete(Event).where(Event.id.in_(ids)))
    return len(ids)


def _delete_checks(session: Session, _keys: Keys, _site_id: str, ids: list[str]) -> int:
    session.execute(delete(Check).where(Check.id.in_(ids)))
    return len(ids)


TASKS = {
    "hash": Task(Comment.id, Comment.site_id, lambda o: None if o.keep_ip else 0, _hash_addresses),
    "address": Task(Comment.id, Comment.site_id, lambda o: o.keep_address_days or None, _blank("ip", "user_agent")),
    "email": Task(Comment.id, Comment.site_id, lambda o: o.keep_email_days or None, _blank("author_email")),
    "rejected": Task(
        Decision.id, Decision.site_id, lambda o: o.keep_rejected_days or None, _empty_rejected, _EMPTIED_AT_ONCE
    ),
    "withdrawn": Task(
        Event.id, Event.site_id, lambda o: o.keep_rejected_days or None, _empty_withdrawn, _EMPTIED_AT_ONCE
    ),
    "events": Task(
        Event.id, Event.site_id, lambda o: o.keep_events_days or None, _delete_events, first_kept=_on_its_way
    ),
    "checks": Task(Check.id, Check.site_id, lambda o: o.keep_checks_days or None, _delete_checks, _CHECKS_AT_ONCE),
}
