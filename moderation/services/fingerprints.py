"""Texts that are nearly alike: MinHash bands of recent comments, kept for as long as a policy looks back.

Two comments that share a band are alike as a rule (docs/decisions/0020-abuse.md has the figures). Bands are kept
twice where a policy asks both ways: for anybody's texts, and mixed with the author for those of the same author.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import re2
from rensa import RMinHash
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from moderation.domain.verdict import Look
from moderation.scoring import undisguised
from moderation.services.leases import Leased, came_at
from moderation.services.policies import CompiledPolicy
from moderation.store.abuse import Fingerprint
from moderation.store.queries import insert_new_pairs
from moderation.store.session import Store
from moderation.store.windows import Window, counts

_BANDS, _ROWS = 10, 6
_SHINGLE = 4
# Shorter ones are said by many people who know nothing of each other: thanks, agreement, a single joke.
SHORTEST = 32  # letters and digits
_LONGEST = 4_000
_LINK = re2.compile(r"(?:https?://|www\.)\S+")
_FORGOTTEN_AFTER_MS = 168 * 3_600_000
_SLICE = 5_000
_LAST = "~"


def bands(text: str, author: str = "") -> list[int]:
    """The bands of a text, whole numbers; none where it is too short. `author` mixes in whose they are.

    Letter case, gaps, punctuation, emoji and the addresses of links make no difference, nor do the disguises that the
    classifier sees through: signs without a width, accents, look-alikes, letters set apart.
    """
    parts = pieces(text)
    if not parts:
        return []
    sketch = RMinHash(num_perm=_BANDS * _ROWS, seed=1)
    sketch.update(parts)
    digest: list[int] = sketch.digest()
    return [_band(number, digest[number * _ROWS : (number + 1) * _ROWS], author) for number in range(_BANDS)]


def pieces(text: str) -> list[str]:
    """What two texts are compared by: every four letters in a row; none where the text is too short."""
    folded = "".join(filter(str.isalnum, undisguised(_LINK.sub(" ", text[:_LONGEST])).casefold()))
    if len(folded) < SHORTEST:
        return []
    return [folded[at : at + _SHINGLE] for at in range(len(folded) - _SHINGLE + 1)]


def _band(number: int, rows: Sequence[int], author: str) -> int:
    said = f"{number} {author} {' '.join(map(str, rows))}".encode()
    return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest(), "big") >> 1


def keep(store: Store, comments: Sequence[Leased], policies: Mapping[str, CompiledPolicy], now: int) -> None:
    """Keeps the bands of comments whose policy asks, before they are decided, so that a batch sees itself too."""
    asked = [one for one in comments if policies[one.site_id].looks("repeated_text")]
    if asked:
        with store.write() as session:
            keep_all(session, asked, policies, now)


def keep_all(session: Session, comments: Sequence[Leased], policies: Mapping[str, CompiledPolicy], now: int) -> None:
    """The same within a transaction."""
    edited = [one.id for one in comments if one.revision > 1]
    if edited:
        session.execute(delete(Fingerprint).where(Fingerprint.comment_id.in_(edited)))
    rows: list[dict[str, Any]] = [
        {"comment_id": one.id, "band": band, "site_id": one.site_id, "at": came_at(one, now)}
        for one in comments
        for by in sorted({look.by for look in policies[one.site_id].looks("repeated_text")})
        for band in set(bands(one.body.text, _whose(one, by)))
    ]
    insert_new_pairs(session, Fingerprint, sorted(rows, key=lambda row: (row["comment_id"], row["band"])))


def _whose(one: Leased, by: str) -> str:
    return one.author_key if by == "author" else ""


def gather(
    session: Session, comments: Sequence[Leased], policies: Mapping[str, CompiledPolicy], now: int
) -> list[dict[Look, int]]:
    """How many comments up to and with each one say nearly the same, by what its policy asks; one query for all."""
    asked: list[tuple[int, Look, Window]] = []
    most = 0
    for number, one in enumerate(comments):
        for look, wanted in policies[one.site_id].looks("repeated_text").items():
            most = max(most, wanted)
            asked += [(number, look, window) for window in _windows(one, look, now)]
    counted = counts(session, "band", [window for *_, window in asked], most)
    found: list[dict[Look, int]] = [{} for _ in comments]
    for number, look, window in asked:
        times = counted[window] + (not comments[number].id)
        found[number][look] = max(found[number].get(look, 0), times)
    return found


def _windows(one: Leased, look: Look, now: int) -> Iterable[Window]:
    at = came_at(one, now)
    return [
        Window(one.site_id, str(band), str(at - look.seconds * 1000), str(at), one.id or _LAST)
        for band in bands(one.body.text, _whose(one, look.by))
    ]


def forget(session: Session, now: int) -> int:
    """Takes away some that no policy can look back to any more; returns how many. Call it again while there are any."""
    old = select(Fingerprint.comment_id).where(Fingerprint.at < now - _FORGOTTEN_AFTER_MS).limit(_SLICE)
    done = session.execute(delete(Fingerprint).where(Fingerprint.comment_id.in_(old)))
    return int(getattr(done, "rowcount", 0))
