"""Coral's external moderation phase: each new or edited comment comes here signed, and goes back with a verdict.

Coral publishes a comment when the answer is late or an error. So whatever can't be judged in time is withheld there,
and this side never fails aloud once it has something to say.
"""

import hashlib
import hmac
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from typing import Any

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy.exc import SQLAlchemyError

from moderation.api.body import invalid
from moderation.api.schemas import CommentIn
from moderation.domain import json_text
from moderation.domain.lifecycle import Status
from moderation.errors import Malformed
from moderation.http import Service, service
from moderation.scoring import ATTRIBUTES
from moderation.services import at_once, coral, options
from moderation.services.at_once import Said
from moderation.services.intake import NewComment

routes = Blueprint("coral", __name__)
log = logging.getLogger(__name__)

_IN_TIME = 0.4  # seconds for a decision; the rest of half a second is for the way here and back
_AT_ONCE = 32  # comments; most of these threads would wait for the database's writer
_LARGEST = 4 * 1024 * 1024
_STAFF = ("STAFF", "MODERATOR", "ADMIN")
_WITHHELD = "SYSTEM_WITHHELD"
_SPAM = {"SPAM", "ADVERTISING"}


class _Said(BaseModel):
    body: str
    parent_id: str | None = Field(None, alias="parentID")


class _Author(BaseModel):
    id: str
    role: str = "COMMENTER"


class _Story(BaseModel):
    id: str
    url: str


class PhaseIn(BaseModel):
    """What Coral sends. It has neither an id nor a time of the comment, for Coral has not stored it yet."""

    action: str = "NEW"
    comment: _Said
    author: _Author
    story: _Story


@routes.post("/integrations/coral/external-phase", defaults={"site_id": None})
@routes.post("/integrations/coral/<site_id>/external-phase")
def external_phase(site_id: str | None) -> Response:
    """Verify, take in, decide, answer: 204 where nothing is to be done, else a status and why."""
    request.max_content_length = _LARGEST
    data = request.get_data()
    with service().store.read() as session:
        site = coral.site_of(session, site_id)
        coral.check_signature(site.coral_secrets, request.headers.get("X-Coral-Signature", ""), data)
        approves = options.options_of(session, site.id).coral_approves
    asked = _read(data)
    if asked.author.role in _STAFF or not asked.comment.body.strip():
        return Response(status=204)
    comment = _comment(service().settings.secret_key, site.id, asked)
    if comment is None:
        return _withheld()
    return _answer(_in_time(service(), site.id, comment, edit=asked.action == "EDIT"), approves)


@routes.errorhandler(SQLAlchemyError)
def _database_down(error: SQLAlchemyError) -> Response:
    """Who calls can't be known now; to withhold tells nobody anything, and an error would publish the comment."""
    log.error("database: %s", type(error).__name__)
    return _withheld()


def _read(data: bytes) -> PhaseIn:
    try:
        return PhaseIn.model_validate(json_text.loads(data))
    except ValidationError as error:
        raise Malformed(invalid(error)["detail"]) from None
    except json_text.Unreadable as error:
        raise Malformed(str(error), code=error.code) from None


def _comment(secret: str, site_id: str, asked: PhaseIn) -> NewComment | None:
    """The comment for the queue; None if it can't be kept (too long, say)."""
    # The same words of the same author at the same place are the same comment: there is nothing else to know it by.
    place = [site_id, asked.story.id, asked.comment.parent_id, asked.author.id, asked.comment.body]
    mark = hmac.new(secret.encode(), json.dumps(place).encode(), hashlib.sha256).hexdigest()
    try:
        return CommentIn.model_validate({
            "external_id": f"coral-phase-{mark}", "body": asked.comment.body,
            "author": {"name": asked.author.id, "id": asked.author.id}, "article": {"url": asked.story.url},
            "parent_external_id": asked.comment.parent_id,
        }).to_new()  # fmt: skip
    except ValidationError:
        return None


@cache
def _threads() -> ThreadPoolExecutor:
    """Made with the first call, so after any fork."""
    return ThreadPoolExecutor(_AT_ONCE, "coral")


def _in_time(here: Service, site_id: str, comment: NewComment, *, edit: bool) -> Said | None:
    """What stands on the comment; where the database's writer is busy for too long, what will stand; None where that
    is not known in time either. The work goes on behind the answer."""
    said: list[Said] = []
    with suppress(TimeoutError):
        _threads().submit(_decide, here, site_id, comment, said, edit=edit).result(_IN_TIME)
    return next(iter(said[-1:]), None)


def _decide(here: Service, site_id: str, comment: NewComment, said: list[Said], *, edit: bool) -> None:
    try:
        looked = at_once.look(here.store, here.classifier(), site_id, comment, edit=edit)
        said.append(looked.said)
        said.append(at_once.keep(here.store, site_id, comment, looked))
    except Exception as error:  # an error in the answer would let Coral publish
        log.error("a comment of Coral's can't be decided: %s", type(error).__name__)
        said.clear()


def _answer(said: Said | None, approves: bool) -> Response:
    if said is None:
        return _withheld()
    if said.status == Status.APPROVED:
        return jsonify(status="APPROVED") if approves else Response(status=204)
    return _rejected(said.reasons) if said.status == Status.REJECTED else _withheld(said.reasons)


def _withheld(reasons: frozenset[str] = frozenset()) -> Response:
    return jsonify(status=_WITHHELD, actions=_flags(reasons))


def _rejected(reasons: frozenset[str]) -> Response:
    code = "SPAM" if reasons & _SPAM else "ABUSIVE" if reasons & set(ATTRIBUTES) else "OTHER"
    # Coral needs the reason where it keeps records for the Digital Services Act, and ignores it elsewhere.
    action = {"status": "REJECTED", "rejectionReason": {"code": code}}
    return jsonify(status="REJECTED", actions=_flags(reasons), moderationAction=action)


def _flags(reasons: frozenset[str]) -> list[dict[str, Any]]:
    """Coral knows two kinds of flags, and refuses an answer that has another."""
    names = ["COMMENT_DETECTED_TOXIC"] if reasons & (set(ATTRIBUTES) - _SPAM) else []
    names += ["COMMENT_DETECTED_SPAM"] if reasons & _SPAM else []
    return [{"actionType": "FLAG", "reason": name} for name in names]
