"""Statements of reasons and authors' appeals: what is told, who may decide, and what becomes of an undone rejection."""

import threading
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeSerializer
from sqlalchemy import delete, select, update

from moderation.config import Settings
from moderation.domain.lifecycle import Role
from moderation.errors import ModerationError
from moderation.services import appeals, policies, sites, statements
from moderation.services.accounts import Person as Moderator
from moderation.store.people import Membership
from moderation.store.session import Store, now_ms
from moderation.store.tables import Decision, Event
from moderation.store.voices import Appeal
from tests.integration.pages import HTML, Person
from tests.integration.voices import CIVIL, Room, Site
from tests.services import ABUSE, a_comment, bearer, make_moderator


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"base_url": "https://moderation.example"})


@pytest.fixture
def room(store: Store, site: Site, work: Callable[[], int], client: FlaskClient) -> Room:
    return Room(store, site, work, client)


@pytest.fixture
def olena(store: Store, site: Site) -> Moderator:
    return make_moderator(store, site[0], "olena@example.org")


def statement_of(room: Room, comment: str) -> dict[str, Any]:
    told = [event["data"] for event in room.events("comment.rejected") if event["data"]["id"] == comment]
    return dict(told[-1]["statement"])


# ---- the statement


def test_a_moderators_rejection_of_what_the_policy_held(room: Room, person: Moderator) -> None:
    room.choose(house_rules_url="https://news.example/rules", redress_text="Write to the ombudsman.", appeal_days=30)
    comment = room.comment(body=ABUSE)
    room.rule(person, comment, "reject", "insult", "a note among us")
    statement = statement_of(room, comment)
    assert statement["restriction"]["kind"] == "not_published"
    assert statement["facts"] == {
        "found_by": "own_initiative", "reports": 0, "text": "Nobody had reported it: it was found in our own checks."
    }  # fmt: skip
    assert (statement["automated"]["detection"], statement["automated"]["decision"]) == (True, False)
    assert statement["ground"]["codes"] == ["insult"]
    assert statement["ground"]["text"] == (
        "It breaks the house rules: an insult. The house rules: https://news.example/rules"
    )
    assert statement["redress"]["text"].endswith("Write to the ombudsman.")
    assert "free of charge" in statement["redress"]["text"]
    assert statement["url"].startswith("https://moderation.example/statement/")
    assert "a note among us" not in str(statement)


def test_a_live_comment_that_is_taken_down_by_a_person_alone(room: Room, person: Moderator) -> None:
    room.choose(appeal_days=0)
    comment = room.comment()
    room.rule(person, comment, "reject", "illegal", "Criminal Code, section 185")
    statement = statement_of(room, comment)
    assert statement["restriction"]["kind"] == "removed"
    assert (statement["automated"]["detection"], statement["automated"]["decision"]) == (False, False)
    assert statement["ground"]["kind"] == "illegal"
    assert "Criminal Code, section 185" in statement["ground"]["text"]
    assert statement["redress"]["appeal_until"] is None
    assert "second look" not in statement["redress"]["text"]


def test_the_policys_own_rejection(room: Room, site: Site) -> None:
    with room.store.write() as session:
        policies.apply(session, site[0], policies.parse(
            "rules:\n  - {name: bad_words, kind: words, words: [zonk], action: reject}\n"
        ))  # fmt: skip
    comment = room.comment(body="A zonk.")
    assert room.status(comment) == "rejected"
    statement = statement_of(room, comment)
    assert (statement["automated"]["detection"], statement["automated"]["decision"]) == (True, True)
    assert statement["ground"]["codes"] == ["words"]
    assert "words that are not allowed here" in statement["ground"]["text"]


def test_the_feed_is_as_its_document_says(room: Room, person: Moderator, app: Flask, site: Site) -> None:
    comment = room.comment()
    room.report(comment)
    room.rule(person, comment, "reject", "insult")
    url = statement_of(room, comment)["url"]
    document = app.test_client().get("/openapi.json").get_json()
    feed = app.test_client().get("/v1/events", headers=bearer(site[1])).get_json()
    schema = {"$ref": "#/components/schemas/EventsOut", "components": document["components"]}
    jsonschema.validate(feed, schema)
    assert sorted(event["type"] for event in feed["events"]) == [
        "comment.approved", "comment.rejected", "report.closed"
    ]  # fmt: skip
    (rejected,) = [event for event in feed["events"] if event["type"] == "comment.rejected"]
    assert rejected["data"]["statement"]["url"] == url


# ---- the author's page


def see(room: Room, path: str) -> Any:
    return room.client.get(path, headers=HTML)


def appeal(room: Room, path: str, text: str = "It was a quotation.") -> Any:
    return room.client.post(path, data={"text": text}, headers=HTML)


def test_the_author_reads_why_and_nobody_else_is_named(room: Room, person: Moderator, site: Site) -> None:
    private = {"name": "Reader 12", "email": "canary@example.org"}
    comment = room.comment(
        body="You are an idiot <b>& worse</b>, shut up.", author=private, ip="203.0.113.77", user_agent="canary-agent"
    )
    room.report(comment, "informer", text="canary text")
    room.rule(person, comment, "reject", "insult")
    page = see(room, room.statement_path(comment))
    assert page.status_code == 200
    assert "You are an idiot &lt;b&gt;&amp; worse&lt;/b&gt;, shut up." in page.text
    assert "Readers had reported it." in page.text
    assert "an insult" in page.text
    for secret in ("canary", "203.0.113.77", "informer", "ann@example.org", ">ann<", "Reader 12"):
        assert secret not in page.text
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in page.headers
    events = str(room.events())
    for secret in ("canary", "203.0.113.77", "ann@example.org"):
        assert secret not in events


def test_only_the_whole_link_opens_it(room: Room, person: Moderator) -> None:
    comment = room.comment()
    room.rule(person, comment, "reject", "spam")
    path = room.statement_path(comment)
    with room.store.read() as session:
        rejection, approval = (
            session.scalar(select(Decision.id).where(Decision.action == action)) for action in ("reject", "approve")
        )
    forged = [
        path[:-1], path + "x", "/statement/" + path[11:].swapcase(),
        "/statement/x", "/statement/" + "é" * 20, f"/statement/{rejection}",
        "/statement/" + URLSafeSerializer("wrong" * 8, salt="statement of reasons").dumps(rejection),
        "/statement/" + URLSafeSerializer("k" * 32, salt="another page").dumps(rejection),
        "/statement/" + URLSafeSerializer("k" * 32, salt="statement of reasons").dumps(approval),
        "/statement/" + URLSafeSerializer("k" * 32, salt="statement of reasons").dumps(["a", 1]),
    ]  # fmt: skip
    for wrong in forged:
        page = see(room, wrong)
        assert page.status_code == 404, wrong
        assert "/review" not in page.text
        assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert appeal(room, wrong).status_code == 404
    assert see(room, path).status_code == 200


def age(room: Room, days: int) -> None:
    """Makes all decisions and promises so many days older."""
    from datetime import datetime

    from moderation.services.views import iso

    past = days * statements.DAY_MS
    with room.store.write() as session:
        session.execute(update(Decision).values(decided_at=Decision.decided_at - past))
        for event in session.scalars(select(Event).where(Event.type == "comment.rejected")):
            statement = event.data["statement"]
            until = round(datetime.fromisoformat(statement["redress"]["appeal_until"]).timestamp() * 1000)
            redress = statement["redress"] | {"appeal_until": iso(until - past)}
            event.data = event.data | {"statement": statement | {"redress": redress}}


def test_time_runs_out(room: Room, person: Moderator) -> None:
    comment = room.comment()
    room.rule(person, comment, "reject", "spam")
    path = room.statement_path(comment)
    age(room, 13)
    assert "<textarea" in see(room, path).text
    age(room, 2)
    page = see(room, path)
    assert "<textarea" not in page.text
    assert "The time to ask for one ended on" in page.text
    assert appeal(room, path).status_code == 409
    age(room, 360)
    assert see(room, path).status_code == 404


def test_a_link_can_be_asked_for_too_often(room: Room, person: Moderator) -> None:
    answers = [
        room.client.get("/statement/x", headers=HTML, environ_base={"REMOTE_ADDR": f"192.0.2.{len(room.site[0])}"})
        for _ in range(61)
    ]
    assert answers[-1].status_code == 429
    assert "Wait a minute" in answers[-1].text


# ---- appeals


def test_an_author_appeals_once_and_another_moderator_overturns(
    room: Room, app: Flask, person: Moderator, olena: Moderator
) -> None:
    comment = room.comment(body=ABUSE)
    room.rule(person, comment, "reject", "insult")
    path = room.statement_path(comment)
    for bad in ("", "  \n", "x" * 2001):
        refused = appeal(room, path, bad)
        assert refused.status_code == 422
        assert "between 1 and 2000 letters" in refused.text
    sent = appeal(room, path, "It was <i>a quotation</i>.\r\nSee above.")
    assert (sent.status_code, sent.headers["Location"]) == (303, f"{path}#appeal")
    waiting = see(room, path).text
    assert "It waits to be read." in waiting
    assert "It was &lt;i&gt;a quotation&lt;/i&gt;.\nSee above." in waiting
    assert "<textarea" not in waiting
    assert appeal(room, path, "Once more").status_code == 409

    ann = Person(app.test_client()).sign_in()
    page = ann.see("/appeals")
    assert "You rejected this comment yourself; another moderator decides the appeal." in page.text
    assert "Rejected by ann: Insult" in page.text
    id = appeal_id(room)
    refused = ann.send(f"/appeals/{id}/overturn")
    assert refused.status_code == 403
    assert "You rejected this comment yourself" in refused.text
    assert room.status(comment) == "rejected"

    other = Person(app.test_client()).sign_in("olena@example.org")
    assert "Overturn and publish" in other.see("/appeals").text
    empty = other.send(f"/appeals/{id}/uphold", answer=" ")
    assert empty.status_code == 422
    assert other.send(f"/appeals/{id}/overturn", answer="You are right, sorry.").status_code == 303
    assert "Overturned. The comment is published." in other.see("/appeals").text
    assert room.status(comment) == "approved"
    approved, told = room.events()[-2:]
    assert (approved["type"], approved["data"]["decision"]["source"]) == ("comment.approved", "appeal")
    assert told["type"] == "appeal.decided"
    assert told["data"]["appeal"] == {"id": id, "outcome": "overturn", "answer": "You are right, sorry."}
    assert told["data"]["comment"]["status"] == "approved"
    page = see(room, path)
    assert "your comment is published" in page.text
    assert "You are right, sorry." in page.text
    again = other.send(f"/appeals/{id}/uphold", answer="No.")
    assert again.status_code == 409
    assert "already" in again.text or "olena" in again.text or "You" in again.text
    assert room.audited("appeal.decided") == [{"appeal": id, "outcome": "overturn"}]
    history = other.see(f"/review/{comment}?status=any").text
    assert "Approved by olena after an appeal" in history


def appeal_id(room: Room) -> str:
    with room.store.read() as session:
        return str(session.scalars(select(Appeal.id).order_by(Appeal.id.desc())).first())


def decide(room: Room, who: Moderator, outcome: str = "uphold", answer: str | None = "It stands.") -> str:
    """What became of the newest appeal, or the code of the refusal."""
    try:
        with room.store.write() as session:
            found = appeals.decide(session, who, appeal_id(room), outcome=outcome, answer=answer, now=now_ms())
            return str(found.outcome)
    except ModerationError as error:
        return error.code


def rejected(room: Room, who: Moderator, reason: str = "insult") -> tuple[str, str]:
    """A comment that was rejected, and its author's page."""
    comment = room.comment(body=ABUSE)
    room.rule(who, comment, "reject", reason)
    return comment, room.statement_path(comment)


def test_upheld_with_an_answer(room: Room, person: Moderator, olena: Moderator) -> None:
    comment, path = rejected(room, person)
    appeal(room, path)
    assert decide(room, olena, answer=None) == "invalid_field"
    assert decide(room, olena) == "uphold"
    assert room.status(comment) == "rejected"
    page = see(room, path).text
    assert "the decision stands" in page
    assert "It stands." in page
    (told,) = room.events("appeal.decided")
    assert told["data"]["comment"]["status"] == "rejected"
    assert appeal(room, path).status_code == 409


def test_anybody_decides_about_the_policys_own_rejection(room: Room, site: Site, person: Moderator) -> None:
    with room.store.write() as session:
        policies.apply(session, site[0], policies.parse(
            "rules:\n  - {name: bad_words, kind: words, words: [zonk], action: reject}\n"
        ))  # fmt: skip
    comment = room.comment(body="A zonk.")
    appeal(room, room.statement_path(comment))
    assert decide(room, person, "overturn") == "overturn"
    assert room.status(comment) == "approved"


def test_alone_at_the_site_only_an_admin_may_and_the_audit_says_so(room: Room, store: Store, site: Site) -> None:
    alone = make_moderator(store, site[0], "one@example.org", Role.SENIOR)
    _, path = rejected(room, alone)
    appeal(room, path)
    assert decide(room, alone) == "own_ruling"
    with store.write() as session:
        session.execute(update(Membership).values(role="admin"))
    from dataclasses import replace

    admin = replace(alone, role=Role.ADMIN)
    second = make_moderator(store, site[0], "two@example.org")
    assert decide(room, admin) == "own_ruling"
    with store.write() as session:
        session.execute(delete(Membership).where(Membership.moderator_id == second.id))
    assert decide(room, admin) == "uphold"
    assert room.audited("appeal.decided")[0]["alone"] is True


def test_an_undone_rejection_cant_be_appealed(room: Room, person: Moderator) -> None:
    comment = room.comment()
    room.rule(person, comment, "reject", "insult")
    path = room.statement_path(comment)
    room.undo(person)
    page = see(room, path).text
    assert "your comment is published" in page
    assert "<textarea" not in page
    assert appeal(room, path).status_code == 409


def test_an_undo_inside_the_grace_leaves_no_page(room: Room, person: Moderator) -> None:
    comment = room.comment()
    room.grace = 60_000
    room.rule(person, comment, "reject", "insult")
    with room.store.read() as session:
        made = session.scalars(select(Decision.id).where(Decision.action == "reject")).one()
    room.undo(person)
    token = URLSafeSerializer("k" * 32, salt="statement of reasons").dumps(made)
    assert see(room, f"/statement/{token}").status_code == 404
    assert room.events("comment.rejected") == []


def test_an_open_appeal_follows_rulings_and_their_undoing(room: Room, person: Moderator, olena: Moderator) -> None:
    comment, path = rejected(room, person)
    appeal(room, path)
    room.rule(olena, comment, "approve")
    (first,) = room.events("appeal.decided")
    assert first["data"]["appeal"] == {"id": appeal_id(room), "outcome": "overturn", "answer": None}
    room.undo(olena)  # the rejection stands again, and so does the appeal against it
    assert room.status(comment) == "rejected"
    page = see(room, path).text
    assert "It waits to be read." in page
    assert room.events("comment.rejected")[-1]["data"]["statement"]["ground"]["codes"] == ["insult"]
    assert decide(room, person) == "own_ruling"
    assert decide(room, olena) == "uphold"
    assert room.events("appeal.decided")[-1]["data"]["reverses"] == first["id"]
    newest = room.statement_path(comment)
    assert newest != path
    for one in (path, newest):  # both lead to the same rejection, which can be appealed against once
        assert "the decision stands" in see(room, one).text
        assert appeal(room, one).status_code == 409


def test_the_first_moderator_undoes_and_the_appeal_is_moot_or_granted(room: Room, person: Moderator) -> None:
    held, path = rejected(room, person)
    appeal(room, path)
    room.undo(person)
    assert room.status(held) == "held"
    assert [event["data"]["appeal"]["outcome"] for event in room.events("appeal.decided")] == ["moot"]
    assert "being looked at again" in see(room, path).text
    live = room.comment("c2")
    room.rule(person, live, "reject", "spam")
    appeal(room, room.statement_path(live))
    room.undo(person)
    assert [event["data"]["appeal"]["outcome"] for event in room.events("appeal.decided")] == ["moot", "overturn"]


def test_an_edit_or_a_withdrawal_makes_it_moot(room: Room, person: Moderator, olena: Moderator, site: Site) -> None:
    comment, path = rejected(room, person)
    appeal(room, path)
    room.edit(comment, CIVIL)
    assert decide(room, olena) == "decided_since"
    page = see(room, path).text
    assert "your comment is published" in page
    assert "no longer stands" in page
    assert "worthless moron" in page  # the text that was decided on
    second = room.comment("c2", ABUSE)
    room.rule(person, second, "reject", "insult")
    path = room.statement_path(second)
    appeal(room, path)
    room.client.delete(f"/v1/comments/{second}", headers=bearer(site[1]))
    page = see(room, path).text
    assert "withdrawn" in page
    assert "worthless moron" not in page
    outcomes = [event["data"]["appeal"]["outcome"] for event in room.events("appeal.decided")]
    assert outcomes == ["moot", "moot"]


def test_rejected_anew_by_another_bars_both(room: Room, person: Moderator, olena: Moderator) -> None:
    comment, path = rejected(room, person)
    appeal(room, path)
    room.rule(olena, comment, "reject", "spam")
    assert "There is a newer decision about your comment." in see(room, path).text
    assert (decide(room, person), decide(room, olena)) == ("own_ruling", "own_ruling")
    third = make_moderator(room.store, room.site[0], "third@example.org")
    assert decide(room, third, "overturn", None) == "overturn"
    assert room.status(comment) == "approved"


def test_two_at_once_decide_once(room: Room, person: Moderator, olena: Moderator) -> None:
    comment, path = rejected(room, person)
    third = make_moderator(room.store, room.site[0], "third@example.org")
    gate, said = threading.Barrier(4), []

    def work(who: Moderator, outcome: str) -> None:
        gate.wait(30)
        said.append(decide(room, who, outcome))

    appeal(room, path)
    chosen = [(olena, "uphold"), (third, "overturn"), (olena, "overturn"), (third, "uphold")]
    threads = [threading.Thread(target=work, args=one, daemon=True) for one in chosen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(said)[:3] == ["decided_since"] * 3
    (told,) = room.events("appeal.decided")
    overturned = told["data"]["appeal"]["outcome"] == "overturn"
    assert room.status(comment) == ("approved" if overturned else "rejected")


def test_many_at_once_appeal_once(room: Room, person: Moderator) -> None:
    comment, path = rejected(room, person)
    with room.store.read() as session:
        made = session.scalars(select(Decision.id).where(Decision.action == "reject")).one()
    gate, codes = threading.Barrier(6), []

    def work() -> None:
        gate.wait(30)
        try:
            with room.store.write() as session:
                appeals.file(session, made, "Please look again.", now_ms())
            codes.append("filed")
        except ModerationError as error:
            codes.append(error.code)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(codes) == ["filed"] + ["not_appealable"] * 5
    assert len(room.audited("appeal.filed")) == 1
    assert room.status(comment) == "rejected"
    assert see(room, path).status_code == 200


def test_the_api_and_other_sites(room: Room, app: Flask, person: Moderator, olena: Moderator, store: Store) -> None:
    comment, path = rejected(room, person)
    appeal(room, path, "Please look again.")
    id = appeal_id(room)
    with store.write() as session:
        other, _ = sites.create_site(session, "other")
    make_moderator(store, other.id, "strange@example.org", Role.ADMIN)
    strange = Person(app.test_client()).sign_in("strange@example.org")
    assert strange.client.get("/v1/review/appeals").get_json() == {"appeals": [], "total": 0}
    assert strange.send(f"/appeals/{id}/overturn").status_code == 404
    ann, other_one = Person(app.test_client()).sign_in(), Person(app.test_client()).sign_in("olena@example.org")
    (mine,) = ann.client.get("/v1/review/appeals").get_json()["appeals"]
    assert (mine["id"], mine["text"], mine["may_decide"]) == (id, "Please look again.", False)
    assert (mine["ruling"]["by"], mine["ruling"]["reason"], mine["comment"]["id"]) == ("ann", "insult", comment)
    body = {"outcome": "uphold", "answer": "It stands."}
    for who, status in ((ann, 403), (other_one, 200), (other_one, 409)):
        headers = {"X-CSRFToken": who.token}
        assert who.client.post(f"/v1/review/appeals/{id}", json=body, headers=headers).status_code == status


def test_forms_of_moderators_ask_for_their_token(room: Room, app: Flask, person: Moderator, olena: Moderator) -> None:
    comment, path = rejected(room, person)
    appeal(room, path)
    other = Person(app.test_client()).sign_in("olena@example.org")
    for target in (f"/appeals/{appeal_id(room)}/overturn", f"/reports/{comment}/approve", "/reports/undo"):
        assert other.client.post(target, data={"version": "3"}, headers=HTML).status_code in (400, 403)
    assert room.status(comment) == "rejected"


def test_an_imported_rejection_has_no_statement(room: Room, site: Site) -> None:
    old = a_comment("old", ABUSE) | {"imported_status": "rejected"}
    room.client.post("/v1/comments/batch", json={"comments": [old]}, headers=bearer(site[1]))
    room.work()
    assert room.events() == []
