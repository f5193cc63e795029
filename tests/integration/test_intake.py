"""Comments in, decisions out: the site's API on SQLite and on PostgreSQL."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from moderation.services import sites
from moderation.store.audit import AuditEvent
from moderation.store.session import Store
from moderation.store.tables import Comment, Decision, Event
from tests.services import ABUSE, a_comment, bearer

Site = tuple[str, str]
Work = Callable[[], int]


def post(client: FlaskClient, site: Site, body: Any, path: str = "/v1/comments", **headers: str) -> Any:
    return client.post(path, json=body, headers=bearer(site[1]) | headers)


def test_the_walk_of_one_comment(client: FlaskClient, site: Site, work: Work) -> None:
    answer = post(client, site, a_comment())
    assert answer.status_code == 202
    accepted = answer.get_json()
    assert accepted | {"id": "", "url": ""} == {
        "id": "", "external_id": "c1", "status": "pending", "revision": 1, "url": ""
    }  # fmt: skip
    pending = client.get(f"/v1/comments/{accepted['id']}", headers=bearer(site[1])).get_json()
    assert (pending["status"], pending["decision"], pending["scores"]) == ("pending", None, {})
    assert work() == 1
    decided = client.get("/v1/comments?external_id=c1", headers=bearer(site[1])).get_json()
    assert decided["status"] == "approved"
    assert decided["decision"]["source"] == "policy"
    assert decided["decision"]["policy_version"] == 1
    assert 0 <= decided["scores"]["TOXICITY"] < 0.5


def test_abuse_is_held_with_its_reasons_and_spans(client: FlaskClient, site: Site, work: Work) -> None:
    body = "🎯 " + ABUSE
    post(client, site, a_comment(body=body))
    work()
    held = client.get("/v1/comments?external_id=c1", headers=bearer(site[1])).get_json()
    assert held["status"] == "held"
    insult = next(reason for reason in held["decision"]["reasons"] if reason["attribute"] == "INSULT")
    assert insult["score"] >= insult["threshold"]
    units = body.encode("utf-16-le")
    words = {units[2 * s["begin"] : 2 * s["end"]].decode("utf-16-le") for s in insult["spans"]}
    assert any("idiot" in word or "stupid" in word or "moron" in word for word in words)


def test_the_same_comment_again_is_the_same_answer(client: FlaskClient, site: Site, work: Work) -> None:
    first = post(client, site, a_comment()).get_json()
    again = post(client, site, a_comment())
    assert (again.status_code, again.get_json()["id"]) == (200, first["id"])
    work()
    again = post(client, site, a_comment())
    assert again.get_json()["status"] == "approved"


@pytest.mark.parametrize(
    "change",
    [
        {"body": "other"},
        {"author": {"name": "Bob", "email": "ann@example.org"}},
        {"author": {"name": "Ann", "email": "bob@example.org"}},
        {"article": {"url": "https://news.example/b"}},
        {"parent_external_id": "c0"},
    ],
)
def test_another_comment_under_the_same_id_is_refused(client: FlaskClient, site: Site, change: dict[str, Any]) -> None:
    post(client, site, a_comment())
    answer = post(client, site, a_comment() | change)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "external_id_reused")


def test_two_at_the_same_moment_make_one_comment(app: Flask, site: Site, store: Store) -> None:
    barrier = threading.Barrier(8)
    statuses: list[int] = []

    def send() -> None:
        client = app.test_client()
        barrier.wait()
        statuses.append(post(client, site, a_comment()).status_code)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 7 + [202]
    with store.read() as session:
        assert session.scalar(select(func.count()).select_from(Comment)) == 1


def test_a_batch_answers_each_item(client: FlaskClient, site: Site, work: Work) -> None:
    post(client, site, a_comment("old"))
    batch = [
        a_comment("new"), {"external_id": "bad"}, a_comment("old"), a_comment("old", body="other"), 7,
        a_comment("before", imported_status="rejected"), a_comment("new"),
    ]  # fmt: skip
    results = post(client, site, {"comments": batch}, "/v1/comments/batch").get_json()["results"]
    assert [result.get("error", {}).get("code") for result in results] == [
        None, "invalid_field", None, "external_id_reused", "invalid_field", None, None,
    ]  # fmt: skip
    assert results[1]["error"]["field"] == "body"
    assert work() == 3
    imported = client.get("/v1/comments?external_id=before", headers=bearer(site[1])).get_json()
    assert (imported["status"], imported["decision"]["source"]) == ("rejected", "site")
    assert imported["scores"]["TOXICITY"] >= 0
    events = client.get("/v1/events", headers=bearer(site[1])).get_json()["events"]
    assert {event["data"]["external_id"] for event in events} == {"old", "new"}


def test_an_edit_is_decided_anew(client: FlaskClient, site: Site, work: Work, store: Store) -> None:
    id = post(client, site, a_comment()).get_json()["id"]
    work()
    answer = client.put(f"/v1/comments/{id}", json={"body": ABUSE}, headers=bearer(site[1]))
    assert (answer.status_code, answer.get_json()["revision"]) == (202, 2)
    threads = "/v1/threads?article_url=https://news.example/a"
    assert client.get(threads).get_json()["comments"] == []
    work()
    assert client.get(f"/v1/comments/{id}", headers=bearer(site[1])).get_json()["status"] == "held"
    with store.read() as session:
        assert sorted(session.scalars(select(Decision.revision))) == [1, 2]


def test_withdrawn_is_final(client: FlaskClient, site: Site, work: Work) -> None:
    id = post(client, site, a_comment()).get_json()["id"]
    for _ in range(2):
        answer = client.delete(f"/v1/comments/{id}", headers=bearer(site[1]))
        assert (answer.status_code, answer.get_json()["status"]) == (200, "withdrawn")
    assert work() == 0
    edit = client.put(f"/v1/comments/{id}", json={"body": "x"}, headers=bearer(site[1]))
    assert (edit.status_code, edit.get_json()["code"]) == (409, "withdrawn")
    ruling = client.post(f"/v1/comments/{id}/site-decision", json={"action": "approve"}, headers=bearer(site[1]))
    assert ruling.status_code == 409
    events = client.get("/v1/events", headers=bearer(site[1])).get_json()["events"]
    assert [event["type"] for event in events] == ["comment.withdrawn"]


def test_what_the_site_decided_stands(client: FlaskClient, site: Site, work: Work) -> None:
    id = post(client, site, a_comment(body=ABUSE)).get_json()["id"]
    work()
    answer = client.post(
        f"/v1/comments/{id}/site-decision", json={"action": "approve", "by": "Eve"}, headers=bearer(site[1])
    )
    assert answer.get_json()["status"] == "approved"
    assert answer.get_json()["decision"]["source"] == "site"
    assert answer.get_json()["scores"]["INSULT"] > 0


def test_another_sites_comment_does_not_exist(client: FlaskClient, site: Site, store: Store) -> None:
    with store.write() as session:
        other = sites.create_site(session, "other")[1]
    id = post(client, site, a_comment()).get_json()["id"]
    for method, path in [("GET", ""), ("DELETE", ""), ("POST", "/site-decision")]:
        answer = client.open(
            f"/v1/comments/{id}{path}", method=method, headers=bearer(other), json={"action": "approve"}
        )
        assert answer.status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"body": ""}, "body"),
        ({"body": " \n "}, "body"),
        ({"body": "a\0b"}, "body"),
        ({"body": "a\ud800b"}, "body"),
        ({"body": "é" * 10_241}, "body"),
        ({"body": 5}, "body"),
        ({"external_id": ""}, "external_id"),
        ({"external_id": "x" * 201}, "external_id"),
        ({"format": "markdown"}, "format"),
        ({"author": {"name": "Ann"}}, "author"),
        ({"author": {"name": "Ann", "email": "nobody"}}, "author.email"),
        ({"article": {"url": "javascript:alert(1)"}}, "article.url"),
        ({"created_at": "yesterday"}, "created_at"),
        ({"created_at": 1_700_000_000}, "created_at"),
        ({"created_at": "1700000000"}, "created_at"),
        ({"created_at": "0001-01-01T00:00:00Z"}, "created_at"),
    ],
)
def test_a_bad_field_is_named(client: FlaskClient, site: Site, change: dict[str, Any], field: str) -> None:
    answer = post(client, site, a_comment() | change)
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert (answer.get_json()["code"], answer.get_json()["field"]) == ("invalid_field", field)


def test_a_body_of_exactly_the_limit_is_taken(client: FlaskClient, site: Site) -> None:
    assert post(client, site, a_comment(body="é" * 10_240)).status_code == 202


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"[]", "application/json", 400),
        (b'"{}"', "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"{}", "application/json", 422),
        (b" " * 300_000, "application/json", 413),
    ],
)
def test_a_body_that_can_not_be_read(client: FlaskClient, site: Site, data: bytes, kind: str, status: int) -> None:
    answer = client.post("/v1/comments", data=data, content_type=kind, headers=bearer(site[1]))
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")


def test_the_key_is_checked_before_the_body(client: FlaskClient, site: Site, store: Store) -> None:
    assert client.post("/v1/comments", data=b"{").status_code == 401
    assert client.post("/v1/comments", data=b"{", headers=bearer("sk" + "x" * 40)).status_code == 401
    with store.write() as session:
        key = sites.create_key(session, site[0], ("read",))
    answer = client.post("/v1/comments", data=b"{", headers=bearer(key))
    assert (answer.status_code, answer.get_json()["scope"]) == (403, "submit")


def test_keys_are_stored_hashed_and_can_be_a_host_label(store: Store, site: Site) -> None:
    key = site[1]
    assert key.isalnum()
    assert key == key.lower()
    assert len(key) <= 63
    with store.read() as session:
        assert key not in str(session.execute(select(sites.SiteKey.digest, sites.SiteKey.scopes)).all())


def test_html_is_scored_as_its_text(client: FlaskClient, site: Site, work: Work) -> None:
    html = "<p>You are a <b>stu</b>pid &amp; worthless idi<i>ot</i>, shut up.</p>"
    post(client, site, a_comment(body=html, format="html"))
    post(client, site, a_comment("c2", body="<p>Fine &amp; <a href='https://a.example'>good</a></p>", format="html"))
    work()
    held = client.get("/v1/comments?external_id=c1", headers=bearer(site[1])).get_json()
    assert held["status"] == "held"
    spans = [span for reason in held["decision"]["reasons"] for span in reason["spans"]]
    assert any("idi<i>ot" in html[span["begin"] : span["end"]] for span in spans)
    shown = client.get("/v1/threads?article_url=https://news.example/a").get_json()["comments"]
    assert [comment["body"] for comment in shown] == ["Fine & good <https://a.example>"]


def test_every_step_has_its_audit_event(client: FlaskClient, site: Site, work: Work, store: Store) -> None:
    id = post(client, site, a_comment()).get_json()["id"]
    work()
    client.delete(f"/v1/comments/{id}", headers=bearer(site[1]))
    with store.read() as session:
        actions = session.scalars(
            select(AuditEvent.action).where(AuditEvent.subject_id == id).order_by(AuditEvent.id)
        ).all()
        assert actions == ["comment.received", "comment.approved", "comment.withdrawn"]
        assert session.scalar(select(func.count()).select_from(Event)) == 2


def test_the_feed_follows_next(client: FlaskClient, site: Site, work: Work) -> None:
    for number in range(7):
        post(client, site, a_comment(f"c{number}"))
    work()
    seen, cursor = [], ""
    while True:
        page = client.get(f"/v1/events?after={cursor}&limit=3", headers=bearer(site[1])).get_json()
        if not page["events"]:
            assert page["next"] == cursor
            break
        seen += [event["data"]["external_id"] for event in page["events"]]
        cursor = page["next"]
    assert sorted(seen) == [f"c{number}" for number in range(7)]
    bad = client.get("/v1/events?after=%2e%2e", headers=bearer(site[1]))
    assert (bad.status_code, bad.get_json()["field"]) == (422, "after")
