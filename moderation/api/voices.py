"""The moderators' API: what readers report, and what authors appeal against."""

from datetime import datetime
from typing import Annotated, Literal

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field

from moderation.api.auth import person, require_moderator
from moderation.api.body import require_json
from moderation.api.schemas import Problem
from moderation.http import service
from moderation.services import appeals, reports
from moderation.services.fields import Text
from moderation.store.session import now_ms

api = APIBlueprint(
    "voices", __name__, url_prefix="/v1/review",
    abp_tags=[Tag(name="Moderators", description="for moderators, with a token or a session")],
    abp_security=[{"moderator": []}],
)  # fmt: skip
api.before_request(require_moderator)
api.before_request(require_json)


class LimitQuery(BaseModel):
    """How many to list."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50


class ReportTextOut(BaseModel):
    """What a reader wrote with a report."""

    reason: str
    text: str
    at: datetime


class ReportedOut(BaseModel):
    """A comment with its open reports. Rule on it as on any review item; that closes them."""

    id: str
    version: int
    external_id: str
    status: str
    body: str
    format: Literal["plain", "html"]
    author_name: str
    article_url: str
    reports: int
    weight: float
    since: datetime
    reasons: dict[str, int]
    about_earlier_text: int
    texts: list[ReportTextOut]


class ReportsOut(BaseModel):
    """Comments with open reports, what weighs most first; `total` counts all of them."""

    comments: list[ReportedOut]
    total: int


class AppealedOut(BaseModel):
    """The comment that an appeal is about."""

    id: str
    external_id: str
    status: str
    body: str
    format: Literal["plain", "html"]
    author_name: str
    article_url: str


class AppealedRulingOut(BaseModel):
    """The rejection that an appeal is about; `by` is null for the policy."""

    source: str
    by: str | None
    reason: str | None
    note: str | None
    decided_at: datetime


class AppealOut(BaseModel):
    """An open appeal. `may_decide` is false for whoever rejected the comment."""

    id: str
    text: str
    created_at: datetime
    comment: AppealedOut
    ruling: AppealedRulingOut
    may_decide: bool


class AppealsOut(BaseModel):
    """Open appeals, oldest first; `total` counts all of them."""

    appeals: list[AppealOut]
    total: int


class AppealPath(BaseModel):
    """An appeal's id."""

    appeal_id: Annotated[Text, Field(max_length=64)]


class AppealDecisionIn(BaseModel):
    """What becomes of an appeal. Uphold needs an answer; the author reads it."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [
        {"properties": {"outcome": {"const": "overturn"}}},
        {"required": ["answer"], "properties": {"answer": {"type": "string", "pattern": r"\S"}}},
    ]})  # fmt: skip
    outcome: Literal["uphold", "overturn"]
    answer: Annotated[Text, Field(max_length=appeals.TEXT_LENGTH)] | None = None


class AppealDecidedOut(BaseModel):
    """An appeal that was decided."""

    id: str
    outcome: Literal["uphold", "overturn"]
    answer: str | None


@api.get("/reports", responses={200: ReportsOut})
def reported(query: LimitQuery) -> Response:
    """Comments with open reports, what weighs most first."""
    site_id = person().site_id
    with service().store.read() as session:
        found = [one.view() for one in reports.listed(session, site_id, query.limit)]
        return jsonify({"comments": found, "total": reports.count(session, site_id)})


@api.get("/appeals", responses={200: AppealsOut})
def appealed(query: LimitQuery) -> Response:
    """Open appeals, oldest first."""
    with service().store.read() as session:
        found = [one.view() for one in appeals.listed(session, person(), query.limit)]
        return jsonify({"appeals": found, "total": appeals.count(session, person().site_id)})


@api.post("/appeals/<appeal_id>", responses={200: AppealDecidedOut, 409: Problem})
def decide(path: AppealPath, body: AppealDecisionIn) -> Response:
    """Decide an appeal; whoever rejected the comment is refused."""
    with service().store.write() as session:
        appeal = appeals.decide(
            session, person(), path.appeal_id, outcome=body.outcome, answer=body.answer, now=now_ms()
        )
        return jsonify({"id": appeal.id, "outcome": appeal.outcome, "answer": appeal.answer})
