"""Working together: presence, claims that live on, taking over, assignment, notes, two rulings at the same moment."""

import threading
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from moderation.domain.lifecycle import Role
from moderation.errors import Conflict, ModerationError
from moderation.services import claims, review, sites, watch
from moderation.services.accounts import Person as Moderator
from moderation.services.review import Act
from moderation.store.audit import AuditEvent
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment, Decision
from moderation.store.workspace import Note
from tests.integration.pages import HTML, Person
from tests.services import PASSWORD, Post, bearer, make_moderator

CLAIM_MS = 600_000


@pytest.fixture
def bob_(store: Store, site: tuple[str, str]) -> Moderator:
    return make_moderator(store, site[0], "bob@example.org")


@pytest.fixture
def bob(app: Flask, bob_: Moderator) -> Person:
    return Person(app.test_client()).sign_in("bob@example.org")


@pytest.fixture
def sue_(store: Store, site: tuple[str, str]) -> Moderator:
    return make_moderator(store, site[0], "sue@example.org", Role.SENIOR)


@pytest.fixture
def sue(app: Flask, sue_: Moderator) -> Person:
    return Person(app.test_client()).sign_in("sue@example.org")


def row(store: Store, comment_id: str) -> Comment:
    with store.read() as session:
        return session.get_one(Comment, comment_id)


def events(store: Store, comment_id: str, action: str) -> list[AuditEvent]:
    with store.read() as session:
        query = select(AuditEvent).where(AuditEvent.subject_id == comment_id, AuditEvent.action == action)
        return list(session.scalars(query.order_by(AuditEvent.id)))


# --- presence and claims ------------------------------------------------------------------------------------------


def test_who_has_it_open_is_shown_and_keeps_nobody_from_ruling(ann: Person, bob: Person, post: Post,
                                                               store: Store) -> None:  # fmt: skip
    item = post()
    assert bob.send(f"/review/{item}/here").status_code == 204
    assert "bob is looking at it." in ann.see(f"/review/{item}").text
    assert "is looking" not in bob.see(f"/review/{item}").text
    assert ann.send(f"/review/{item}/approve", version=row(store, item).version).status_code == 303
    bob.send(f"/review/{item}/away")
    assert "is looking" not in ann.see(f"/review/{item}").text


def test_leaving_one_tab_does_not_hide_where_the_other_is(bob: Person, post: Post, store: Store,
                                                          site: tuple[str, str]) -> None:  # fmt: skip
    first, second = post("c1"), post("c2")
    bob.send(f"/review/{first}/here")
    bob.send(f"/review/{second}/here")
    bob.send(f"/review/{first}/away")
    with store.read() as session:
        assert list(watch.present(session, site[0], now_ms())) == [second]
        assert watch.present(session, site[0], now_ms() + watch.PRESENT_MS + 1000) == {}


def test_a_sign_of_life_keeps_a_claim_and_never_makes_one(person: Moderator, bob_: Moderator, post: Post,
                                                          store: Store) -> None:  # fmt: skip
    item, now = post(), now_ms()
    with store.write() as session:
        claims.here(session, person, item, now, CLAIM_MS)
    assert row(store, item).claimed_by is None
    with store.write() as session:
        review.claim(session, person, item, now, 1_000)
        claims.here(session, bob_, item, now, CLAIM_MS)
    assert row(store, item).claimed_until == now + 1_000
    with store.write() as session:
        claims.here(session, person, item, now + 500, CLAIM_MS)
    assert row(store, item).claimed_until == now + 500 + CLAIM_MS
    late = now + 2 * CLAIM_MS
    with store.write() as session:
        claims.here(session, person, item, late, CLAIM_MS)  # it has run out: another may have it now
    with store.write() as session:
        review.claim(session, bob_, item, late, CLAIM_MS)
    assert row(store, item).claimed_by == bob_.id


def test_a_claim_that_was_lost_is_refused_with_the_name_and_the_note_is_kept(ann: Person, bob: Person, post: Post,
                                                                             store: Store) -> None:  # fmt: skip
    item = post()
    ann.send(f"/review/{item}/claim")
    seen = row(store, item).version
    with store.write() as session:
        session.get_one(Comment, item).claimed_until = now_ms() - 1
    bob.send(f"/review/{item}/claim")
    answer = ann.send(f"/review/{item}/reject", version=seen, reason="insult", note="as he did on Monday")
    assert answer.status_code == 409
    assert "bob has claimed this comment" in answer.text
    assert "as he did on Monday" in answer.text
    assert row(store, item).status == "held"


def test_a_senior_takes_over_on_purpose_and_the_audit_names_both(
    ann: Person, person: Moderator, sue: Person, sue_: Moderator, bob: Person, post: Post, store: Store
) -> None:
    item = post()
    ann.send(f"/review/{item}/claim")
    assert bob.send(f"/review/{item}/take-over").status_code == 403
    assert "ann has it." in sue.see(f"/review/{item}").text
    assert sue.send(f"/review/{item}/take-over").status_code == 303
    assert "Taken over from ann." in sue.see(f"/review/{item}").text
    (event,) = events(store, item, "comment.taken_over")
    assert (event.actor, event.data) == (sue_.id, {"from": person.id})
    refused = ann.send(f"/review/{item}/approve", version=row(store, item).version)
    assert refused.status_code == 409
    assert "sue has claimed this comment" in refused.text
    assert sue.send(f"/review/{item}/approve", version=row(store, item).version).status_code == 303


def test_taking_over_what_nobody_has_is_a_claim_without_a_word_in_the_audit(sue: Person, sue_: Moderator, post: Post,
                                                                            store: Store) -> None:  # fmt: skip
    item = post()
    sue.send(f"/review/{item}/take-over")
    assert row(store, item).claimed_by == sue_.id
    assert events(store, item, "comment.taken_over") == []


@pytest.mark.parametrize("round", range(5))
def test_of_rulings_at_the_same_moment_exactly_one_stands(
    person: Moderator, bob_: Moderator, sue_: Moderator, post: Post, store: Store, round: int
) -> None:
    item = post(f"c{round}")
    seen, gate = row(store, item).version, threading.Barrier(3)
    told: list[dict[str, Any]] = []
    stood: list[Moderator] = []

    def rule(who: Moderator, action: str) -> None:
        gate.wait()
        try:
            with store.write() as session:
                review.act(session, who, [item], Act(action, seen, "insult" if action == "reject" else None), now_ms(),
                           0)  # fmt: skip
            stood.append(who)
        except Conflict as error:
            told.append(error.extra)

    pairs = ((person, "approve"), (bob_, "reject"), (sue_, "approve"))
    threads = [threading.Thread(target=rule, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = stood
    assert [extra["by"] for extra in told] == [winner.name, winner.name]
    assert {extra["comment_status"] for extra in told} == {row(store, item).status}
    with store.read() as session:
        rulings = select(func.count()).select_from(Decision).where(Decision.source == "moderator")
        assert session.scalar(rulings) == 1


def test_of_claims_at_the_same_moment_exactly_one_holds(person: Moderator, bob_: Moderator, post: Post,
                                                        store: Store) -> None:  # fmt: skip
    item, gate = post(), threading.Barrier(2)
    held: list[str] = []
    told: list[str] = []

    def claim(who: Moderator) -> None:
        gate.wait()
        try:
            with store.write() as session:
                review.claim(session, who, item, now_ms(), CLAIM_MS)
            held.append(who.name)
        except Conflict as error:
            told.append(error.extra["by"])

    threads = [threading.Thread(target=claim, args=(who,)) for who in (person, bob_)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(held) == 1
    assert told == held


# --- assignment ---------------------------------------------------------------------------------------------------


def test_an_item_is_assigned_shown_and_let_go(ann: Person, bob: Person, bob_: Moderator, post: Post,
                                              store: Store) -> None:  # fmt: skip
    item = post()
    answer = ann.send(f"/review/{item}/assign", to=bob_.id)
    assert answer.status_code == 303
    page = ann.see(f"/review/{item}").text
    assert "Assigned to bob." in page
    assert "Assigned to bob</summary>" in page
    assert "1 assigned to you" in bob.see("/review").text
    assert f'data-id="{item}"' in bob.see("/review?assigned=me").text
    assert ann.send(f"/review/{item}/approve", version=row(store, item).version).status_code == 303  # it is no lock
    assert row(store, item).assigned_to is None
    assert "assigned to you" not in bob.see("/review").text
    (assigned,) = events(store, item, "comment.assigned")
    assert (assigned.data["to"], assigned.data["from"]) == (bob_.id, None)


def test_what_was_escalated_goes_to_a_senior_only(ann: Person, sue_: Moderator, bob_: Moderator, post: Post,
                                                  store: Store) -> None:  # fmt: skip
    item = post()
    ann.send(f"/review/{item}/escalate", version=row(store, item).version)
    refused = ann.send(f"/review/{item}/assign", to=bob_.id)
    assert refused.status_code == 422
    assert "assign it to a senior or an admin" in refused.text
    choice = ann.see(f"/review/{item}").text.partition('id="assign-to"')[2].partition("</select>")[0]
    assert ">sue</option>" in choice
    assert "bob" not in choice
    assert ann.send(f"/review/{item}/assign", to=sue_.id).status_code == 303
    assert row(store, item).assigned_to == sue_.id


def test_nobody_outside_the_site_can_be_assigned_and_nothing_that_does_not_wait(
    ann: Person, bob_: Moderator, post: Post, store: Store
) -> None:
    with store.write() as session:
        other, _ = sites.create_site(session, "other")
    eve = make_moderator(store, other.id, "eve@example.org")
    item = post()
    for to in (eve.id, "nobody", "x" * 400):
        assert ann.send(f"/review/{item}/assign", to=to).status_code == 422
    ann.send(f"/review/{item}/approve", version=row(store, item).version)
    assert ann.send(f"/review/{item}/assign", to=bob_.id).status_code == 409
    assert row(store, item).assigned_to is None


# --- notes --------------------------------------------------------------------------------------------------------


def test_notes_about_the_author_follow_them_and_those_about_a_comment_stay(ann: Person, bob: Person,
                                                                            post: Post) -> None:  # fmt: skip
    first, second = post("c1"), post("c2")
    assert ann.send(f"/review/{first}/notes", about="author", text="Warned <b>twice</b>.").status_code == 303
    ann.send(f"/review/{first}/notes", about="comment", text="Quotes a song.")
    page = bob.see(f"/review/{second}").text
    assert "Warned &lt;b&gt;twice&lt;/b&gt;." in page
    assert "Quotes a song." not in page
    assert "Quotes a song." in bob.see(f"/review/{first}").text


def test_only_who_wrote_a_note_can_delete_it(ann: Person, bob: Person, post: Post, store: Store) -> None:
    item = post()
    ann.send(f"/review/{item}/notes", about="comment", text="Mine.")
    with store.read() as session:
        note = session.scalars(select(Note)).one()
    assert f"/notes/{note.id}/delete" not in bob.see(f"/review/{item}").text
    assert bob.send(f"/review/{item}/notes/{note.id}/delete").status_code == 403
    assert ann.send(f"/review/{item}/notes/{note.id}/delete").status_code == 303
    assert "Mine." not in ann.see(f"/review/{item}").text
    assert ann.send(f"/review/{item}/notes/{note.id}/delete").status_code == 404
    assert [event.action for event in events(store, item, "note.added")] == ["note.added"]
    assert "Mine" not in str([event.data for event in events(store, item, "note.added")])


@pytest.mark.parametrize(
    ("text", "about", "said"),
    [
        ("  ", "author", "needs some text"),
        ("x" * 2001, "author", "at most 2000"),
        ("kept", "weather", "must be comment or author"),
    ],
)
def test_a_note_that_can_t_be_keeps_what_was_typed(ann: Person, post: Post, text: str, about: str, said: str) -> None:
    answer = ann.send(f"/review/{post()}/notes", about=about, text=text)
    assert answer.status_code == 422
    assert said in answer.text
    assert text.strip() in answer.text


def test_notes_are_never_seen_outside(ann: Person, post: Post, client: FlaskClient, site: tuple[str, str],
                                      store: Store) -> None:  # fmt: skip
    item = post()
    for about in ("author", "comment"):
        ann.send(f"/review/{item}/notes", about=about, text="canary-note")
    ann.send(f"/review/{item}/approve", version=row(store, item).version, note="canary-note")
    site_id, key = site
    for path in (f"/v1/comments/{item}", "/v1/events", "/v1/comments?external_id=c1",
                 f"/v1/threads?site={site_id}&article_url=https://news.example/a"):  # fmt: skip
        answer = client.get(path, headers=bearer(key))
        assert answer.status_code == 200
        assert "canary-note" not in answer.text


# --- strangers, and programs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("deed", ["here", "take-over", "assign", "notes"])
def test_another_site_s_item_is_not_there(app: Flask, post: Post, store: Store, deed: str) -> None:
    item = post()
    with store.write() as session:
        other, _ = sites.create_site(session, "other")
    make_moderator(store, other.id, "eve@example.org", Role.ADMIN)
    eve = Person(app.test_client()).sign_in("eve@example.org")
    assert eve.send(f"/review/{item}/{deed}", text="x", about="author").status_code == 404
    token = eve.client.post("/v1/auth/tokens", json={"email": "eve@example.org", "password": PASSWORD}).json["token"]  # type: ignore[index]
    body = {"assign": {"to": None}, "notes": {"about": "author", "text": "x"}}.get(deed)
    answer = app.test_client().post(f"/v1/review/items/{item}/{deed}", json=body, headers=bearer(token))
    assert answer.status_code == 404


@pytest.mark.parametrize("deed", ["here", "away", "take-over", "assign", "notes"])
def test_every_form_needs_the_page_s_token(ann: Person, post: Post, deed: str) -> None:
    assert ann.client.post(f"/review/{post()}/{deed}", data={"text": "x"}, headers=HTML).status_code == 400


def test_programs_do_the_same(client: FlaskClient, sue_: Moderator, person: Moderator, post: Post) -> None:
    def call(method: str, path: str, body: object = None, email: str = "sue@example.org") -> Any:
        signed = client.post("/v1/auth/tokens", json={"email": email, "password": PASSWORD})
        return client.open(f"/v1/review{path}", method=method, json=body, headers=bearer(signed.json["token"]))  # type: ignore[index]

    item = post()
    assert call("GET", "/colleagues").json == {"colleagues": [
        {"id": person.id, "name": "ann", "role": "moderator"}, {"id": sue_.id, "name": "sue", "role": "senior"},
    ]}  # fmt: skip
    call("POST", f"/items/{item}/claim", email="ann@example.org")
    assert call("POST", f"/items/{item}/take-over", email="ann@example.org").status_code == 403
    assert call("POST", f"/items/{item}/take-over").json["claim"]["by"] == "sue"
    assert call("POST", f"/items/{item}/here").status_code == 204
    assert call("POST", f"/items/{item}/away").status_code == 204
    assert call("POST", f"/items/{item}/assign", {"to": person.id}).json["assigned_to"] == person.id
    assert call("POST", f"/items/{item}/assign", {"to": "x"}).json["field"] == "to"
    made = call("POST", f"/items/{item}/notes", {"about": "author", "text": "seen before"})
    assert (made.status_code, made.json["by"], made.json["yours"]) == (201, "sue", True)
    listed = call("GET", f"/items/{item}/notes", email="ann@example.org").json["notes"]
    assert [(note["text"], note["yours"]) for note in listed] == [("seen before", False)]
    note = f"/notes/{made.json['id']}"
    assert call("DELETE", note, email="ann@example.org").json["code"] == "not_yours"
    assert call("DELETE", note).status_code == 204
    assert call("DELETE", note).status_code == 404


def test_errors_of_services_are_answers(person: Moderator, store: Store) -> None:
    with pytest.raises(ModerationError), store.write() as session:
        claims.here(session, person, "nothing", now_ms(), 1)
