"""What the filters of the queue can be set to, read from the rows that there are."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from moderation.domain.lifecycle import Status
from moderation.services.queue_filter import in_status
from moderation.store.tables import Article, Comment, HoldReason
from moderation.store.voices import Report

_MOST = 200


def reasons(session: Session, site_id: str) -> list[str]:
    """Names of the rules that have held comments."""
    return _all(session, _RULES, site_id)


def sections(session: Session, site_id: str) -> list[str]:
    """Sections of the articles."""
    return _all(session, _SECTIONS, site_id)


def languages(session: Session, site_id: str) -> list[str]:
    """Codes of the languages of what is held."""
    return _all(session, _LANGUAGES, site_id)


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


def _different(column: InstrumentedAttribute[Any], *where: ColumnElement[bool]) -> Select[Any]:
    """The different values, in order, one look into the index for each, however many rows have it."""
    least: Select[Any] = select(func.min(column)).where(*where)
    seen = select(least.scalar_subquery().label("value"), literal(1).label("n")).cte("seen", recursive=True)
    following = least.where(column > seen.c.value).correlate(seen).scalar_subquery()
    seen = seen.union_all(select(following, seen.c.n + 1).where(seen.c.value.is_not(None), seen.c.n < _MOST))
    return select(seen.c.value)


# Put together once: that takes as long as to run them.
_SITE: BindParameter[str] = bindparam("site")
_RULES = _different(HoldReason.rule, HoldReason.site_id == _SITE)
_SECTIONS = _different(Article.section, Article.site_id == _SITE)
_LANGUAGES = _different(Comment.language, Comment.site_id == _SITE, in_status(Status.HELD))


def _all(session: Session, values: Select[Any], site_id: str) -> list[str]:
    return [value for value in session.scalars(values, {"site": site_id}) if value]
