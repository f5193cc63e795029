"""Shapes of requests and answers: they check what comes in and make the OpenAPI document."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from moderation.services.fields import Body, Email, ExternalId, Line, Name, Text, Time, Title, Url, one_of
from moderation.services.intake import NewComment


def millis(time: datetime | None) -> int | None:
    """A time as milliseconds since 1970; without a zone it is UTC."""
    if time is None:
        return None
    return max(0, round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000))


class Author(BaseModel):
    """Who wrote the comment. The e-mail is never published."""

    model_config = ConfigDict(json_schema_extra=one_of("email", "id"))
    name: Name
    email: Email | None = None
    url: Annotated[Text, Field(max_length=2048)] | None = None
    id: Annotated[Text, Field(min_length=1, max_length=200)] | None = None

    @model_validator(mode="after")
    def _known(self) -> "Author":
        if not self.email and not self.id:
            raise ValueError("needs an email or an id")
        return self


class Article(BaseModel):
    """What the comment is about."""

    url: Url
    title: Title | None = None
    lead: Annotated[Text, Field(max_length=2000, description="its first paragraph, for moderators")] | None = None
    section: Line | None = None
    published_at: Time | None = None


class CommentIn(BaseModel):
    """A reader's comment, as a site sends it."""

    external_id: ExternalId
    body: Body
    format: Literal["plain", "html"] = "plain"
    author: Author
    article: Article
    parent_external_id: ExternalId | None = None
    ip: Annotated[Text, Field(max_length=64)] | None = None
    user_agent: Annotated[Text, Field(max_length=1000)] | None = None
    created_at: Time | None = None
    honeypot: Annotated[str, Field(description="what a field held that the form hides from people")] | None = None

    def to_new(self, imported_status: str | None = None) -> NewComment:
        """The same for the intake."""
        return NewComment(
            external_id=self.external_id, body=self.body, format=self.format,
            author_name=self.author.name, author_email=self.author.email, author_url=self.author.url,
            author_id=self.author.id, article_url=self.article.url, article_title=self.article.title,
            article_lead=self.article.lead, article_section=self.article.section,
            article_published_at=millis(self.article.published_at),
            parent_external_id=self.parent_external_id, ip=self.ip, user_agent=self.user_agent,
            created_at=millis(self.created_at), imported_status=imported_status,
            trapped=bool((self.honeypot or "").strip()),
        )  # fmt: skip


class ImportedCommentIn(CommentIn):
    """The same in a batch; with `imported_status` it is an old comment: scored, kept, not queued."""

    imported_status: Literal["approved", "rejected"] | None = None


class BatchIn(BaseModel):
    """Up to 500 comments; each is checked alone."""

    comments: Annotated[list[Any], Field(min_length=1, max_length=500, description="items like POST /v1/comments")]


class EditIn(BaseModel):
    """A new body for a comment."""

    body: Body


class SiteDecisionIn(BaseModel):
    """What the site's own staff decided there."""

    action: Literal["approve", "hold", "reject"]
    by: Line | None = None
    reason: Line | None = None


class CommentPath(BaseModel):
    """A comment's id."""

    comment_id: Annotated[Text, Field(max_length=64)]


class CommentQuery(BaseModel):
    """A comment by the site's own id."""

    external_id: ExternalId


class FeedQuery(BaseModel):
    """A place in the feed."""

    after: Annotated[Text, Field(max_length=64, json_schema_extra={"pattern": "^[0-9]{0,18}$"})] = ""
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class ThreadQuery(BaseModel):
    """An article; `site` may be left out when a key says it or only one site exists."""

    article_url: Url
    site: Annotated[Text, Field(max_length=64)] | None = None


class Accepted(BaseModel):
    """A comment that was taken and waits for its decision."""

    id: str
    external_id: str
    status: str
    revision: int
    url: str


class Received(BaseModel):
    """A reader's comment that was taken; what becomes of it is not said."""

    id: str
    status: Literal["received"]


class SpanOut(BaseModel):
    """UTF-16 code units of the body, end exclusive."""

    begin: int
    end: int


class ReasonOut(BaseModel):
    """Why a decision was made."""

    model_config = ConfigDict(extra="allow")
    rule: str
    attribute: str | None = None
    score: float | None = None
    threshold: float | None = None
    language: str | None = None
    place: Literal["section", "article"] | None = None
    spans: list[SpanOut] = []


class DecisionOut(BaseModel):
    """The decision that stands."""

    action: Literal["approve", "hold", "reject"]
    source: Literal["policy", "moderator", "site", "report", "appeal"]
    decided_at: datetime
    policy_version: int | None
    scorer: str | None
    reasons: list[ReasonOut]


class CommentOut(BaseModel):
    """A comment as its site sees it."""

    id: str
    external_id: str
    revision: int
    status: Literal["pending", "approved", "held", "rejected", "withdrawn"]
    scores: dict[str, float]
    decision: DecisionOut | None


class Problem(BaseModel):
    """An error (RFC 9457) with a stable code and, where it applies, the field."""

    model_config = ConfigDict(extra="allow")
    type: str
    title: str
    status: int
    code: str
    detail: str
    field: str | None = None
