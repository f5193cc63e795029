"""The dashboard's figures for programs; the same as on the page."""

from dataclasses import asdict
from datetime import datetime
from typing import Literal

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel

from moderation.api.auth import person, require_moderator
from moderation.domain.lifecycle import Role
from moderation.errors import Forbidden
from moderation.http import service
from moderation.services import dashboard
from moderation.store.session import now_ms

api = APIBlueprint(
    "dashboard_api", __name__, url_prefix="/v1/review",
    abp_tags=[Tag(name="Moderators", description="for moderators, with a token or a session")],
    abp_security=[{"moderator": []}],
)  # fmt: skip
api.before_request(require_moderator)


class SpanQuery(BaseModel):
    """Over which time; the newest hour or day is the one that runs."""

    span: Literal["24h", "7d", "30d"] = "24h"


class FiguresSpanOut(BaseModel):
    """The time that the figures are of; `step` is the length of a bar in milliseconds."""

    name: str
    since: datetime
    until: datetime
    step: int


class FiguresQueueOut(BaseModel):
    """What is held now; the oldest came in at `oldest_at`."""

    waiting: int
    oldest_at: datetime | None


class BarOut(BaseModel):
    """What was held and what was decided in one hour or day, and the median from one to the other."""

    at: datetime
    held: int
    decided: int
    median_ms: int | None


class WaitsOut(BaseModel):
    """From held to decided, in milliseconds."""

    decided: int
    median_ms: int | None
    p90_ms: int | None


class PaceOut(BaseModel):
    """Median time per decision of the team's sessions (from three people on) and of your own, in milliseconds."""

    people: int
    sessions: int
    team_ms: int | None
    own_sessions: int
    own_ms: int | None


class ShareOut(BaseModel):
    """`count` of `of`, with the share and its 95 % interval from 30 on."""

    count: int
    of: int
    share: float | None
    low: float | None
    high: float | None


class RuleOut(BaseModel):
    """Comments that a rule stopped, their share of all, and how many of those ruled on were approved after all."""

    rule: str
    held: int
    of_comments: float
    overturned: ShareOut


class VoicesOut(BaseModel):
    """Reports or appeals, and how many of the decided ones were found right."""

    made: int
    open: int
    moot: int
    granted: ShareOut


class WebhookOut(BaseModel):
    """Deliveries that wait (10,000 at most) and how many of them were tried; failed and given up of the last day's."""

    set: bool
    waiting: int
    retried: int
    failed: int
    given_up: int
    last_success_at: datetime | None
    last_status: int | None
    last_error: str | None


class WorkerOut(BaseModel):
    """A worker's last sign of life and whether its classifier works."""

    seen_at: datetime
    scorer: str
    scorer_works: bool


class DashboardOut(BaseModel):
    """All figures; what was undone is not counted.

    Waits, pace, reasons and `overturned` are of the rulings since `looked_since`: the beginning of the span, unless
    there were more than 5,000 of a kind.
    """

    span: FiguresSpanOut
    looked_since: datetime
    queue: FiguresQueueOut
    flow: list[BarOut]
    waits: WaitsOut
    pace: PaceOut
    reasons: dict[str, int]
    rules: list[RuleOut]
    automatic: dict[str, int]
    statuses: dict[str, int]
    reports: VoicesOut
    appeals: VoicesOut
    webhook: WebhookOut
    workers: list[WorkerOut]


@api.get("/dashboard", responses={200: DashboardOut})
def figures(query: SpanQuery) -> Response:
    """How moderation goes: the queue, waits, rulings, rules, voices, webhook and workers. For seniors and admins."""
    if not person().role.includes(Role.SENIOR):
        raise Forbidden("the dashboard is for seniors and admins", code="role_needed")
    with service().store.read() as session:
        shown = dashboard.dashboard(session, person().site_id, person().id, dashboard.span(query.span, now_ms()))
    return jsonify(DashboardOut.model_validate(asdict(shown)).model_dump(mode="json"))
