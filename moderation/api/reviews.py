"""The moderators' API: the same actions as the pages."""

from typing import Annotated, Any, Literal

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field

from moderation.api.answers import CountOut, DoneOut, ItemOut, ItemsOut, UndoneOut
from moderation.api.auth import person, require_moderator
from moderation.api.body import require_json
from moderation.api.schemas import Problem
from moderation.http import service
from moderation.services import queue, review
from moderation.services.accounts import Person
from moderation.services.fields import Text
from moderation.services.review import Act
from moderation.store.session import now_ms

api = APIBlueprint(
    "reviews", __name__, url_prefix="/v1/review",
    abp_tags=[Tag(name="Moderators", description="for moderators, with a token or a session")],
    abp_security=[{"moderator": []}],
)  # fmt: skip
api.before_request(require_moderator)
api.before_request(require_json)

Id = Annotated[Text, Field(max_length=64)]
Word = Annotated[Text, Field(max_length=2048)]


class ItemsQuery(BaseModel):
    """What to list."""

    sort: Literal["risk", "oldest", "newest", "uncertain"] = "risk"
    status: Word = "held"
    attribute: Word | None = None
    article: Word | None = None
    author: Word | None = None
    reason: Word | None = None
    q: Word | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Word | None = None


class CountQuery(BaseModel):
    """What to count; `since` is milliseconds since 1970."""

    model_config = ConfigDict(extra="ignore")

    status: Word = "held"
    attribute: Word | None = None
    article: Word | None = None
    author: Word | None = None
    reason: Word | None = None
    q: Word | None = None
    since: Annotated[int, Field(ge=0, le=10**15)] | None = None


class ItemPath(BaseModel):
    """A review item's id."""

    item_id: Id


class ActionIn(BaseModel):
    """One action on the item as the moderator saw it."""

    action: Literal["approve", "reject", "escalate"]
    version: int
    reason: Word | None = None
    note: Word | None = None


class BatchActionIn(BaseModel):
    """One action on several items, undone as one."""

    item_ids: Annotated[list[Id], Field(min_length=1, max_length=500)]
    action: Literal["approve", "reject", "escalate"]
    reason: Word | None = None
    note: Word | None = None


@api.get("/items", responses={200: ItemsOut})
def items(query: ItemsQuery) -> Response:
    """The queue, or any comments by status; follow `next` with `after`."""
    wanted = queue.Filter(**query.model_dump())
    with service().store.read() as session:
        page, following = queue.items(session, person().site_id, wanted, now_ms())
        return jsonify({"items": [item.view() for item in page], "next": following})


@api.get("/count", responses={200: CountOut})
def count(query: CountQuery) -> Response:
    """How many comments a filter holds, and how many of them the policy put there since."""
    wanted = queue.Filter(**query.model_dump(exclude={"since"}))
    with service().store.read() as session:
        site_id = person().site_id
        new = 0 if query.since is None else queue.count_new(session, site_id, wanted, query.since)
        return jsonify({"count": queue.count(session, site_id, wanted), "new": new})


@api.get("/items/<item_id>", responses={200: ItemOut})
def item(path: ItemPath) -> Response:
    """One item."""
    return jsonify(_view(path.item_id))


@api.post("/items/<item_id>/claim", responses={200: ItemOut, 409: Problem})
def claim(path: ItemPath) -> Response:
    """Take an item; others are told who has it."""
    with service().store.write() as session:
        claim_ms = round(service().settings.claim_seconds * 1000)
        review.claim(session, person(), path.item_id, now_ms(), claim_ms)
    return jsonify(_view(path.item_id))


@api.post("/items/<item_id>/release", responses={200: ItemOut, 409: Problem})
def release(path: ItemPath) -> Response:
    """Give an item back."""
    with service().store.write() as session:
        review.release(session, person(), path.item_id, now_ms())
    return jsonify(_view(path.item_id))


@api.post("/items/<item_id>/actions", responses={200: ItemOut, 409: Problem})
def act(path: ItemPath, body: ActionIn) -> Response:
    """Rule on an item; a stale version or another's claim is refused, naming who and what."""
    _act(person(), [path.item_id], Act(body.action, body.version, body.reason, body.note))
    return jsonify(_view(path.item_id))


@api.post("/actions", responses={200: DoneOut, 404: Problem, 409: Problem})
def act_on_many(body: BatchActionIn) -> Response:
    """Rule on several items, all or none."""
    done = _act(person(), body.item_ids, Act(body.action, None, body.reason, body.note))
    return jsonify({"done": done})


@api.post("/undo", responses={200: UndoneOut, 404: Problem, 409: Problem})
def undo() -> Response:
    """Take your last action or batch back."""
    with service().store.write() as session:
        undone = review.undo(session, person(), now_ms())
    return jsonify({"undone": undone, "items": [_view(id) for id in undone]})


def _act(who: Person, item_ids: list[str], wanted: Act) -> int:
    with service().store.write() as session:
        return review.act(session, who, item_ids, wanted, now_ms(), round(service().settings.grace_seconds * 1000))


def _view(item_id: str) -> dict[str, Any]:
    with service().store.read() as session:
        return queue.item(session, person().site_id, item_id, now_ms()).view()
