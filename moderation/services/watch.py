"""What open desks have to hear of: how the comments that they show stand now, who is where, who is still signed in.

All of it is read from rows as they are, never from a log of changes: whoever missed a moment misses nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session, aliased

from moderation.domain.lifecycle import Status
from moderation.store.audit import AuditEvent
from moderation.store.people import Membership, Moderator, SignIn
from moderation.store.tables import Comment, Decision
from moderation.store.workspace import Presence

# Comment id -> (id, name) of those who have it before their eyes.
Present = dict[str, tuple[tuple[str, str], ...]]

# A browser says where it is every 20 s; who has been silent for longer than this is gone.
PRESENT_MS = 45_000
_TICK_MS = 10_000
_ASSIGNED_AT_MOST = 1000


@dataclass(frozen=True)
class Seen:
    """How a comment stands: its last decision with who made it, and who has claimed it (while that holds).

    `undone` says that the decision took one back; `assigned_to` is a moderator's id.
    """

    id: str
    version: int
    status: Status
    decided_at: int
    source: str | None
    reason: str | None
    undone: bool
    actor: str | None
    by: str | None
    holder: str | None
    holder_name: str | None
    assigned_to: str | None


@dataclass(frozen=True)
class Assignment:
    """That a comment was given to somebody: by whom, and when (milliseconds)."""

    comment_id: str
    by: str | None
    by_id: str | None
    at: int


def seen(session: Session, site_id: str, ids: Collection[str], now: int) -> dict[str, Seen]:
    """These comments of the site as they stand, by id."""
    actor, holder = aliased(Moderator), aliased(Moderator)
    rows = session.execute(
        select(Comment.id, Comment.version, Comment.status, Comment.decided_at, Comment.assigned_to,
               Decision.source, Decision.reason, Decision.undoes, Decision.actor, actor.name.label("by"),
               holder.id.label("holder"), holder.name.label("holder_name"))
        .outerjoin(Decision, Decision.id == Comment.decision_id)
        .outerjoin(actor, actor.id == Decision.actor)
        .outerjoin(holder, and_(holder.id == Comment.claimed_by, Comment.claimed_until > now))
        .where(Comment.site_id == site_id, Comment.id.in_(ids))
    )  # fmt: skip
    return {
        row.id: Seen(
            row.id, row.version, Status(row.status), row.decided_at or 0, row.source, row.reason,
            row.undoes is not None, row.actor, row.by or row.actor, row.holder, row.holder_name, row.assigned_to,
        ) for row in rows
    }  # fmt: skip


def present(session: Session, site_id: str, now: int) -> Present:
    """Who has which comment before their eyes."""
    rows = session.execute(
        select(Presence.comment_id, Moderator.id, Moderator.name)
        .join(Moderator, Moderator.id == Presence.moderator_id)
        .where(Presence.site_id == site_id, Presence.seen_at > now - PRESENT_MS)
        .order_by(Presence.comment_id, Moderator.name)
    )
    found: Present = {}
    for comment_id, id, name in rows:
        found[comment_id] = (*found.get(comment_id, ()), (id, name))
    return found


def assigned(session: Session, site_id: str) -> dict[str, frozenset[str]]:
    """Moderator's id -> ids of the comments that wait for them."""
    query = select(Comment.assigned_to, Comment.id).where(
        Comment.site_id == site_id, Comment.assigned_to.is_not(None), Comment.status == Status.HELD
    )
    found: dict[str, frozenset[str]] = {}
    for to, id in session.execute(query.limit(_ASSIGNED_AT_MOST)):
        found[str(to)] = found.get(str(to), frozenset()) | {id}
    return found


def assigned_to(session: Session, site_id: str, moderator_id: str) -> int:
    """How many comments wait for this person."""
    mine = (Comment.site_id == site_id) & (Comment.assigned_to == moderator_id) & (Comment.status == Status.HELD)
    return session.scalar(select(func.count()).select_from(Comment).where(mine)) or 0


def last_assignment(session: Session, ids: Collection[str]) -> Assignment | None:
    """The newest time that one of these comments was given to somebody."""
    row = session.execute(
        select(AuditEvent.subject_id, AuditEvent.actor, AuditEvent.at, Moderator.name)
        .outerjoin(Moderator, Moderator.id == AuditEvent.actor)
        .where(AuditEvent.subject_id.in_(ids), AuditEvent.action == "comment.assigned")
        .order_by(AuditEvent.id.desc())
        .limit(1)
    ).first()
    return Assignment(row.subject_id, row.name, row.actor, row.at) if row else None


def tick(session: Session, now: int) -> tuple[str | None, int]:
    """Something that differs once decisions were made: cheap, for it reads the newest end of one index.

    The number of decisions is in it since a transaction that is late may commit an id that is not the newest.
    """
    row = session.execute(
        select(func.max(Decision.id), func.count()).where(Decision.id > f"{now - _TICK_MS:012x}")
    ).one()
    return row[0], row[1]


def still_signed_in(session: Session, digests: Collection[str], now: int, idle_ms: int) -> set[str]:
    """Those of these sign-ins that still hold, for the site that they were made for, and were used within `idle_ms`."""
    here = and_(Membership.moderator_id == SignIn.moderator_id, Membership.site_id == SignIn.site_id)
    query = select(SignIn.digest).join(Membership, here)
    query = query.where(SignIn.digest.in_(digests), SignIn.expires_at > now, SignIn.seen_at > now - idle_ms)
    return set(session.scalars(query))
