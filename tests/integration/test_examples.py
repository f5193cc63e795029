"""Labelled examples: counted, compared with what we had said, exported."""

import json
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from moderation.cli import main
from moderation.domain.lifecycle import Role
from moderation.services import examples, screening, sites
from moderation.services.examples import Agreed, Counted, NewExample
from moderation.store.feedback import Check
from moderation.store.queries import insert_rows
from moderation.store.session import Store, new_id
from tests.integration.pages import HTML, Person
from tests.services import bearer, make_moderator

Site = tuple[str, str]


@pytest.fixture(autouse=True)
def labelled(store: Store, site: Site) -> None:
    """Four examples, two of them of texts that had been checked (one twice), and one of another site."""
    with store.write() as session:
        other, _ = sites.create_site(session, "other")
        for text, score in (("one", 0.1), ("one", 0.9), ("two", 0.6)):
            insert_rows(session, Check, [check(site[0], text, score)])
        keep(session, site[0], "one", {"TOXICITY": 1.0, "OUR_OWN": 0.25})
        keep(session, site[0], "two", {"TOXICITY": 0.0})
        keep(session, site[0], "three <b>", {"TOXICITY": 1.0})
        keep(session, site[0], "four", {"SPAM": 1.0}, "akismet")
        keep(session, other.id, "theirs", {"TOXICITY": 1.0})


def check(site_id: str, text: str, score: float) -> dict[str, Any]:
    return {
        "id": new_id(), "site_id": site_id, "interface": "perspective", "at": 0, "outcome": "hold", "text": None,
        "match": screening.match_of("k" * 32, site_id, text), "scorer": "s@1", "scores": {"TOXICITY": score},
        "blog": None, "answer": None,
    }  # fmt: skip


def keep(session: Any, site_id: str, text: str, labels: dict[str, float], interface: str = "perspective") -> None:
    match = screening.match_of("k" * 32, site_id, text)
    examples.keep(session, site_id, NewExample(interface, text, match, labels, text, ("en",), {"url": "u"}))


def test_counts_and_agreement(store: Store, site: Site) -> None:
    with store.read() as session:
        counted = examples.counts(session, site[0])
        agreed = examples.agreement(examples.newest(session, site[0], 100))
    assert counted == [
        Counted("akismet", "SPAM", 1, 1), Counted("perspective", "TOXICITY", 3, 2),
        Counted("perspective", "OUR_OWN", 1, 0),
    ]  # fmt: skip
    assert agreed == {("perspective", "TOXICITY"): Agreed(compared=2, same=1)}


def test_the_export_has_each_example_with_our_last_word(client: FlaskClient, site: Site) -> None:
    answer = client.get("/v1/examples", headers=bearer(site[1]))
    assert (answer.status_code, answer.mimetype) == (200, "application/x-ndjson")
    first, second, third, fourth = [json.loads(line) for line in answer.text.splitlines()]
    labelled_at = first.pop("labelled_at")
    assert labelled_at.endswith("Z")
    assert first == {
        "text": "one", "labels": {"TOXICITY": 1.0, "OUR_OWN": 0.25}, "interface": "perspective", "languages": ["en"],
        "context": {"url": "u"}, "checked": {"scores": {"TOXICITY": 0.9}, "outcome": "hold", "scorer": "s@1"},
    }  # fmt: skip
    assert second["checked"]["scores"] == {"TOXICITY": 0.6}
    assert third["checked"] is fourth["checked"] is None


def test_the_export_needs_a_key_that_may_read(client: FlaskClient, site: Site, store: Store) -> None:
    with store.write() as session:
        scorer = sites.create_key(session, site[0], ("score",))
    assert client.get("/v1/examples").status_code == 401
    assert client.get("/v1/examples", headers=bearer(scorer)).status_code == 403
    assert client.head("/v1/examples", headers=bearer(site[1])).status_code == 200


def test_a_long_export_is_whole(store: Store, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "_PAGE", 2)
    with store.write() as session:
        keep(session, site[0], "five", {})
    with store.read() as session:
        exported = list(examples.exported(session, site[0]))
    assert [one["text"] for one in exported] == ["one", "two", "three <b>", "four", "five"]


def test_the_command_prints_the_same(
    client: FlaskClient, site: Site, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODERATION_DATABASE_URL", database_url)
    printed = CliRunner().invoke(main, ["examples", "export", "--site", site[0]])
    assert printed.exit_code == 0
    assert printed.output == client.get("/v1/examples", headers=bearer(site[1])).text


@pytest.mark.parametrize("role", [Role.SENIOR, Role.ADMIN])
def test_the_page(app: Flask, store: Store, site: Site, role: Role) -> None:
    make_moderator(store, site[0], "sam@example.org", role)
    page = Person(app.test_client()).sign_in("sam@example.org").see("/examples")
    assert page.status_code == 200
    assert "1 of 2" in page.text
    assert "three &lt;b&gt;" in page.text
    assert "we said 0.90" in page.text
    assert "theirs" not in page.text
    assert "<bdi>OUR_OWN</bdi>: no (0.25)" in " ".join(page.text.split())


def test_the_page_is_not_for_everybody(app: Flask, store: Store, site: Site) -> None:
    make_moderator(store, site[0], "sam@example.org")
    assert Person(app.test_client()).sign_in("sam@example.org").see("/examples").status_code == 403
    assert app.test_client().get("/examples", headers=HTML).status_code == 303


def test_the_page_of_a_site_without_any(app: Flask, store: Store) -> None:
    with store.write() as session:
        fresh, _ = sites.create_site(session, "fresh")
    make_moderator(store, fresh.id, "sam@example.org", Role.ADMIN)
    page = Person(app.test_client()).sign_in("sam@example.org").see("/examples")
    assert "There are none yet" in page.text
