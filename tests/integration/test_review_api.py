"""The moderators' API: by token and by session, the same actions as the pages."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from moderation.services.accounts import Person as Moderator
from tests.integration.pages import Person
from tests.services import ABUSE, PASSWORD, a_comment, bearer, make_moderator


@pytest.fixture
def token(client: FlaskClient, person: Moderator) -> str:
    answer = client.post("/v1/auth/tokens", json={"email": "ann@example.org", "password": PASSWORD})
    assert answer.status_code == 200
    assert sorted(answer.json) == ["expires_at", "token"]  # type: ignore[arg-type]
    return str(answer.json["token"])  # type: ignore[index]


@pytest.fixture
def items(client: FlaskClient, site: tuple[str, str], work: Callable[[], int]) -> list[str]:
    """Three held comments, oldest first."""
    comments = [a_comment(f"c{n}", f"{ABUSE} {n}") for n in range(3)]
    answer = client.post("/v1/comments/batch", json={"comments": comments}, headers=bearer(site[1]))
    work()
    return [result["id"] for result in answer.json["results"]]  # type: ignore[index]


def call(client: FlaskClient, token: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    answer = client.open(f"/v1/review{path}", method=method, json=body, headers=bearer(token))
    return answer.status_code, answer.json


def test_a_wrong_password_gives_no_token(client: FlaskClient, person: Moderator) -> None:
    answers = [
        client.post("/v1/auth/tokens", json={"email": email, "password": "not this one"})
        for email in ("ann@example.org", "nobody@example.org")
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json["detail"] == answers[1].json["detail"]  # type: ignore[index]
    assert client.post("/v1/auth/tokens", json={"email": "ann@example.org"}).json["field"] == "password"  # type: ignore[index]


def test_a_site_key_opens_no_queue(client: FlaskClient, site: tuple[str, str]) -> None:
    assert call(client, site[1], "GET", "/items")[0] == 401


def test_claim_rule_and_undo(client: FlaskClient, token: str, items: list[str], site: tuple[str, str]) -> None:
    _, listed = call(client, token, "GET", "/items?sort=oldest")
    assert [item["id"] for item in listed["items"]] == items
    first = listed["items"][0]
    assert first["claim"] is None
    assert first["reasons"]
    assert "author_email" not in str(listed)
    status, claimed = call(client, token, "POST", f"/items/{items[0]}/claim")
    assert (status, claimed["claim"]["by"]) == (200, "ann")
    body = {"action": "reject", "version": claimed["version"], "reason": "insult"}
    status, ruled = call(client, token, "POST", f"/items/{items[0]}/actions", body)
    assert (status, ruled["comment"]["status"]) == (200, "rejected")
    status, undone = call(client, token, "POST", "/undo")
    assert (status, undone["undone"]) == (200, [items[0]])
    comment = client.get(f"/v1/comments/{items[0]}", headers=bearer(site[1])).json
    assert comment["status"] == "held"  # type: ignore[index]
    assert comment["decision"]["reasons"] == first["reasons"]  # type: ignore[index]


def test_a_batch_is_ruled_and_undone_as_one(client: FlaskClient, token: str, items: list[str]) -> None:
    assert call(client, token, "POST", "/actions", {"item_ids": items, "action": "approve"}) == (200, {"done": 3})
    assert call(client, token, "GET", "/count")[1]["count"] == 0
    assert sorted(call(client, token, "POST", "/undo")[1]["undone"]) == items
    assert call(client, token, "GET", "/count")[1]["count"] == 3


def test_one_claimed_item_stops_a_whole_batch(app: Flask, client: FlaskClient, token: str, items: list[str],
                                              site: tuple[str, str]) -> None:  # fmt: skip
    make_moderator(app.extensions["moderation"].store, site[0], "bob@example.org")
    answer = client.post("/v1/auth/tokens", json={"email": "bob@example.org", "password": PASSWORD})
    call(client, str(answer.json["token"]), "POST", f"/items/{items[1]}/claim")  # type: ignore[index]
    status, problem = call(client, token, "POST", "/actions", {"item_ids": items, "action": "approve"})
    assert (status, problem["code"], problem["by"], problem["id"]) == (409, "claimed", "bob", items[1])
    assert call(client, token, "GET", "/count")[1]["count"] == 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"action": "reject", "version": 2}, "reason"),
        ({"action": "reject", "version": 2, "reason": "because"}, "reason"),
        ({"action": "reject", "version": 2, "reason": "other"}, "note"),
        ({"action": "delete", "version": 2}, "action"),
        ({"action": "approve"}, "version"),
    ],
)
def test_a_bad_action_names_its_field(
    client: FlaskClient, token: str, items: list[str], body: dict[str, Any], field: str
) -> None:
    status, problem = call(client, token, "POST", f"/items/{items[0]}/actions", body)
    assert (status, problem["field"]) == (422, field)


def test_only_the_policys_own_are_new(client: FlaskClient, token: str, items: list[str]) -> None:
    assert call(client, token, "GET", "/count?since=0&sort=oldest")[1] == {"count": 3, "more": False, "new": 3}
    version = call(client, token, "GET", f"/items/{items[0]}")[1]["version"]
    call(client, token, "POST", f"/items/{items[0]}/actions", {"action": "approve", "version": version})
    call(client, token, "POST", "/undo")
    assert call(client, token, "GET", "/count?since=0")[1] == {"count": 3, "more": False, "new": 2}


def test_a_session_may_read_and_needs_the_pages_token_to_change(
    app: Flask, person: Moderator, items: list[str]
) -> None:
    ann = Person(app.test_client()).sign_in()
    assert ann.client.get("/v1/review/count").json["count"] == 3  # type: ignore[index]
    path = f"/v1/review/items/{items[0]}/claim"
    assert ann.client.post(path).json["code"] == "csrf"  # type: ignore[index]
    assert ann.client.post(path, headers={"X-CSRFToken": ann.token}).status_code == 200
    assert app.test_client().post(path).status_code == 401


@pytest.mark.parametrize(
    "values", ['[1e999, "\\u0000"]', f'[1{"0" * 400}, "{"0" * 32}"]', "[0.5, 7]", "[" * 1200, "{}"]
)
def test_a_cursor_that_is_not_ours_is_refused(client: FlaskClient, token: str, values: str) -> None:
    cursor = base64.urlsafe_b64encode(values.encode()).decode().rstrip("=")
    status, answer = call(client, token, "GET", f"/items?after={cursor}")
    assert (status, answer["code"]) == (422, "invalid_cursor")
