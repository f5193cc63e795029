"""The histogram of what waits by score, as the page of batches shows it. A batch itself needs looks, so it is a page's;
programs rule on explicit ids."""

from typing import Annotated, Literal

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, Field

from moderation.api.auth import person, require_moderator
from moderation.api.schemas import Problem
from moderation.domain.lifecycle import Role
from moderation.domain.shares import Expected
from moderation.errors import Forbidden, Invalid
from moderation.http import service
from moderation.services import histogram
from moderation.services.fields import Text
from moderation.services.histogram import Bin, Choice, Histogram, Scope
from moderation.store.session import now_ms

api = APIBlueprint(
    "histogram", __name__, url_prefix="/v1/review",
    abp_tags=[Tag(name="Moderators", description="for moderators, with a token or a session")],
    abp_security=[{"moderator": []}],
)  # fmt: skip
api.before_request(require_moderator)

Word = Annotated[Text, Field(max_length=2048)]


class HistogramQuery(BaseModel):
    """What to show: `up_to` is where the scale ends (left out: where it fits), `low` and `high` are a range."""

    attribute: Word = "TOXICITY"
    article: Word | None = None
    section: Word | None = None
    bins: Literal["20", "10", "5"] = "20"
    up_to: Literal["0.05", "0.2", "1"] | None = None
    low: Annotated[float, Field(ge=0, le=1)] | None = None
    high: Annotated[float, Field(ge=0, le=1)] | None = None


class BinOut(BaseModel):
    """Scores from `low` to below `high`; `share` that moderators rejected and its 95 % interval are null below 30
    rulings."""

    low: float
    high: float
    waiting: int
    approved: int
    rejected: int
    share: float | None
    interval: list[float] | None


class ExpectedOut(BaseModel):
    """Of `known` comments about `count` would be wrong, from `low` to `high` (95 %); the `unknown` can't be told."""

    known: int
    unknown: int
    count: float
    low: float
    high: float


class ChoiceOut(BaseModel):
    """A range: what waits in it, and how many errors to expect of a decision on all of it."""

    low: float
    high: float
    waiting: int
    if_approved: ExpectedOut
    if_rejected: ExpectedOut


class HistogramOut(BaseModel):
    """What waits by score, and what was ruled there in the last `days`."""

    attribute: str
    up_to: float
    limit: float | None
    days: int
    waiting: int
    unscored: int
    bins: list[BinOut]
    range: ChoiceOut | None


@api.get("/histogram", responses={200: HistogramOut, 403: Problem, 422: Problem})
def show(query: HistogramQuery) -> Response:
    """How held comments spread over an attribute's score; for seniors and admins."""
    if not person().role.includes(Role.SENIOR):
        raise Forbidden("this is for seniors and admins", code="role_needed")
    if (query.low is None) != (query.high is None):
        raise Invalid("a range needs both low and high", extra={"field": "low"})
    up_to = float(query.up_to) if query.up_to else None
    site_id = person().site_id
    scope = Scope(query.attribute, query.article, query.section, int(query.bins), up_to)
    with service().store.read() as session:
        found = histogram.histogram(session, site_id, scope, now_ms())
        chosen = None
        if query.low is not None and query.high is not None:
            chosen = histogram.choice(session, site_id, found, query.low, query.high)
    return jsonify(_view(found, chosen))


def _view(found: Histogram, chosen: Choice | None) -> dict[str, object]:
    return {
        "attribute": found.scope.attribute, "up_to": found.up_to, "limit": found.limit, "days": histogram.DAYS,
        "waiting": found.waiting, "unscored": found.unscored, "bins": [_bin(bin) for bin in found.bins],
        "range": _choice(chosen) if chosen else None,
    }  # fmt: skip


def _bin(bin: Bin) -> dict[str, object]:
    ruled = bin.rulings
    return {
        "low": bin.low, "high": bin.high, "waiting": bin.waiting, "approved": ruled.approved,
        "rejected": ruled.rejected, "share": ruled.share if ruled.enough else None,
        "interval": list(ruled.interval) if ruled.enough else None,
    }  # fmt: skip


def _choice(chosen: Choice) -> dict[str, object]:
    return {
        "low": chosen.low, "high": chosen.high, "waiting": chosen.waiting,
        "if_approved": _expected(chosen.if_approved), "if_rejected": _expected(chosen.if_rejected),
    }  # fmt: skip


def _expected(expected: Expected) -> dict[str, object]:
    return {
        "known": expected.known, "unknown": expected.unknown, "count": expected.count, "low": expected.low,
        "high": expected.high,
    }  # fmt: skip
