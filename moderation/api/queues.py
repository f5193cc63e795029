"""Named queues of the moderators' API: the twin of the menu above the list."""

from typing import Annotated, Any

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from moderation.api.auth import person, require_moderator
from moderation.api.body import require_json
from moderation.api.reviews import FilterParts, Id, Word
from moderation.api.schemas import Problem
from moderation.http import service
from moderation.services import saved_queues
from moderation.services.fields import Text
from moderation.services.queue import Count
from moderation.services.saved_queues import LONGEST_NAME, Named
from moderation.store.session import now_ms

api = APIBlueprint(
    "named_queues", __name__, url_prefix="/v1/review",
    abp_tags=[Tag(name="Moderators", description="for moderators, with a token or a session")],
    abp_security=[{"moderator": []}],
)  # fmt: skip
api.before_request(require_moderator)
api.before_request(require_json)

Name = Annotated[Text, Field(min_length=1, max_length=LONGEST_NAME)]


class FilterIn(FilterParts):
    """A filter as `GET /v1/review/items` takes it, without the page."""

    model_config = ConfigDict(extra="forbid")

    status: Word | None = None
    sort: Word | None = None
    escalated: Word | None = None


class QueueIn(BaseModel):
    """A queue to keep: for yourself, or `shared` with all moderators of the site."""

    name: Name
    filter: FilterIn
    shared: StrictBool = False


class QueueChange(BaseModel):
    """What to change of a queue; what is left out stays."""

    name: Name | None = None
    shared: StrictBool | None = None


class QueuePath(BaseModel):
    """A named queue's id."""

    queue_id: Id


class QueueOut(BaseModel):
    """A named queue; `mine`: you made it."""

    id: str
    name: str
    shared: bool
    mine: bool
    filter: dict[str, str | list[str]]


class CountedQueueOut(QueueOut):
    """A named queue with how many comments it holds, or with `more` at least holds."""

    count: int
    more: bool


class QueuesOut(BaseModel):
    """Your queues and the shared ones, by name."""

    queues: list[CountedQueueOut]


@api.get("/queues", responses={200: QueuesOut})
def queues() -> Response:
    """Named queues with their counts."""
    with service().store.read() as session:
        named = saved_queues.listed(session, person())
        counts = saved_queues.counted(session, person(), named)
        return jsonify({"queues": [_view(one, count) for one, count in zip(named, counts, strict=True)]})


@api.post("/queues", responses={201: QueueOut, 409: Problem})
def save(body: QueueIn) -> tuple[Response, int]:
    """Keeps a filter under a name."""
    chosen = {name: value for name, value in body.filter.model_dump().items() if value}
    with service().store.write() as session:
        named = saved_queues.save(session, person(), body.name, chosen, shared=body.shared, now=now_ms())
    return jsonify(_view(named)), 201


@api.patch("/queues/<queue_id>", responses={200: QueueOut, 404: Problem, 409: Problem})
def change(path: QueuePath, body: QueueChange) -> Response:
    """Renames or shares it; your own, or as an admin any that is shared."""
    with service().store.write() as session:
        named = saved_queues.change(session, person(), path.queue_id, body.name, body.shared)
    return jsonify(_view(named))


@api.delete("/queues/<queue_id>", responses={204: None, 404: Problem})
def delete(path: QueuePath) -> Response:
    """Deletes it; the comments stay where they are."""
    with service().store.write() as session:
        saved_queues.remove(session, person(), path.queue_id)
    return Response(status=204)


def _view(named: Named, count: Count | None = None) -> dict[str, Any]:
    shown = {"id": named.id, "name": named.name, "shared": named.shared, "mine": named.mine, "filter": named.filter}
    return shown if count is None else shown | {"count": count.number, "more": count.more}
