"""The demo article without script, and how it finds its site again."""

import html
import itertools
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from moderation.app import create_app
from moderation.config import Settings
from moderation.services import demo, sites
from moderation.store.session import Store
from moderation.store.tables import Comment, Site
from tests.services import ABUSE

Work = Callable[[], int]
ADDRESS = "http://127.0.0.1:8000"
GOOD = {"name": "Ann", "email": "canary-7@example.org", "url": "", "body": "Thank you, a clear summary."}
_addresses = (f"198.51.100.{number}" for number in itertools.count(1))


@pytest.fixture
def loaded(store: Store, site: tuple[str, str]) -> str:
    """Id of the site with the sample comments."""
    with store.write() as session:
        sites.follow_address(session, sites.find_site(session, site[0]), ADDRESS)
        demo.load(session, site[0], ADDRESS)
    return site[0]


@pytest.fixture
def app(settings: Settings) -> Flask:
    return create_app(settings.model_copy(update={"demo": True}))


@pytest.fixture
def reader(app: Flask, loaded: str) -> FlaskClient:
    """A browser at an address that no other test posts from."""
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = next(_addresses)
    return client


def send(reader: FlaskClient, origin: str = ADDRESS, **typed: str) -> TestResponse:
    return reader.post("/demo/comments", data=GOOD | typed, headers={"Origin": origin})


def test_a_comment_is_thanked_for_and_appears_after_the_check(reader: FlaskClient, work: Work) -> None:
    work()
    answer = send(reader, body="A line\r\n  and <b>another</b>")
    assert (answer.status_code, answer.location) == (303, "/demo?sent=1#respond")
    assert "Thank you. Your comment appears after a check." in reader.get(answer.location).text
    assert "A line" not in reader.get("/demo").text
    send(reader, body=f"{ABUSE} marker")
    assert work() == 2
    page = reader.get("/demo").text
    assert 'dir="auto">A line\n  and &lt;b&gt;another&lt;/b&gt;</p>' in page
    assert "marker" not in page
    assert "canary-7" not in page


def test_every_error_is_named_and_nothing_typed_is_lost(reader: FlaskClient) -> None:
    typed = {"name": "  ", "email": "nobody", "url": "example.org", "body": "\nMy <long> text\n"}
    answer = send(reader, **typed)
    page = answer.text
    assert answer.status_code == 422
    assert "<title>Error: " in page
    for name, said in {
        "name": "Enter your name.", "email": "Enter an e-mail address like name@example.org.",
        "url": "Enter a web address that begins with http:// or https://, or leave the field empty.",
    }.items():  # fmt: skip
        assert f'<a href="#{name}">{said}</a>' in page, "in the summary"
        assert f'<span class="error" id="{name}-error">{said}</span>' in page, "beside the field"
    assert page.count('aria-invalid="true"') == 3
    assert 'value="nobody"' in page
    assert 'value="example.org"' in page
    assert html.escape("\nMy <long> text\n") + "</textarea>" in page


def test_an_empty_form_asks_for_what_is_required(reader: FlaskClient) -> None:
    page = send(reader, name="", email="", body="").text
    for said in ("Enter your name.", "Enter your e-mail address.", "Write your comment."):
        assert page.count(f">{said}<") == 2


def test_an_answer_names_whom_it_answers(reader: FlaskClient, store: Store, work: Work) -> None:
    work()
    with store.read() as session:
        parent, author = session.execute(
            select(Comment.id, Comment.author_name).where(Comment.external_id == "demo-01")
        ).one()
    page = reader.get(f"/demo?reply_to={parent}").text
    assert f'name="parent_id" value="{parent}"' in page
    assert f'<bdi id="answered">{author}</bdi>' in page
    assert send(reader, parent_id=parent).status_code == 303
    gone = send(reader, parent_id="unknown", body="My text")
    assert gone.status_code == 422
    assert "no longer here" in gone.text
    assert "My text</textarea>" in gone.text


def test_a_strange_page_is_refused_and_the_text_kept(reader: FlaskClient) -> None:
    answer = send(reader, "https://evil.example", body="My text")
    assert answer.status_code == 403
    assert "My text</textarea>" in answer.text


def test_too_many_are_refused_and_the_text_kept(settings: Settings, loaded: str) -> None:
    reader = create_app(settings.model_copy(update={"demo": True, "public_rate": "1 per day"})).test_client()
    reader.environ_base["REMOTE_ADDR"] = next(_addresses)
    assert send(reader).status_code == 303
    answer = send(reader, body="My text")
    assert answer.status_code == 429
    assert "Wait a minute" in answer.text
    assert "My text</textarea>" in answer.text


def test_keys_and_addresses_stay_out_of_the_page(reader: FlaskClient, site: tuple[str, str], work: Work) -> None:
    work()
    page = reader.get("/demo").text
    assert site[1] not in page
    assert "@example." not in page.replace("name@example.org", "")


def test_without_the_setting_there_is_no_demo(settings: Settings, loaded: str) -> None:
    assert create_app(settings).test_client().get("/demo").status_code == 404


def test_the_demo_is_found_again_on_another_port(store: Store, loaded: str) -> None:
    with store.write() as session:
        site = session.get(Site, loaded)
        assert site is not None
        sites.set_origins(session, site, [*site.origins, "https://news.example"])
        sites.follow_address(session, site, "http://127.0.0.1:9000", ADDRESS)
        before = session.scalar(select(func.count()).select_from(Comment))
        demo.load(session, loaded, "http://127.0.0.1:9000")
    with store.read() as session:
        site, place = session.get(Site, loaded), demo.find(session)
        assert session.scalar(select(func.count()).select_from(Comment)) == before
    assert site is not None
    assert place is not None
    assert site.origins == ["http://127.0.0.1:9000", "http://localhost:9000", "https://news.example"]
    assert place == demo.Place(loaded, site.publishable_key, f"{ADDRESS}/demo")
