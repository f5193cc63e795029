"""A large site's comments, made quickly: rows for the benchmark of the review queue, the same for every database.

One in ten waits for a moderator. Words, authors, articles and sections have the long tails that real ones have.
"""

import hashlib
import random
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from benchmarks.texts import texts
from moderation.scoring import ATTRIBUTES

DAY = 86_400_000
SECTIONS = ("World", "Politics", "Sport", "Opinion", "Culture", "Science", "Economy", "City", "Travel", "Health",
            "Chess")  # fmt: skip
RULES = ("toxicity", "insult", "identity_attack", "threat", "spam", "links", "email_address", "profanity",
         "sexually_explicit", "language_not_served", "not_scored", "house_words")  # fmt: skip
_RULE_WEIGHTS = (40, 25, 8, 4, 8, 5, 2, 4, 2, 1.5, 0.5, 0.01)
_LANGUAGES = (("en", 80), ("uk", 10), ("ru", 5), ("de", 3), ("pl", 0.5), ("eo", 0.01), (None, 1.5))
_SECTION_WEIGHTS = (30, 20, 15, 10, 8, 6, 5, 3, 2, 1, 0.05)


@dataclass(frozen=True)
class Size:
    """How much to make."""

    comments: int = 1_000_000
    held: int = 100_000
    articles: int = 5_000
    authors: int = 50_000


@dataclass(frozen=True)
class Row:
    """One comment with all that hangs on it, as columns by name."""

    comment: dict[str, Any]
    decision: dict[str, Any]
    reasons: list[dict[str, Any]]
    scores: list[dict[str, Any]]
    report: dict[str, Any] | None


def article_rows(site_id: str, size: Size) -> list[dict[str, Any]]:
    """The articles; most comments go to few of them."""
    draw = random.Random(1)
    return [
        {"id": _id(n, "a"), "site_id": site_id, "url": f"https://news.example/{n}", "title": f"Article {n}",
         "section": draw.choices(SECTIONS, _SECTION_WEIGHTS)[0], "published_at": None, "closed_at": None,
         "hold_all": False}
        for n in range(size.articles)
    ]  # fmt: skip


def rows(site_id: str, moderator_id: str, size: Size, now: int) -> Iterator[Row]:
    """The comments, oldest first, over sixty days up to `now`."""
    draw, words = random.Random(2), _Words(random.Random(3))
    every = size.comments // size.held
    for n in range(size.comments):
        at = now - 60 * DAY + 60 * DAY * n // size.comments
        held = n % every == every // 2
        status = "held" if held else "rejected" if n % 13 == 0 else "approved"
        comment = _comment(draw, words, size, n, at) | {"site_id": site_id, "status": status}
        if held and n % 200 < every:
            comment["assigned_to"] = moderator_id
        comment["escalated"] = held and n % 300 < every
        scores = {name: round(draw.random() ** (1.5 if held else 6), 6) for name in ATTRIBUTES}
        comment["risk"] = max(scores.values())
        decision = _decision(comment, scores, at)
        comment["decision_id"] = decision["id"]
        waited = held or n % 29 == 0
        yield Row(comment, decision, _reasons(draw, comment) if waited else [],
                  _scores(comment, scores) if waited else [],
                  _report(n, comment) if held and n % 400 < every else None)  # fmt: skip


def _comment(draw: random.Random, words: "_Words", size: Size, n: int, at: int) -> dict[str, Any]:
    author = int(size.authors * draw.random() ** 2)
    article = int(size.articles * draw.random() ** 2)
    return {
        "id": f"{at:012x}7{n:019x}", "external_id": f"c{n}", "article_id": _id(article, "a"),
        "author_name": f"Reader {author}", "author_email": f"reader{author}@example.org",
        "author_key": hashlib.blake2b(str(author).encode(), digest_size=32).hexdigest(),
        "body": words.text(n), "format": "plain", "revision": 1, "version": 2, "created_at": at, "received_at": at,
        "attempts": 0, "decided_at": at + 400, "language": draw.choices(*zip(*_LANGUAGES, strict=True))[0],
    }  # fmt: skip


def _decision(comment: dict[str, Any], scores: dict[str, float], at: int) -> dict[str, Any]:
    held = comment["status"] == "held"
    signals: list[dict[str, Any]] = [
        {"rule": name.lower(), "kind": "score", "attribute": name, "score": score, "threshold": 0.7,
         "outcome": "hold" if held and score > 0.7 else None, "decided": held and score > 0.7, "spans": []}
        for name, score in scores.items()
    ]  # fmt: skip
    return {
        "id": f"{at + 400:012x}8{comment['id'][13:]}", "site_id": comment["site_id"], "comment_id": comment["id"],
        "revision": 1, "action": {"held": "hold", "approved": "approve"}.get(comment["status"], "reject"),
        "source": "policy", "decided_at": at + 400, "policy_version": 1, "scorer": "cascade@1", "scores": scores,
        "signals": signals,
    }  # fmt: skip


def _reasons(draw: random.Random, comment: dict[str, Any]) -> list[dict[str, Any]]:
    chosen = sorted(set(draw.choices(RULES, _RULE_WEIGHTS, k=draw.choice((1, 1, 1, 2, 3)))))
    return [
        {"comment_id": comment["id"], "rule": rule, "site_id": comment["site_id"], "score": 0.9,
         "attribute": rule.upper() if rule.upper() in ATTRIBUTES else None}
        for rule in chosen
    ]  # fmt: skip


def _scores(comment: dict[str, Any], scores: dict[str, float]) -> list[dict[str, Any]]:
    ruled = {"held": None, "approved": "approve"}.get(comment["status"], "reject")
    return [
        {"comment_id": comment["id"], "attribute": name, "site_id": comment["site_id"], "score": score, "ruled": ruled}
        for name, score in scores.items()
    ]  # fmt: skip


def _report(n: int, comment: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": _id(n, "b"), "site_id": comment["site_id"], "comment_id": comment["id"], "revision": 1,
        "reporter_key": _id(n, "c"), "reason": ("insult", "spam", "other")[n % 3], "created_at": comment["created_at"],
        "outcome": None,
    }  # fmt: skip


def _id(n: int, kind: str) -> str:
    return f"{kind}{n:031x}"


class _Words:
    """Texts of a few dozen words: a sentence that many share, and words of a vocabulary with a long tail."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self._shared = [text for text, _ in zip(texts(), range(400), strict=False)]
        letters = "etaoinshrdlucmfwygpbvk"
        self._vocabulary = ["".join(draw.choices(letters, k=draw.randint(3, 10))) for _ in range(20_000)]
        self._weights = list(accumulate(1 / (rank + 5) for rank in range(len(self._vocabulary))))

    def text(self, n: int) -> str:
        """The n-th comment; about 250 characters, no two the same."""
        draw, total = self._draw, self._weights[-1]
        own = (self._vocabulary[bisect(self._weights, draw.random() * total)] for _ in range(draw.randint(10, 40)))
        return f"{self._shared[n % 400][:100]} {' '.join(own)} nr{n}"
