"""The moderators' API: the same actions as the pages."""

from typing import Annotated, Any, Literal

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, ConfigDict, Field

from moderation.api.answers import CountOut, DeedsOut, DoneOut, ItemOut, ItemsOut, UndoneOut
from moderation.api.auth import person, require_moderator
from moderation.api.body import require_json
from moderation.api.schemas import Problem
from moderation.domain.lifecycle import NOTE_FOR_AUTHOR, REJECT_REASONS
from moderation.http import service
from moderation.services import deeds, queue, review
from moderation.services.accounts import Person
from moderation.services.fields import WHOLE, Text
from moderation.services.queue_filter import filter_of
from moderation.services.review import Act
from moderation.services.views import iso
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
Version = Annotated[int, Field(strict=True, ge=0, le=2**53), WHOLE]
Words = Annotated[list[Word], Field(max_length=20)]


class FilterParts(BaseModel):
    """What a filter may ask for besides status and order."""

    attribute: Word | None = None
    reason: Word | None = None
    article: Words = []
    section: Words = []
    author: Word | None = None
    language: Word | None = None
    report: Word | None = None
    assigned: Word | None = None
    q: Word | None = None


class FilterQuery(FilterParts):
    """Which comments. `assigned` is a moderator's id, `me` or `nobody`; `report` is `any` or a reason; `language` may
    be `none`. With the sort `attribute` that is the score to go by; without it, what the comments are held for.
    """

    sort: Literal["risk", "oldest", "newest", "uncertain", "attribute"] = "risk"
    status: Word = "held"
    escalated: Literal["yes", "no"] | None = None


class ItemsQuery(FilterQuery):
    """What to list; `after` and `before` are cursors."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Word | None = None
    before: Word | None = None


class CountQuery(FilterQuery):
    """What to count; `since` is milliseconds since 1970."""

    model_config = ConfigDict(extra="ignore")

    since: Annotated[int, Field(ge=0, le=10**15)] | None = None


class ItemPath(BaseModel):
    """A review item's id."""

    item_id: Id


def _acts() -> dict[str, Any]:
    """For the JSON Schema: a rejection says why, and some reasons need a note."""
    plain = [reason for reason in REJECT_REASONS if reason not in NOTE_FOR_AUTHOR]
    noted = sorted(NOTE_FOR_AUTHOR)
    reject = {"const": "reject"}
    said = {"type": "string", "pattern": r"\S"}
    return {"anyOf": [
        {"properties": {"action": {"enum": ["approve", "escalate"]}, "reason": {"not": {"enum": noted}}}},
        {"required": ["reason"], "properties": {"action": reject, "reason": {"enum": plain}}},
        {"required": ["reason", "note"],
         "properties": {"action": reject, "reason": {"enum": noted}, "note": said}},
    ]}  # fmt: skip


class ActionIn(BaseModel):
    """One action on the item as the moderator saw it."""

    model_config = ConfigDict(json_schema_extra=_acts())
    action: Literal["approve", "reject", "escalate"]
    version: Version
    reason: Word | None = None
    note: Word | None = None


class BatchActionIn(BaseModel):
    """One action on several items, undone as one. `versions`: the version of each item, by id, as it was seen."""

    model_config = ConfigDict(json_schema_extra=_acts())
    item_ids: Annotated[list[Id], Field(min_length=1, max_length=500)]
    action: Literal["approve", "reject", "escalate"]
    reason: Word | None = None
    note: Word | None = None
    versions: Annotated[dict[Id, Version], Field(max_length=500)] | None = None


class UndoQuery(BaseModel):
    """What to undo: an `id` of your last actions; without it the last one."""

    action: Id | None = None


@api.get("/items", responses={200: ItemsOut})
def items(query: ItemsQuery) -> Response:
    """The queue, or any comments by status; follow `next` with `after`, `previous` with `before`.

    `next` may stand behind a page that is not full: many texts were read, and there are more.
    """
    with service().store.read() as session:
        page = queue.page(session, person().site_id, _filter(query), now_ms())
        items = [item.view() for item in page.items]
        return jsonify({"items": items, "next": page.next, "previous": page.previous})


@api.get("/count", responses={200: CountOut})
def count(query: CountQuery) -> Response:
    """How many comments a filter holds, and how many of them the policy put there since."""
    wanted, site_id = _filter(query), person().site_id
    with service().store.read() as session:
        new = 0 if query.since is None else queue.count_new(session, site_id, wanted, query.since)
        counted = queue.count(session, site_id, wanted)
        return jsonify({"count": counted.number, "more": counted.more, "new": new})


def _filter(query: FilterQuery) -> queue.Filter:
    return filter_of(query.model_dump(exclude={"since"}), person().id)


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
    """Rule on several items, all or none; a stale one is refused where `versions` names the one that you saw."""
    done = _act(person(), body.item_ids, Act(body.action, None, body.reason, body.note, body.versions))
    return jsonify({"done": done})


@api.get("/actions", responses={200: DeedsOut})
def last_actions() -> Response:
    """Your last ten actions at this site, newest first, and whether each can still be undone."""
    with service().store.read() as session:
        found = deeds.last(session, person())
    return jsonify({"actions": [
        {"id": one.id, "action": one.action, "reason": one.reason, "at": iso(one.at), "items": one.count,
         "item_id": one.comment_id, "state": one.state, "by": one.by} for one in found
    ]})  # fmt: skip


@api.post("/undo", responses={200: UndoneOut, 404: Problem, 409: Problem})
def undo(query: UndoQuery) -> Response:
    """Take your last action or batch back; `action` names an older one, once no newer one can be undone any more."""
    with service().store.write() as session:
        undone = review.undo(session, person(), now_ms(), query.action)
    return jsonify({"undone": undone, "items": [_view(id) for id in undone]})


def _act(who: Person, item_ids: list[str], wanted: Act) -> int:
    with service().store.write() as session:
        return review.act(session, who, item_ids, wanted, now_ms(), round(service().settings.grace_seconds * 1000))


def _view(item_id: str) -> dict[str, Any]:
    with service().store.read() as session:
        return queue.item(session, person().site_id, item_id, now_ms()).view()
