"""Is it alive, is it ready."""

from typing import Any

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError

from moderation.api.answers import AliveOut, ReadyOut
from moderation.http import service
from moderation.services import health
from moderation.store import schema
from moderation.store.session import now_ms

api = APIBlueprint("ops", __name__, abp_tags=[Tag(name="Operation", description="for whoever runs the service")])


class ReadyQuery(BaseModel):
    """What is asked for."""

    need: str | None = Field(None, alias="for", description="`web`: only what accepting a comment needs")


@api.get("/healthz", responses={200: AliveOut})
def alive() -> Response:
    """The process lives."""
    return jsonify({"status": "ok"})


@api.get("/readyz", responses={200: ReadyOut, 503: ReadyOut})
def ready(query: ReadyQuery) -> tuple[Response, int]:
    """200 when all parts are well, else 503 naming each part's state; `?for=web` looks only at what intake needs."""
    parts: dict[str, Any] = {"web": "ok", "database": schema.check(service().store) or "ok"}
    if query.need != "web":
        parts["redis"] = "ok" if service().doorbell.answers() else "does not answer"
        parts["worker"], parts["scorer"] = _worker() if parts["database"] == "ok" else ("unknown", "unknown")
    well = all(state == "ok" for state in parts.values())
    return jsonify({"status": "ok" if well else "unavailable", "parts": parts}), 200 if well else 503


def _worker() -> tuple[str, str]:
    try:
        with service().store.read() as session:
            return health.worker_states(session, now_ms())
    except SQLAlchemyError as error:
        return type(error).__name__, "unknown"
