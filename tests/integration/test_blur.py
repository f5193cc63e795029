"""Who chose to see hard comments blurred sees them so on every page that shows comments, not at the desk alone."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from moderation.domain.lifecycle import Role
from moderation.services import appeals, examples
from moderation.services.examples import NewExample
from moderation.store.people import Moderator
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment
from tests.integration.pages import Person
from tests.integration.voices import Room, Site
from tests.services import ABUSE, make_moderator

THREAT = f"{ABUSE} I will kill you."
LENIENT = "rules:\n  - {name: not_scored, kind: not_scored, action: hold}\n"


@pytest.fixture
def room(store: Store, site: Site, work: object, client: FlaskClient) -> Room:
    return Room(store, site, work, client)  # type: ignore[arg-type]


@pytest.fixture
def admin(app: Flask, store: Store, site: Site) -> Person:
    make_moderator(store, site[0], "admin@example.org", Role.ADMIN)
    return Person(app.test_client()).sign_in("admin@example.org")


def piece(page: str, begin: str, end: str) -> str:
    assert begin in page
    return page.partition(begin)[2].partition(end)[0]


@pytest.mark.parametrize("blur", ["off", "severe", "all"])
def test_a_blurred_comment_is_blurred_wherever_it_stands(
    room: Room, store: Store, site: Site, admin: Person, blur: str
) -> None:
    olena = make_moderator(store, site[0], "olena@example.org")
    held, gone = room.comment("c1", THREAT), room.comment("c2", f"{THREAT} Coward.")
    room.report(held)
    room.rule(olena, gone, "reject", "insult")
    room.events()
    with store.write() as session:
        about = session.get_one(Comment, gone)
        key = about.author_key
        appeals.file(session, about.decision_id or "", "Why?", now_ms())
        boss = session.scalars(select(Moderator).where(Moderator.email == "admin@example.org")).one()
        boss.settings = boss.settings | {"blur": blur}
    hidden = blur != "off"

    for path, text in (("/reports", THREAT), ("/appeals", "Coward.")):
        card = piece(admin.see(path).text, 'class="panel voice"', "</article>")
        assert ('<details class="veil">' in card) is hidden, path
        assert text in card  # on request, also without script
        if hidden:
            assert re.search(r"<summary[^>]*>Hidden because it (?:looks|was)", card), path

    row = piece(admin.see("/review?status=rejected").text, f'data-id="{gone}"', "</li>")
    assert ('class="excerpt veiled" aria-hidden="true"' in row) is hidden

    admin.see("/policy/file")
    preview = admin.send("/policy/preview", base="1", file=LENIENT).text
    author, beside = admin.see(f"/authors/{key}").text, admin.see(f"/review/{gone}?status=rejected").text
    beside = beside.partition('id="author-title"')[2]
    for name, page, id in (("author", author, gone), ("preview", preview, gone), ("held", author, held),
                           ("panel", beside, held)):  # fmt: skip
        link = piece(page, f'href="/review/{id}', "</a>")
        assert ('class="veiled" aria-hidden="true"' in link) is hidden, name
        assert ("Hidden; open it to read it." in link) is hidden, name


@pytest.mark.parametrize(("blur", "hidden"), [("off", False), ("severe", True), ("all", True)])
def test_labelled_examples_are_blurred_too(store: Store, site: Site, admin: Person, blur: str, hidden: bool) -> None:
    with store.write() as session:
        made = NewExample("perspective", THREAT, "0" * 64, {"THREAT": 1.0}, THREAT, ("en",), {})
        examples.keep(session, site[0], made)
        boss = session.scalars(select(Moderator).where(Moderator.email == "admin@example.org")).one()
        boss.settings = boss.settings | {"blur": blur}
    shown = piece(admin.see("/examples").text, 'class="last"', "</ol>")
    assert THREAT in shown
    assert ("Hidden because it looks like a threat. Show it" in shown) is hidden
