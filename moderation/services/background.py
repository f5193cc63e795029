"""What is known of comments besides their text: their authors' record and standing, their articles and sections."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Row, case, func, or_, select
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Status
from moderation.domain.standing import Standing
from moderation.services import abuse, standings
from moderation.services.abuse import Around
from moderation.services.leases import Leased, came_at
from moderation.services.policies import CompiledPolicy
from moderation.store.queries import one_of
from moderation.store.tables import Article, Comment


@dataclass(frozen=True)
class Background:
    """`author` counts approved and rejected comments before; None where nobody asks, or the author is not known."""

    author: tuple[int, int] | None = None
    standing: Standing | None = None
    section: str | None = None
    article_url: str | None = None
    closed: bool = False
    hold_all: bool = False
    around: Around = field(default_factory=Around)


_Articles = Mapping[str, Row[str, str, str | None, int | None, bool, int | None]]


def gather(
    session: Session, comments: Sequence[Leased], policies: Mapping[str, CompiledPolicy], now: int
) -> list[Background]:
    """The background of each of these comments, in a few queries for all of them; only what their policies ask for."""
    authors = {(one.site_id, one.author_key) for one in comments}
    counting = {site for site, policy in policies.items() if any(map(policy.asks_anywhere, _RECORD))}
    counts = _author_counts(session, {author for author in authors if author[0] in counting})
    standing = standings.in_force_of(session, authors, now)
    with_places = any(policies[site].has_places for site, _ in authors)
    articles = _articles(session, {one.article_id for one in comments}, every=with_places)
    slow = [
        article.slow_seconds if (article := articles.get(one.article_id)) and not one.edit else None
        for one in comments
    ]  # fmt: skip
    found = []
    for one, around in zip(comments, abuse.gather(session, comments, policies, slow, now=now), strict=True):
        author = one.site_id, one.author_key
        record = counts.get(author, (0, 0)) if one.site_id in counting else None
        found.append(Background(record, standing.get(author), *_place(one, articles, now), around))
    return found


# Rules that look at an author's record; without one it is not counted, for it is as long as all that they wrote.
_RECORD = ("trusted_author", "first_time_author", "repeat_offender")


def _place(one: Leased, articles: _Articles, now: int) -> tuple[str | None, str | None, bool, bool]:
    """Section, address, whether it was closed before the comment came, and whether it holds all."""
    article = articles.get(one.article_id)
    if article is None:  # nothing special about it, or it is new with a comment that is not stored yet
        return one.section, one.article_url, False, False
    closed = article.closed_at is not None and came_at(one, now) >= article.closed_at and not one.edit
    return one.section or article.section, article.url, closed, article.hold_all


def _articles(session: Session, ids: Iterable[str], *, every: bool) -> _Articles:
    """Those that are closed, held or in slow mode; with `every` all, for their sections."""
    query = select(Article.id, Article.url, Article.section, Article.closed_at, Article.hold_all, Article.slow_seconds)
    query = query.where(one_of(session, Article.id, sorted(ids)))
    if not every:
        query = query.where(or_(Article.closed_at.is_not(None), Article.hold_all, Article.slow_seconds.is_not(None)))
    return {row.id: row for row in session.execute(query)}


def _author_counts(session: Session, authors: set[tuple[str, str]]) -> dict[tuple[str, str], tuple[int, int]]:
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    for site_id in {site for site, _ in authors}:
        keys = [key for site, key in authors if site == site_id]
        rows = session.execute(
            select(
                Comment.author_key,
                func.sum(case((Comment.status == Status.APPROVED, 1), else_=0)),
                func.sum(case((Comment.status == Status.REJECTED, 1), else_=0)),
            ).where(Comment.site_id == site_id, one_of(session, Comment.author_key, keys)).group_by(Comment.author_key)
        )  # fmt: skip
        counts |= {(site_id, key): (int(approved or 0), int(rejected or 0)) for key, approved, rejected in rows}
    return counts
