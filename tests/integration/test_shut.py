"""Lock-down, slow mode, held and closed articles, as those meet them who come by a drop-in interface."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from moderation.domain.lifecycle import Role
from moderation.services import articles, coral, lock_down
from moderation.services.accounts import Person
from moderation.store.feedback import Check
from moderation.store.session import Store, new_id, now_ms
from moderation.store.tables import Article, Comment
from moderation.store.tables import Site as SiteRow
from tests.coral import SECRET, headers, packed, phase
from tests.integration.perspective import app as app  # a fixture: the quick classifier
from tests.services import a_comment, bearer, make_moderator

Site = tuple[str, str]
Ask = Callable[..., Any]
STORY = "https://news.example/a-story/"
CIVIL = "Thank you, a clear summary."


@pytest.fixture
def senior(store: Store, site: Site) -> Person:
    return make_moderator(store, site[0], "senior@example.org", Role.SENIOR)


@pytest.fixture
def phased(client: FlaskClient, store: Store, site: Site, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """What Coral hears of a comment: a status and the code of a rejection, None when it passes."""
    monkeypatch.setattr("moderation.compat.coral._IN_TIME", 60.0)  # a busy machine is no mistake of the code
    with store.write() as session:
        coral.add_secret(session, session.get_one(SiteRow, site[0]), SECRET)

    def ask(body: str, **more: Any) -> Any:
        data = packed(phase(body, **more))
        answer = client.post(f"/integrations/coral/{site[0]}/external-phase", data=data, headers=headers(data))
        return None if answer.status_code == 204 else answer.get_json()["status"]

    return ask


@pytest.fixture
def akismet(client: FlaskClient, site: Site) -> Ask:
    """What Akismet's caller hears of a comment."""

    def ask(body: str, **more: str) -> str:
        form = {"api_key": site[1], "blog": "https://news.example/", "user_ip": "203.0.113.9", "comment_content": body}
        return str(client.post("/1.1/comment-check", data=form | more).text)

    return ask


def statuses(store: Store) -> list[str]:
    with store.read() as session:
        return list(session.scalars(select(Comment.status).order_by(Comment.id)))


def reasons(store: Store, client: FlaskClient, site: Site) -> list[str]:
    """Of the newest comment."""
    with store.read() as session:
        last = session.scalars(select(Comment.id).order_by(Comment.id.desc()).limit(1)).one()
    found = client.get(f"/v1/comments/{last}", headers=bearer(site[1])).get_json()["decision"]["reasons"]
    return [one["rule"] for one in found]


def do(store: Store, senior: Person, deed: articles.Deed) -> None:
    with store.write() as session:
        article = session.scalars(select(Article.id).where(Article.url == STORY)).one()
        articles.do(session, senior, article, deed, now_ms())


def test_coral_in_a_lock_down(phased: Ask, store: Store, site: Site, senior: Person, client: FlaskClient) -> None:
    assert phased(CIVIL) is None
    with store.write() as session:
        lock_down.by_person(session, senior, on=True)
    assert phased("Another civil remark.") == "SYSTEM_WITHHELD"
    assert reasons(store, client, site) == ["site_held"]
    assert phased(CIVIL) == "SYSTEM_WITHHELD"  # the words that were approved before open no door
    assert phased(CIVIL + " Well said.", action="EDIT") == "SYSTEM_WITHHELD"
    assert phased("From the newsroom.", role="MODERATOR") is None
    assert statuses(store) == ["approved", "held", "held"]
    with store.write() as session:
        lock_down.by_person(session, senior, on=False)
    assert phased(CIVIL) is None
    assert phased("A third civil remark.") is None
    assert phased("Another civil remark.") == "SYSTEM_WITHHELD"  # that one still waits for a moderator


def test_coral_under_a_closed_or_held_article(
    phased: Ask, store: Store, site: Site, senior: Person, client: FlaskClient
) -> None:
    assert phased(CIVIL) is None
    do(store, senior, "hold")
    assert phased("Another civil remark.") == "SYSTEM_WITHHELD"
    assert phased(CIVIL) == "SYSTEM_WITHHELD"
    do(store, senior, "release")
    do(store, senior, "close")
    assert phased("A third civil remark.") == "REJECTED"
    assert reasons(store, client, site) == ["article_closed"]
    assert phased(CIVIL) == "REJECTED"
    assert phased(CIVIL + " Well said.", action="EDIT") is None  # it was there before
    assert phased("Elsewhere.", url="https://news.example/another/") is None
    do(store, senior, "open")
    assert phased(CIVIL) is None
    assert statuses(store) == ["approved", "held", "rejected", "approved", "approved"]


def test_coral_in_slow_mode(phased: Ask, store: Store, site: Site, senior: Person, client: FlaskClient) -> None:
    assert phased(CIVIL) is None
    with store.write() as session:
        session.execute(update(Article).values(slow_seconds=600))
    assert phased(CIVIL) == "SYSTEM_WITHHELD"  # the same words are a comment too many as well
    assert phased("A second one.") == "SYSTEM_WITHHELD"
    assert reasons(store, client, site) == ["slow_mode"]
    assert phased(CIVIL + " Well said.", action="EDIT") is None
    assert phased("The first one of somebody else.", author=new_id()) is None
    assert phased("Elsewhere.", url="https://news.example/another/") is None
    with store.write() as session:
        session.execute(update(Article).values(slow_seconds=None))
    assert phased(CIVIL) is None


def test_akismet_in_a_lock_down_and_under_articles(
    akismet: Ask, store: Store, site: Site, senior: Person, client: FlaskClient
) -> None:
    body = a_comment("a", article={"url": STORY})
    assert client.post("/v1/comments", json=body, headers=bearer(site[1])).status_code == 202
    here = {"permalink": STORY, "comment_type": "comment"}
    assert akismet(CIVIL, **here) == "false"
    do(store, senior, "hold")
    assert (akismet(CIVIL, **here), akismet(CIVIL)) == ("true", "false")
    do(store, senior, "release")
    do(store, senior, "close")
    assert (akismet(CIVIL, **here), akismet(CIVIL, permalink=STORY)) == ("true", "true")
    assert akismet(CIVIL, permalink="https://news.example/another/") == "false"
    assert akismet(CIVIL, permalink=STORY, comment_type="contact-form") == "false"
    assert akismet(CIVIL, user_role="administrator", **here) == "false"
    do(store, senior, "open")
    assert akismet(CIVIL, **here) == "false"
    with store.write() as session:
        session.execute(update(Article).values(slow_seconds=600))
    assert [akismet(CIVIL, **here) for _ in range(2)] == ["false", "false"]  # a check leaves nothing to count from
    with store.write() as session:
        lock_down.by_person(session, senior, on=True)
    assert akismet(CIVIL) == "true"
    assert akismet(CIVIL, user_role="administrator") == "false"


def test_perspective_gives_the_same_scores_in_a_lock_down_and_notes_it(
    app: Flask, client: FlaskClient, store: Store, site: Site, senior: Person
) -> None:
    asked = {"comment": {"text": CIVIL}, "requestedAttributes": {"TOXICITY": {}}}

    def ask() -> Any:
        answer = client.post(f"/v1alpha1/comments:analyze?key={site[1]}", data=json.dumps(asked))
        assert answer.status_code == 200
        return answer.get_json()

    before = ask()
    with store.write() as session:
        lock_down.by_person(session, senior, on=True)
    assert ask() == before
    app.extensions["moderation"].checks.flush()
    with store.read() as session:
        assert session.scalars(select(Check.outcome).order_by(Check.id)).all() == ["approve", "hold"]
