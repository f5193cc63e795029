"""Whole lifetimes: any walk of submits, edits, rulings, undos, reports, appeals, kills and failures keeps the books.

Two narrower walks stand elsewhere: one comment in depth (test_lifecycle), who may undo what (test_deeds).
`STATEFUL_EXAMPLES` walks further; the number in CI is small.
"""

import os
from collections.abc import Callable
from contextlib import suppress

from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from moderation.domain.lifecycle import ACTIONS, Status
from moderation.errors import Conflict, Invalid, NotFound
from moderation.scoring import Classifier
from moderation.services import appeals
from moderation.services.leases import ENOUGH
from moderation.store.session import Store, now_ms
from moderation.store.tables import Decision
from moderation.store.voices import Appeal
from tests.integration.lifetimes import FINE, GRACE_MS, POLICIES, RUDE, Killed, Told, World
from tests.integration.receiver import Receiver
from tests.integration.receiver import receiver as receiver  # a fixture

EXAMPLES = int(os.environ.get("STATEFUL_EXAMPLES", "14"))
STATUS = {"approve": "approved", "hold": "held", "reject": "rejected"}
NUMBERS = st.integers(0, 3)
BODIES = st.sampled_from([FINE, RUDE])
WHO = st.integers(0, 1)


class _Dying:
    """A scorer whose process is killed when it has scored."""

    name, version, attributes = "dying", "1", ("INSULT",)

    def score(self, _texts: object) -> list[dict[str, float]]:
        raise Killed

    def explain(self, _text: str, _attribute: str) -> list[object]:
        return []


DYING = Classifier("dying@1", _Dying())  # type: ignore[arg-type]
NO_SCORER = Classifier("linear", None, "a file is missing")


def machine(begin: Callable[[], World]) -> type:
    """Each walk has a site of its own, in the same database."""

    class Walk(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.world = begin()
            self.comments = self.world.comments
            self.dead: list[str] = []

        @initialize(bodies=st.lists(BODIES, min_size=2, max_size=4), decided=st.booleans())
        def begin(self, bodies: list[str], decided: bool) -> None:
            for number, body in enumerate(bodies):
                self.submit(number, body)
            if decided:
                self.drain(scored=True)

        # The site.

        @rule(number=NUMBERS, body=BODIES)
        def submit(self, number: int, body: str) -> None:
            status, said = self.world.call("POST", "/v1/comments", self.world.submitted(number, body))
            told = self.comments.get(number)
            if told is None:
                assert status == 202
                self.comments[number] = Told(said["id"], body)
            else:
                assert status == (200 if told.body == body else 409)
                assert said["id"] == told.id

        @rule(numbers=st.sets(NUMBERS, min_size=2), body=BODIES)
        def submit_batch(self, numbers: set[int], body: str) -> None:
            sent = [self.world.submitted(number, body) for number in sorted(numbers)]
            status, said = self.world.call("POST", "/v1/comments/batch", {"comments": sent})
            assert status == 200
            for number, result in zip(sorted(numbers), said["results"], strict=True):
                told = self.comments.setdefault(number, Told(result["id"], body))
                assert ("error" in result) == (told.body != body)

        @rule(number=NUMBERS, body=BODIES)
        def edit(self, number: int, body: str) -> None:
            if told := self.comments.get(number):
                status, _ = self.world.call("PUT", f"/v1/comments/{told.id}", {"body": body})
                assert status == (409 if told.status == "withdrawn" else 202)
                if status == 202:
                    told.body, told.revision = body, told.revision + 1
                    told.anew()

        @rule(number=NUMBERS, often=st.integers(0, 2))
        def withdraw(self, number: int, often: int) -> None:
            if (told := self.comments.get(number)) and not often:  # it is final, so it comes seldom
                assert self.world.call("DELETE", f"/v1/comments/{told.id}")[0] == 200
                told.status, told.leased, told.holder, told.escalated = "withdrawn", None, None, False

        @rule(number=NUMBERS, action=st.sampled_from(sorted(STATUS)))
        def the_site_decides(self, number: int, action: str) -> None:
            if told := self.comments.get(number):
                status, _ = self.world.call("POST", f"/v1/comments/{told.id}/site-decision", {"action": action})
                assert status == (409 if told.status == "withdrawn" else 200)
                if status == 200:
                    self.stands(told, STATUS[action])

        @rule(policy=st.sampled_from(sorted(POLICIES)))
        def change_the_policy(self, policy: str) -> None:
            self.world.apply(policy)

        # Workers.

        @rule(scored=st.sampled_from([True, True, True, False]))
        def drain(self, scored: bool) -> None:
            free = self.free()
            self.world.drain(self.world.classifier if scored else NO_SCORER, self.world.worker())
            for told, deaths in free:
                self.verdict(told, scored and deaths < ENOUGH)

        @rule(late=st.booleans())
        def a_worker_is_killed(self, late: bool) -> None:
            """After it has scored, or when all is written and not committed."""
            owner = self.world.worker()
            if late:
                self.world.drain_killed_before_commit(owner)
            else:
                with suppress(Killed):
                    self.world.drain(DYING, owner)
            self.dead.append(owner)
            for told in [told for told in self.comments.values() if told.status == "pending"]:
                row = self.world.row(told)
                if row.status != Status.PENDING:  # those with which too many have died need no scoring
                    self.verdict(told, scored=False)
                elif row.lease_owner == owner:
                    told.leased = owner

        @rule()
        def a_worker_starts(self) -> None:
            self.a_worker_takes(self.world.worker())

        def a_worker_takes(self, owner: str) -> None:
            if taken := self.world.lease(owner):
                self.world.in_hand[owner] = taken
                for told in self.comments.values():
                    if told.id in {one.comment.id for one in taken}:
                        told.leased = owner

        @rule()
        def a_worker_is_too_slow(self) -> None:
            """Its leases run out, another takes the comments, and then it writes."""
            slow = self.world.worker()
            self.a_worker_takes(slow)
            self.world.free_leases(None)
            self.a_worker_takes(self.world.worker())
            self.a_worker_writes(slow)

        @precondition(lambda self: self.world.in_hand)
        @rule()
        def a_worker_goes_on(self) -> None:
            self.a_worker_writes(next(iter(self.world.in_hand)))

        def a_worker_writes(self, owner: str) -> None:
            """What was edited, decided or taken by another since is not touched."""
            scored = self.world.in_hand.pop(owner, [])
            by_id = {told.id: told for told in self.comments.values()}
            mine = [by_id[one.comment.id] for one in scored
                    if by_id[one.comment.id].leased == owner
                    and by_id[one.comment.id].revision == one.comment.revision]  # fmt: skip
            judged = {one.comment.id: one.judged is not None for one in scored}
            assert self.world.write(owner, scored) == len(mine)
            for told in mine:
                self.verdict(told, judged[told.id])

        @rule(run_out=st.booleans())
        def sweep(self, run_out: bool) -> None:
            """Leases end: by time, all of them; with their workers, those of the dead."""
            self.world.free_leases(None if run_out else self.dead)
            for told in self.comments.values():
                if not run_out and told.leased in self.dead:
                    told.leased = None
            self.world.rescore()
            for told in self.comments.values():
                if told.status == "held" and self.world.row(told).status == Status.PENDING:
                    assert len(told.stack) == 1  # a verdict without scores, and nobody has looked since
                    told.anew()

        # Moderators.

        @rule(number=NUMBERS, who=WHO, give_back=st.booleans())
        def claim(self, number: int, who: int, give_back: bool) -> None:
            if told := self.comments.get(number):
                verb = "release" if give_back else "claim"
                status, _ = self.world.call("POST", f"/v1/review/items/{told.id}/{verb}", who=who)
                assert status == (409 if told.holder == 1 - who else 200)
                if status == 200:
                    told.holder = None if give_back else who

        @rule(number=NUMBERS, who=WHO, action=st.sampled_from(sorted(ACTIONS)), stale=st.booleans())
        def decide(self, number: int, who: int, action: str, stale: bool) -> None:
            if told := self.comments.get(number):
                wanted = {"action": action, "version": self.world.row(told).version - stale, "reason": "insult"}
                status, _ = self.world.call("POST", f"/v1/review/items/{told.id}/actions", wanted, who)
                assert (status == 200) == (not stale and self.may(told, who, action))
                if status == 200:
                    self.stands(told, STATUS.get(action, "held"), escalated=action == "escalate")

        @rule(numbers=st.sets(NUMBERS, min_size=2), who=WHO, action=st.sampled_from(["approve", "reject"]))
        def decide_batch(self, numbers: set[int], who: int, action: str) -> None:
            chosen = [told for number in sorted(numbers) if (told := self.comments.get(number))]
            if chosen:
                wanted = {"item_ids": [told.id for told in chosen], "action": action, "reason": "spam"}
                status, _ = self.world.call("POST", "/v1/review/actions", wanted, who)
                assert (status == 200) == all(self.may(told, who, action) for told in chosen)  # all or none
                for told in chosen if status == 200 else ():
                    self.stands(told, STATUS[action])

        @rule(who=WHO)
        def undo(self, who: int) -> None:
            status, said = self.world.call("POST", "/v1/review/undo", who=who)
            assert status in (200, 404, 409)
            for told in self.comments.values():
                if status == 200 and told.id in said["undone"]:
                    with_it, _, _ = told.stack.pop()  # it was what stood, and what stood before stands again
                    assert self.decision(with_it).actor == self.world.people[who][0].id
                    _, told.status, told.escalated = told.stack[-1]
                    told.holder = None

        # Readers and authors.

        @rule(number=NUMBERS, reader=st.integers(0, 3))
        def report(self, number: int, reader: int) -> None:
            if told := self.comments.get(number):
                wanted = {"reason": "insult", "reporter": {"id": f"r{reader}"}}
                status, _ = self.world.call("POST", f"/v1/comments/{told.id}/reports", wanted)
                assert status in (200, 202) if told.status in ("pending", "held", "approved") else status in (200, 409)
                if told.status == "approved" and self.world.row(told).status == Status.HELD:  # they weigh enough
                    self.stands(told, "held")

        @rule(number=NUMBERS)
        def appeal(self, number: int) -> None:
            if (told := self.comments.get(number)) and told.stack:
                with suppress(Conflict, NotFound, Invalid), self.world.store.write() as session:
                    appeals.file(session, told.stack[-1][0], "Why?", now_ms())
                    assert told.status == "rejected"

        @rule(who=WHO, outcome=st.sampled_from(["uphold", "overturn"]))
        def decide_an_appeal(self, who: int, outcome: str) -> None:
            with self.world.store.read() as session:
                mine = Appeal.site_id == self.world.site_id
                waiting = session.scalars(select(Appeal).where(mine, Appeal.outcome.is_(None)).order_by(Appeal.id))
                found = waiting.first()
            if found:
                wanted = {"outcome": outcome, "answer": "So it is."}
                status, _ = self.world.call("POST", f"/v1/review/appeals/{found.id}", wanted, who)
                assert status in (200, 403)
                if status == 200 and outcome == "overturn":
                    (told,) = (told for told in self.comments.values() if told.id == found.comment_id)
                    assert told.status == "rejected"
                    self.stands(told, "approved")

        # Out.

        @rule(late=st.booleans())
        def publish(self, late: bool) -> None:
            self.world.publish(2 * GRACE_MS if late else 0)

        @rule(answers=st.lists(st.sampled_from([204, 500, 302]), max_size=4))
        def deliver(self, answers: list[int]) -> None:
            self.world.deliver(answers)

        @rule()
        def seal(self) -> None:
            self.world.seal()

        @invariant()
        def the_books_are_right(self) -> None:
            self.world.check()

        def teardown(self) -> None:
            self.world.free_leases(None)
            self.drain(scored=True)
            self.world.check_the_end()

        # The model.

        def free(self) -> list[tuple[Told, int]]:
            """Comments that a worker may take, and with how many workers each has died."""
            rows = [(told, self.world.row(told)) for told in self.comments.values() if told.status == "pending"]
            return [(told, row.deaths + (row.lease_owner is not None)) for told, row in rows
                    if row.lease_until is None or row.lease_until < now_ms()]  # fmt: skip

        def verdict(self, told: Told, scored: bool) -> None:
            """The policy has decided; a text that reports had held before does not go live by being edited."""
            expected, row = self.world.verdict(told.body, scored), self.world.row(told)
            if expected == "approved" and told.revision > 1 and row.status == Status.HELD:
                assert self.decision(str(row.decision_id)).signals[-1]["rule"] == "reported"
                expected = "held"
            if told.revision in told.verdicts:
                told.rescored += 1
            told.verdicts.add(told.revision)
            told.decided(expected, str(row.decision_id))

        def stands(self, told: Told, status: str, escalated: bool = False) -> None:
            told.decided(status, str(self.world.row(told).decision_id), escalated)

        def may(self, told: Told, who: int, action: str) -> bool:
            return (
                Status(told.status) in ACTIONS[action].starts_from
                and told.holder != 1 - who
                and not (told.escalated and who == 0)
            )

        def decision(self, id: str) -> Decision:
            with self.world.store.read() as session:
                return session.get_one(Decision, id)

    return Walk


def test_any_walk_through_whole_lifetimes(app: Flask, store: Store, classifier: Classifier, receiver: Receiver) -> None:
    walks: Callable[..., None] = run_state_machine_as_test
    walks(
        machine(lambda: World(app, store, classifier, receiver)),
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=40, deadline=None, derandomize=True, database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
