"""Comments of a site as plain rows, and the queue over them in plain Python, to hold the real one against."""

import random
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from moderation.services.queue import Filter
from moderation.store.queries import insert_rows
from moderation.store.session import new_id
from moderation.store.tables import Article, Comment, Decision, HoldReason
from moderation.store.voices import Report
from moderation.store.workspace import HeldScore

BODIES = (
    "You idiot", "a fine day", "buy 100% now_", "ПРИВІТ усім", "the \"quoted\" word", "x", "The end\nof it", "Straße",
)  # fmt: skip
ARTICLES = tuple(f"https://news.example/{n}" for n in range(7))
AUTHORS = ("Ann", "Боб", "Zoë O'Hara", "Li")
RULES = {"insult": "INSULT", "mockery": "INSULT", "toxicity": "TOXICITY", "links": None}
SECTIONS = ("World", "Sport", None)
LANGUAGES = ("en", "uk", None)
REPORT_REASONS = ("insult", "spam")
ATTRIBUTES = ("INSULT", "TOXICITY")
STATUSES = ("held", "approved", "rejected", "pending", "withdrawn")


@dataclass
class Made:
    """One comment as the test sees it."""

    id: str
    status: str
    risk: float
    author: str
    body: str
    article: str
    section: str | None
    language: str | None
    assigned: str | None
    escalated: bool
    rules: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    scores: dict[str, float] = field(default_factory=dict)


def make(session: Session, site_id: str, people: tuple[str, ...], number: int, seed: int = 1) -> list[Made]:
    """So many random comments, put into the tables; the oldest first. Risks and scores are often the same."""
    draw = random.Random(seed)
    articles = [{"id": new_id(), "site_id": site_id, "url": url, "title": f"Article {n}",
                 "section": SECTIONS[n % len(SECTIONS)], "hold_all": False}
                for n, url in enumerate(ARTICLES)]  # fmt: skip
    insert_rows(session, Article, articles)
    made = [_made(draw, articles, people) for _ in range(number)]
    insert_rows(session, Comment, [_comment(site_id, one, articles) for one in made])
    insert_rows(session, Decision, [_decision(site_id, one) for one in made])
    insert_rows(session, HoldReason, [
        {"comment_id": one.id, "rule": rule, "site_id": site_id, "attribute": RULES[rule], "score": 0.5}
        for one in made for rule in one.rules
    ])  # fmt: skip
    insert_rows(session, HeldScore, [
        {"comment_id": one.id, "attribute": attribute, "site_id": site_id, "score": score,
         "ruled": {"held": None, "approved": "approve"}.get(one.status, "reject")}
        for one in made for attribute, score in one.scores.items()
    ])  # fmt: skip
    insert_rows(session, Report, [
        {"id": new_id(), "site_id": site_id, "comment_id": one.id, "revision": 1, "reporter_key": new_id(),
         "reason": reason, "created_at": 0, "outcome": outcome}
        for one in made for reason in one.reports for outcome in (None, "dismissed")
    ])  # fmt: skip
    return made


def _made(draw: random.Random, articles: list[dict[str, Any]], people: tuple[str, ...]) -> Made:
    article = draw.choice(articles)
    status = draw.choices(STATUSES, (6, 3, 1, 1, 0.5))[0]
    held = status == "held"
    return Made(
        id=new_id(), status=status, risk=draw.choice((0.1, 0.5, 0.5, draw.random())), author=draw.choice(AUTHORS),
        body=f"{draw.choice(BODIES)} {draw.choice(BODIES)}", article=article["url"], section=article["section"],
        language=draw.choice(LANGUAGES), assigned=draw.choice((None, None, *people)) if held else None,
        escalated=held and draw.random() < 0.2, rules=draw.sample(list(RULES), draw.randint(0, 3)),
        reports=draw.sample(REPORT_REASONS, draw.choice((0, 0, 0, 1, 2))),
        scores={name: draw.choice((0.25, 0.75, draw.random())) for name in ATTRIBUTES if draw.random() < 0.9},
    )  # fmt: skip


def _comment(site_id: str, one: Made, articles: list[dict[str, Any]]) -> dict[str, Any]:
    article = next(article for article in articles if article["url"] == one.article)
    return {
        "id": one.id, "site_id": site_id, "external_id": one.id, "article_id": article["id"], "author_name": one.author,
        "author_key": key_of(one.author), "body": one.body, "format": "plain", "revision": 1, "status": one.status,
        "version": 1, "created_at": 0, "received_at": 0, "attempts": 0, "risk": one.risk, "escalated": one.escalated,
        "language": one.language, "assigned_to": one.assigned, "decision_id": one.id,
    }  # fmt: skip


def _decision(site_id: str, one: Made) -> dict[str, Any]:
    return {
        "id": one.id, "site_id": site_id, "comment_id": one.id, "revision": 1, "action": "hold", "source": "policy",
        "decided_at": 0, "scores": one.scores, "signals": [],
    }  # fmt: skip


def key_of(author: str) -> str:
    """An author's key."""
    return author.encode().hex().ljust(64, "0")


def plain(made: list[Made], wanted: Filter) -> list[str]:
    """Ids of the comments that the filter means, in its order."""
    return [one.id for one in sorted((one for one in made if _meant(one, wanted)), key=lambda one: _key(one, wanted))]


def _meant(one: Made, wanted: Filter) -> bool:
    status = "held" if wanted.status == "escalated" else wanted.status
    haystack = f"{one.author}\n{one.body}".lower()
    attributes = {RULES[rule] for rule in one.rules}
    checks = (
        status in ("any", one.status),
        wanted.status != "escalated" or one.escalated,
        wanted.sort != "attribute" or wanted.attribute in one.scores,
        wanted.sort == "attribute" or not wanted.attribute or wanted.attribute in attributes,
        not wanted.reason or wanted.reason in one.rules,
        not wanted.article or one.article in wanted.article,
        not wanted.section or one.section in wanted.section,
        not wanted.author or wanted.author in (one.author, key_of(one.author)),
        not wanted.language or (one.language or "none") == wanted.language,
        not wanted.report or (bool(one.reports) if wanted.report == "any" else wanted.report in one.reports),
        not wanted.assigned or (one.assigned or "nobody") == wanted.assigned,
        not wanted.escalated or one.escalated == (wanted.escalated == "yes"),
        not wanted.q or wanted.q.lower() in haystack,
    )
    return all(checks)


def _key(one: Made, wanted: Filter) -> tuple[Any, ...]:
    return {
        "risk": lambda: (-one.risk, one.id),
        "oldest": lambda: (one.id,),
        "newest": lambda: tuple(-ord(letter) for letter in one.id),
        "uncertain": lambda: (abs(one.risk - 0.5), one.id),
        "attribute": lambda: (-one.scores[wanted.attribute or ""], one.id),
    }[wanted.sort]()
