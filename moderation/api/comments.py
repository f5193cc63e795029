"""The site's API: comments in, decisions out."""

import time
from functools import partial
from typing import Any

from flask import Response, g, jsonify, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import ValidationError

from moderation import logs, metrics
from moderation.api.answers import BatchOut, EventsOut
from moderation.api.auth import needs, require_site_key, site_id
from moderation.api.body import invalid, require_json
from moderation.api.schemas import (
    Accepted,
    BatchIn,
    CommentIn,
    CommentOut,
    CommentPath,
    CommentQuery,
    EditIn,
    FeedQuery,
    ImportedCommentIn,
    Problem,
    SiteDecisionIn,
)  # fmt: skip
from moderation.by_turns import aside
from moderation.domain.lifecycle import Outcome, Status
from moderation.errors import Conflict
from moderation.http import service
from moderation.services import intake, outbox
from moderation.services.intake import NewComment, Submitted
from moderation.services.links import Links
from moderation.services.views import comment_view
from moderation.store.session import Store, now_ms

api = APIBlueprint(
    "comments", __name__, url_prefix="/v1",
    abp_tags=[Tag(name="Site", description="for a site's own programs, with its key")],
    abp_security=[{"site key": []}],
)  # fmt: skip
api.before_request(require_site_key)
api.before_request(require_json)

_MAX_WAIT = 10.0
_POLL = 0.02


@api.post("/comments", responses={202: Accepted, 200: CommentOut, 409: Problem})
@needs("submit")
def submit(body: CommentIn) -> Response | tuple[Response, int]:
    """Take a comment in; the decision follows. With `Prefer: wait=2` it waits that long for it."""
    (result,) = _submit([body.to_new()], "api")
    if result.conflict:
        raise Conflict(
            "another comment has this external_id; use PUT to change it", code="external_id_reused",
            extra={"field": "external_id", "id": result.id},
        )  # fmt: skip
    if not result.created:
        return jsonify(_get(result.id))
    return _waited(result) or (jsonify(_accepted(result)), 202)


@api.post("/comments/batch", responses={200: BatchOut})
@needs("submit")
def submit_batch(body: BatchIn) -> Response:
    """Take up to 500 comments in; one result for each, in order. A bad one never sinks the others."""
    results: list[Any] = [None] * len(body.comments)
    good: dict[int, NewComment] = {}
    for place, item in enumerate(body.comments):
        try:
            comment = ImportedCommentIn.model_validate(item)
            good[place] = comment.to_new(comment.imported_status)
        except ValidationError as error:
            external_id = item.get("external_id") if isinstance(item, dict) else None
            results[place] = {"external_id": external_id, "error": {"status": 422, **invalid(error)}}
    if good:
        for place, result in zip(good, _submit(list(good.values()), "batch"), strict=True):
            results[place] = _batch_result(result)
    return jsonify({"results": results})


@api.get("/comments", responses={200: CommentOut, 404: Problem})
@needs("read")
def find(query: CommentQuery) -> Response:
    """A comment by the site's own id."""
    with service().store.read() as session:
        comment = intake.find_by_external_id(session, site_id(), query.external_id)
        return jsonify(comment_view(comment, intake.standing_decision(session, comment)))


@api.get("/comments/<comment_id>", responses={200: CommentOut})
@needs("read")
def get(path: CommentPath) -> Response:
    """A comment by our id."""
    return jsonify(_get(path.comment_id))


@api.put("/comments/<comment_id>", responses={202: Accepted, 409: Problem})
@needs("submit")
def edit(path: CommentPath, body: EditIn) -> tuple[Response, int]:
    """A new body: the next revision, decided anew."""
    with service().store.write() as session:
        comment = intake.edit(session, site_id(), path.comment_id, body.body, now_ms())
    service().doorbell.ring()
    return jsonify(_accepted(Submitted(comment.id, comment.external_id, comment.revision, created=True))), 202


@api.delete("/comments/<comment_id>", responses={200: CommentOut})
@needs("submit")
def withdraw(path: CommentPath) -> Response:
    """Take a comment back, for good."""
    with service().store.write() as session:
        comment = intake.withdraw(session, site_id(), path.comment_id, now_ms())
    return jsonify(comment_view(comment, None))


@api.post("/comments/<comment_id>/site-decision", responses={200: CommentOut, 409: Problem})
@needs("submit")
def site_decision(path: CommentPath, body: SiteDecisionIn) -> Response:
    """Tell what the site's own staff decided there."""
    with service().store.write() as session:
        comment, decision = intake.site_decision(
            session, site_id(), path.comment_id, Outcome(body.action), body.by, body.reason, now_ms()
        )
    return jsonify(comment_view(comment, decision))


@api.get("/events", responses={200: EventsOut})
@needs("read")
def events(query: FeedQuery) -> Response:
    """What has been decided, in order; follow `next`."""
    with service().store.read() as session:
        return jsonify(outbox.feed_page(session, site_id(), query.after, query.limit, _links()))


def _links() -> Links:
    """Not by the request's Host: what a site hands on to readers must lead here, whoever asked."""
    settings = service().settings
    return Links(settings.base_url, settings.secret_key)


def _submit(comments: list[NewComment], way: str) -> list[Submitted]:
    results = service().intake.submit(site_id(), comments)
    if created := sum(result.created for result in results):
        metrics.accepted(way, created)
        logs.note(comment_ids=[result.id for result in results if result.created])
    return results


def _get(comment_id: str) -> dict[str, Any]:
    return aside(partial(_read, service().store, site_id(), comment_id))


def _read(store: Store, site_id: str, comment_id: str) -> dict[str, Any]:
    with store.read() as session:
        comment = intake.find(session, site_id, comment_id)
        return comment_view(comment, intake.standing_decision(session, comment))


def _accepted(result: Submitted) -> dict[str, Any]:
    base = service().settings.base_url or f"{request.scheme}://{request.host}"
    url = f"{base}/v1/comments/{result.id}"
    return {"id": result.id, "external_id": result.external_id, "status": "pending", "revision": result.revision,
            "url": url}  # fmt: skip


def _batch_result(result: Submitted) -> dict[str, Any]:
    if result.conflict:
        return {"external_id": result.external_id, "id": result.id,
                "error": {"status": 409, "code": "external_id_reused", "field": "external_id",
                          "detail": "another comment has this external_id; use PUT to change it"}}  # fmt: skip
    return _accepted(result) if result.created else _get(result.id)


def _waited(result: Submitted) -> Response | None:
    """Waits as long as the caller prefers; None when it does not, may not, or no decision came."""
    seconds = _preferred_wait()
    if seconds <= 0 or not service().waiting.acquire(blocking=False):
        return None
    try:
        end = time.monotonic() + seconds
        while (comment := _get(result.id))["status"] == Status.PENDING:
            if time.monotonic() >= end:
                return None
            time.sleep(_POLL)
    finally:
        service().waiting.release()
    response = jsonify(comment)
    response.headers["Preference-Applied"] = f"wait={g.preferred_wait}"
    return response


def _preferred_wait() -> float:
    for preference in request.headers.get("Prefer", "").split(","):
        name, _, value = preference.partition(";")[0].strip().partition("=")
        if name.strip().lower() == "wait" and value.strip().strip('"').isdigit():
            g.preferred_wait = min(int(value.strip().strip('"')[:6]), int(_MAX_WAIT))
            return float(g.preferred_wait)
    return 0.0
