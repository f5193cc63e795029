"""Tokens of the moderators' API."""

from typing import Annotated

from flask import Response, jsonify, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, Field

from moderation import back_off
from moderation.api.body import require_json
from moderation.api.schemas import Problem
from moderation.errors import Forbidden
from moderation.http import service
from moderation.limits import limit_sign_in
from moderation.services import accounts
from moderation.services.fields import Text
from moderation.services.views import iso
from moderation.web.agents import agent_words

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


@api.post("/tokens", responses={200: TokenOut, 401: Problem, 403: Problem, 429: Problem})
@limit_sign_in
def create_token(body: SignInBody) -> Response:
    """Sign in; the answer's token is shown only now."""
    if not service().settings.passwords:
        raise Forbidden("passwords are switched off here; make a token on the page /account", code="passwords_off")
    agent = agent_words(request.headers.get("User-Agent", ""))
    person = back_off.check_password(body.email, body.password)
    with service().store.write() as session:
        token, expires_at = accounts.sign_in(session, person, service().settings.session_hours, "token", agent)
    return jsonify({"token": token, "expires_at": iso(expires_at)})
