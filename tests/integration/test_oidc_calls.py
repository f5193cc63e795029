"""Our calls to the OpenID Connect service are not led elsewhere. The service here is a real one of a few lines."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey

from moderation.app import create_app
from moderation.config import Settings
from tests.integration.pages import HTML

CALLS = ["/.well-known/openid-configuration", "/token", "/keys", "/userinfo"]


class Serving:
    """An HTTP server in a thread; `heard` are the paths that it was asked for, `moved` those it sends elsewhere."""

    def __init__(self, elsewhere: str = "") -> None:
        self.heard: list[str] = []
        self.moved: dict[str, int] = {}
        self.nonce = ""
        self.key = ECKey.generate_key("P-256", {"kid": "one"})
        serving = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # (name given by http.server)
                path = urlsplit(self.path).path
                serving.heard.append(path)
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = json.dumps(serving.answer(path)).encode()
                self.send_response(serving.moved.get(path, 200))
                self.send_header("Location", elsewhere + path)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *_: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, path: str) -> dict[str, Any]:
        """What a service says at these paths; the e-mail address only at the last."""
        if path == "/token":
            now = int(time.time())
            claims = {"iss": self.url, "sub": "ann", "aud": "us", "nonce": self.nonce, "iat": now, "exp": now + 60}
            id_token = jwt.encode({"alg": "ES256", "kid": "one"}, claims, self.key)
            return {"access_token": "a", "token_type": "Bearer", "id_token": id_token}
        return {
            "/keys": {"keys": [self.key.as_dict(private=False)]},
            "/userinfo": {"sub": "ann", "email": "ann@example.org", "email_verified": True},
        }.get(path) or {
            "issuer": self.url, "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token", "jwks_uri": f"{self.url}/keys",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "id_token_signing_alg_values_supported": ["ES256"],
        }  # fmt: skip

    def close(self) -> None:
        """Ends it."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def inside() -> Iterator[Serving]:
    """What is none of the sign-in service's business."""
    opened = Serving()
    yield opened
    opened.close()


@pytest.fixture
def outside(inside: Serving) -> Iterator[Serving]:
    """The service."""
    opened = Serving(inside.url)
    yield opened
    opened.close()


@pytest.fixture
def browser(settings: Settings, outside: Serving, person: object) -> Iterator[FlaskClient]:
    """A browser of somebody who is known by their address."""
    made = create_app(
        settings.model_copy(update={
            "oidc_issuer": outside.url, "oidc_client_id": "us", "oidc_client_secret": "secret", "oidc_name": "there",
        })
    )  # fmt: skip
    yield made.test_client()
    made.extensions["moderation"].close()


def sign_in(browser: FlaskClient, outside: Serving) -> int:
    """The status of the last answer."""
    begun = browser.get("/login/oidc", headers=HTML)
    if begun.status_code != 302:
        return begun.status_code
    asked = parse_qs(urlsplit(begun.headers["Location"]).query)
    outside.nonce = asked["nonce"][0]
    back = {"code": "c", "state": asked["state"][0]}
    return browser.get("/login/oidc/callback", query_string=back, headers=HTML).status_code


def test_all_these_calls_are_made(browser: FlaskClient, outside: Serving) -> None:
    assert sign_in(browser, outside) == 303
    assert outside.heard == CALLS


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [302, 307])
def test_no_call_is_led_elsewhere(
    browser: FlaskClient, outside: Serving, inside: Serving, call: str, status: int
) -> None:
    outside.moved[call] = status
    assert sign_in(browser, outside) == 503
    assert outside.heard[-1] == call
    assert inside.heard == []
