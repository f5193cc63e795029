"""The demo site's content: one article and sample comments of every kind."""

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from moderation.services import intake
from moderation.services.intake import NewComment
from moderation.store.session import now_ms
from moderation.store.tables import Article, Comment, Site


@lru_cache(maxsize=1)
def article() -> dict[str, Any]:
    """The article: title, section, lead, paragraphs."""
    found: dict[str, Any] = json.loads(files("moderation").joinpath("demo/article.json").read_text("utf-8"))
    return found


@dataclass(frozen=True)
class Place:
    """Where the demo's comments are kept."""

    site_id: str
    publishable_key: str
    article_url: str


def find(session: Session) -> Place | None:
    """The site that has the sample comments, and the article's address there; None before they are loaded."""
    row = session.execute(
        select(Site.id, Site.publishable_key, Article.url)
        .join(Comment, (Comment.site_id == Site.id) & (Comment.external_id == _samples()[0]["external_id"]))
        .join(Article, Article.id == Comment.article_id)
        .order_by(Site.created_at)
        .limit(1)
    ).first()
    return Place(*row) if row else None


def load(session: Session, site_id: str, base_url: str) -> None:
    """Submits the sample comments, as a site would; once.

    The article keeps the address that it had then, also when the service moves to another port: an article is
    known by its address, and `find` asks for it.
    """
    now = now_ms()
    if find(session) is None:
        intake.submit(session, site_id, [_comment(sample, f"{base_url}/demo", now) for sample in _samples()], now)


@lru_cache(maxsize=1)
def _samples() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(files("moderation").joinpath("demo/comments.json").read_text("utf-8"))
    return found


def _comment(sample: dict[str, Any], article_url: str, now: int) -> NewComment:
    about, author = article(), sample["author"]
    return NewComment(
        external_id=sample["external_id"], body=sample["body"], format="plain", author_name=author["name"],
        author_email=author["email"], author_url=author.get("url"), author_id=None,
        article_url=article_url, article_title=about["title"], article_lead=about["lead"],
        article_section=about["section"],
        parent_external_id=sample.get("parent_external_id"), created_at=now - sample["minutes_ago"] * 60_000,
    )  # fmt: skip
