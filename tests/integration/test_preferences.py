"""Each moderator's own choices: kept, refused beside the field, shown on every page, nobody else's."""

import html
import json
import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from moderation.domain.keys import KEYS, Scope
from moderation.errors import Invalid
from moderation.services import preferences
from moderation.services.accounts import Person as Moderator
from moderation.services.preferences import Preferences
from moderation.store.audit import AuditEvent
from moderation.store.people import Moderator as Row
from moderation.store.session import Store
from tests.integration.pages import Person
from tests.services import make_moderator

FIELDS = {"rows": "30", "blur": "off", "theme": "auto", "language": "", "keys_on": "on", "advance": "on"}


def key_map(page: str) -> dict[str, Any]:
    found = re.search('data-map="([^"]*)"', page)
    assert found
    return dict(json.loads(html.unescape(found[1])))


def field(page: str, name: str) -> str:
    """The field and what stands below it."""
    return page.partition(f'name="{name}"')[2].partition("</div>")[0]


def test_a_key_of_ones_own_is_on_the_buttons_in_the_help_and_in_the_map(ann: Person) -> None:
    assert ann.send("/settings", **FIELDS, approve="y", undo="Shift+u", claim="").location == "/settings"
    assert ">Saved.</p>" in ann.see("/settings").text
    assert ">Saved.</p>" not in ann.see("/settings").text
    assert ' value="y"' in field(ann.see("/settings").text, "approve")
    page = ann.see("/review").text
    keys = key_map(page)["desk"]
    assert (keys["y"], keys["U"]) == ("approve", "undo")
    assert not {"a", "u", "c"} & set(keys)
    assert "<kbd>y</kbd> </dt><dd>Approve</dd>" in page
    assert "<kbd>Shift+U</kbd>" in page


def test_a_page_has_the_keys_that_do_something_there_and_its_help_says_no_others(ann: Person) -> None:
    def works(path: str) -> set[str]:
        page = ann.see(path).text
        listed = re.findall("<dd>([^<]*)</dd>", page.partition('<dialog id="keys"')[2])
        assert ("Escalate" in listed) == (path == "/review")
        assert ("Insult" in listed) == bool(key_map(page)["reason"]) == (path == "/review")
        assert "Queue" in listed
        return set(key_map(page)["desk"].values())

    everywhere = {"rooms", "help"}
    on_cards = everywhere | {"next", "previous", "approve", "reject", "note", "article", "reveal"}
    assert works("/review") == {key.name for key in KEYS if key.scope is Scope.DESK and key.default}
    assert works("/reports") == on_cards | {"undo"}
    assert works("/appeals") == on_cards
    assert works("/authors") == works("/settings") == works("/review/done") == everywhere


def test_two_actions_on_one_key_are_refused_beside_both_fields(ann: Person) -> None:
    page = ann.send("/settings", **FIELDS, approve="q", escalate="q", theme_was="x")
    assert page.status_code == 422
    assert "Nothing was saved" in page.text
    assert "is also the key of “Escalate”" in field(page.text, "approve")
    assert "is also the key of “Approve”" in field(page.text, "escalate")
    assert 'aria-invalid="true" aria-describedby="wrong-approve"' in field(page.text, "approve")
    assert ' value="q"' in field(page.text, "approve")  # what was typed is still there
    assert key_map(ann.see("/review").text)["desk"]["a"] == "approve"


@pytest.mark.parametrize("typed", ["tab", "ab", "<script>", "shift+1"])
def test_what_is_no_key_is_refused_by_name(ann: Person, typed: str) -> None:
    page = ann.send("/settings", **FIELDS, note=typed)
    assert page.status_code == 422
    assert "can&#39;t be used" in field(page.text, "note")
    assert "<script>" not in page.text


@pytest.mark.parametrize(
    ("name", "value"),
    [("rows", "9"), ("rows", "101"), ("rows", "many"), ("blur", "x"), ("theme", "pink"), ("language", "tlh")],
)
def test_any_other_bad_choice_is_refused(ann: Person, store: Store, person: Moderator, name: str, value: str) -> None:
    assert ann.send("/settings", **FIELDS | {name: value}).status_code == 422
    with store.read() as session:
        assert preferences.of(session.get_one(Row, person.id).settings) == Preferences()


def test_the_default_keys_come_back_and_the_rest_stays(ann: Person) -> None:
    ann.send("/settings", **FIELDS | {"theme": "dark"}, approve="y")
    ann.send("/settings", restore="keys")
    assert key_map(ann.see("/review").text)["desk"]["a"] == "approve"
    assert 'data-theme="dark"' in ann.see("/review").text


def test_a_theme_is_on_every_page_and_nobody_elses(
    ann: Person, app: Flask, store: Store, site: tuple[str, str]
) -> None:
    make_moderator(store, site[0], "bob@example.org")
    bob = Person(app.test_client()).sign_in("bob@example.org")
    ann.send("/settings", **FIELDS | {"theme": "dark"})
    for path in ("/review", "/settings", "/review/done"):
        assert 'data-theme="dark"' in ann.see(path).text
        assert 'data-theme="auto"' in bob.see(path).text
    assert 'data-theme="auto"' in app.test_client().get("/login").text


def test_keys_can_be_switched_off_and_then_no_button_shows_one(ann: Person) -> None:
    answer = ann.client.post("/settings/keys", data={"csrf_token": ann.token}, headers={"Accept": "application/json"})
    assert answer.json == {"keys_on": False}
    page = ann.see("/review").text
    assert 'data-on=""' in page
    assert "aria-keyshortcuts" not in page
    assert ann.send("/settings/keys", keys_on="on").location == "/review"
    assert 'data-on="yes"' in ann.see("/review").text


def test_a_change_leaves_what_was_changed_in_the_trail_and_no_more(
    ann: Person, store: Store, person: Moderator
) -> None:
    ann.send("/settings", **FIELDS | {"theme": "dark"}, approve="y")
    ann.send("/settings", **FIELDS | {"theme": "dark"}, approve="y")
    with store.read() as session:
        query = select(AuditEvent).where(AuditEvent.action == "moderator.preferences_changed")
        (event,) = session.scalars(query)
        assert (event.actor, event.data) == (person.id, {"changed": ["keys", "theme"]})


def test_settings_of_another_hand_or_time_never_break_a_page(ann: Person, store: Store, person: Moderator) -> None:
    with store.write() as session:
        session.get_one(Row, person.id).settings = {
            "keys": {"approve": "tab tab", "gone": "z", "undo": 7}, "rows": "x", "theme": None, "blur": [], "other": 1,
        }  # fmt: skip
    assert ann.see("/review").status_code == 200
    ann.send("/settings", **FIELDS | {"rows": "50"})
    with store.read() as session:
        kept = session.get_one(Row, person.id).settings
        assert (kept["rows"], kept["other"]) == (50, 1)


def test_a_key_that_a_default_has_is_refused_by_the_service_itself(store: Store, person: Moderator) -> None:
    with store.write() as session, pytest.raises(Invalid):
        preferences.save(session, person, Preferences(keys={"note": "a"}), KEYS)


def test_only_whoever_is_signed_in_has_settings(app: Flask) -> None:
    assert app.test_client().get("/settings", headers={"Accept": "text/html"}).status_code == 303
