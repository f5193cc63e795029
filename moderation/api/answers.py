"""Shapes of answers that hold several things: batches, pages of the feed and of the queue, the states of parts."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from moderation.api.schemas import Accepted, CommentOut, ReasonOut


class ItemErrorOut(BaseModel):
    """What is wrong with one item of a batch."""

    status: int
    code: str
    detail: str
    field: str | None = None


class RefusedOut(BaseModel):
    """An item of a batch that was not taken; `id` is that of the comment which has its external_id."""

    external_id: str | None
    id: str | None = None
    error: ItemErrorOut


class BatchOut(BaseModel):
    """One result for each comment of a batch, in its order."""

    results: list[Accepted | CommentOut | RefusedOut]


class EventDataOut(CommentOut):
    """The comment as it was then; `reverses` is the id of an event that this one takes back."""

    reverses: str | None = None


class EventOut(BaseModel):
    """Something that was decided."""

    id: str
    type: Literal["comment.approved", "comment.held", "comment.rejected", "comment.withdrawn"]
    occurred_at: datetime
    data: EventDataOut


class EventsOut(BaseModel):
    """A page of the feed; ask for what follows with `after` = `next`."""

    events: list[EventOut]
    next: str


class ThreadCommentOut(BaseModel):
    """An approved comment as readers see it, as plain text."""

    id: str
    author_name: str
    body: str
    created_at: datetime
    parent_id: str | None


class ThreadOut(BaseModel):
    """The approved comments of an article, oldest first."""

    comments: list[ThreadCommentOut]


class ItemArticleOut(BaseModel):
    """The article of a review item."""

    url: str
    title: str | None
    section: str | None


class ItemCommentOut(CommentOut):
    """A comment as moderators see it."""

    body: str
    format: Literal["plain", "html"]
    author_name: str
    created_at: datetime
    parent_external_id: str | None
    article: ItemArticleOut


class ClaimOut(BaseModel):
    """Who works on an item, and until when."""

    by: str
    until: datetime


class ItemOut(BaseModel):
    """A review item; send its `version` with an action."""

    id: str
    version: int
    comment: ItemCommentOut
    claim: ClaimOut | None
    reasons: list[ReasonOut]
    escalated: bool
    opened_at: datetime


class ItemsOut(BaseModel):
    """A page of the queue; ask for what follows with `after` = `next`, null on the last."""

    items: list[ItemOut]
    next: str | None


class CountOut(BaseModel):
    """How many comments a filter holds, and how many of them came since."""

    count: int
    new: int


class DoneOut(BaseModel):
    """How many items an action was done to."""

    done: int


class UndoneOut(BaseModel):
    """What was taken back: the items' ids, and the items as they are now."""

    undone: list[str]
    items: list[ItemOut]


class AliveOut(BaseModel):
    """The process lives."""

    status: Literal["ok"]


class ReadyOut(BaseModel):
    """What each part says of itself: `ok`, or what is wrong."""

    status: Literal["ok", "unavailable"]
    parts: dict[str, str]
