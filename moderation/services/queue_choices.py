"""What the filters of the queue can be set to, read from the rows that there are."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from moderation.domain.lifecycle import Status
from moderation.services.queue_filter import in_status
from moderation.store.tables import Article, Comment, HoldReason
from moderation.store.voices import Report

_MOST = 200


def reasons(session: Session, site_id: str) -> list[str]:
    """Names of the rules that have held comments."""
    return _distinct(session, HoldReason.rule, HoldReason.site_id == site_id)


def sections(session: Session, site_id: str) -> list[str]:
    """Sections of the articles."""
    return _distinct(session, Article.section, Article.site_id == site_id)


def languages(session: Session, site_id: str) -> list[str]:
    """Codes of the languages of what is held."""
    return _distinct(session, Comment.language, Comment.site_id == site_id, in_status(Status.HELD))


def articles(session: Session, site_id: str, named: Sequence[str]) -> dict[str, str]:
    """Titles of these articles (ids or addresses), by what they were named."""
    if not named:
        return {}
    query = select(Article.id, Article.url, Article.title).where(
        Article.site_id == site_id, Article.id.in_(named) | Article.url.in_(named)
    )
    titles: dict[str, str] = {}
    for id, url, title in session.execute(query):
        titles[id] = titles[url] = title or url
    return titles


def author_name(session: Session, site_id: str, key: str) -> str | None:
    """What the author with this key calls themselves, by their newest comment."""
    query = select(Comment.author_name).where(Comment.site_id == site_id, Comment.author_key == key)
    return session.scalar(query.order_by(Comment.id.desc()).limit(1))


def open_reports(session: Session, site_id: str, comment_ids: Sequence[str]) -> dict[str, int]:
    """How many reports of each of these comments are open; those with none are left out."""
    query = select(Report.comment_id, func.count()).where(
        Report.site_id == site_id, Report.outcome.is_(None), Report.comment_id.in_(comment_ids)
    )
    return {row[0]: row[1] for row in session.execute(query.group_by(Report.comment_id))}


def _distinct(session: Session, column: InstrumentedAttribute[Any], *where: ColumnElement[bool]) -> list[str]:
    """The different values, in order, one look into the index for each, however many rows have it."""
    least: Select[Any] = select(func.min(column)).where(*where)
    seen = select(least.scalar_subquery().label("value"), literal(1).label("n")).cte("seen", recursive=True)
    following = least.where(column > seen.c.value).correlate(seen).scalar_subquery()
    seen = seen.union_all(select(following, seen.c.n + 1).where(seen.c.value.is_not(None), seen.c.n < _MOST))
    return [value for value in session.scalars(select(seen.c.value)) if value]
