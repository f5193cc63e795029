"""Undo as a stack: action by action, a batch as one, over oneself and never over others; what the site hears of it."""

import re
from collections.abc import Callable
from operator import itemgetter
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete

from moderation.domain.lifecycle import Role
from moderation.errors import Conflict, Forbidden, NotFound
from moderation.scoring import Classifier
from moderation.services import assignments, deeds, intake, outbox, review, sites
from moderation.services.accounts import Person as Moderator
from moderation.services.review import Act
from moderation.store.people import Membership
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment, Event
from tests.integration.pages import Person
from tests.integration.receiver import Receiver
from tests.integration.receiver import receiver as receiver  # a fixture
from tests.integration.test_decide import drain, submit
from tests.integration.test_webhooks import GRACE, Hooked
from tests.services import ABUSE, bearer, make_moderator


@pytest.fixture
def items(store: Store, site: tuple[str, str], classifier: Classifier) -> list[str]:
    """Four held comments, oldest first."""
    ids = submit(store, site, *[f"{ABUSE} {n}" for n in range(4)])
    drain(store, classifier)
    return ids


@pytest.fixture
def bob(store: Store, site: tuple[str, str]) -> Moderator:
    return make_moderator(store, site[0], "bob@example.org")


class Desk:
    """What a moderator does, and how it stands."""

    def __init__(self, store: Store, person: Moderator) -> None:
        self.store, self.person = store, person

    def do(self, action: str, *ids: str, reason: str | None = None, versions: dict[str, int] | None = None) -> None:
        with self.store.write() as session:
            review.act(session, self.person, ids, Act(action, reason=reason, versions=versions), now_ms(), GRACE)

    def undo(self, deed: str | None = None) -> list[str]:
        with self.store.write() as session:
            return review.undo(session, self.person, now_ms(), deed)

    def last(self) -> list[deeds.Deed]:
        with self.store.read() as session:
            return deeds.last(session, self.person)

    def states(self) -> list[str]:
        return [deed.state for deed in self.last()]

    def comment(self, id: str) -> Comment:
        with self.store.read() as session:
            return session.get_one(Comment, id)

    def statuses(self, ids: list[str]) -> list[str]:
        return [self.comment(id).status for id in ids]


@pytest.fixture
def desk(store: Store, person: Moderator) -> Desk:
    return Desk(store, person)


def test_undo_goes_back_action_by_action_and_a_batch_is_one(desk: Desk, items: list[str]) -> None:
    desk.do("approve", items[0])
    desk.do("reject", items[1], items[2], reason="insult")
    desk.do("escalate", items[3])
    assert [(deed.action, deed.count) for deed in desk.last()] == [("escalate", 1), ("reject", 2), ("approve", 1)]
    assert desk.undo() == [items[3]]
    assert sorted(desk.undo()) == items[1:3]
    assert desk.statuses(items) == ["approved", "held", "held", "held"]
    assert desk.undo() == [items[0]]
    assert desk.states() == ["undone"] * 3
    with pytest.raises(NotFound):
        desk.undo()


def test_several_actions_on_one_comment_are_undone_one_after_another(desk: Desk, items: list[str]) -> None:
    for action, reason in (("approve", None), ("reject", "spam"), ("approve", None)):
        desk.do(action, items[0], reason=reason)
    assert desk.states() == ["standing", "decided_since", "decided_since"]
    seen = []
    for _ in range(3):
        desk.undo()
        seen.append(desk.comment(items[0]).status)
    assert seen == ["rejected", "approved", "held"]
    assert desk.states() == ["undone"] * 3


def test_done_again_after_an_undo_it_is_undone_again(desk: Desk, items: list[str]) -> None:
    for _ in range(3):
        desk.do("approve", items[0])
        desk.undo()
    assert desk.comment(items[0]).status == "held"
    assert desk.states() == ["undone"] * 3


def test_what_another_decided_since_stands_and_the_one_before_can_be_undone(
    desk: Desk, bob: Moderator, items: list[str]
) -> None:
    desk.do("approve", items[0])
    desk.do("approve", items[1])
    Desk(desk.store, bob).do("reject", items[1], reason="spam")
    with pytest.raises(Conflict) as refused:
        desk.undo()
    assert (refused.value.code, refused.value.extra["by"], refused.value.extra["id"]) == (
        "decided_since",
        "bob",
        items[1],
    )
    newest, before = desk.last()
    assert (newest.state, newest.by, before.state) == ("decided_since", "bob", "standing")
    assert desk.undo(before.id) == [items[0]]
    assert desk.statuses(items[:2]) == ["held", "rejected"]


def test_one_of_a_batch_that_moved_on_keeps_the_whole_batch(desk: Desk, bob: Moderator, items: list[str]) -> None:
    desk.do("approve", *items)
    Desk(desk.store, bob).do("reject", items[2], reason="spam")
    with pytest.raises(Conflict):
        desk.undo()
    (deed,) = desk.last()
    assert (deed.state, deed.comment_id, deed.by) == ("decided_since", items[2], "bob")
    assert desk.statuses(items) == ["approved", "approved", "rejected", "approved"]


def test_an_older_one_waits_for_the_newer(desk: Desk, items: list[str]) -> None:
    desk.do("approve", items[0])
    desk.do("approve", items[1])
    older = desk.last()[1].id
    with pytest.raises(Conflict) as refused:
        desk.undo(older)
    assert refused.value.code == "newer_first"
    desk.undo()
    desk.undo(older)
    with pytest.raises(Conflict) as refused:
        desk.undo(older)
    assert refused.value.code == "undone"
    with pytest.raises(NotFound):
        desk.undo("0" * 32)


def test_edited_and_withdrawn_ones_say_so(desk: Desk, site: tuple[str, str], items: list[str]) -> None:
    desk.do("approve", items[0])
    desk.do("approve", items[1])
    with desk.store.write() as session:
        intake.edit(session, site[0], items[0], "Something else.", now_ms())
        intake.withdraw(session, site[0], items[1], now_ms())
    assert desk.states() == ["withdrawn", "edited"]
    with pytest.raises(Conflict):
        desk.undo()


def test_an_escalated_comment_that_a_senior_decided_waits_for_a_senior_again(
    desk: Desk, store: Store, site: tuple[str, str], items: list[str]
) -> None:
    sue = Desk(store, make_moderator(store, site[0], "sue@example.org", Role.SENIOR))
    desk.do("escalate", items[0])
    sue.do("approve", items[0])
    sue.undo()
    assert (desk.comment(items[0]).status, desk.comment(items[0]).escalated) == ("held", True)
    with pytest.raises(Forbidden):
        desk.do("approve", items[0])


def test_what_was_done_at_another_site_is_not_undone_here(store: Store, desk: Desk, items: list[str]) -> None:
    from moderation.store.people import Membership

    desk.do("approve", items[0])
    with store.write() as session:
        other, _ = sites.create_site(session, "other")
        session.add(Membership(moderator_id=desk.person.id, site_id=other.id, role="moderator", created_at=now_ms()))
    there = Desk(store, Moderator(desk.person.id, other.id, "ann", "ann@example.org", Role.MODERATOR))
    assert there.last() == []
    with pytest.raises(NotFound):
        there.undo()
    assert desk.comment(items[0]).status == "approved"


def test_a_stale_one_stops_a_whole_batch(desk: Desk, bob: Moderator, items: list[str]) -> None:
    versions = {id: desk.comment(id).version for id in items}
    Desk(desk.store, bob).do("approve", items[1])
    with pytest.raises(Conflict) as refused:
        desk.do("reject", *items, reason="spam", versions=versions)
    assert (refused.value.code, refused.value.extra["id"], refused.value.extra["by"]) == (
        "stale_version",
        items[1],
        "bob",
    )
    assert desk.statuses(items) == ["held", "approved", "held", "held"]
    assert desk.last() == []


# --- what the site hears ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [False, True], ids=["one", "batch"])
@pytest.mark.parametrize("late", [False, True], ids=["inside the grace", "after it"])
def test_feed_and_webhook_tell_the_same_of_an_undo(
    store: Store, site: tuple[str, str], receiver: Receiver, classifier: Classifier, person: Moderator, late: bool,
    batch: bool,
) -> None:  # fmt: skip
    hooked, desk = Hooked(store, site, receiver.url, classifier), Desk(store, person)
    ids = hooked.decide(*[f"{ABUSE} {n}" for n in range(3 if batch else 1)])
    desk.do("approve", *ids)
    hooked.publish(later_ms=2 * GRACE if late else 0)
    desk.undo()
    hooked.publish(later_ms=2 * GRACE)
    for _ in ids:
        hooked.deliver()
        hooked.time_passes()
    with store.read() as session:
        feed = outbox.feed_page(session, site[0], "", 100)["events"]
    # The site hears of each comment in order, of several at once.
    by_id = itemgetter("id")
    assert sorted(receiver.events(hooked.secret), key=by_id) == sorted(feed, key=by_id)
    for id in ids:
        told = [event for event in feed if event["data"]["id"] == id]
        types = [event["type"] for event in told]
        assert types == (["comment.held", "comment.approved", "comment.held"] if late else ["comment.held"])
        if late:
            assert told[2]["data"]["reverses"] == told[1]["id"]
            assert told[2]["data"]["decision"]["reasons"] == told[0]["data"]["decision"]["reasons"]


# --- pages and API ------------------------------------------------------------------------------------------------


def ticked(ann: Person) -> list[str]:
    """The values of the list's boxes, as its page gives them."""
    return re.findall(r'name="item" value="([^"]+)"', ann.see("/review?sort=oldest").text)


def test_a_batch_by_a_plain_form_and_its_undo(ann: Person, desk: Desk, items: list[str]) -> None:
    boxes = ticked(ann)
    assert [box.partition(":")[0] for box in boxes] == items
    assert ann.send("/review/batch?sort=oldest", item=boxes[:3], reason="spam").location == "/review?sort=oldest"
    assert "Rejected 3 comments. 1 left." in ann.see("/review?sort=oldest").text
    assert desk.statuses(items) == ["rejected"] * 3 + ["held"]
    assert "Rejected</strong>: Spam" in ann.see("/review/done").text
    ann.send("/review/undo")
    assert desk.statuses(items) == ["held"] * 4
    assert "Undone for 3 comments." in ann.see("/review").text


def test_the_one_that_is_refused_is_named_and_what_was_ticked_stays(
    ann: Person, desk: Desk, bob: Moderator, items: list[str]
) -> None:
    boxes = ticked(ann)
    Desk(desk.store, bob).do("approve", items[1])
    answer = ann.send("/review/batch?status=any", item=boxes[:3], deed="approve")
    assert answer.status_code == 409
    assert "bob approved this comment since you opened it" in answer.text
    assert "Nothing was done to any of them." in answer.text
    assert f'id="item" class="item" aria-labelledby="item-title" data-id="{items[1]}"' in answer.text
    assert len(re.findall(r'name="item" value="[^"]+" form="selection" checked', answer.text)) == 3
    assert desk.statuses(items) == ["held", "approved", "held", "held"]


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"deed": "approve"}, 422, "Tick at least one comment first"),
        ({"item": ["x"], "deed": "approve"}, 404, "There is no such review item"),
        ({"item": ["BOX"], "deed": "delete"}, 422, "Action must be one of"),
        ({"item": ["BOX"], "reason": "because"}, 422, "Reason must be one of"),
        ({"item": ["BOX"], "reason": "other"}, 422, "needs a note"),
    ],
)
def test_a_batch_that_makes_no_sense_says_why(
    ann: Person, desk: Desk, items: list[str], fields: dict[str, Any], status: int, said: str
) -> None:
    box = ticked(ann)[0]
    sent = fields | ({"item": [box if item == "BOX" else item for item in fields["item"]]} if "item" in fields else {})
    answer = ann.send("/review/batch", **sent)
    assert (answer.status_code, said in answer.text) == (status, True)
    assert desk.statuses(items) == ["held"] * 4


def test_several_are_assigned_at_once(ann: Person, desk: Desk, bob: Moderator, items: list[str]) -> None:
    ann.send("/review/batch", item=ticked(ann)[:2], deed="assign", to=bob.id)
    assert [desk.comment(id).assigned_to for id in items] == [bob.id, bob.id, None, None]
    assert "Assigned 2 comments to bob." in ann.see("/review").text
    assert ann.send("/review/batch", item=ticked(ann)[:2], deed="assign", to="nobody").status_code == 422


def test_assignments_are_undone_as_one_and_come_back_with_what_ended_them(
    ann: Person, desk: Desk, bob: Moderator, items: list[str], store: Store
) -> None:
    def assigned() -> list[str | None]:
        return [desk.comment(id).assigned_to for id in items]

    boxes = ticked(ann)
    ann.send(f"/review/{items[0]}/assign", to=desk.person.id)
    ann.send("/review/batch", item=boxes[:3], deed="assign", to=bob.id)
    assert [(deed.action, deed.count, deed.state) for deed in desk.last()] == [
        ("assign", 3, "standing"), ("assign", 1, "decided_since"),
    ]  # fmt: skip
    # What a decision ended comes back with its undo, again and again; the older deed waits for the newer.
    for _ in range(2):
        desk.do("reject", *items[1:4], reason="spam")
        assert assigned() == [bob.id, None, None, None]
        with pytest.raises(Conflict):
            desk.undo(desk.last()[1].id)
        assert sorted(desk.undo()) == items[1:4]
        assert assigned() == [bob.id, bob.id, bob.id, None]
    # One that was decided since stays as it is; the others go back to whom they had been assigned to.
    Desk(store, bob).do("approve", items[2])
    ann.send("/review/undo", deed=next(deed.id for deed in desk.last() if deed.action == "assign"))
    assert assigned() == [desk.person.id, None, None, None]
    assert "Undone for 2 comments." in ann.see("/review").text
    assert [deed.state for deed in desk.last() if deed.action == "assign"] == ["undone", "standing"]
    assert desk.undo() == [items[0]]
    assert assigned() == [None] * 4
    # Whoever has left gets nothing back.
    ann.send(f"/review/{items[3]}/assign", to=bob.id)
    desk.do("approve", items[3])
    with store.write() as session:
        session.execute(delete(Membership).where(Membership.moderator_id == bob.id))
    desk.undo()
    assert assigned() == [None] * 4


def test_a_batch_that_was_not_seen_whole_is_not_undone_by_half(
    ann: Person, desk: Desk, bob: Moderator, items: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    boxes = ticked(ann)
    ann.send("/review/batch", item=boxes[:3], deed="assign", to=bob.id)
    (older,) = desk.last()
    ann.send("/review/batch", item=boxes[2:], deed="assign", to=desk.person.id)
    monkeypatch.setattr(assignments, "_LOOKED_THROUGH", 4)  # of five events
    assert [(deed.action, deed.count) for deed in desk.last()] == [("assign", 2)]
    assert sorted(desk.undo()) == items[2:]
    with pytest.raises(NotFound):
        desk.undo(older.id)
    assert [desk.comment(id).assigned_to for id in items] == [bob.id, bob.id, bob.id, None]


def test_another_sites_items_stop_a_batch(ann: Person, desk: Desk, store: Store, classifier: Classifier,
                                          items: list[str]) -> None:  # fmt: skip
    with store.write() as session:
        other, key = sites.create_site(session, "other")
    (foreign,) = submit(store, (other.id, key), ABUSE, prefix="f")
    drain(store, classifier)
    assert ann.send("/review/batch", item=[*ticked(ann), foreign], deed="approve").status_code == 404
    assert desk.statuses([*items, foreign]) == ["held"] * 5


def test_the_script_is_told_what_to_say_and_who_was_first(ann: Person, desk: Desk, bob: Moderator,
                                                          items: list[str]) -> None:  # fmt: skip
    def post(path: str, **fields: Any) -> tuple[int, Any]:
        data = {"csrf_token": ann.token, **fields}
        answer = ann.client.post(path, data=data, headers={"Accept": "application/json"})
        return answer.status_code, answer.json

    status, told = post(f"/review/{items[0]}/approve", version=desk.comment(items[0]).version)
    assert (status, told["said"], told["left"]) == (200, "Approved.", 3)
    status, told = post(f"/review/{items[0]}/reject", version=1, reason="spam")
    assert (status, told["code"], told["id"]) == (409, "stale_version", items[0])
    assert "You approved this comment since you opened it." in told["detail"]
    desk.do("approve", items[1])
    Desk(desk.store, bob).do("reject", items[1], reason="spam")
    status, told = post("/review/undo")
    assert (status, told["id"]) == (409, items[1])
    assert post("/review/undo", deed=told["before"])[1]["undone"] == [items[0]]


def test_the_same_by_the_api(client: FlaskClient, desk: Desk, bob: Moderator, items: list[str]) -> None:
    answer = client.post("/v1/auth/tokens", json={"email": "ann@example.org", "password": "correct horse battery"})
    headers = bearer(answer.json["token"])  # type: ignore[index]
    versions = {id: desk.comment(id).version for id in items}
    body: dict[str, Any] = {"item_ids": items, "action": "approve", "versions": versions | {items[3]: 0}}
    refused = client.post("/v1/review/actions", json=body, headers=headers)
    assert (refused.status_code, refused.json["id"]) == (409, items[3])  # type: ignore[index]
    assert client.post("/v1/review/actions", json=body | {"versions": versions}, headers=headers).json == {"done": 4}
    (action,) = client.get("/v1/review/actions", headers=headers).json["actions"]  # type: ignore[index]
    assert (action["action"], action["items"], action["state"], action["by"]) == ("approve", 4, "standing", None)
    undone = client.post(f"/v1/review/undo?action={action['id']}", headers=headers).json
    assert sorted(undone["undone"]) == sorted(items)  # type: ignore[index]
    assert client.post(f"/v1/review/undo?action={action['id']}", headers=headers).json["code"] == "undone"  # type: ignore[index]


def test_a_note_for_colleagues_never_becomes_one_for_the_author(ann: Person, desk: Desk, items: list[str]) -> None:
    from moderation.services import notes
    from moderation.store.tables import Decision

    version = desk.comment(items[0]).version
    fields = {"version": version, "reason": "other", "note": "again this one"}
    assert ann.send(f"/review/{items[0]}/reject", **fields).status_code == 422
    answer = ann.send(f"/review/{items[0]}/reject", **fields, other_note="It names a pupil.")
    assert answer.status_code == 303
    with desk.store.read() as session:
        comment = session.get_one(Comment, items[0])
        assert session.get_one(Decision, comment.decision_id).note == "It names a pupil."
        assert [written.note.text for written in notes.about(session, comment)] == ["again this one"]


# --- any walk -----------------------------------------------------------------------------------------------------


def walk_of(store: Store, site: tuple[str, str], classifier: Classifier) -> type:
    """Two moderators decide on three comments, one or more at a time, and undo; a model keeps count of it."""

    class Walk(RuleBasedStateMachine):
        counter = 0

        def __init__(self) -> None:
            super().__init__()
            type(self).counter += 1
            people = [make_moderator(store, site[0], f"{name}{self.counter}@example.org") for name in ("ann", "bob")]
            self.desks = [Desk(store, person) for person in people]
            self.ids = submit(store, site, ABUSE, ABUSE, ABUSE, prefix=f"w{self.counter}-")
            drain(store, classifier)
            self.now = dict.fromkeys(self.ids, "held")
            # Each comment's layers: (who, deed number, status); an undo takes the top one off.
            self.layers: dict[str, list[tuple[int, int, str]]] = {id: [] for id in self.ids}
            self.done: list[list[tuple[int, list[str]]]] = [[], []]
            self.number = 0

        @rule(
            who=st.integers(0, 1),
            action=st.sampled_from(["approve", "reject"]),
            which=st.sets(st.integers(0, 2), min_size=1),
        )
        def act(self, who: int, action: str, which: set[int]) -> None:
            ids = [self.ids[n] for n in sorted(which)]
            self.desks[who].do(action, *ids, reason="spam" if action == "reject" else None)
            self.number += 1
            for id in ids:
                self.layers[id].append((who, self.number, "approved" if action == "approve" else "rejected"))
            self.done[who].append((self.number, ids))

        @rule(who=st.integers(0, 1))
        def undo(self, who: int) -> None:
            if not self.done[who]:
                with pytest.raises(NotFound):
                    self.desks[who].undo()
                return
            number, ids = self.done[who][-1]
            if any(self.layers[id][-1][1] != number for id in ids):
                with pytest.raises(Conflict):
                    self.desks[who].undo()
                return
            assert sorted(self.desks[who].undo()) == sorted(ids)
            self.done[who].pop()
            for id in ids:
                self.layers[id].pop()

        @rule(late=st.booleans())
        def publish(self, late: bool) -> None:
            with store.write() as session:
                outbox.publish(session, now_ms() + (2 * GRACE if late else 0))

        @invariant()
        def what_stands_is_the_top_of_each_stack(self) -> None:
            for id in self.ids:
                assert self.desks[0].comment(id).status == (self.layers[id][-1][2] if self.layers[id] else "held")

        @invariant()
        def what_the_list_says_can_be_undone_is_so(self) -> None:
            for who, desk in enumerate(self.desks):
                standing = [deed for deed in desk.last() if deed.state == "standing"]
                free = [ids for number, ids in self.done[who] if all(self.layers[id][-1][1] == number for id in ids)]
                assert [deed.count for deed in standing] == [len(ids) for ids in reversed(free)][:10]

        @invariant()
        def the_site_ends_up_with_what_stands(self) -> None:
            with store.read() as session:
                for id in self.ids:
                    events = list(session.query(Event).where(Event.comment_id == id).order_by(Event.id))
                    assert events[-1].data["status"] == self.desks[0].comment(id).status

    return Walk


def test_any_walk_of_actions_batches_and_undos(store: Store, site: tuple[str, str], classifier: Classifier) -> None:
    walks: Callable[..., None] = run_state_machine_as_test
    walks(
        walk_of(store, site, classifier),
        settings=settings(
            max_examples=8, stateful_step_count=15, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
