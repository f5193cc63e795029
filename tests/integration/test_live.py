"""Live word of what others do: what a stream says, when it ends, and that streams never take all threads."""

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, update
from werkzeug.test import TestResponse

from moderation.app import create_app
from moderation.config import Settings
from moderation.domain.lifecycle import Role
from moderation.services import claims, intake, review
from moderation.services.accounts import Person as Moderator
from moderation.services.review import Act
from moderation.store.people import Membership, SignIn
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment
from moderation.web.live_hub import Hub
from tests.databases import until
from tests.integration.pages import Person
from tests.services import Post, make_moderator


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"web_threads": 8})


@pytest.fixture
def bob(store: Store, site: tuple[str, str]) -> Moderator:
    return make_moderator(store, site[0], "bob@example.org")


class Listening:
    """A stream that a browser has open. `until` reads on to the first state that meets a condition."""

    def __init__(self, client: FlaskClient, *see: str, since: int = 0, more: str = "") -> None:
        self.answer: TestResponse = client.get(f"/review/live?see={','.join(see)}&since={since}{more}")
        self.status = self.answer.status_code
        self._lines: Iterator[str] = (line for part in self.answer.response for line in _text(part).split("\n\n"))
        self.ids: list[int] = []

    def until(self, meets: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        for block in self._lines:
            fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
            if "data" in fields:
                self.ids.append(int(fields["id"]))
                state: dict[str, Any] = json.loads(fields["data"])
                if meets(state):
                    return state
        raise AssertionError("the stream ended")

    def ends(self) -> bool:
        for _ in self._lines:
            pass
        return True

    def close(self) -> None:
        self.answer.close()


def _text(part: bytes | str) -> str:
    return part.decode() if isinstance(part, bytes) else part


@pytest.fixture
def listen(ann: Person) -> Iterator[Callable[..., Listening]]:
    opened: list[Listening] = []

    def begin(*see: str, client: FlaskClient | None = None, **more: Any) -> Listening:
        opened.append(Listening(client or ann.client, *see, **more))
        return opened[-1]

    yield begin
    for stream in opened:
        stream.close()


def hub(app: Flask) -> Hub:
    found: Hub = app.extensions["live"]
    return found


def version(store: Store, comment_id: str) -> int:
    with store.read() as session:
        return session.get_one(Comment, comment_id).version


def rule(store: Store, who: Moderator, comment_id: str, action: str = "approve") -> None:
    with store.write() as session:
        wanted = Act(action, None, "insult" if action == "reject" else None)
        review.act(session, who, [comment_id], wanted, now_ms(), 0)


def test_others_claims_and_rulings_are_told_in_words(listen: Callable[..., Listening], post: Post, store: Store,
                                                     bob: Moderator) -> None:  # fmt: skip
    first, second = post("c1"), post("c2")
    stream = listen(first, second, since=now_ms())
    assert stream.answer.mimetype == "text/event-stream"
    assert stream.answer.headers["Cache-Control"] == "no-store"
    assert stream.until(lambda state: True)["rows"] == {}
    with store.write() as session:
        review.claim(session, bob, first, now_ms(), 60_000)
    told = stream.until(lambda state: first in state["rows"])["rows"]
    assert told == {first: {"has": "bob has it", "claimed": "yes", "line": "bob has it."}}
    rule(store, bob, first, "reject")
    told = stream.until(lambda state: "done" in state["rows"].get(first, {}))["rows"]
    assert told == {first: {"done": "bob rejected it"}}
    with store.write() as session:
        claims.here(session, bob, second, now_ms(), 60_000)
    assert stream.until(lambda state: second in state["rows"])["rows"][second] == {
        "has": "bob is looking at it", "line": "bob is looking at it.",
    }  # fmt: skip
    with store.write() as session:
        review.undo(session, bob, now_ms())
    assert first not in stream.until(lambda state: first not in state["rows"])["rows"]
    assert stream.ids == sorted(stream.ids)


def test_what_a_reader_or_a_site_changes_is_told_too(listen: Callable[..., Listening], post: Post, store: Store,
                                                     site: tuple[str, str]) -> None:  # fmt: skip
    first, second = post("c1"), post("c2")
    stream = listen(first, second, since=now_ms())
    with store.write() as session:
        intake.withdraw(session, site[0], first, now_ms())
        intake.edit(session, site[0], second, "Something else.", now_ms())
    rows = stream.until(lambda state: len(state["rows"]) == 2)["rows"]
    assert rows == {first: {"done": "Withdrawn"}, second: {"done": "Edited; it is being checked again"}}


def test_one_s_own_are_told_apart(listen: Callable[..., Listening], post: Post, store: Store,
                                  person: Moderator) -> None:  # fmt: skip
    item = post()
    with store.write() as session:
        review.claim(session, person, item, now_ms(), 60_000)
        claims.here(session, person, item, now_ms(), 60_000)
    stream = listen(item, since=now_ms())
    assert stream.until(lambda state: True)["rows"][item] == {"has": "yours", "mine": "yes"}
    rule(store, person, item)
    assert stream.until(lambda state: "done" in state["rows"].get(item, {}))["rows"][item]["done"] == "You approved it"


def test_new_comments_and_the_count_are_told_by_filter(listen: Callable[..., Listening], post: Post) -> None:
    since = now_ms()
    here, elsewhere = listen(since=since), listen(since=since, more="&q=nothing-like-it")
    assert here.until(lambda state: True)["count"] == "0"
    post("c1")
    told = here.until(lambda state: state["new"])
    assert (told["count"], told["new"], told["fresh"]) == ("1", 1, "1 new")
    assert elsewhere.until(lambda state: True)["new"] == 0


def test_whom_a_comment_is_assigned_to_is_told(listen: Callable[..., Listening], post: Post, store: Store,
                                               person: Moderator, bob: Moderator) -> None:  # fmt: skip
    item = post()
    stream = listen(since=now_ms() - 1)
    assert stream.until(lambda state: True)["assigned"] is None
    with store.write() as session:
        claims.assign(session, bob, item, person.id)
    told = stream.until(lambda state: state["waiting"])
    assert told["waiting"] == "1 assigned to you"
    assert told["assigned"] == {"id": item, "text": "bob assigned a comment to you."}


def test_whoever_comes_back_is_told_all_that_was_missed(listen: Callable[..., Listening], post: Post, store: Store,
                                                        bob: Moderator) -> None:  # fmt: skip
    item, since = post(), now_ms()
    first = listen(item, since=since)
    first.until(lambda state: True)
    first.close()
    rule(store, bob, item)
    again = listen(item, since=since)
    assert again.until(lambda state: True)["rows"] == {item: {"done": "bob approved it"}}


def test_where_there_is_no_stream_the_same_is_answered_once(ann: Person, app: Flask, post: Post, store: Store,
                                                            bob: Moderator) -> None:  # fmt: skip
    item, since = post(), now_ms()
    rule(store, bob, item)
    hub(app).most = 0
    assert ann.client.get("/review/live").status_code == 204
    answer = ann.client.get(f"/review/live?once=1&see={item}&since={since}")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.json["rows"] == {item: {"done": "bob approved it"}}  # type: ignore[index]
    assert app.test_client().get("/review/live?once=1").status_code == 204


def test_nothing_of_another_site_is_told(listen: Callable[..., Listening], app: Flask, post: Post, store: Store,
                                         person: Moderator) -> None:  # fmt: skip
    from moderation.services import sites

    item = post()
    with store.write() as session:
        other, _ = sites.create_site(session, "other")
        review.claim(session, person, item, now_ms(), 60_000)
    make_moderator(store, other.id, "eve@example.org", Role.ADMIN)
    eve = Person(app.test_client()).sign_in("eve@example.org")
    state = listen(item, client=eve.client).until(lambda state: True)
    assert (state["rows"], state["count"], state["new"]) == ({}, "0", 0)


# --- when streams end, and how many there may be ------------------------------------------------------------------


def test_a_stream_ends_with_the_session(listen: Callable[..., Listening], ann: Person, app: Flask) -> None:
    stream = listen()
    stream.until(lambda state: True)
    ann.send("/logout")
    assert stream.ends()
    assert app.test_client().get("/review/live").status_code == 204
    stream.close()
    until(lambda: not hub(app)._pollers, what="the poller to end")


def test_a_stream_ends_when_its_person_leaves_the_site(listen: Callable[..., Listening], store: Store,
                                                       person: Moderator) -> None:  # fmt: skip
    stream = listen()
    stream.until(lambda state: True)
    with store.write() as session:
        session.delete(session.get_one(Membership, (person.id, person.site_id)))
    assert stream.ends()


def test_listening_and_signs_of_life_are_no_use_of_a_session(
    listen: Callable[..., Listening], ann: Person, store: Store, post: Post
) -> None:
    item, long_ago = post(), now_ms() - 60_000 * 60 * 3
    stream = listen()
    stream.until(lambda state: True)
    with store.write() as session:
        session.execute(update(SignIn).values(seen_at=long_ago))
    ann.send(f"/review/{item}/here")
    assert ann.client.get("/review/live?once=1").status_code == 200
    with store.read() as session:
        assert session.scalars(select(SignIn.seen_at)).all() == [long_ago]
    with store.write() as session:
        session.execute(update(SignIn).values(seen_at=now_ms() - 60_000 * 60 * 5))
    assert stream.ends()
    assert ann.client.get("/review/live?once=1").status_code == 204


def test_streams_end_when_the_process_is_to_end(listen: Callable[..., Listening], app: Flask) -> None:
    stream = listen()
    stream.until(lambda state: True)
    hub(app).alive = lambda: False
    assert stream.ends()
    assert listen().status == 204


def test_streams_leave_half_of_the_threads_and_one_person_has_three(
    listen: Callable[..., Listening], app: Flask, ann: Person, store: Store, site: tuple[str, str]
) -> None:
    assert hub(app).most == 4
    own = [listen() for _ in range(4)]
    assert [stream.status for stream in own] == [200, 200, 200, 204]
    make_moderator(store, site[0], "cid@example.org")
    cid = Person(app.test_client()).sign_in("cid@example.org")
    assert [listen(client=cid.client).status for _ in range(2)] == [200, 204]
    own[0].close()
    assert listen(client=cid.client).status == 200


def test_a_filter_that_can_t_be_is_refused_and_harms_nobody(listen: Callable[..., Listening], ann: Person) -> None:
    assert ann.client.get("/review/live?status=bad").status_code == 422
    for odd in ("since=x", "since=" + "9" * 40, "see=" + ",".join(["x"] * 500), "see=%00", "after=bad"):
        stream = Listening(ann.client, more=f"&{odd}")
        assert stream.status == 200, odd
        stream.until(lambda state: True)
        stream.close()


def test_a_single_look_feeds_all_streams(listen: Callable[..., Listening], app: Flask, post: Post, store: Store,
                                         site: tuple[str, str]) -> None:  # fmt: skip
    item, since = post(), now_ms()
    statements: list[str] = []
    engine = app.extensions["moderation"].store.engine
    people = []
    for name in ("cid", "dot", "eli"):
        make_moderator(store, site[0], f"{name}@example.org")
        people.append(Person(app.test_client()).sign_in(f"{name}@example.org"))
    first = listen(item, client=people[0].client, since=since)
    first.until(lambda state: True)
    poller = hub(app)._pollers[site[0]]
    hub(app).alive = lambda: True
    others = [listen(item, client=one.client, since=since) for one in people[1:]]
    for stream in others:
        stream.until(lambda state: True)
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    streams = list(poller.streams)
    counted = []
    for some in (streams[:1], streams):
        statements.clear()
        poller.pulse(some)
        counted.append(len([s for s in statements if s.startswith("SELECT")]))
    assert len(streams) == 3
    assert counted[1] <= counted[0] + 1


def test_a_database_that_fails_once_ends_no_stream(listen: Callable[..., Listening], app: Flask, post: Post,
                                                   store: Store, bob: Moderator) -> None:  # fmt: skip
    item = post()
    stream = listen(item, since=now_ms())
    stream.until(lambda state: True)
    app.extensions["moderation"].store.engine.dispose()
    rule(store, bob, item)
    assert stream.until(lambda state: state["rows"])["rows"][item]["done"] == "bob approved it"


def test_two_apps_do_not_share_a_hub(settings: Settings, app: Flask) -> None:
    other = create_app(settings)
    assert hub(other) is not hub(app)
    assert threading.active_count() >= 1
    other.extensions["moderation"].store.close()
