"""How often a site asked about texts, by its own pages and months, and how often people said otherwise."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from moderation.errors import Invalid
from moderation.store.feedback import Check, Example


@dataclass(frozen=True)
class Counts:
    """One of a site's pages in one month. `missed_spam` and `false_positives` count texts that people labelled in that
    month against what had been answered on them."""

    blog: str
    api_calls: int
    spam: int
    ham: int
    missed_spam: int
    false_positives: int


@dataclass(frozen=True)
class Month:
    """A month of UTC as milliseconds since 1970, `end` being outside."""

    name: str
    begin: int
    end: int

    @classmethod
    def of(cls, name: str) -> "Month":
        """The month YYYY-MM. Raises Invalid."""
        try:
            begin = datetime.strptime(name, "%Y-%m").replace(tzinfo=UTC)
            end = begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)
        except ValueError:
            raise Invalid("month: write YYYY-MM", code="invalid_field", extra={"field": "month"}) from None
        return cls(f"{begin:%Y-%m}", int(begin.timestamp() * 1000), int(end.timestamp() * 1000))

    @classmethod
    def now(cls) -> "Month":
        """The month that it is."""
        return cls.of(f"{datetime.now(UTC):%Y-%m}")


def asked(session: Session, site_id: str, interface: str, month: Month) -> int:
    """How many texts were asked about in this month."""
    return session.scalar(select(func.count()).select_from(Check).where(_checks(site_id, interface, month))) or 0


def by_blog(session: Session, site_id: str, interface: str, month: Month) -> list[Counts]:
    """One row for each page that asked in this month, or that had a text labelled against the answer."""
    asked_of = {
        blog: (int(calls), int(spam or 0))
        for blog, calls, spam in session.execute(
            select(Check.blog, func.count(), func.sum(case((Check.answer == "spam", 1), else_=0)))
            .where(_checks(site_id, interface, month)).group_by(Check.blog)
        )
    }  # fmt: skip
    wrong = _labelled_otherwise(session, site_id, interface, month)
    blogs = sorted({*asked_of, *(blog for blog, _ in wrong)}, key=str)
    rows = []
    for blog in blogs:
        calls, spam = asked_of.get(blog, (0, 0))
        missed, false = wrong.get((blog, "ham"), 0), wrong.get((blog, "spam"), 0)
        rows.append(Counts(blog or "", calls, spam, calls - spam, missed, false))
    return rows


def _checks(site_id: str, interface: str, month: Month) -> ColumnElement[bool]:
    return and_(Check.site_id == site_id, Check.interface == interface, Check.at >= month.begin, Check.at < month.end)


def _labelled_otherwise(
    session: Session, site_id: str, interface: str, month: Month
) -> dict[tuple[str | None, str | None], int]:
    label = Example.labels["SPAM"].as_float()
    query = (
        select(Check.blog, Check.answer, func.count(func.distinct(Example.id)))
        .join(Check, and_(Check.site_id == Example.site_id, Check.match == Example.match))
        .where(
            Example.site_id == site_id, Example.interface == interface, Check.interface == interface,
            Example.updated_at >= month.begin, Example.updated_at < month.end,
            or_(and_(Check.answer == "ham", label == 1), and_(Check.answer == "spam", label == 0)),
        ).group_by(Check.blog, Check.answer)
    )  # fmt: skip
    return {(blog, answer): int(count) for blog, answer, count in session.execute(query)}
