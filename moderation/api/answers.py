"""Shapes of answers that hold several things: batches, pages of the feed and of the queue, the states of parts."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from moderation.api.schemas import Accepted, CommentOut, ReasonOut
from moderation.api.statement import StatementOut


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
    """The comment as it was then; `reverses` is the id of an event that this one takes back.

    A rejection carries its statement of reasons, unless the site's own staff made it.
    """

    reverses: str | None = None
    statement: StatementOut | None = None


class ClosedReportOut(BaseModel):
    """A reader's report that was closed; moot when its text was edited or withdrawn before anybody looked.

    `reporter` is the id or the name that the site gave with it, null for a reader of a page.
    """

    id: str
    reporter: str | None
    outcome: Literal["upheld", "dismissed", "moot"]


class ReportDataOut(BaseModel):
    """A report and the comment that it was about, as the decision left it."""

    comment: CommentOut
    report: ClosedReportOut
    reverses: str | None = None


class ClosedAppealOut(BaseModel):
    """An author's appeal that was decided; moot when there was no rejection any more."""

    id: str
    outcome: Literal["uphold", "overturn", "moot"]
    answer: str | None


class AppealDataOut(BaseModel):
    """An appeal and the comment that it was about, as it stands now."""

    comment: CommentOut
    appeal: ClosedAppealOut
    reverses: str | None = None


class EventOut(BaseModel):
    """Something that was decided; `data` follows `type`. Leave alone what you don't know: there may be more types."""

    id: str
    type: Literal[
        "comment.approved", "comment.held", "comment.rejected", "comment.withdrawn", "report.closed", "appeal.decided"
    ]
    occurred_at: datetime
    data: EventDataOut | ReportDataOut | AppealDataOut


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

    id: str
    url: str
    title: str | None
    section: str | None


class ItemCommentOut(CommentOut):
    """A comment as moderators see it."""

    body: str
    format: Literal["plain", "html"]
    author_name: str
    author_key: str
    created_at: datetime
    parent_external_id: str | None
    language: str | None
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
    assigned_to: str | None
    opened_at: datetime


class ItemsOut(BaseModel):
    """A page of the queue; ask for what follows with `after` = `next`, null on the last, and `before` = `previous`."""

    items: list[ItemOut]
    next: str | None
    previous: str | None


class CountOut(BaseModel):
    """How many comments a filter holds, or with `more` at least holds, and how many of them came since."""

    count: int
    more: bool
    new: int


class DoneOut(BaseModel):
    """How many items an action was done to."""

    done: int


class DeedOut(BaseModel):
    """An action or a batch of yours. `state`: `standing` can be undone; `undone`, `decided_since` (`by` says by whom),
    `edited` and `withdrawn` can't. `item_id` is the item, in a batch the one that stands in the way or else one of it.
    """

    id: str
    action: Literal["approve", "hold", "reject", "escalate", "assign"]
    reason: str | None
    at: datetime
    items: int
    item_id: str
    state: Literal["standing", "undone", "decided_since", "edited", "withdrawn"]
    by: str | None


class DeedsOut(BaseModel):
    """What you did last, newest first."""

    actions: list[DeedOut]


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
