"""The site's API: what is kept of an author, and their erasure. Who is meant stands in the body, in no address."""

from collections.abc import Iterator
from typing import Annotated, Any

from flask import Response, jsonify, stream_with_context
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field, model_validator

from moderation.api.auth import needs, require_site_key, site_id
from moderation.api.body import require_json
from moderation.api.schemas import Problem
from moderation.http import service
from moderation.services import erasure, personal_data
from moderation.services.erasure import Author
from moderation.services.fields import Email, Text, one_of
from moderation.store.session import now_ms

api = APIBlueprint(
    "authors_api", __name__, url_prefix="/v1/authors",
    abp_tags=[Tag(name="Site", description="for a site's own programs, with its key")],
    abp_security=[{"site key": []}],
)  # fmt: skip
api.before_request(require_site_key)
api.before_request(require_json)

# A request begins an erasure and goes on for so long; the sweep does the rest.
_SECONDS = 2.0


class AuthorBody(BaseModel):
    """Who is meant, by one of the two."""

    model_config = ConfigDict(json_schema_extra=one_of("email", "author_id", alone=True))
    email: Email | None = None
    author_id: Annotated[Text, Field(min_length=1, max_length=200)] | None = None

    @model_validator(mode="after")
    def _one(self) -> "AuthorBody":
        if (self.email is None) == (self.author_id is None):
            raise ValueError("give email or author_id")
        return self


class KeptOut(BaseModel):
    """All that is kept of an author; see docs/privacy.md."""

    model_config = ConfigDict(extra="allow")
    site_id: str
    made_at: str
    comments: list[dict[str, Any]]


class ErasedOut(BaseModel):
    """How many comments were withdrawn and emptied by now; where `done` is false the worker goes on with the others."""

    comments: int
    done: bool


@api.post("/export", responses={200: KeptOut, 404: Problem, 422: Problem})
@needs("read")
def export(body: AuthorBody) -> Response:
    """Everything that is kept about an author. 404 where nothing is."""
    with service().store.read() as session:
        author = erasure.find_author(session, site_id(), email=body.email, author_id=body.author_id)
    return Response(stream_with_context(pieces(author)), mimetype="application/json")


@api.post("/erase", responses={200: ErasedOut, 404: Problem, 422: Problem})
@needs("submit")
def erase(body: AuthorBody) -> Response:
    """Erase an author for good: their comments are withdrawn and emptied, what was noted about them goes."""
    with service().store.read() as session:
        author = erasure.find_author(session, site_id(), email=body.email, author_id=body.author_id)
    done, left = erasure.begin(service().store, service().settings.secret_keys, author, seconds=_SECONDS)
    return jsonify({"comments": done, "done": not left})


def pieces(author: Author) -> Iterator[str]:
    """The document of an author, as it is read."""
    with service().store.read() as session:
        yield from personal_data.document(session, author, service().settings.secret_keys, now_ms())
