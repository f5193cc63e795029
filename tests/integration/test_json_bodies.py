"""Bodies that are JSON to some and not to others, on every way in: a clear error, and never a fault."""

import json
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from moderation.domain.lifecycle import Role
from moderation.scoring import Classifier
from moderation.services import accounts, people, sites
from moderation.services.accounts import Person
from moderation.services.coral import add_secret
from moderation.store.session import Store
from moderation.store.tables import Comment
from tests import coral
from tests.services import a_comment, bearer

Headers = dict[str, str]
GOOD = json.dumps(a_comment())
NUMBERS = ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, "-" + "9" * 400]


def with_field(value: str) -> bytes:
    return f'{{"extra": {value}, {GOOD[1:]}'.encode()


ODD: dict[str, tuple[bytes, str]] = {
    "deep lists": (with_field("[" * 5000 + "]" * 5000), "too_deep"),
    "deeper than the parser goes": (with_field("[" * 100_000 + "]" * 100_000), "too_deep"),
    "deep objects": (with_field('{"a":' * 33 + "1" + "}" * 33), "too_deep"),
    "twice": (with_field('1, "body": "other"'), "duplicate_name"),
    "twice, inside": (with_field('{"a": 1, "a": 2}'), "duplicate_name"),
    **{f"number {value[:9]}": (with_field(value), "malformed") for value in NUMBERS},
    "not closed": (GOOD[:-1].encode(), "malformed"), "latin": (b'{"body": "\xe4"}', "malformed"),
    "utf-16": (GOOD.encode("utf-16"), "malformed"), "a list": (b"[]", "malformed"), "nothing": (b"null", "malformed"),
}  # fmt: skip


@pytest.fixture
def ways(app: Flask, store: Store, site: tuple[str, str], person: Person) -> dict[str, tuple[str, Headers]]:
    """Every kind of route of ours that takes JSON, and what a caller shows there."""
    with store.write() as session:
        row = sites.find_site(session, site[0])
        sites.set_origins(session, row, ["https://news.example"])
        people.set_role(session, site[0], person.id, Role.ADMIN, None)
        token, _ = accounts.sign_in(session, person, 1.0)
        page = bearer(row.publishable_key) | {"Origin": "https://news.example"}
    key = bearer(site[1])
    return {
        "comments": ("/v1/comments", key), "batch": ("/v1/comments/batch", key), "authors": ("/v1/authors/export", key),
        "public": ("/v1/public/comments", page), "tokens": ("/v1/auth/tokens", {}),
        "queues": ("/v1/review/queues", bearer(token)), "policy": ("/v1/review/policy/preview", bearer(token)),
    }  # fmt: skip


def test_odd_bodies_are_refused_with_a_code(
    client: FlaskClient, store: Store, ways: dict[str, tuple[str, Headers]]
) -> None:
    for name, (body, code) in ODD.items():
        for path, headers in ways.values():
            answer = client.post(path, data=body, headers=headers, content_type="application/json")
            assert (answer.status_code, answer.get_json()["code"]) == (400, code), (name, path)
            assert answer.mimetype == "application/problem+json"
            assert len(answer.data) < 300, "nothing of the body comes back"
    with store.read() as session:
        assert session.scalar(select(func.count()).select_from(Comment)) == 0


@pytest.mark.parametrize("half", ["\\ud800", "\\udfff x", "a\\ude00\\ud83d"])
def test_half_a_surrogate_pair_names_its_field_and_sinks_no_other(
    client: FlaskClient, site: tuple[str, str], ways: dict[str, tuple[str, Headers]], half: str
) -> None:
    bodies = {
        "comments": GOOD.replace("Thank you", half), "public": GOOD.replace("Thank you", half),
        "tokens": f'{{"email": "a@example.org", "password": "{half}"}}', "authors": f'{{"author_id": "{half}"}}',
        "queues": f'{{"name": "q", "filter": {{"q": "{half}"}}}}',
        "policy": f'{{"document": {{"rules": [{{"kind": "{half}"}}], "{half}": "{half}"}}}}',
    }  # fmt: skip
    for name, body in bodies.items():
        path, headers = ways[name]
        answer = client.post(path, data=body, headers=headers, content_type="application/json")
        assert answer.status_code == 422, (name, answer.text)
    batch = f'{{"comments": [{GOOD.replace("c1", half)}, {GOOD}]}}'
    answer = client.post(ways["batch"][0], data=batch, headers=bearer(site[1]), content_type="application/json")
    bad, good = answer.get_json()["results"]
    assert (bad["error"]["field"], good["status"]) == ("external_id", "pending")


def test_whole_numbers_however_long_are_no_fault(ways: dict[str, tuple[str, Headers]], client: FlaskClient) -> None:
    path, headers = ways["comments"]
    for number in (2**53, 2**63, 10**30, -(10**300)):
        answer = client.post(path, data=with_field(str(number)), headers=headers, content_type="application/json")
        assert answer.status_code in (200, 202)  # a field that nobody asked for
        late = json.dumps(a_comment("c2", created_at=number))
        answer = client.post(path, data=late, headers=headers, content_type="application/json")
        assert (answer.status_code, answer.get_json()["field"]) == (422, "created_at")


def test_the_interfaces_of_other_systems(
    app: Flask, client: FlaskClient, store: Store, site: tuple[str, str], classifier: Classifier
) -> None:
    app.extensions["moderation"] = replace(app.extensions["moderation"], classifier=lambda: classifier)
    with store.write() as session:
        add_secret(session, sites.find_site(session, site[0]), coral.SECRET)
    deep = ["[" * depth + "]" * depth for depth in (101, 5000, 100_000)]
    for value in [*deep, "NaN", "1e999", "9" * 5000, '"\\ud800"']:
        said = _perspective(
            client, site[1], f'{{"comment": {{"text": {value}}}, "requestedAttributes": {{"TOXICITY": {{}}}}}}'
        )
        assert said.status_code == 400, value[:20]
        assert said.get_json()["error"]["status"] == "INVALID_ARGUMENT", value[:20]
        said = _akismet(
            client, site[1], f'{{"comment_content": {value}, "user_ip": "1.1.1.1", "blog": "http://a.example"}}'
        )
        assert said.status_code < 500, value[:20]
        data = f'{{"comment": {{"body": {value}}}, "author": {{"id": "a"}}, "story": {{"id": "s", "url": "http://s"}}}}'.encode()
        said = client.post(f"/integrations/coral/{site[0]}/external-phase", data=data, headers=coral.headers(data))
        assert said.status_code == 400 or said.get_json()["status"] == "SYSTEM_WITHHELD", value[:20]
    # There the last of two counts.
    text = '{"comment": {"text": "Shut up, idiot.", "text": "Thank you."}, "requestedAttributes": {"TOXICITY": {}}}'
    assert _score(_perspective(client, site[1], text)) < 0.5


def _perspective(client: FlaskClient, key: str, body: str) -> Any:
    return client.post(f"/v1alpha1/comments:analyze?key={key}", data=body, content_type="application/json")


def _akismet(client: FlaskClient, key: str, body: str) -> Any:
    return client.post(f"/1.1/comment-check?api_key={key}", data=body, content_type="application/json")


def _score(answer: Any) -> float:
    return float(answer.get_json()["attributeScores"]["TOXICITY"]["summaryScore"]["value"])
