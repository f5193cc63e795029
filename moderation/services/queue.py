"""The review queue as moderators see it: what is listed, in which order, page after page.

An item is a comment with its claim; any comment can be listed and ruled on, so that a live one can be taken down.
"""

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Source, Status
from moderation.errors import Invalid, NotFound
from moderation.services.views import comment_view, iso, reason_view
from moderation.store.tables import Article, Comment, Decision, HoldReason, Moderator

_NEW_AT_MOST = 500


@dataclass(frozen=True)
class Filter:
    """What to list. `q` is looked for in the body and the author's name; `reason` is a rule's name."""

    status: str = Status.HELD.value
    sort: str = "risk"
    attribute: str | None = None
    article: str | None = None
    author: str | None = None
    reason: str | None = None
    q: str | None = None
    limit: int = 50
    after: str | None = None


@dataclass(frozen=True)
class Item:
    """One row of the queue with all that its page shows."""

    comment: Comment
    article: Article
    decision: Decision | None
    claim: dict[str, Any] | None

    def view(self) -> dict[str, Any]:
        """The item as the moderators' API gives it."""
        comment = self.comment
        shown = comment_view(comment, self.decision) | {
            "body": comment.body, "format": comment.format, "author_name": comment.author_name,
            "created_at": iso(comment.created_at), "parent_external_id": comment.parent_external_id,
            "article": {"url": self.article.url, "title": self.article.title, "section": self.article.section},
        }  # fmt: skip
        return {
            "id": comment.id, "version": comment.version, "comment": shown, "claim": self.claim,
            "reasons": [r for signal in self.signals if (r := reason_view(signal))],
            "escalated": comment.escalated, "opened_at": iso(comment.decided_at or comment.received_at),
        }  # fmt: skip

    @property
    def signals(self) -> list[dict[str, Any]]:
        """Every signal of the decision that stands, also those that did not decide."""
        return list(self.decision.signals) if self.decision else []


def items(session: Session, site_id: str, wanted: Filter, now: int) -> tuple[list[Item], str | None]:
    """A page of items and the cursor of the next one. Raises Invalid for a bad sort, status or cursor."""
    order = _order(wanted.sort)
    query = _joined(now).where(Comment.site_id == site_id, *_conditions(site_id, wanted))
    if wanted.after:
        query = query.where(_behind(order, _decode(wanted.after, len(order))))
    direction = [column.desc() if down else column.asc() for column, down in order]
    rows = session.execute(
        query.add_columns(*[column for column, _ in order]).order_by(*direction).limit(wanted.limit + 1)
    ).all()
    page = [_item(row) for row in rows[: wanted.limit]]
    more = len(rows) > wanted.limit
    return page, _encode(rows[wanted.limit - 1][5:]) if more else None


def item(session: Session, site_id: str, comment_id: str, now: int) -> Item:
    """One item of this site. Raises NotFound."""
    row = session.execute(_joined(now).where(Comment.site_id == site_id, Comment.id == comment_id)).first()
    if row is None:
        raise NotFound("there is no such review item")
    return _item(row)


def count(session: Session, site_id: str, wanted: Filter) -> int:
    """How many comments the filter holds, counted from the rows."""
    query = select(func.count()).select_from(Comment)
    return session.scalar(query.where(Comment.site_id == site_id, *_conditions(site_id, wanted))) or 0


def count_new(session: Session, site_id: str, wanted: Filter, since: int) -> int:
    """How many of these (500 at most) the policy put there after `since`; what a moderator did is not new."""
    # Ids begin with the time of their making, so this is a short range of the primary key, whatever waits.
    verdicts = (
        select(Decision.comment_id, Decision.id)
        .where(Decision.id > f"{since:012x}", Decision.site_id == site_id, Decision.source == Source.POLICY)
        .limit(_NEW_AT_MOST)
    )
    latest = {row.comment_id: row.id for row in session.execute(verdicts)}
    if not latest:
        return 0
    standing = Comment.id.in_(list(latest)), Comment.decision_id.in_(list(latest.values()))
    query = select(func.count()).select_from(Comment)
    return session.scalar(query.where(Comment.site_id == site_id, *_conditions(site_id, wanted), *standing)) or 0


def reasons_in_use(session: Session, site_id: str) -> list[str]:
    """Names of the rules that hold comments now, for the filter."""
    query = (
        select(HoldReason.rule)
        .join(Comment, Comment.id == HoldReason.comment_id)
        .where(HoldReason.site_id == site_id, Comment.status == Status.HELD)
        .distinct()
        .order_by(HoldReason.rule)
    )
    return list(session.scalars(query))


def _joined(now: int) -> Select[Comment, Article, Decision, str, int | None]:
    live_claim = and_(Moderator.id == Comment.claimed_by, Comment.claimed_until > now)
    return (
        select(Comment, Article, Decision, Moderator.name, Comment.claimed_until)
        .join(Article, Article.id == Comment.article_id)
        .outerjoin(Decision, Decision.id == Comment.decision_id)
        .outerjoin(Moderator, live_claim)
    )


def _item(row: Sequence[Any]) -> Item:
    comment, article, decision, claimed_by, claimed_until = row[:5]
    claim = {"by": claimed_by, "until": iso(claimed_until)} if claimed_by else None
    return Item(comment, article, decision, claim)


def _conditions(site_id: str, wanted: Filter) -> list[SQLColumnExpression[bool]]:
    conditions: list[SQLColumnExpression[bool]] = []
    if wanted.status == "escalated":
        conditions += [Comment.status == Status.HELD, Comment.escalated]
    elif wanted.status in set(Status):
        conditions.append(Comment.status == wanted.status)
    elif wanted.status != "any":
        raise Invalid("there is no such status", extra={"field": "status"})
    if wanted.article:
        named = select(Article.id).where(or_(Article.id == wanted.article, Article.url == wanted.article))
        conditions.append(Comment.article_id.in_(named))
    if wanted.author:
        conditions.append(or_(Comment.author_key == wanted.author, Comment.author_name == wanted.author))
    for column, value in ((HoldReason.rule, wanted.reason), (HoldReason.attribute, wanted.attribute)):
        if value:
            conditions.append(exists().where(
                HoldReason.comment_id == Comment.id, HoldReason.site_id == site_id, column == value
            ))  # fmt: skip
    if wanted.q:
        conditions.append(or_(Comment.body.icontains(wanted.q, autoescape=True),
                              Comment.author_name.icontains(wanted.q, autoescape=True)))  # fmt: skip
    return conditions


# A column and whether it runs downwards; the id makes the order total.
_Order = list[tuple[SQLColumnExpression[Any], bool]]


def _order(sort: str) -> _Order:
    orders: dict[str, _Order] = {
        "risk": [(Comment.risk, True), (Comment.id, False)],
        "oldest": [(Comment.id, False)],
        "newest": [(Comment.id, True)],
        "uncertain": [(func.abs(Comment.risk - 0.5), False), (Comment.id, False)],
    }
    if sort not in orders:
        raise Invalid(f"sort must be one of {', '.join(orders)}", extra={"field": "sort"})
    return orders[sort]


def _behind(order: _Order, values: Sequence[Any]) -> SQLColumnExpression[bool]:
    """Rows that come after these values in this order."""
    (column, down), value = order[0], values[0]
    further: ColumnElement[bool] = column < value if down else column > value
    if len(order) == 1:
        return further
    return or_(further, and_(column == value, _behind(order[1:], values[1:])))


def _encode(values: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(list(values)).encode()).decode().rstrip("=")


def _decode(cursor: str, length: int) -> list[Any]:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if isinstance(values, list) and len(values) == length and re.fullmatch("[0-9a-f]{32}", values[-1]):
            return [float(value) for value in values[:-1]] + values[-1:]
    except (ValueError, TypeError, OverflowError, RecursionError):
        pass
    raise Invalid("this is not a cursor of this list", code="invalid_cursor", extra={"field": "after"})
