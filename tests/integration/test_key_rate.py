"""A rate for each site key, where the operator sets one: told with Retry-After, the same on every way in."""

import socket

import pytest
from flask.testing import FlaskClient
from pydantic import ValidationError

from moderation import limits
from moderation.app import create_app
from moderation.config import Settings
from moderation.services import sites
from moderation.store.session import Store
from tests.services import a_comment, bearer

Site = tuple[str, str]


@pytest.fixture
def limited(settings: Settings) -> FlaskClient:
    return create_app(settings.model_copy(update={"site_key_rate": "3 per day; 1000 per month"})).test_client()


def test_calls_beyond_the_rate_are_refused_by_every_interface(limited: FlaskClient, store: Store, site: Site) -> None:
    with store.write() as session:
        _, other = sites.create_site(session, "other")
    for number in range(3):
        answer = limited.post("/v1/comments", json=a_comment(f"c{number}"), headers=bearer(site[1]))
        assert answer.status_code == 202
    for path in ("/v1/comments?external_id=c1", "/v1/events", "/v1/examples"):
        refused = limited.get(path, headers=bearer(site[1]))
        assert (refused.status_code, refused.get_json()["code"]) == (429, "rate_limited")
        assert 0 < int(refused.headers["Retry-After"]) == refused.get_json()["retry_after"] <= 86_401
    google = limited.post(f"/v1alpha1/comments:analyze?key={site[1]}", json={})
    assert (google.status_code, google.get_json()["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert int(google.headers["Retry-After"]) > 0
    blog = limited.post("/1.1/comment-check", data={"api_key": site[1], "blog": "https://a.example", "user_ip": "::1"})
    assert blog.headers["X-akismet-error"] == "not-done"
    assert limited.get("/v1/events", headers=bearer(other)).status_code == 200, "each key by itself"
    assert limited.get("/v1/events", headers=bearer("wrong" * 9)).status_code == 401, "who has no key uses none up"


def test_without_the_setting_or_without_redis(client: FlaskClient, settings: Settings, site: Site) -> None:
    assert {client.get("/v1/events", headers=bearer(site[1])).status_code for _ in range(5)} == {200}
    changes = {"site_key_rate": "2 per day", "redis_url": "redis://127.0.0.1:1/0"}
    alone = create_app(settings.model_copy(update=changes)).test_client()
    assert [alone.get("/v1/events", headers=bearer(site[1])).status_code for _ in range(3)] == [200, 200, 429]


def test_redis_that_hangs_is_waited_for_once_and_then_left_alone(
    settings: Settings, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "_TIME_LIMIT", 0.05)
    monkeypatch.setattr(limits, "_SILENCE", 3600.0)
    with socket.create_server(("127.0.0.1", 0)) as hung:
        url = f"redis://127.0.0.1:{hung.getsockname()[1]}/0"
        app = create_app(settings.model_copy(update={"site_key_rate": "4 per day", "redis_url": url})).test_client()
        said = [app.get("/v1/events", headers=bearer(site[1])).status_code for _ in range(5)]
        assert said == [200, 200, 200, 200, 429]
        hung.setblocking(False)
        hung.accept()[0].close()
        with pytest.raises(BlockingIOError):
            hung.accept()


@pytest.mark.parametrize("name", ["site_key_rate", "sign_in_rate", "public_rate"])
def test_what_is_no_rate_is_refused_at_the_start(name: str) -> None:
    with pytest.raises(ValidationError, match="a rate such as"):
        Settings(**{name: "very often"})
