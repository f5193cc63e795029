"""What readers post from a static page, comments and reports, with a key that everybody may see."""

from typing import Annotated

from flask import Response, g, jsonify, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, Field

from moderation import metrics
from moderation.api.auth import bearer
from moderation.api.body import require_json
from moderation.api.reports import ReportOut, ReportReason, ReportText
from moderation.api.schemas import Problem, Received
from moderation.errors import Forbidden, Unauthorized
from moderation.http import service
from moderation.limits import caller_hash, limit_public
from moderation.services import reader_form, reports, sites
from moderation.services.fields import Text
from moderation.services.reader_form import ReaderComment
from moderation.store.session import now_ms

api = APIBlueprint(
    "public", __name__, url_prefix="/v1/public",
    abp_tags=[Tag(name="Readers", description="for a page that readers see; no secret key")],
    abp_security=[{"publishable key": []}],
)  # fmt: skip


@api.before_request
def _require_page() -> Response | None:
    """Only pages of the site's own may post: the browser names the page's origin, and no script can change it."""
    origin = request.headers.get("Origin", "")
    if request.method == "OPTIONS":
        return _preflight(origin)
    if not bearer():
        raise Unauthorized("send the site's publishable key as: Authorization: Bearer KEY")
    with service().store.read() as session:
        g.site_id = sites.of_page(session, bearer(), origin)
    g.allowed_origin = origin
    return None


def _preflight(origin: str) -> Response:
    """The browser asks first, and without the key: so any site's page gets leave to try."""
    with service().store.read() as session:
        if not sites.lists_origin(session, origin):
            raise Forbidden("no site lists this page's origin", code="origin_not_allowed")
    g.allowed_origin = origin
    return Response(status=204, headers={
        "Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": "Authorization, Content-Type",
        "Access-Control-Max-Age": "600",
    })  # fmt: skip


api.before_request(limit_public(lambda: None))
api.before_request(require_json)


@api.after_request
def _share_with_page(response: Response) -> Response:
    """Lets the page's script read the answer, errors as well."""
    response.vary.add("Origin")
    if origin := g.get("allowed_origin"):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "Retry-After"
    return response


@api.post("/comments", responses={202: Received, 409: Problem, 429: Problem})
def submit(body: ReaderComment) -> tuple[Response, int]:
    """Take a reader's comment in, from a page of the site's listed origins.

    The key is the site's publishable one. Address and browser come from the connection. The answer never
    says what became of the comment: it appears in the article's thread, or it does not.
    """
    with service().store.write() as session:
        comment_id = reader_form.receive(
            session, g.site_id, body, service().settings.secret_key, ip=request.remote_addr,
            user_agent=request.headers.get("User-Agent"), now=now_ms(),
        )  # fmt: skip
    metrics.accepted("public")
    service().doorbell.ring()
    return jsonify({"id": comment_id, "status": "received"}), 202


class PageReport(BaseModel):
    """A report as a page sends it; `comment_id` is an id from the article's thread."""

    comment_id: Annotated[Text, Field(min_length=1, max_length=64)]
    reason: ReportReason
    text: ReportText | None = None


@api.post("/reports", responses={202: ReportOut, 200: ReportOut, 404: Problem, 409: Problem, 429: Problem})
def report(body: PageReport) -> tuple[Response, int]:
    """Take a reader's report of a comment that is shown, from a page of the site's listed origins.

    Nothing of the reader is kept but a keyed hash of the address: the same address on the same revision again is 200,
    and nothing new.
    """
    reader = reports.Reader(caller_hash(f"report {g.site_id}"), None)
    with service().store.write() as session:
        id, new = reports.file_by_page(
            session, g.site_id, body.comment_id, reader, reason=body.reason, text=body.text, now=now_ms()
        )
    return jsonify({"id": id, "status": "received"}), 202 if new else 200
