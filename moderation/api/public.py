"""The form of a static page: readers post here from their browsers, with a key that everybody may see."""

from flask import Response, g, jsonify, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from moderation.api.auth import bearer
from moderation.api.body import require_json
from moderation.api.schemas import Problem, Received
from moderation.errors import Forbidden, Unauthorized
from moderation.http import service
from moderation.limits import limit_public
from moderation.services import reader_form, sites
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


@api.post("/comments", responses={202: Received, 429: Problem})
def submit(body: ReaderComment) -> tuple[Response, int]:
    """Take a reader's comment in, from a page of the site's listed origins.

    The key is the site's publishable one. Address and browser come from the connection. The answer never
    says what became of the comment: it appears in the article's thread, or it does not.
    """
    with service().store.write() as session:
        comment_id = reader_form.receive(
            session, g.site_id, body, ip=request.remote_addr, user_agent=request.headers.get("User-Agent"),
            now=now_ms(),
        )  # fmt: skip
    service().doorbell.ring()
    return jsonify({"id": comment_id, "status": "received"}), 202
