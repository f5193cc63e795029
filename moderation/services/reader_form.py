"""Comments that readers send themselves, through the form of a page; nothing but the form's key vouches for them."""

from typing import Annotated

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Status
from moderation.errors import Invalid
from moderation.services import addresses, articles, intake
from moderation.services.fields import Body, Email, Name, Text, Title, Url
from moderation.services.intake import NewComment, article_id, author_key
from moderation.store.session import new_id
from moderation.store.tables import Article, Comment

_USER_AGENT_LENGTH = 1000


class Reader(BaseModel):
    """Who writes. The e-mail is never published."""

    name: Name
    email: Email
    url: Url | None = None


class ReaderArticle(BaseModel):
    """What the comment is about."""

    url: Url
    title: Title | None = None


class ReaderComment(BaseModel):
    """A comment as the form of a page sends it."""

    body: Body
    author: Reader
    article: ReaderArticle
    parent_id: Annotated[Text, Field(max_length=64, description="an id from the article's thread")] | None = None
    subject: Annotated[str, Field(description="the field that a page hides from people; leave it out")] | None = None
    honeypot: Annotated[str, Field(description="the same under another name")] | None = None


def receive(
    session: Session,
    site_id: str,
    comment: ReaderComment,
    secret_key: str,
    *,
    ip: str | None,
    user_agent: str | None,
    now: int,
) -> str:
    """Keeps the comment as pending; returns its id. Raises Conflict where the article is closed for comments, Invalid
    when it answers to what readers can't see, TooMany in slow mode.

    One whose hidden field was filled is marked, and held unless the policy says otherwise: most likely a program wrote
    it, but a browser's form filler can fall into the same trap, and what a person wrote must not be lost.
    """
    about, author = comment.article, comment.author
    articles.refuse_closed(session, site_id, about.url)
    # A reader may name an article that is new here, but not rename one that is known.
    known = session.get(Article, article_id(site_id, about.url)) is not None
    new = NewComment(
        external_id=f"form-{new_id()}", body=comment.body, format="plain", author_name=author.name,
        author_email=author.email, author_url=author.url, author_id=None, article_url=about.url,
        article_title=None if known else about.title,
        parent_external_id=_parent(session, site_id, about.url, comment.parent_id) if comment.parent_id else None,
        ip=ip, user_agent=(user_agent or "")[:_USER_AGENT_LENGTH] or None,
        trapped=bool((comment.subject or comment.honeypot or "").strip()),
    )  # fmt: skip
    (new,) = addresses.kept(session, site_id, secret_key, [new])
    articles.refuse_too_soon(session, site_id, about.url, (author_key(new), new.ip), now)
    (kept,) = intake.submit(session, site_id, [new], now)
    return kept.id


def _parent(session: Session, site_id: str, article_url: str, parent_id: str) -> str:
    """The site's own id of the comment that is answered."""
    found: str | None = session.scalar(
        select(Comment.external_id).where(
            Comment.id == parent_id, Comment.site_id == site_id, Comment.status == Status.APPROVED,
            Comment.article_id == article_id(site_id, article_url),
        )
    )  # fmt: skip
    if found is None:
        raise Invalid("parent_id: this article has no such comment", extra={"field": "parent_id"})
    return found
