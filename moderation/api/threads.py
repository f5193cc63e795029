"""What readers see: approved comments of an article. No key is needed."""

import hashlib

from flask import Response, json, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from moderation.api.answers import ThreadOut
from moderation.api.auth import bearer
from moderation.api.schemas import Problem, ThreadQuery
from moderation.http import service
from moderation.services import sites
from moderation.services.threads import thread

api = APIBlueprint(
    "threads", __name__, url_prefix="/v1",
    abp_tags=[Tag(name="Readers", description="for a page that readers see; no secret key")],
)  # fmt: skip


@api.after_request
def _share_with_pages(response: Response) -> Response:
    """Any page's script may read what every reader may, and why there is nothing to read."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@api.get("/threads", responses={200: ThreadOut, 304: None, 401: Problem, 404: Problem})
def approved(query: ThreadQuery) -> Response:
    """The approved comments of an article, as plain text, oldest first."""
    with service().store.read() as session:
        if query.site is None and bearer():
            site_id = sites.holder_of(session, bearer()).site_id
        else:
            site_id = sites.find_site(session, query.site).id
        body = json.dumps({"comments": thread(session, site_id, query.article_url)})
    response = Response(body, mimetype="application/json")
    response.set_etag(hashlib.blake2b(body.encode(), digest_size=12).hexdigest())
    response.headers["Cache-Control"] = "public, max-age=5"
    response.make_conditional(request)
    return response
