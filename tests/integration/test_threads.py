"""What readers see, and what operators ask."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from moderation.config import Settings
from moderation.scoring import Classifier
from moderation.services import health, sites
from moderation.store.session import Store, now_ms
from moderation.store.tables import WorkerState
from tests.services import ABUSE, a_comment, bearer

Site = tuple[str, str]
Work = Callable[[], int]
THREAD = "/v1/threads?article_url=https://news.example/a"


def post(client: FlaskClient, site: Site, *comments: dict[str, Any]) -> None:
    answer = client.post("/v1/comments/batch", json={"comments": comments}, headers=bearer(site[1]))
    assert all("error" not in result for result in answer.get_json()["results"])


def test_only_approved_comments_are_shown(client: FlaskClient, site: Site, work: Work) -> None:
    post(
        client, site, a_comment("good"), a_comment("bad", body=ABUSE),
        a_comment("elsewhere", article={"url": "https://news.example/b"}),
    )  # fmt: skip
    assert client.get(THREAD).get_json() == {"comments": []}
    work()
    (shown,) = client.get(THREAD).get_json()["comments"]
    assert set(shown) == {"id", "author_name", "body", "created_at", "parent_id"}
    assert (shown["author_name"], shown["body"]) == ("Ann", "Thank you, a clear summary.")


def test_a_reply_names_a_parent_only_when_readers_see_it(client: FlaskClient, site: Site, work: Work) -> None:
    post(
        client, site, a_comment("p1"), a_comment("p2", body=ABUSE),
        a_comment("r1", body="I agree.", parent_external_id="p1"),
        a_comment("r2", body="I do not agree.", parent_external_id="p2"),
    )  # fmt: skip
    work()
    shown = {one["body"]: one for one in client.get(THREAD).get_json()["comments"]}
    assert shown["I agree."]["parent_id"] == shown["Thank you, a clear summary."]["id"]
    assert shown["I do not agree."]["parent_id"] is None


def test_a_thread_that_has_not_changed_is_not_sent_again(client: FlaskClient, site: Site, work: Work) -> None:
    post(client, site, a_comment())
    work()
    first = client.get(THREAD)
    assert first.headers["Cache-Control"] == "public, max-age=5"
    again = client.get(THREAD, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_any_page_may_read_a_thread_and_why_there_is_none(client: FlaskClient, site: Site) -> None:
    for path, status in ((THREAD, 200), (f"{THREAD}&site=unknown", 404), ("/v1/threads", 422)):
        answer = client.get(path, headers={"Origin": "https://news.example"})
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (status, "*")


def test_with_two_sites_the_site_must_be_said(client: FlaskClient, site: Site, store: Store, work: Work) -> None:
    with store.write() as session:
        sites.create_site(session, "other")
    post(client, site, a_comment())
    work()
    assert client.get(THREAD).status_code == 404
    assert len(client.get(f"{THREAD}&site={site[0]}").get_json()["comments"]) == 1
    assert len(client.get(THREAD, headers=bearer(site[1])).get_json()["comments"]) == 1


def test_ready_names_each_part(client: FlaskClient, store: Store, classifier: Classifier) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["parts"] == {
        "web": "ok", "database": "ok", "redis": "ok", "worker": "no worker has shown itself", "scorer": "no worker",
    }  # fmt: skip
    assert client.get("/readyz?for=web").status_code == 200
    with store.write() as session:
        health.sign_of_life(session, "here", classifier, now_ms())
    assert client.get("/readyz").status_code == 200
    with store.write() as session:
        health.sign_of_life(session, "here", Classifier("linear", None, "a file is missing"), now_ms())
    assert client.get("/readyz").get_json()["parts"]["scorer"] == "linear: a file is missing"
    with store.write() as session:
        health.sign_of_life(session, "there", classifier, now_ms())
    assert client.get("/readyz").get_json()["parts"]["scorer"] == "linear: a file is missing"
    with store.write() as session:
        for name in ("here", "there"):
            health.sign_of_life(session, name, classifier, now_ms() - 60_000)
    assert client.get("/readyz").status_code == 503


def test_workers_of_one_machine_are_known_apart(client: FlaskClient, store: Store, classifier: Classifier) -> None:
    """One of two that lost its scorer shows; one whose process has ended is forgotten with the next sign of life."""
    with store.write() as session:
        health.sign_of_life(session, "here:1", classifier, now_ms())
        health.sign_of_life(session, "here:2", Classifier("linear", None, "a file is missing"), now_ms())
        health.sign_of_life(session, "there:2", classifier, now_ms())
    assert client.get("/readyz").get_json()["parts"]["scorer"] == "linear: a file is missing"
    with store.write() as session:
        health.sign_of_life(session, "here:1", classifier, now_ms(), gone=lambda name: name == "here:2")
        assert sorted(session.scalars(select(WorkerState.name))) == ["here:1", "there:2"]
    assert client.get("/readyz").get_json()["parts"]["scorer"] == "ok"


def test_every_route_of_the_api_is_in_the_document(app: Flask) -> None:
    document = app.test_client().get("/openapi.json").get_json()
    routes = {rule.rule.replace("<", "{").replace(">", "}") for rule in app.url_map.iter_rules()}
    api = {route for route in routes if route.startswith("/v1/")} | {"/healthz", "/readyz", "/metrics"}
    assert api
    assert api <= set(document["paths"])


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/comments/x/y"])
def test_unknown_paths_are_problems(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


def test_security_headers_and_a_request_id(client: FlaskClient, settings: Settings) -> None:
    headers = client.get("/healthz").headers
    assert "unsafe-inline" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert len(headers["X-Request-Id"]) == 32
