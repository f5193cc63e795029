"""Who works on which pending comments: a lease ends by a decision, by its time, or with its holder's process."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, func, or_, select, update
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Status
from moderation.services.intake import NewComment, article_id, author_key
from moderation.services.plain_text import PlainText, plain_text
from moderation.store.session import made_ms, now_ms
from moderation.store.tables import Comment

BATCH = 256
# A comment whose lease ended with its holder so often is leased alone from then on, so that no other shares its fate;
# one that did so `ENOUGH` times, most of them alone, is held unscored. A storm of kills makes nobody more than suspect.
SUSPECT, ENOUGH = 2, 5


@dataclass(frozen=True)
class Leased:
    """A comment that this worker may decide, if it is still leased to it at the end.

    `article_url` and `section` are what a comment that is not stored yet says of its article; `edit` says that it is
    the new text of one that was there before, though not under this id.
    """

    id: str
    site_id: str
    revision: int
    body: PlainText
    source: str
    author_key: str
    attempts: int
    article_id: str
    article_url: str | None = None
    section: str | None = None
    ip: str | None = None
    trapped: bool = False
    deaths: int = 0
    edit: bool = False


def came_at(one: Leased, now: int) -> int:
    """When the comment first came in; ids begin with that time. A later edit is no new comment."""
    return made_ms(one.id) if one.id else now


@dataclass
class Holder:
    """Who takes comments, for how long (milliseconds), and when what is in hand was last taken for so long."""

    owner: str
    lease_ms: int
    since: int = 0

    def take(self, session: Session) -> list[Leased]:
        """Takes so many that one batch can be scored while another one is written; for empty hands."""
        self.since = now_ms()
        return lease(session, self.owner, self.since, self.lease_ms, 2 * BATCH)

    def take_more(self, session: Session) -> list[Leased]:
        """Takes a batch besides what is in hand, and keeps that for longer once its time is running out.

        One that may kill its holder is left: what else is in hand would share its fate.
        """
        now = now_ms()
        if now - self.since > self.lease_ms / 3:
            renew(session, self.owner, now + self.lease_ms)
            self.since = now
        return lease(session, self.owner, now, self.lease_ms, ahead=True)


def lease(
    session: Session, owner: str, now: int, lease_ms: int, limit: int = BATCH, *, ahead: bool = False
) -> list[Leased]:
    """Takes the oldest pending comments that nobody has; one that may kill comes alone, with `ahead` never."""
    free = and_(Comment.status == Status.PENDING, or_(Comment.lease_until.is_(None), Comment.lease_until < now))
    oldest = session.scalar(select(Comment.deaths).where(free).order_by(Comment.received_at).limit(1))
    if oldest is None:
        return []
    alone = oldest >= SUSPECT
    if alone and ahead:
        return []
    kind = Comment.deaths >= SUSPECT if alone else Comment.deaths < SUSPECT
    waiting = select(Comment.id).where(free, kind).order_by(Comment.received_at).limit(1 if alone else limit)
    # Looked for once: PostgreSQL may look anew for each row that it changes, and would find others each time.
    found = waiting.with_for_update(skip_locked=True).cte("found")
    return _take(session, Comment.id.in_(select(found.c.id)), owner, now + lease_ms)


def lease_new(session: Session, ids: Sequence[str], owner: str, until: int) -> list[Leased]:
    """Takes comments that this same transaction has inserted, so that nobody else can have them."""
    return _take(session, Comment.id.in_(ids), owner, until)


def unstored(site_id: str, comment: NewComment, *, edit: bool = False) -> Leased:
    """A comment that is not stored yet, in the shape in which comments are scored and decided."""
    return Leased(
        "", site_id, 1, plain_text(comment.body, comment.format), comment.body, author_key(comment), 0,
        article_id(site_id, comment.article_url), comment.article_url, comment.article_section,
        comment.ip, comment.trapped, edit=edit,
    )  # fmt: skip


def of(comment: Comment) -> Leased:
    """A stored comment in the same shape."""
    return Leased(
        comment.id, comment.site_id, comment.revision, plain_text(comment.body, comment.format), comment.body,
        comment.author_key, comment.attempts, comment.article_id, ip=comment.ip, trapped=comment.trapped,
        deaths=comment.deaths,
    )  # fmt: skip


def _take(session: Session, which: ColumnElement[bool], owner: str, until: int) -> list[Leased]:
    taken = session.execute(
        update(Comment)
        .where(which)
        .values(
            lease_owner=owner, lease_until=until,
            deaths=Comment.deaths + case((Comment.lease_owner.is_not(None), 1), else_=0),  # a lease that ran out
        )
        .returning(
            Comment.id, Comment.site_id, Comment.revision, Comment.body, Comment.format,
            Comment.author_key, Comment.attempts, Comment.article_id, Comment.ip, Comment.trapped,
            Comment.deaths,
        )
        .execution_options(synchronize_session=False)
    ).all()  # fmt: skip
    return [
        Leased(row.id, row.site_id, row.revision, plain_text(row.body, row.format), row.body, row.author_key,
               row.attempts, row.article_id, ip=row.ip, trapped=row.trapped, deaths=row.deaths)
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
    """Ends the leases of workers that have died; returns how many comments are free again."""
    result = session.execute(
        update(Comment)
        .where(Comment.status == Status.PENDING, Comment.lease_owner.in_(owners))
        .values(lease_owner=None, lease_until=None, deaths=Comment.deaths + 1)
        .execution_options(synchronize_session=False)
    )
    return int(getattr(result, "rowcount", 0))


def let_go(session: Session, owner: str) -> int:
    """Ends this worker's own leases: it could not write what it had decided. Nothing is held against the comments."""
    result = session.execute(
        update(Comment)
        .where(Comment.status == Status.PENDING, Comment.lease_owner == owner)
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
