"""The form of a static page: who may post, what is kept, and how little is said."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from moderation.app import create_app
from moderation.config import Settings
from moderation.domain.address import hashed
from moderation.errors import TooMany
from moderation.services import articles, rescore, sites
from moderation.store.session import Store, made_ms, now_ms
from moderation.store.tables import Article, Comment
from moderation.store.tables import Site as SiteRow
from tests.services import ABUSE, a_comment, bearer

Site = tuple[str, str]
Work = Callable[[], int]
PAGE = "https://news.example"
PATH = "/v1/public/comments"
_addresses = (f"203.0.113.{number}" for number in itertools.count(1))


@pytest.fixture
def key(store: Store, site: Site) -> str:
    """The publishable key of the site, which lists PAGE."""
    with store.write() as session:
        found = sites.find_site(session, site[0])
        sites.set_origins(session, found, [PAGE])
        return found.publishable_key


@pytest.fixture
def reader(client: FlaskClient) -> FlaskClient:
    """A browser at an address that no other test posts from."""
    client.environ_base["REMOTE_ADDR"] = next(_addresses)
    return client


def written(**more: Any) -> dict[str, Any]:
    return {
        "body": "Thank you, a clear summary.",
        "author": {"name": "Ann", "email": "canary-5@example.org", "url": None},
        "article": {"url": f"{PAGE}/a", "title": "A title"},
    } | more  # fmt: skip


def post(reader: FlaskClient, key: str, body: dict[str, Any], origin: str | None = PAGE, **headers: str) -> Any:
    return reader.post(PATH, json=body, headers=bearer(key) | ({"Origin": origin} if origin else {}) | headers)


def test_a_comment_is_taken_and_nothing_is_said_of_its_fate(
    reader: FlaskClient, site: Site, key: str, store: Store, work: Work
) -> None:
    answers = [post(reader, key, written(body=body)) for body in ("Thank you, a clear summary.", ABUSE)]
    assert work() == 2
    assert [answer.status_code for answer in answers] == [202, 202]
    for answer, status in zip(answers, ("approved", "held"), strict=True):
        assert answer.get_json() == {"id": answer.get_json()["id"], "status": "received"}
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        kept = reader.get(f"/v1/comments/{answer.get_json()['id']}", headers=bearer(site[1])).get_json()
        assert kept["status"] == status
    shown = reader.get(f"/v1/threads?site={site[0]}&article_url={PAGE}/a")
    assert [comment["id"] for comment in shown.get_json()["comments"]] == [answers[0].get_json()["id"]]
    assert b"canary-5" not in shown.data


def test_what_fills_the_hidden_field_is_held_and_stays_held(
    reader: FlaskClient, site: Site, key: str, store: Store, work: Work
) -> None:
    civil, caught = (post(reader, key, written(subject=subject)) for subject in (" ", "Cheap pills"))
    assert caught.status_code == civil.status_code == 202
    assert caught.get_json() == {"id": caught.get_json()["id"], "status": "received"}
    assert caught.headers["Access-Control-Allow-Origin"] == PAGE

    def stands(answer: Any) -> dict[str, Any]:
        path = f"/v1/comments/{answer.get_json()['id']}"
        return dict(reader.get(path, headers=bearer(site[1])).get_json())

    assert work() == 2
    held = stands(caught)
    assert (held["status"], held["decision"]["source"]) == ("held", "policy")
    assert [reason["rule"] for reason in held["decision"]["reasons"]] == ["honeypot"]
    with store.write() as session:
        assert rescore.rescore(session, now_ms()) == 0
    assert work() == 0
    assert stands(caught) == held
    assert stands(civil)["status"] == "approved"
    events = reader.get("/v1/events", headers=bearer(site[1])).get_json()["events"]
    assert sorted(event["type"] for event in events) == ["comment.approved", "comment.held"]
    ruled = {"action": "approve", "by": "Olena"}
    path = f"/v1/comments/{held['id']}/site-decision"
    assert reader.post(path, json=ruled, headers=bearer(site[1])).status_code == 200
    assert stands(caught)["status"] == "approved"


def test_address_and_browser_come_from_the_connection(reader: FlaskClient, key: str, store: Store) -> None:
    sent = written(ip="192.0.2.1", user_agent="made up", external_id="mine")
    assert post(reader, key, sent, **{"User-Agent": "x" * 1500, "X-Forwarded-For": "192.0.2.9"}).status_code == 202
    with store.read() as session:
        kept = session.scalars(select(Comment)).one()
    address = hashed("k" * 32, kept.site_id, reader.environ_base["REMOTE_ADDR"])
    assert (kept.ip, kept.user_agent) == (address, "x" * 1000)
    assert kept.external_id.startswith("form-")


@pytest.mark.parametrize(
    "origin", [None, "null", "https://evil.example", f"{PAGE}.evil.example", "http://news.example"]
)
def test_a_strange_page_is_refused(reader: FlaskClient, key: str, store: Store, origin: str | None) -> None:
    answer = post(reader, key, written(), origin)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "origin_not_allowed")
    assert "Access-Control-Allow-Origin" not in answer.headers
    with store.read() as session:
        assert session.scalars(select(Comment)).all() == []


def test_the_key_is_asked_for_before_the_body(reader: FlaskClient, site: Site, key: str) -> None:
    for header in ({}, bearer("pkwrong"), bearer(site[1])):
        answer = reader.post(PATH, data=b"not json", headers=header | {"Origin": PAGE})
        assert (answer.status_code, answer.get_json()["code"]) == (401, "unauthorized")


def test_the_publishable_key_opens_nothing_else(reader: FlaskClient, key: str) -> None:
    for path in ("/v1/comments?external_id=x", "/v1/events"):
        assert reader.get(path, headers=bearer(key) | {"Origin": PAGE}).status_code == 401


def test_the_browser_may_ask_first(reader: FlaskClient, key: str) -> None:
    asks = {"Origin": PAGE, "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type"}  # fmt: skip
    answer = reader.options(PATH, headers=asks)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"
    assert answer.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type"
    assert "Origin" in answer.headers["Vary"]
    strange = reader.options(PATH, headers=asks | {"Origin": "https://evil.example"})
    assert strange.status_code == 403
    assert "Access-Control-Allow-Origin" not in strange.headers


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"body": " \n"}, "body"),
        ({"body": "é" * 10_241}, "body"),
        ({"body": "a\0b"}, "body"),
        ({"author": {"name": "Ann"}}, "author.email"),
        ({"author": {"name": "A" * 201, "email": "a@b.c"}}, "author.name"),
        ({"author": {"name": "Ann", "email": "a@b.c", "url": "javascript:alert(1)"}}, "author.url"),
        ({"article": {"title": "no address"}}, "article.url"),
        ({"parent_id": "unknown"}, "parent_id"),
    ],
)
def test_limits_are_those_of_every_comment(reader: FlaskClient, key: str, change: dict[str, Any], field: str) -> None:
    answer = post(reader, key, written(**change))
    assert (answer.status_code, answer.get_json()["field"]) == (422, field)
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE, "the page's script must be able to read why"


def test_an_answer_needs_an_approved_comment_of_the_same_article(
    reader: FlaskClient, site: Site, key: str, store: Store, work: Work
) -> None:
    def comment(external_id: str, path: str, **more: Any) -> str:
        sent = a_comment(external_id, article={"url": f"{PAGE}{path}"}, **more)
        return str(reader.post("/v1/comments", json=sent, headers=bearer(site[1])).get_json()["id"])

    parent, elsewhere, held = comment("p", "/a"), comment("q", "/b"), comment("r", "/a", body=ABUSE)
    work()
    for wrong in (elsewhere, held):
        assert post(reader, key, written(parent_id=wrong)).get_json()["field"] == "parent_id"
    answered = post(reader, key, written(parent_id=parent)).get_json()["id"]
    work()
    shown = reader.get(f"/v1/threads?site={site[0]}&article_url={PAGE}/a").get_json()["comments"]
    assert {comment["id"]: comment["parent_id"] for comment in shown} == {parent: None, answered: parent}


def test_a_reader_does_not_rename_an_article(reader: FlaskClient, key: str, store: Store) -> None:
    for title in ("The first", "Another"):
        post(reader, key, written(article={"url": f"{PAGE}/a", "title": title}))
    with store.read() as session:
        assert session.scalars(select(Article.title)).all() == ["The first"]


def test_too_many_from_one_address(settings: Settings, key: str) -> None:
    app = create_app(settings.model_copy(update={"public_rate": "3 per day"}))
    first, second = app.test_client(), app.test_client()
    for client in (first, second):
        client.environ_base["REMOTE_ADDR"] = next(_addresses)
    answers = [post(first, key, written()) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429, 429]
    assert answers[-1].get_json()["code"] == "rate_limited"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 86_401
    assert answers[-1].headers["Access-Control-Allow-Origin"] == PAGE
    assert post(second, key, written()).status_code == 202


def test_another_site_lists_its_own_pages(reader: FlaskClient, app: Flask, key: str, store: Store) -> None:
    with store.write() as session:
        other, _ = sites.create_site(session, "other")
        session.execute(update(SiteRow).where(SiteRow.id == other.id).values(origins=["https://other.example"]))
    assert post(reader, other.publishable_key, written(), PAGE).status_code == 403
    assert post(reader, other.publishable_key, written(), "https://other.example").status_code == 202


def test_it_is_in_the_document(reader: FlaskClient) -> None:
    operation = reader.get("/openapi.json").get_json()["paths"][PATH]["post"]
    assert operation["security"] == [{"publishable key": []}]
    assert "202" in operation["responses"]


def test_slow_mode_says_how_long_is_left(reader: FlaskClient, site: Site, key: str, store: Store) -> None:
    first = post(reader, key, written())
    assert first.status_code == 202
    with store.write() as session:
        session.execute(update(Article).values(slow_seconds=600))
    same, address = written(body="Another one."), {"name": "Bob", "email": "bob@example.org"}
    for body in (same, written(body="From the same address.", author=address)):
        answer = post(reader, key, body)
        assert (answer.status_code, answer.get_json()["code"]) == (429, "slow_mode")
        assert 1 <= answer.get_json()["retry_after"] <= 600
        assert answer.headers["Retry-After"] == str(answer.get_json()["retry_after"])
    elsewhere = post(reader, key, written(article={"url": f"{PAGE}/b"}))
    assert elsewhere.status_code == 202

    def left(after_ms: int) -> int:
        """Seconds that are left so long after the first comment; 0 when the author may write."""
        with store.read() as session:
            comment = session.get_one(Comment, first.get_json()["id"])
            try:
                articles.refuse_too_soon(
                    session, site[0], f"{PAGE}/a", (comment.author_key, None), made_ms(comment.id) + after_ms
                )
            except TooMany as error:
                return int(error.extra["retry_after"])
        return 0

    assert [left(at) for at in (0, 399_500, 400_000, 599_999, 600_001)] == [600, 201, 200, 1, 0]
