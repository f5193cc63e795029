"""Coral's external moderation phase: each new or edited comment comes here signed, and goes back with a verdict.

Coral publishes a comment when the answer is late or an error. So whatever can't be judged in time is withheld there,
and this side never fails aloud once it has something to say.
"""

import hashlib
import hmac
import json
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy.exc import SQLAlchemyError

from moderation.api.body import invalid
from moderation.api.schemas import CommentIn
from moderation.domain.lifecycle import Status
from moderation.errors import Malformed
from moderation.http import Service, service
from moderation.scoring import ATTRIBUTES
from moderation.services import coral, options
from moderation.services.at_once import Standing, submit_and_decide
from moderation.services.intake import NewComment

routes = Blueprint("coral", __name__)
log = logging.getLogger(__name__)

_IN_TIME = 0.4  # seconds for a decision; the rest of half a second is for the way here and back
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
    here = service()
    return _answer(_in_time(lambda: _decide(here, site.id, comment)), approves)


@routes.errorhandler(SQLAlchemyError)
def _database_down(error: SQLAlchemyError) -> Response:
    """Who calls can't be known now; to withhold tells nobody anything, and an error would publish the comment."""
    log.error("database: %s", type(error).__name__)
    return _withheld()


def _read(data: bytes) -> PhaseIn:
    try:
        return PhaseIn.model_validate(json.loads(data))
    except ValidationError as error:
        raise Malformed(invalid(error)["detail"]) from None
    except (ValueError, RecursionError):
        raise Malformed("the body is not JSON") from None


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
    return ThreadPoolExecutor(8, "coral")


def _in_time(task: Callable[[], Standing | None]) -> Standing | None:
    """What the task gives, or None when that takes too long; the task goes on then, and the queue has its result."""
    try:
        return _threads().submit(task).result(_IN_TIME)
    except TimeoutError:
        return None


def _decide(here: Service, site_id: str, comment: NewComment) -> Standing | None:
    owner = f"{here.settings.host}:{os.getpid()}"
    lease_ms = round(here.settings.lease_seconds * 1000)
    try:
        return submit_and_decide(here.store, here.classifier(), owner, site_id, comment, lease_ms)
    except Exception as error:  # an error would let Coral publish
        log.error("a comment of Coral's can't be decided: %s", type(error).__name__)
        return None


def _answer(found: Standing | None, approves: bool) -> Response:
    if found is None:
        return _withheld()
    comment, decision = found
    signals = decision.signals if decision else []
    reasons = {str(signal.get("attribute") or signal["rule"]) for signal in signals if signal["decided"]}
    if comment.status == Status.APPROVED:
        return jsonify(status="APPROVED") if approves else Response(status=204)
    if comment.status == Status.REJECTED:
        by_person = decision.reason if decision else None
        return _rejected({by_person.upper()} if by_person else reasons)
    return _withheld(reasons)


def _withheld(reasons: frozenset[str] | set[str] = frozenset()) -> Response:
    return jsonify(status=_WITHHELD, actions=_flags(reasons))


def _rejected(reasons: set[str]) -> Response:
    code = "SPAM" if reasons & _SPAM else "ABUSIVE" if reasons & set(ATTRIBUTES) else "OTHER"
    # Coral needs the reason where it keeps records for the Digital Services Act, and ignores it elsewhere.
    action = {"status": "REJECTED", "rejectionReason": {"code": code}}
    return jsonify(status="REJECTED", actions=_flags(reasons), moderationAction=action)


def _flags(reasons: frozenset[str] | set[str]) -> list[dict[str, Any]]:
    """Coral knows two kinds of flags, and refuses an answer that has another."""
    names = ["COMMENT_DETECTED_TOXIC"] if reasons & (set(ATTRIBUTES) - _SPAM) else []
    names += ["COMMENT_DETECTED_SPAM"] if reasons & _SPAM else []
    return [{"actionType": "FLAG", "reason": name} for name in names]
