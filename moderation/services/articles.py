"""Articles as moderators see them: where comments come in, closed or open, and whether all of them are held."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Role, Status
from moderation.errors import Conflict, Forbidden, Invalid, NotFound, TooMany
from moderation.services import floods
from moderation.services.accounts import Person
from moderation.services.audit import record_audit
from moderation.services.intake import article_id
from moderation.services.views import iso
from moderation.store.audit import AuditEvent
from moderation.store.people import Moderator
from moderation.store.session import made_ms
from moderation.store.tables import Article, Comment

SHOWN = 50
# How far back the list of the articles that are talked about now looks.
_RECENT_COMMENTS = 2_000
_LOOKED_AT = 500

# What can be done to an article -> the least role that may. Holding loses nothing; closing turns readers away.
MAY_DO = {
    "close": Role.SENIOR, "open": Role.SENIOR, "hold": Role.MODERATOR, "release": Role.MODERATOR,
    "slow": Role.MODERATOR,
}  # fmt: skip
Deed = Literal["close", "open", "hold", "release", "slow"]
_AUDITED = {
    "close": "article.closed", "open": "article.opened", "hold": "article.held", "release": "article.released",
    "slow": "article.slowed",
}  # fmt: skip
SLOWEST = 86_400


@dataclass(frozen=True)
class Listed:
    """An article with how many comments it has in each status, and when the newest came in (milliseconds)."""

    article: Article
    counts: dict[str, int]
    newest: int | None

    def view(self) -> dict[str, Any]:
        """The same as the moderators' API gives it."""
        about = self.article
        return {
            "id": about.id, "url": about.url, "title": about.title, "section": about.section,
            "closed_at": None if about.closed_at is None else iso(about.closed_at), "hold_all": about.hold_all,
            "slow_seconds": about.slow_seconds, "counts": self.counts,
        }  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One line of an article's history: what was done (see Deed), by whom, when."""

    deed: str
    by: str | None
    at: int


def find(session: Session, site_id: str, wanted: str) -> Article:
    """An article of this site. Raises NotFound."""
    article = session.scalar(select(Article).where(Article.id == wanted, Article.site_id == site_id))
    if article is None:
        raise NotFound("there is no such article")
    return article


def is_closed(session: Session, site_id: str, url: str) -> bool:
    """Whether this article takes no comments any more; one that is not known is open."""
    return session.scalar(select(Article.closed_at).where(Article.id == article_id(site_id, url))) is not None


def shut(session: Session, site_id: str, url: str) -> tuple[bool, bool]:
    """Whether this article is closed, and whether all its comments are held."""
    row = session.execute(
        select(Article.closed_at, Article.hold_all).where(Article.id == article_id(site_id, url))
    ).first()
    return (row is not None and row.closed_at is not None, row is not None and row.hold_all)


def refuse_closed(session: Session, site_id: str, url: str) -> None:
    """Raises Conflict where a reader's form writes to a closed article."""
    if is_closed(session, site_id, url):
        raise Conflict("comments on this article are closed", code="article_closed", extra={"field": "article"})


def refuse_too_soon(session: Session, site_id: str, url: str, whose: tuple[str, str | None], now: int) -> None:
    """Raises TooMany where slow mode is on and this author (key) or this address wrote there a moment ago; it says how
    many seconds are left."""
    article = session.get(Article, article_id(site_id, url))
    if article is None or not article.slow_seconds:
        return
    last = floods.last_here(session, site_id, article.id, whose, now - article.slow_seconds * 1000)
    if last is not None:
        left = max(1, math.ceil((last - now) / 1000 + article.slow_seconds))
        raise TooMany(
            f"slow mode: one comment in {article.slow_seconds} seconds here; wait {left} seconds", code="slow_mode",
            extra={"retry_after": left},
        )  # fmt: skip


def listed(session: Session, site_id: str, q: str = "", state: str = "") -> list[Listed]:
    """Articles by their newest comment, at most 50. Without a search those of the last 2,000 comments.

    `q` is looked for in title, address and section; `state` is closed, held or nothing.
    """
    if not q and not state:
        recent = newest_ids(site_id, _RECENT_COMMENTS).subquery()
        of_article = select(Comment.article_id).join(recent, recent.c.id == Comment.id)
        order = func.max(Comment.id).desc()
        ids = session.scalars(of_article.group_by(Comment.article_id).order_by(order).limit(SHOWN)).all()
        return _with_counts(session, ids)
    query = select(Article.id).where(Article.site_id == site_id)
    if q:
        words = (Article.title, Article.url, Article.section)
        query = query.where(or_(*(column.icontains(q, autoescape=True) for column in words)))
    if state:
        query = query.where(Article.closed_at.is_not(None) if state == "closed" else Article.hold_all)
    return _with_counts(session, session.scalars(query.limit(_LOOKED_AT)).all())[:SHOWN]


def newest_ids(site_id: str, most: int, statuses: Sequence[Status] = tuple(Status)) -> Select[str]:
    """Ids of the newest comments of a site; each status is one short range of an index, whatever the site holds."""
    of_each = [
        select(Comment.id)
        .where(Comment.site_id == site_id, Comment.status == status.value)
        .order_by(Comment.id.desc())
        .limit(most)
        .subquery()
        for status in statuses
    ]
    together = select(of_each[0].c.id).union_all(*(select(one.c.id) for one in of_each[1:])).subquery()
    return select(together.c.id).order_by(together.c.id.desc()).limit(most)


def one(session: Session, site_id: str, wanted: str) -> Listed:
    """One article with its counts. Raises NotFound."""
    article = find(session, site_id, wanted)
    return next(iter(_with_counts(session, [article.id])))


def do(session: Session, person: Person, wanted: str, deed: Deed, now: int) -> Article:
    """Closes, opens, holds all or releases; what is so already stays so. Raises NotFound, or Forbidden by role."""
    if not person.role.includes(MAY_DO[deed]):
        raise Forbidden("only seniors and admins may close an article or open it again", code="role_needed")
    article = _locked(session, person.site_id, wanted)
    before = article.closed_at, article.hold_all
    if deed in ("close", "open"):
        article.closed_at = (article.closed_at or now) if deed == "close" else None
    else:
        article.hold_all = deed == "hold"
    if (article.closed_at, article.hold_all) != before:
        session.flush()
        record_audit(session, _AUDITED[deed], site_id=person.site_id, subject_id=article.id, actor=person.id)
    return article


def slow(session: Session, person: Person, wanted: str, seconds: int | None) -> Article:
    """How long one author waits between two comments under this article; None: not at all. Raises NotFound, Invalid."""
    if seconds is not None and not 1 <= seconds <= SLOWEST:
        raise Invalid("slow_seconds must be from 1 to 86400", extra={"field": "slow_seconds"})
    article = _locked(session, person.site_id, wanted)
    if article.slow_seconds != seconds:
        article.slow_seconds = seconds
        session.flush()
        data = {"seconds": seconds}
        record_audit(session, _AUDITED["slow"], site_id=person.site_id, subject_id=wanted, actor=person.id, data=data)
    return article


def _locked(session: Session, site_id: str, wanted: str) -> Article:
    query = select(Article).where(Article.id == wanted, Article.site_id == site_id).with_for_update()
    article = session.scalar(query.execution_options(populate_existing=True))
    if article is None:
        raise NotFound("there is no such article")
    return article


def history(session: Session, site_id: str, wanted: str) -> list[Step]:
    """What was done to this article, the newest first."""
    deeds = {action: deed for deed, action in _AUDITED.items()}
    rows = session.execute(
        select(AuditEvent.action, AuditEvent.at, Moderator.name)
        .outerjoin(Moderator, Moderator.id == AuditEvent.actor)
        .where(AuditEvent.subject_id == wanted, AuditEvent.site_id == site_id, AuditEvent.action.in_(list(deeds)))
        .order_by(AuditEvent.id.desc())
        .limit(50)
    )
    return [Step(deeds[row.action], row.name, row.at) for row in rows]


def _with_counts(session: Session, ids: Sequence[str]) -> list[Listed]:
    """These articles of one site, by their newest comment."""
    counts: dict[str, dict[str, int]] = {}
    newest: dict[str, str] = {}
    for row in session.execute(
        select(Comment.article_id, Comment.status, func.count().label("number"), func.max(Comment.id).label("last"))
        .where(Comment.article_id.in_(ids))
        .group_by(Comment.article_id, Comment.status)
    ):
        counts.setdefault(row.article_id, {})[row.status] = row.number
        newest[row.article_id] = max(newest.get(row.article_id, ""), row.last)
    articles = session.scalars(select(Article).where(Article.id.in_(ids))).all()
    return [
        Listed(one, counts.get(one.id, {}), made_ms(newest[one.id]) if one.id in newest else None)
        for one in sorted(articles, key=lambda one: newest.get(one.id, ""), reverse=True)
    ]
