"""Labelled examples out: what a site's people said of comments, as other systems brought it."""

import json
from collections.abc import Iterator

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from moderation.api.auth import require_site_key, site_id
from moderation.http import service
from moderation.services import examples
from moderation.store.session import Store

api = APIBlueprint(
    "examples", __name__, url_prefix="/v1",
    abp_tags=[Tag(name="Site", description="for a site's own programs, with its key")],
    abp_security=[{"site key": []}],
)  # fmt: skip
api.before_request(require_site_key)

_LINES = {"description": "JSON lines", "content": {"application/x-ndjson": {"schema": {"type": "string"}}}}


@api.get("/examples", responses={200: _LINES})
def export() -> Response:
    """All labelled examples of the site as JSON lines, oldest first.

    Each line has `text`, `labels` (0 to 1 by attribute), `interface`, `languages`, `context`, `labelled_at`, and
    `checked`: the scores and the outcome that the same text had got here before, or null.
    """
    return Response(_lines(service().store, site_id()), mimetype="application/x-ndjson")


def _lines(store: Store, site: str) -> Iterator[str]:
    with store.read() as session:
        for example in examples.exported(session, site):
            yield json.dumps(example) + "\n"
