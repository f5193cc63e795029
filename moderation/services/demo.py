"""The demo site's content: one article and sample comments of every kind."""

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

from sqlalchemy.orm import Session

from moderation.services import intake
from moderation.services.intake import NewComment
from moderation.store.session import now_ms


@lru_cache(maxsize=1)
def article() -> dict[str, Any]:
    """The article: title, section, lead, paragraphs."""
    found: dict[str, Any] = json.loads(files("moderation").joinpath("demo/article.json").read_text("utf-8"))
    return found


def article_url(base_url: str) -> str:
    """The address under which the demo's comments are kept."""
    return f"{base_url}/demo"


def load(session: Session, site_id: str, base_url: str) -> None:
    """Submits the sample comments, as a site would."""
    now = now_ms()
    samples = json.loads(files("moderation").joinpath("demo/comments.json").read_text("utf-8"))
    intake.submit(session, site_id, [_comment(sample, base_url, now) for sample in samples], now)


def _comment(sample: dict[str, Any], base_url: str, now: int) -> NewComment:
    about, author = article(), sample["author"]
    return NewComment(
        external_id=sample["external_id"], body=sample["body"], format="plain", author_name=author["name"],
        author_email=author["email"], author_url=author.get("url"), author_id=None,
        article_url=article_url(base_url), article_title=about["title"], article_section=about["section"],
        parent_external_id=sample.get("parent_external_id"), created_at=now - sample["minutes_ago"] * 60_000,
    )  # fmt: skip
