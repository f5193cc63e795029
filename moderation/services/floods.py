"""Who writes too much in too short a time: counted by short ranges of an index, whatever the site holds."""

import hashlib
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from moderation.domain.verdict import Look
from moderation.services.leases import Leased, came_at
from moderation.services.policies import CompiledPolicy
from moderation.store.session import made_ms
from moderation.store.tables import Comment
from moderation.store.windows import Window, counts, since

# All who send neither an id nor an e-mail address share a key, and are not one author.
_NOBODY = hashlib.blake2b(b"email:", digest_size=32).hexdigest()
_LAST = "~"  # behind every id


def gather(
    session: Session, comments: Sequence[Leased], policies: Mapping[str, CompiledPolicy], now: int
) -> list[dict[Look, int]]:
    """What flood rules count for each comment, it and those before it; one query for authors and one for addresses."""
    found: list[dict[Look, int]] = [{} for _ in comments]
    for by in ("author", "address"):
        asked: list[tuple[int, Look, Window]] = []
        most = 0
        for number, one in enumerate(comments):
            who = _who(one, by)
            for look, wanted in policies[one.site_id].looks("flood").items() if who else ():
                if look.by == by:
                    most = max(most, wanted)
                    asked.append((number, look, _window(one, who, look.seconds, now)))
        counted = counts(session, by, [window for *_, window in asked], most)
        for number, look, window in asked:
            found[number][look] = counted[window] + (not comments[number].id)
    return found


def too_soon(
    session: Session, comments: Sequence[Leased], seconds: Sequence[int | None], now: int
) -> list[bool]:  # fmt: skip
    """Whether each comment's author wrote under the same article less than so many seconds before; None: no matter."""
    windows = [
        _window(one, _who(one, "author"), slow, now, one.article_id) if slow and _who(one, "author") else None
        for one, slow in zip(comments, seconds, strict=True)
    ]
    counted = counts(session, "author_here", [window for window in windows if window], 2)
    return [
        window is not None and counted[window] + (not one.id) > 1 for one, window in zip(comments, windows, strict=True)
    ]


def last_here(session: Session, site_id: str, article: str, whose: tuple[str, str | None], since_ms: int) -> int | None:
    """When this author (key) or this address last wrote under the article, if since then; milliseconds."""
    author, ip = whose
    asked = [(Comment.author_key, author if author != _NOBODY else None), (Comment.ip, ip)]
    last = select(Comment.id).where(
        Comment.site_id == site_id, Comment.id >= since(since_ms), Comment.article_id == article
    )
    ids = [
        session.scalar(last.where(column == who).order_by(Comment.id.desc()).limit(1)) for column, who in asked if who
    ]
    return max((made_ms(id) for id in ids if id), default=None)


def _who(one: Leased, by: str) -> str:
    if by == "address":
        return one.ip or ""
    return one.author_key if one.author_key != _NOBODY else ""


def _window(one: Leased, who: str, seconds: int, now: int, article: str | None = None) -> Window:
    at = came_at(one, now)
    return Window(one.site_id, who, since(at - seconds * 1000), one.id or _LAST, article)
