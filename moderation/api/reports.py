"""Readers' reports, as their site hands them in, with its key."""

from typing import Annotated, Literal

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field, model_validator

from moderation.api.auth import needs, require_site_key, site_id
from moderation.api.body import require_json
from moderation.api.schemas import CommentPath, Problem
from moderation.http import service
from moderation.services import intake, reports
from moderation.services.fields import Email, Name, Text, one_of
from moderation.store.session import now_ms

api = APIBlueprint(
    "reports", __name__, url_prefix="/v1/comments",
    abp_tags=[Tag(name="Site", description="for a site's own programs, with its key")],
    abp_security=[{"site key": []}],
)  # fmt: skip
api.before_request(require_site_key)
api.before_request(require_json)

ReportReason = Literal["insult", "threat", "personal_data", "spam", "sexual", "illegal", "other"]
ReportText = Annotated[Text, Field(max_length=1000, description="what the reader wrote; moderators read it")]


class ReporterIn(BaseModel):
    """Who reports, so that the same reader counts once. Of an e-mail address only a hash is kept."""

    model_config = ConfigDict(json_schema_extra=one_of("id", "email", "name"))
    id: Annotated[Text, Field(min_length=1, max_length=200)] | None = None
    email: Email | None = None
    name: Name | None = None

    @model_validator(mode="after")
    def _known(self) -> "ReporterIn":
        if not (self.id or self.email or self.name):
            raise ValueError("needs an id, an email or a name")
        return self


class ReportIn(BaseModel):
    """A reader's report of a comment."""

    reason: ReportReason
    text: ReportText | None = None
    reporter: ReporterIn


class ReportOut(BaseModel):
    """A report that was taken; `report.closed` names its id."""

    id: str
    status: Literal["received"]


@api.post("/<comment_id>/reports", responses={202: ReportOut, 200: ReportOut, 409: Problem})
@needs("submit")
def report(path: CommentPath, body: ReportIn) -> tuple[Response, int]:
    """Hand in a reader's report. The same reporter on the same revision again is 200, and nothing new."""
    who = body.reporter
    reader = reports.known_reader(site_id(), who.id, who.email, who.name)
    with service().store.write() as session:
        comment = intake.find(session, site_id(), path.comment_id, lock=True)
        id, new = reports.file(session, comment, reader, body.reason, body.text, now=now_ms())
    return jsonify({"id": id, "status": "received"}), 202 if new else 200
