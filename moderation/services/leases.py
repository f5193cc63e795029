"""Who works on which pending comments: a lease ends by a decision, by its time, or with its holder's process."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Status
from moderation.services.intake import NewComment, author_key
from moderation.services.plain_text import PlainText, plain_text
from moderation.store.tables import Comment

BATCH = 256


@dataclass(frozen=True)
class Leased:
    """A comment that this worker may decide, if it is still leased to it at the end."""

    id: str
    site_id: str
    revision: int
    body: PlainText
    source: str
    author_key: str
    attempts: int


def lease(session: Session, owner: str, now: int, lease_ms: int, limit: int = BATCH) -> list[Leased]:
    """Takes the oldest pending comments that nobody has."""
    free = or_(Comment.lease_until.is_(None), Comment.lease_until < now)
    waiting = (
        select(Comment.id).where(Comment.status == Status.PENDING, free).order_by(Comment.received_at).limit(limit)
    )
    which = Comment.id.in_(waiting.with_for_update(skip_locked=True).scalar_subquery())
    return _take(session, which, owner, now + lease_ms)


def lease_new(session: Session, ids: Sequence[str], owner: str, until: int) -> list[Leased]:
    """Takes comments that this same transaction has inserted, so that nobody else can have them."""
    return _take(session, Comment.id.in_(ids), owner, until)


def unstored(site_id: str, comment: NewComment) -> Leased:
    """A comment that is not stored yet, in the shape in which comments are scored and decided."""
    return Leased("", site_id, 1, plain_text(comment.body, comment.format), comment.body, author_key(comment), 0)


def _take(session: Session, which: ColumnElement[bool], owner: str, until: int) -> list[Leased]:
    taken = session.execute(
        update(Comment)
        .where(which)
        .values(lease_owner=owner, lease_until=until)
        .returning(
            Comment.id, Comment.site_id, Comment.revision, Comment.body, Comment.format,
            Comment.author_key, Comment.attempts,
        )
        .execution_options(synchronize_session=False)
    ).all()  # fmt: skip
    return [
        Leased(row.id, row.site_id, row.revision, plain_text(row.body, row.format), row.body, row.author_key,
               row.attempts)
        for row in taken
    ]  # fmt: skip


def renew(session: Session, owner: str, until: int) -> None:
    """Keeps what this worker has for longer."""
    session.execute(
        update(Comment)
        .where(Comment.status == Status.PENDING, Comment.lease_owner == owner)
        .values(lease_until=until)
        .execution_options(synchronize_session=False)
    )


def give_back(session: Session, owners: Sequence[str]) -> int:
    """Ends the leases of workers that are gone; returns how many comments are free again."""
    result = session.execute(
        update(Comment)
        .where(Comment.status == Status.PENDING, Comment.lease_owner.in_(owners))
        .values(lease_owner=None, lease_until=None)
        .execution_options(synchronize_session=False)
    )
    return int(getattr(result, "rowcount", 0))


def lease_owners(session: Session) -> list[str]:
    """Who holds leases now."""
    query = select(Comment.lease_owner).where(Comment.status == Status.PENDING, Comment.lease_owner.is_not(None))
    return [owner for owner in session.scalars(query.distinct()) if owner]


def waiting_since(session: Session, now: int) -> int | None:
    """When the oldest pending comment that nobody works on came in; None when there is none."""
    free = or_(Comment.lease_until.is_(None), Comment.lease_until < now)
    return session.scalar(select(func.min(Comment.received_at)).where(Comment.status == Status.PENDING, free))
