"""Named queues: by the API and by the pages, who sees them, who may change them, and that counts are of rows."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from moderation.domain.lifecycle import Role
from moderation.services import accounts, sites
from moderation.services.accounts import Person as Moderator
from moderation.store.audit import AuditEvent
from moderation.store.session import Store
from tests.integration.pages import Person
from tests.integration.queue_rows import Made, make
from tests.services import bearer, make_moderator

Call = Callable[..., tuple[int, Any]]


@pytest.fixture
def made(store: Store, site: tuple[str, str], person: Moderator) -> list[Made]:
    with store.write() as session:
        return make(session, site[0], (person.id,), 80)


def caller(app: Flask, store: Store, who: Moderator) -> Call:
    with store.write() as session:
        token, _ = accounts.sign_in(session, who, 1.0, kind="token")
    client = app.test_client()

    def call(method: str, path: str = "", body: Any = None) -> tuple[int, Any]:
        answer = client.open(f"/v1/review{path}", method=method, json=body, headers=bearer(token))
        return answer.status_code, answer.json

    return call


@pytest.fixture
def ann(app: Flask, store: Store, person: Moderator) -> Call:
    return caller(app, store, person)


@pytest.fixture
def bob(app: Flask, store: Store, site: tuple[str, str]) -> Call:
    return caller(app, store, make_moderator(store, site[0], "bob@example.org"))


def held(made: list[Made], **wanted: Any) -> int:
    return sum(one.status == "held" and all(getattr(one, k) == v for k, v in wanted.items()) for one in made)


def names(call: Call) -> list[str]:
    return [one["name"] for one in call("GET", "/queues")[1]["queues"]]


def test_a_shared_queue_is_seen_by_all_and_counts_rows(made: list[Made], ann: Call, bob: Call) -> None:
    chosen = {"section": ["World", "Sport"], "language": "uk", "sort": "oldest"}
    status, saved = ann("POST", "/queues", {"name": " Front   page ", "filter": chosen, "shared": True})
    assert (status, saved["name"], saved["filter"], saved["mine"]) == (201, "Front page", chosen, True)
    ann("POST", "/queues", {"name": "mine", "filter": {"assigned": "me"}})
    (seen,) = bob("GET", "/queues")[1]["queues"]
    expected = held(made, section="World", language="uk") + held(made, section="Sport", language="uk")
    assert (seen["name"], seen["mine"], seen["count"], seen["more"]) == ("Front page", False, expected, False)
    query = "section=World&section=Sport&language=uk&sort=oldest&limit=200"
    assert len(bob("GET", f"/items?{query}")[1]["items"]) == expected
    assert bob("GET", f"/count?{query}")[1]["count"] == expected
    assert names(ann) == ["Front page", "mine"]


def test_me_is_whoever_looks(made: list[Made], ann: Call, bob: Call, person: Moderator) -> None:
    ann("POST", "/queues", {"name": "for me", "filter": {"assigned": "me"}, "shared": True})
    expected = held(made, assigned=person.id)
    assert expected
    assert ann("GET", "/queues")[1]["queues"][0]["count"] == expected
    assert bob("GET", "/queues")[1]["queues"][0]["count"] == 0
    assert ann("GET", "/count?assigned=me")[1]["count"] == expected


def test_only_who_made_it_or_an_admin_may_change_it(
    app: Flask, store: Store, site: tuple[str, str], ann: Call, bob: Call
) -> None:
    shared = ann("POST", "/queues", {"name": "ours", "filter": {"q": "x"}, "shared": True})[1]["id"]
    private = ann("POST", "/queues", {"name": "mine", "filter": {"q": "y"}})[1]["id"]
    chief = caller(app, store, make_moderator(store, site[0], "chief@example.org", Role.ADMIN))
    assert bob("PATCH", f"/queues/{shared}", {"name": "theirs"})[1]["code"] == "role_needed"
    assert bob("DELETE", f"/queues/{shared}")[0] == 403
    assert bob("DELETE", f"/queues/{private}")[0] == chief("DELETE", f"/queues/{private}")[0] == 404
    assert chief("PATCH", f"/queues/{shared}", {"name": "all of ours"})[1]["name"] == "all of ours"
    assert ann("PATCH", f"/queues/{private}", {"shared": True})[1]["shared"] is True
    assert names(bob) == ["all of ours", "mine"]
    assert chief("DELETE", f"/queues/{shared}")[0] == ann("DELETE", f"/queues/{private}")[0] == 204
    assert names(ann) == names(bob) == []
    with store.read() as session:
        told = session.scalars(
            select(AuditEvent.action).where(AuditEvent.action.like("queue.%")).order_by(AuditEvent.id)
        )
        assert list(told) == ["queue.saved"] * 2 + ["queue.changed"] * 2 + ["queue.deleted"] * 2


def test_another_sites_queues_are_not_there(app: Flask, store: Store, ann: Call) -> None:
    saved = ann("POST", "/queues", {"name": "ours", "filter": {"q": "x"}, "shared": True})[1]["id"]
    with store.write() as session:
        other, _ = sites.create_site(session, "other")
    eve = caller(app, store, make_moderator(store, other.id, "eve@example.org", Role.ADMIN))
    assert names(eve) == []
    assert eve("PATCH", f"/queues/{saved}", {"name": "theirs"})[0] == eve("DELETE", f"/queues/{saved}")[0] == 404
    assert eve("POST", "/queues", {"name": "ours", "filter": {"q": "x"}})[0] == 201


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"name": "", "filter": {"q": "x"}}, 422, "name"),
        ({"name": "  ", "filter": {"q": "x"}}, 422, "name"),
        ({"name": "n" * 61, "filter": {"q": "x"}}, 422, "name"),
        ({"name": "n", "filter": {"status": "bad"}}, 422, "status"),
        ({"name": "n", "filter": {"sort": "attribute"}}, 422, "attribute"),
        ({"name": "n", "filter": {"sort": "attribute", "attribute": "INSULT", "status": "any"}}, 422, "sort"),
        ({"name": "n", "filter": {"escalated": "x"}}, 422, "escalated"),
        ({"name": "n", "filter": {"after": "x"}}, 422, "filter.after"),
        ({"name": "n", "filter": {"section": ["s"] * 21}}, 422, "filter.section"),
        ({"name": "TAKEN", "filter": {"q": "x"}}, 409, "name"),
    ],
)
def test_what_cannot_be_saved_names_its_field(ann: Call, body: dict[str, Any], status: int, field: str) -> None:
    ann("POST", "/queues", {"name": "taken", "filter": {"q": "x"}})
    answer = ann("POST", "/queues", body)
    assert (answer[0], answer[1]["field"]) == (status, field)
    assert names(ann) == ["taken"]


def test_there_is_an_end_to_how_many_one_may_have(ann: Call, bob: Call) -> None:
    for n in range(30):
        assert ann("POST", "/queues", {"name": f"q{n}", "filter": {"q": "x"}})[0] == 201
    assert ann("POST", "/queues", {"name": "more", "filter": {"q": "x"}})[1]["code"] == "too_many_queues"
    assert bob("POST", "/queues", {"name": "more", "filter": {"q": "x"}})[0] == 201


def test_the_same_by_pages(app: Flask, made: list[Made], person: Moderator) -> None:
    ann = Person(app.test_client()).sign_in()
    page = ann.see("/review?section=World&section=Sport&reason=insult&sort=attribute-TOXICITY").text
    for words in ("Section: World", "Section: Sport", "Rule: Insult", "By the score of Abusive tone"):
        assert words in page
    path = "/review/queues?section=World&section=Sport"
    answer = ann.send(path, name="Front <b>page", shared="on")
    assert answer.location == "/review?section=World&section=Sport"
    page = ann.see(answer.location).text
    assert "Front &lt;b&gt;page" in page
    assert "Front <b>" not in page
    assert "Saved as" in page
    refused = ann.send(path, name="front <B>PAGE")
    assert refused.status_code == 409
    assert "There is a queue with this name already" in refused.text
    id = page.partition('data-queue="')[2].partition('"')[0]
    assert ann.send(f"/review/queues/{id}/change", name="Front").status_code == 303
    assert ann.send(f"/review/queues/{id}/change", name="").status_code == 422
    assert "Front</bdi>" in ann.see("/review").text
    assert ann.send(f"/review/queues/{id}/delete").status_code == 303
    assert "data-queue" not in ann.see("/review").text
    assert ann.send(f"/review/queues/{id}/delete").status_code == 404
    ann.token = "wrong"
    assert ann.send(path, name="x").status_code == 400


def test_a_score_is_no_order_of_what_is_not_held(app: Flask, made: list[Made], person: Moderator) -> None:
    ann = Person(app.test_client()).sign_in()
    page = ann.see("/review?status=approved&sort=attribute&attribute=INSULT")
    assert page.status_code == 200
    assert "scores are kept only for what is held" in page.text
    assert ann.see("/review?sort=attribute").status_code == 200


def test_the_api_goes_both_ways(client: FlaskClient, made: list[Made], ann: Call) -> None:
    _, first = ann("GET", "/items?limit=5&sort=newest")
    assert first["previous"] is None
    _, second = ann("GET", f"/items?limit=5&sort=newest&after={first['next']}")
    _, back = ann("GET", f"/items?limit=5&sort=newest&before={second['previous']}")
    assert [item["id"] for item in back["items"]] == [item["id"] for item in first["items"]]
    assert second["items"][0]["comment"]["language"] in ("en", "uk", None)
    assert ann("GET", "/items?sort=attribute&attribute=INSULT&status=any")[0] == 422
    assert ann("GET", "/items?escalated=perhaps")[1]["field"] == "escalated"
