"""Tokens of the moderators' API."""

from typing import Annotated

from flask import Response, jsonify
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, Field

from moderation.api.body import require_json
from moderation.api.schemas import Problem
from moderation.http import service
from moderation.limits import limit_sign_in
from moderation.services import accounts
from moderation.services.fields import Text
from moderation.services.views import iso

api = APIBlueprint(
    "tokens", __name__, url_prefix="/v1/auth",
    abp_tags=[Tag(name="Moderators", description="for moderators, with a token or a session")],
)  # fmt: skip
api.before_request(require_json)


class SignInBody(BaseModel):
    """What a moderator signs in with."""

    email: Annotated[Text, Field(max_length=320)]
    password: Annotated[str, Field(max_length=1000)]


class TokenOut(BaseModel):
    """A token to send as `Authorization: Bearer TOKEN`."""

    token: str
    expires_at: str


@api.post("/tokens", responses={200: TokenOut, 401: Problem, 429: Problem})
@limit_sign_in
def create_token(body: SignInBody) -> Response:
    """Sign in; the answer's token is shown only now."""
    with service().store.read() as session:
        person = accounts.check_password(session, body.email, body.password)
    with service().store.write() as session:
        token, expires_at = accounts.sign_in(session, person, service().settings.session_hours)
    return jsonify({"token": token, "expires_at": iso(expires_at)})
