"""Readers' reports: what they weigh, what they hold, how they are closed, and what the site hears of it."""

import itertools
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from moderation.app import create_app
from moderation.config import Settings
from moderation.domain.lifecycle import Role
from moderation.domain.voices import report_weight
from moderation.errors import Invalid
from moderation.services import intake, queue, reports, sites
from moderation.services.accounts import Person as Moderator
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment, Decision, Event, HoldReason
from moderation.store.voices import Report
from tests.integration.pages import Person
from tests.integration.voices import CIVIL, Room, Site
from tests.services import ABUSE, bearer, make_moderator

PAGE = "https://news.example"
_addresses = (f"198.51.100.{number}" for number in itertools.count(1))  # the limits outlive a test


@pytest.fixture
def room(store: Store, site: Site, work: Callable[[], int], client: FlaskClient) -> Room:
    return Room(store, site, work, client)


@pytest.fixture
def olena(store: Store, site: Site) -> Moderator:
    return make_moderator(store, site[0], "olena@example.org")


def test_three_new_readers_send_a_live_comment_back(room: Room, person: Moderator) -> None:
    comment = room.comment()
    for reader in ("r1", "r2"):
        assert room.report(comment, reader)
        assert room.status(comment) == "approved"
    assert not room.report(comment, "r2", "spam")
    assert room.status(comment) == "approved"
    assert room.report(comment, "r3")
    assert room.status(comment) == "held"
    held = room.events("comment.held")
    assert [event["data"]["decision"]["source"] for event in held] == ["report"]
    assert held[0]["data"]["decision"]["reasons"] == [
        {"rule": "reported", "reports": 3, "weight": 1.5, "spans": []}
    ]  # fmt: skip
    with room.store.read() as session:
        assert [row.rule for row in session.scalars(select(HoldReason))] == ["reported"]
        item = queue.item(session, room.site[0], comment, now_ms())
        assert item.view()["comment"]["decision"]["source"] == "report"
        assert 0.5 < item.comment.risk < 1
    assert not room.report(comment, "r3")
    assert room.report(comment, "r4")
    assert len(room.events("comment.held")) == 1


def test_one_ruling_closes_all_and_each_outcome_is_told_once(room: Room, person: Moderator) -> None:
    comment = room.comment()
    for reader in ("r1", "r2", "r3"):
        room.report(comment, reader)
    room.rule(person, comment, "reject", "insult")
    assert room.outcomes() == ["upheld"] * 3
    told = room.events("report.closed")
    assert [event["data"]["report"]["reporter"] for event in told] == ["r1", "r2", "r3"]
    assert {event["data"]["report"]["outcome"] for event in told} == {"upheld"}
    assert {event["data"]["comment"]["status"] for event in told} == {"rejected"}
    assert [event["data"]["report"]["id"] for event in told] == [report.id for report in room.rows()]
    rejected = room.events("comment.rejected")[0]["data"]["statement"]
    assert (rejected["facts"]["found_by"], rejected["facts"]["reports"]) == ("report", 3)
    room.rule(person, comment, "reject", "spam")
    assert len(room.events("report.closed")) == 3


def test_who_was_right_before_weighs_more(room: Room, person: Moderator) -> None:
    for number in range(3):
        bad = room.comment(f"bad{number}")
        room.report(bad, "sharp")
        room.rule(person, bad, "reject", "insult")
        good = room.comment(f"good{number}")
        room.report(good, "grumpy")
        room.rule(person, good, "approve")
    first, second = room.comment("a"), room.comment("b")
    room.report(first, "sharp")
    room.report(second, "grumpy")
    with room.store.read() as session:
        listed = reports.listed(session, room.site[0])
    assert [(one.comment.id, round(one.weight, 6)) for one in listed] == [
        (first, report_weight(3, 0)), (second, report_weight(0, 3))
    ]  # fmt: skip
    room.report(first, "new1")
    assert room.status(first) == "approved"  # 0.8 + 0.5
    room.report(first, "new2")
    assert room.status(first) == "held"
    for reader in ("new1", "new2"):
        room.report(second, reader)
    assert room.status(second) == "approved"  # 0.2 + 0.5 + 0.5


def test_what_a_person_let_stand_is_not_held_by_more_reports(room: Room, person: Moderator) -> None:
    comment = room.comment()
    room.report(comment, "r1")
    room.rule(person, comment, "approve")
    assert room.outcomes() == ["dismissed"]
    for number in range(10):
        assert room.report(comment, f"mob{number}")
    assert room.status(comment) == "approved"
    with room.store.read() as session:
        (one,) = reports.listed(session, room.site[0])
    assert (one.number, one.seen) == (10, True)
    room.edit(comment, CIVIL + " And more.")
    for number in range(3):
        room.report(comment, f"mob{number}")
    assert room.status(comment) == "held"  # a new text has not been seen by anybody


def test_a_ruling_before_the_first_report_protects_nothing(room: Room, person: Moderator) -> None:
    comment = room.comment(body=ABUSE)
    room.rule(person, comment, "approve")
    with room.store.write() as session:
        session.execute(update(Decision).values(decided_at=Decision.decided_at - 1000))
    for number in range(3):
        room.report(comment, f"r{number}")
    assert room.status(comment) == "held"
    with room.store.read() as session:
        assert [row.rule for row in session.scalars(select(HoldReason))] == ["reported"]


def test_a_site_chooses_how_much_holds(room: Room) -> None:
    comment = room.comment()
    room.choose(reports_hold_at="0.5")
    room.report(comment, "r1")
    assert room.status(comment) == "held"
    for wrong in ({"reports_hold_at": 0}, {"reports_hold_at": "nan"}, {"appeal_days": -1}, {"appeal_days": "soon"},
                  {"house_rules_url": "javascript:alert(1)"}, {"redress_text": "x" * 2001}):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            room.choose(**wrong)
        assert (refused.value.code, refused.value.extra["field"]) == ("invalid_option", next(iter(wrong)))


def test_an_undone_ruling_protects_nothing(room: Room, person: Moderator) -> None:
    comment = room.comment()
    room.report(comment, "r0")
    room.rule(person, comment, "approve")
    room.undo(person)
    assert room.outcomes() == [None]
    for number in range(1, 3):
        room.report(comment, f"r{number}")
    assert room.status(comment) == "held"


def test_an_undo_inside_the_grace_takes_the_letters_back(room: Room, person: Moderator) -> None:
    comment = room.comment()
    room.report(comment, "r1")
    room.grace = 60_000
    room.rule(person, comment, "reject", "insult")
    assert room.events("report.closed") == []
    room.undo(person)
    assert room.outcomes() == [None]
    with room.store.read() as session:
        assert session.scalars(select(Event).where(Event.type == "report.closed")).all() == []
    room.grace = 0
    room.rule(person, comment, "approve")
    (told,) = room.events("report.closed")
    assert told["data"]["report"]["outcome"] == "dismissed"
    assert "reverses" not in told["data"]


def test_an_undo_after_the_grace_lets_the_next_letter_say_what_it_reverses(room: Room, person: Moderator) -> None:
    comment = room.comment()
    room.report(comment, "r1")
    room.rule(person, comment, "reject", "insult")
    (first,) = room.events("report.closed")
    room.undo(person)
    assert (room.outcomes(), room.status(comment)) == ([None], "approved")
    assert room.events("report.closed") == [first]
    room.rule(person, comment, "approve")
    second = room.events("report.closed")[1]
    assert second["data"]["reverses"] == first["id"]
    assert second["data"]["report"] == {"id": first["data"]["report"]["id"], "reporter": "r1", "outcome": "dismissed"}


def test_a_site_decision_closes_too_and_a_hold_does_not(room: Room, site: Site) -> None:
    comment = room.comment()
    room.report(comment)
    path = f"/v1/comments/{comment}/site-decision"
    for action, outcome in (("hold", None), ("reject", "upheld")):
        answer = room.client.post(path, json={"action": action, "by": "desk"}, headers=bearer(site[1]))
        assert answer.status_code == 200
        assert room.outcomes() == [outcome]
    (told,) = room.events("report.closed")
    with room.store.read() as session:
        assert session.get_one(Event, told["id"]).webhook
    assert "statement" not in room.events("comment.rejected")[0]["data"]  # the site explains its own decisions


def test_a_batch_closes_the_reports_of_all(room: Room, person: Moderator) -> None:
    comments = [room.comment(f"c{number}") for number in range(3)]
    for comment in comments:
        room.report(comment, "r1")
        room.report(comment, "r2")
    from moderation.services import review
    from moderation.services.review import Act

    with room.store.write() as session:
        review.act(session, person, comments, Act("reject", None, "spam"), now_ms(), 0)
    assert room.outcomes() == ["upheld"] * 6
    assert len(room.events("report.closed")) == 6
    room.undo(person)
    assert room.outcomes() == [None] * 6


def test_an_edit_shakes_no_report_off(room: Room, person: Moderator) -> None:
    comment = room.comment()
    for number in range(3):
        room.report(comment, f"r{number}")
    assert room.status(comment) == "held"
    room.edit(comment, CIVIL + "!")
    assert room.status(comment) == "held"  # the policy has nothing against it, but nobody has looked at the reports
    last = room.events("comment.held")[-1]["data"]
    assert (last["revision"], last["decision"]["source"]) == (2, "policy")
    assert [reason["rule"] for reason in last["decision"]["reasons"]] == ["reported"]
    room.rule(person, comment, "approve")
    assert room.outcomes() == ["moot"] * 3  # what they were about is gone: nobody was wrong
    with room.store.read() as session:
        assert reports.listed(session, room.site[0]) == []


def test_an_edit_of_a_live_comment_leaves_its_reports_listed(room: Room, person: Moderator) -> None:
    comment = room.comment()
    room.report(comment, "r1")
    room.edit(comment, CIVIL + " More.")
    assert room.status(comment) == "approved"
    with room.store.read() as session:
        (one,) = reports.listed(session, room.site[0])
    assert (one.number, one.stale) == (1, 1)
    room.report(comment, "r2")
    room.report(comment, "r3")
    assert room.status(comment) == "approved"  # two about this text; the one about the last does not count to hold it
    room.rule(person, comment, "reject", "insult")
    assert room.outcomes() == ["upheld"] * 3


def test_withdrawn_ends_the_reports(room: Room, site: Site) -> None:
    comment = room.comment()
    room.report(comment, "r1")
    assert room.client.delete(f"/v1/comments/{comment}", headers=bearer(site[1])).status_code == 200
    (told,) = room.events("report.closed")
    assert told["data"]["report"]["outcome"] == "moot"
    assert told["data"]["comment"]["status"] == "withdrawn"
    answer = report(room, site, comment, reporter={"id": "r2"})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "not_decidable")


def report(room: Room, site: Site, comment: str, **more: Any) -> Any:
    body = {"reason": "insult", "reporter": {"id": "r1"}} | more
    return room.client.post(f"/v1/comments/{comment}/reports", json=body, headers=bearer(site[1]))


def test_a_site_hands_reports_in(room: Room, site: Site) -> None:
    comment = room.comment()
    first = report(room, site, comment, text="This is about my mother.")
    assert (first.status_code, first.get_json()["status"]) == (202, "received")
    again = report(room, site, comment, reason="spam")
    assert (again.status_code, again.get_json()) == (200, first.get_json())
    by_email = {"email": "Canary-Reporter@example.org", "name": "A neighbour"}
    assert report(room, site, comment, reporter=by_email).status_code == 202
    assert report(room, site, comment, reporter={"email": "canary-reporter@EXAMPLE.org"}).status_code == 200
    assert report(room, site, comment, reporter={"name": "Ann"}).status_code == 202
    assert [row.reporter for row in room.rows()] == ["r1", "A neighbour", "Ann"]
    assert "canary" not in str([vars(row) for row in room.rows()]).lower()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"reason": "nonsense"}, "reason"),
        ({"reporter": {}}, "reporter"),
        ({"reporter": {"email": "no"}}, "reporter.email"),
        ({"text": "x" * 1001}, "text"),
        ({"text": "a\0b"}, "text"),
    ],
)
def test_bad_reports_name_the_field(room: Room, site: Site, change: dict[str, Any], field: str) -> None:
    answer = report(room, site, room.comment(), **change)
    assert (answer.status_code, answer.get_json()["field"]) == (422, field)
    assert room.rows() == []


def test_another_sites_comment_is_not_there(room: Room, store: Store) -> None:
    comment = room.comment()
    with store.write() as session:
        other, key = sites.create_site(session, "other")
    assert report(room, (other.id, key), comment).status_code == 404
    stranger = make_moderator(store, other.id, "strange@example.org", Role.ADMIN)
    with store.read() as session:
        assert reports.listed(session, stranger.site_id) == []


# ---- by readers of a page


@pytest.fixture
def key(store: Store, site: Site) -> str:
    with store.write() as session:
        found = sites.find_site(session, site[0])
        sites.set_origins(session, found, [PAGE])
        return found.publishable_key


def by_page(room: Room, key: str, comment: str, address: str, **more: Any) -> Any:
    return room.client.post(
        "/v1/public/reports", json={"comment_id": comment, "reason": "threat"} | more,
        headers=bearer(key) | {"Origin": PAGE}, environ_base={"REMOTE_ADDR": address},
    )  # fmt: skip


def test_readers_of_a_page_report_what_they_see(room: Room, key: str) -> None:
    shown, hidden = room.comment("a"), room.comment("b", ABUSE)
    assert by_page(room, key, shown, "203.0.113.101").status_code == 202
    again = by_page(room, key, shown, "203.0.113.101")
    assert again.status_code == 200
    assert again.headers["Access-Control-Allow-Origin"] == PAGE
    assert by_page(room, key, shown, "2001:db8:1:2::1").status_code == 202
    assert by_page(room, key, shown, "2001:db8:1:2::9").status_code == 200  # one household
    assert by_page(room, key, hidden, "203.0.113.102").status_code == 404
    assert by_page(room, key, "0" * 32, "203.0.113.102").status_code == 404
    assert by_page(room, key, shown, "203.0.113.103").status_code == 202
    assert room.status(shown) == "held"
    assert by_page(room, key, shown, "203.0.113.101").status_code == 200  # one's own report took it away
    assert by_page(room, key, shown, "203.0.113.104").status_code == 404
    stored = str([vars(row) for row in room.rows()])
    assert "203.0.113" not in stored
    assert "2001:db8" not in stored
    assert {row.reporter for row in room.rows()} == {None}


def test_a_strange_page_is_refused(room: Room, key: str) -> None:
    comment = room.comment()
    strange = room.client.post(
        "/v1/public/reports", json={"comment_id": comment, "reason": "spam"},
        headers=bearer(key) | {"Origin": "https://evil.example"},
    )  # fmt: skip
    assert (strange.status_code, strange.get_json()["code"]) == (403, "origin_not_allowed")


def test_a_hasty_reader_is_refused(room: Room, key: str, settings: Settings) -> None:
    comment, address = room.comment(), next(_addresses)
    room.client = create_app(settings.model_copy(update={"public_rate": "10 per day"})).test_client()
    answers = [by_page(room, key, comment, address).status_code for _ in range(11)]
    assert answers == [202] + [200] * 9 + [429]


# ---- threads: each once


def at_once(work: Callable[[int], None], number: int) -> None:
    """Runs this in so many threads that start together; fails with what one of them raised."""
    gate, raised = threading.Barrier(number), []

    def run(place: int) -> None:
        gate.wait(30)
        try:
            work(place)
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(place,), daemon=True) for place in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert raised == []


def test_many_readers_at_once_hold_once(room: Room) -> None:
    comment = room.comment()
    new: list[bool] = []
    at_once(lambda place: new.append(room.report(comment, f"r{place % 8}")), 16)
    assert sorted(new) == [False] * 8 + [True] * 8
    assert len(room.rows()) == 8
    assert room.status(comment) == "held"
    assert len(room.events("comment.held")) == 1


def test_reports_and_rulings_at_once_close_each_report_once(room: Room, person: Moderator, olena: Moderator) -> None:
    comment = room.comment()
    room.report(comment, "first")

    def work(place: int) -> None:
        if place % 4:
            room.report(comment, f"r{place}")
        else:
            room.rule(person if place % 8 else olena, comment, "approve")

    at_once(work, 16)
    room.rule(person, comment, "approve")
    told = [event["data"]["report"]["id"] for event in room.events("report.closed")]
    assert sorted(told) == sorted(row.id for row in room.rows())
    assert None not in room.outcomes()


# ---- the moderators' page and API


def test_the_page_lists_rules_and_undoes(room: Room, ann: Person) -> None:
    light, heavy = room.comment("a", "A light one."), room.comment("b", "A heavy one.")
    room.report(light, "r1", "spam", text="<b>Buy</b> now, again and again")
    for reader in ("r1", "r2", "r3"):
        room.report(heavy, reader, "threat")
    page = ann.see("/reports").text
    assert page.index("A heavy one.") < page.index("A light one.")
    assert "3 reports, weight 1.50" in page
    assert "&lt;b&gt;Buy&lt;/b&gt; now" in page
    assert page.count('<option value="threat" selected>') == 1
    assert "ann@example.org" not in page  # the authors' address
    version = room_version(room, light)
    done = ann.send(f"/reports/{light}/approve", version=version, reason="spam")
    assert done.status_code == 303
    assert "Kept up. The reports are closed." in ann.see("/reports").text
    assert (room.status(light), room.outcomes()[0]) == ("approved", "dismissed")
    stale = ann.send(f"/reports/{light}/reject", version=version, reason="other", note="my words")
    assert stale.status_code == 409
    assert "You approved this comment since you opened it." in stale.text
    assert ann.send("/reports/undo").status_code == 303
    assert room.outcomes()[0] is None
    refused = ann.send(f"/reports/{light}/reject", version=room_version(room, light), reason="other", note="")
    assert refused.status_code == 422
    assert ann.send(f"/reports/{light}/nonsense", version="1").status_code == 404
    assert ann.send(f"/reports/{'0' * 32}/approve", version="1").status_code == 404


def room_version(room: Room, comment: str) -> int:
    with room.store.read() as session:
        return session.get_one(Comment, comment).version


def test_without_a_session_or_a_token_there_is_no_page(room: Room, app: Flask, client: FlaskClient) -> None:
    assert Person(client).see("/reports").status_code == 303
    comment = room.comment()
    assert client.get("/v1/review/reports").status_code == 401
    assert client.post(f"/reports/{comment}/approve", data={"version": "2"}).status_code in (303, 400)
    assert room.status(comment) == "approved"


def test_the_api_lists_the_same(room: Room, ann: Person) -> None:
    comment = room.comment()
    room.report(comment, "r1", "illegal", text="See the law.")
    answer = ann.client.get("/v1/review/reports").get_json()
    assert answer["total"] == 1
    (one,) = answer["comments"]
    assert (one["id"], one["reports"], one["weight"], one["reasons"]) == (comment, 1, 0.5, {"illegal": 1})
    assert one["texts"][0]["text"] == "See the law."
    assert "r1" not in str(answer)


def test_a_report_of_a_held_comment_waits_beside_it(room: Room, person: Moderator, store: Store) -> None:
    comment = room.comment(body=ABUSE)
    for number in range(5):
        room.report(comment, f"r{number}")
    assert len(room.events("comment.held")) == 1
    with store.read() as session:
        found = intake.find(session, room.site[0], comment)
        one = reports.of_comment(session, found)
        assert one is not None
        assert one.number == 5
    room.rule(person, comment, "reject", "insult")
    with store.read() as session:
        assert reports.of_comment(session, found) is None
        assert session.scalars(select(Report.outcome)).all() == ["upheld"] * 5
