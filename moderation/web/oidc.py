"""/login/oidc: signing in at an OpenID Connect service (authorization code with PKCE, state and nonce)."""

import logging
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import FlaskOAuth2App, OAuth
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from flask import Blueprint, Flask, Response, current_app, redirect, request
from flask import session as cookie
from joserfc.errors import JoseError
from requests import RequestException

from moderation.config import Settings
from moderation.errors import Forbidden, ModerationError, NotFound, Unavailable
from moderation.http import service
from moderation.limits import limit_oidc
from moderation.services import identities
from moderation.services.identities import Identity
from moderation.services.invitations import JOIN
from moderation.web import letters, session
from moderation.web.sign_in import login_page
from moderation.web.trouble import in_words

pages = Blueprint("oidc", __name__, url_prefix="/login/oidc")
log = logging.getLogger("moderation")

_CALLBACK = "/login/oidc/callback"
_PATIENCE = 5.0  # seconds for each call to the service
_SIGNATURES = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
_NEXT = "oidc_next"
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")


class _Direct(OAuth2Session):  # type: ignore[misc]  # the library has no types
    """Calls to the service only: who is led elsewhere could be led to what only this machine reaches."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.max_redirects = 0  # the first one raises TooManyRedirects


class _People(FlaskOAuth2App):  # type: ignore[misc]
    client_cls = _Direct


def install(app: Flask, settings: Settings) -> None:
    """Registers the service that the settings name; nothing is asked of it before somebody signs in."""
    if not settings.oidc_issuer:
        return
    OAuth(app).register(
        "people", client_cls=_People, client_id=settings.oidc_client_id, client_secret=settings.oidc_client_secret,
        server_metadata_url=settings.oidc_issuer.rstrip("/") + "/.well-known/openid-configuration",
        client_kwargs={"scope": "openid email profile", "code_challenge_method": "S256", "default_timeout": _PATIENCE},
    )  # fmt: skip


@pages.get("")
@limit_oidc
def begin() -> Response:
    """Sends the browser to the service."""
    client = _client()
    # One sign-in at a time: what an earlier one left in the session is of no use any more.
    for name in [name for name in cookie if name.startswith("_state_people_")]:
        del cookie[name]
    cookie[_NEXT] = session.local(request.args.get("next"))
    try:
        _metadata(client)
        return session.as_response(client.authorize_redirect(letters.address_of(_CALLBACK)))
    except _FAULTS as error:
        return _refused(_of_fault(error))


@pages.get("/callback")
def callback() -> Response:
    """Where the service sends the browser back to."""
    client = _client()
    wanted = session.local(cookie.pop(_NEXT, None))
    invitation = str(cookie.get(JOIN, "")) if wanted == "/join" else None
    try:
        identity = _identity(client)
        with service().store.write() as database:
            person = identities.recognise(database, identity, invitation)
    except ModerationError as error:
        return _refused(error)
    except _FAULTS as error:
        return _refused(_of_fault(error))
    session.begin(person)
    return session.as_response(redirect("/review" if wanted == "/join" else wanted, 303))


def _client() -> Any:
    settings = service().settings
    if not settings.oidc_issuer:
        raise NotFound("there is no other sign-in here")
    return current_app.extensions["authlib.integrations.flask_client"].create_client("people")


def _metadata(client: Any) -> dict[str, Any]:
    """What the service says of itself. Raises Unavailable when it says that it is another."""
    metadata: dict[str, Any] = client.load_server_metadata()
    if str(metadata.get("issuer", "")).rstrip("/") != service().settings.oidc_issuer.rstrip("/"):
        client.server_metadata.pop("_loaded_at", None)
        raise Unavailable("the sign-in service names another issuer than the settings do", code="oidc_unavailable")
    named = [str(metadata.get(name) or "https://") for name in _ENDPOINTS]
    if service().settings.oidc_issuer.startswith("https://") and not all(url.startswith("https://") for url in named):
        client.server_metadata.pop("_loaded_at", None)
        raise Unavailable("the sign-in service names addresses that are not https", code="oidc_unavailable")
    offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
    metadata["id_token_signing_alg_values_supported"] = [name for name in offered if name in _SIGNATURES]
    return metadata


def _identity(client: Any) -> Identity:
    """Who has come back, after all checks: state, issuer, code with PKCE, signature, audience, nonce, times."""
    if not client.framework.get_state_data(cookie, request.args.get("state")):
        raise Forbidden("this sign-in was not begun in this browser, or too long ago; please begin again",
                        code="oidc_refused")  # fmt: skip
    metadata = _metadata(client)
    issuer = metadata["issuer"]
    named = request.args.get("iss")
    if named != issuer and (named or metadata.get("authorization_response_iss_parameter_supported")):
        raise Forbidden("this answer came from another sign-in service", code="oidc_refused")  # RFC 9207
    token = client.authorize_access_token(claims_options={
        "iss": {"essential": True, "value": issuer}, "sub": {"essential": True},
        "aud": {"essential": True, "values": [client.client_id]}, "nonce": {"essential": True},
    }, claims_cls=CodeIDToken)  # fmt: skip
    claims = dict(token.get("userinfo") or {})
    if not claims.get("sub"):
        raise Forbidden("the sign-in service did not say who you are", code="oidc_refused")
    if "email" not in claims and metadata.get("userinfo_endpoint"):
        more = client.userinfo(token=token)
        if more.get("sub") == claims["sub"]:  # else it is somebody else's
            claims = {**more, **claims}
    verified = claims.get("email_verified") in (True, "true")
    email = claims.get("email")
    return Identity(
        issuer, str(claims["sub"]), email if verified and isinstance(email, str) else None,
        str(claims.get("name") or claims.get("preferred_username") or ""),
    )  # fmt: skip


# What the service, or somebody in its place, can bring about. None of it is a fault of ours.
_FAULTS = (
    AuthlibBaseError,
    JoseError,
    RequestException,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,
)


def _of_fault(error: Exception) -> ModerationError:
    log.warning("OpenID Connect: %s", type(error).__name__)
    if isinstance(error, RequestException):
        return Unavailable("the sign-in service can't be reached now; try again in a moment", code="oidc_unavailable")
    if isinstance(error, AuthlibBaseError) and error.error == "access_denied":
        return Forbidden("the sign-in service was told no", code="oidc_refused")
    return Forbidden("the sign-in did not succeed; please begin again", code="oidc_refused")


def _refused(error: ModerationError) -> Response:
    return login_page(error.status, in_words(error) or "")
