"""One author as moderators see them: names, record, rulings and comments, all from the rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Source, Status
from moderation.domain.standing import Standing
from moderation.errors import NotFound
from moderation.store.people import Moderator
from moderation.store.tables import Article, Comment, Decision
from moderation.store.workspace import AuthorStanding

_NAMES = 5
_LISTED = 100


@dataclass(frozen=True)
class Author:
    """`latest` is their newest comment, `names` are those used, the most frequent first; `counts` are of comments by
    status; `rulings` counts what moderators ruled on them as (action, reason) -> number."""

    key: str
    latest: Comment
    names: Sequence[str]
    email: str | None
    url: str | None
    counts: dict[str, int]
    rulings: dict[tuple[str, str | None], int]

    @property
    def approval_rate(self) -> float | None:
        """The share of approved among the decided; None before anything is."""
        approved, rejected = self.counts.get(Status.APPROVED, 0), self.counts.get(Status.REJECTED, 0)
        return approved / (approved + rejected) if approved + rejected else None


@dataclass(frozen=True)
class Standee:
    """An author with a standing, for the list of all: who, which, until when, and who said so when."""

    key: str
    name: str
    standing: Standing
    until: int | None
    by: str | None
    since: int


def author(session: Session, site_id: str, key: str) -> Author:
    """An author by the key of their comments. Raises NotFound where the site has no comment of theirs."""
    theirs = (Comment.site_id == site_id) & (Comment.author_key == key)
    last = session.scalar(select(Comment).where(theirs).order_by(Comment.id.desc()).limit(1))
    if last is None:
        raise NotFound("there is no such author")
    names = session.scalars(
        select(Comment.author_name).where(theirs).group_by(Comment.author_name)
        .order_by(func.count().desc(), Comment.author_name).limit(_NAMES)
    ).all()  # fmt: skip
    counts = {row[0]: row[1] for row in session.execute(
        select(Comment.status, func.count()).where(theirs).group_by(Comment.status)
    )}  # fmt: skip
    return Author(key, last, names, last.author_email, last.author_url, counts, _rulings(session, site_id, key))


def _rulings(session: Session, site_id: str, key: str) -> dict[tuple[str, str | None], int]:
    """Of the decisions that stand, those that a moderator made."""
    rows = session.execute(
        select(Decision.action, Decision.reason, func.count())
        .join(Comment, Comment.decision_id == Decision.id)
        .where(Comment.site_id == site_id, Comment.author_key == key, Decision.source == Source.MODERATOR,
               Decision.action != "hold")
        .group_by(Decision.action, Decision.reason)
        .order_by(func.count().desc(), Decision.action, Decision.reason)
    )  # fmt: skip
    return {(row[0], row[1] if row[0] == "reject" else None): row[2] for row in rows}


def comments(
    session: Session, site_id: str, key: str, after: str = "", limit: int = 30
) -> tuple[list[tuple[Comment, Article]], str | None]:
    """A page of the author's comments, the newest first, and the id to go on after."""
    query = (
        select(Comment, Article)
        .join(Article, Article.id == Comment.article_id)
        .where(Comment.site_id == site_id, Comment.author_key == key)
        .order_by(Comment.id.desc())
        .limit(limit + 1)
    )
    if after:
        query = query.where(Comment.id < after)
    rows = [(row[0], row[1]) for row in session.execute(query)]
    return rows[:limit], rows[limit - 1][0].id if len(rows) > limit else None


def waiting(session: Session, site_id: str, key: str) -> int:
    """How many of the author's comments are held."""
    query = select(func.count()).select_from(Comment)
    theirs = (Comment.site_id == site_id) & (Comment.author_key == key) & (Comment.status == Status.HELD)
    return session.scalar(query.where(theirs)) or 0


def with_standing(session: Session, site_id: str, now: int) -> list[Standee]:
    """Authors of whom people have said something that still holds, the latest first; 100 at most."""
    name = (
        select(Comment.author_name)
        .where(Comment.site_id == site_id, Comment.author_key == AuthorStanding.author_key)
        .order_by(Comment.id.desc())
        .limit(1)
        .correlate(AuthorStanding)
        .scalar_subquery()
    )
    rows = session.execute(
        select(AuthorStanding, name, Moderator.name)
        .outerjoin(Moderator, Moderator.id == AuthorStanding.set_by)
        .where(AuthorStanding.site_id == site_id,
               AuthorStanding.until.is_(None) | (AuthorStanding.until > now))
        .order_by(AuthorStanding.set_at.desc(), AuthorStanding.author_key)
        .limit(_LISTED)
    )  # fmt: skip
    return [
        Standee(row[0].author_key, row[1] or "", Standing(row[0].standing), row[0].until, row[2], row[0].set_at)
        for row in rows
    ]


def found(session: Session, site_id: str, q: str, limit: int = 50) -> list[tuple[str, str, int]]:
    """Authors whose name or e-mail address holds this: (key, a name, comments), the busiest first."""
    rows = session.execute(
        select(Comment.author_key, func.max(Comment.author_name), func.count())
        .where(Comment.site_id == site_id,
               Comment.author_name.icontains(q, autoescape=True) | Comment.author_email.icontains(q, autoescape=True))
        .group_by(Comment.author_key)
        .order_by(func.count().desc(), Comment.author_key)
        .limit(limit)
    )  # fmt: skip
    return [(row[0], row[1], row[2]) for row in rows]
