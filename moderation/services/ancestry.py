"""What stands above and below a comment: the chain of comments that it replies to, and the replies to it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session, aliased

from moderation.store.tables import Comment

_SHOWN = 5
_HIGHEST = 50


@dataclass(frozen=True)
class Chain:
    """`shown` is what is nearest to the comment, the oldest first; `more` stand above that; `broken`: the topmost
    replies to a comment that is not here."""

    shown: Sequence[Comment] = ()
    more: int = 0
    broken: bool = False


@dataclass(frozen=True)
class Replies:
    """`shown` are the first of them, `count` is how many there are."""

    shown: Sequence[Comment] = ()
    count: int = 0


def chain(session: Session, comment: Comment) -> Chain:
    """The comments above this one up to the root, 50 at most: whoever sends them may have tied them into a ring."""
    if comment.parent_external_id is None:
        return Chain()
    above = _above(session, comment)
    shown = {c.id: c for c in session.scalars(select(Comment).where(Comment.id.in_([id for id, _ in above[:_SHOWN]])))}
    return Chain(
        shown=[shown[id] for id, _ in reversed(above[:_SHOWN])],
        more=max(0, len(above) - _SHOWN),
        broken=(above[-1][1] if above else comment.parent_external_id) is not None and len(above) < _HIGHEST,
    )


def replies(session: Session, comment: Comment) -> Replies:
    """The answers to this comment, the oldest first."""
    below = (Comment.site_id == comment.site_id) & (Comment.parent_external_id == comment.external_id)
    shown = session.scalars(select(Comment).where(below).order_by(Comment.id).limit(_SHOWN)).all()
    if len(shown) < _SHOWN:
        return Replies(shown, len(shown))
    return Replies(shown, session.scalar(select(func.count()).select_from(Comment).where(below)) or 0)


def _above(session: Session, comment: Comment) -> list[tuple[str, str | None]]:
    """(id, what it replies to) of each comment above, the nearest first."""
    first = select(Comment.id, Comment.parent_external_id.label("parent"), literal(1).label("height")).where(
        Comment.site_id == comment.site_id, Comment.external_id == comment.parent_external_id
    )
    climb = first.cte("climb", recursive=True)
    further = aliased(Comment)
    climb = climb.union_all(
        select(further.id, further.parent_external_id, climb.c.height + 1)
        .join(climb, further.external_id == climb.c.parent)
        .where(further.site_id == comment.site_id, climb.c.height < _HIGHEST)
    )
    found: list[tuple[str, str | None]] = []
    seen = {comment.id}
    for row in session.execute(select(climb.c.id, climb.c.parent).order_by(climb.c.height)):
        if row.id in seen:
            return [*found[:-1], (found[-1][0], None)] if found else []
        seen.add(row.id)
        found.append((row.id, row.parent))
    return found
