"""One's own sessions and tokens for programs, as on the page /account."""

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel

from moderation.api.auth import person, require_moderator
from moderation.http import service
from moderation.services import sign_ins
from moderation.services.views import iso

api = APIBlueprint(
    "sign_ins", __name__, url_prefix="/v1/auth",
    abp_tags=[Tag(name="Moderators", description="for moderators, with a token or a session")],
    abp_security=[{"moderator": []}],
)  # fmt: skip
api.before_request(require_moderator)


class SignInOut(BaseModel):
    """A session or a token; `this` is the one that asks."""

    id: str
    kind: str
    agent: str | None
    created_at: str
    seen_at: str
    expires_at: str
    this: bool


class SignInsOut(BaseModel):
    """All of one's own."""

    sign_ins: list[SignInOut]


class EndedOut(BaseModel):
    """How many were ended."""

    ended: int


@api.get("/sign-ins", responses={200: SignInsOut})
def list_own() -> Response:
    """Where you are signed in, the one used last first."""
    with service().store.read() as session:
        found = [
            {
                "id": one.id, "kind": one.kind, "agent": one.agent, "created_at": iso(one.created_at),
                "seen_at": iso(one.seen_at), "expires_at": iso(one.expires_at), "this": one.id == person().sign_in,
            }
            for one in sign_ins.open_of(session, person())
        ]  # fmt: skip
    return jsonify({"sign_ins": found})


@api.post("/sign-ins/end-others", responses={200: EndedOut})
def end_others() -> Response:
    """End all of your sessions and tokens but this one."""
    with service().store.write() as session:
        return jsonify({"ended": sign_ins.end_others(session, person())})
