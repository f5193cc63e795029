"""Random walks through a comment's life: whatever happens, each decision is made once and told once."""

from collections.abc import Callable

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select

from moderation.domain.lifecycle import ACTIONS, DECIDED, STATUS_AFTER, Outcome, Role, Source, Status
from moderation.errors import Conflict, Forbidden, NotFound
from moderation.scoring import Classifier
from moderation.services import decide, intake, outbox, rescore, review
from moderation.services.intake import NewComment
from moderation.store.audit import AuditEvent
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment, Decision, Event
from tests.services import ABUSE, make_moderator

GRACE = 3_600_000


def machine(store: Store, site_id: str, classifier: Classifier) -> type:
    """A state machine on this store; each run has a fresh comment (`self.id`) and two moderators."""

    class Life(RuleBasedStateMachine):
        counter = 0

        def __init__(self) -> None:
            super().__init__()
            type(self).counter += 1
            comment = NewComment(
                f"life-{self.counter}", ABUSE, "plain", "Ann", "a@b.example", None, None, "https://n/a"
            )
            self.people = [
                make_moderator(store, site_id, f"ann{self.counter}@example.org"),
                make_moderator(store, site_id, f"bob{self.counter}@example.org", Role.SENIOR),
            ]
            with store.write() as session:
                self.id = intake.submit(session, site_id, [comment], now_ms())[0].id
            self.seen = self.comment()

        def comment(self) -> Comment:
            with store.read() as session:
                return session.get_one(Comment, self.id)

        @rule()
        def decide(self) -> None:
            decide.drain(store, classifier, "w", lease_ms=30_000, until=lambda: False, after_batch=lambda: None)
            assert self.comment().status != Status.PENDING

        @rule()
        def outage(self) -> None:
            none = Classifier("linear", None, "a file is missing")
            decide.drain(store, none, "w", lease_ms=30_000, until=lambda: False, after_batch=lambda: None)
            assert self.comment().status not in (Status.PENDING, Status.APPROVED) or self.seen.status != Status.PENDING

        @rule()
        def rescore(self) -> None:
            before = self.comment()
            with store.write() as session:
                rescore.rescore(session, now_ms())
                standing = session.get(Decision, before.decision_id) if before.decision_id else None
            if self.comment().version != before.version:
                assert before.status == Status.HELD
                assert standing is not None
                assert (standing.source, standing.scorer) == (Source.POLICY, None)
                assert self.comment().status == Status.PENDING

        @rule(text=st.sampled_from(["Fine.", ABUSE]))
        def edit(self, text: str) -> None:
            before = self.comment()
            try:
                with store.write() as session:
                    intake.edit(session, site_id, self.id, text, now_ms())
            except Conflict:
                assert before.status == Status.WITHDRAWN
            else:
                assert self.comment().revision == before.revision + 1

        @rule(outcome=st.sampled_from(Outcome))
        def the_site_decides(self, outcome: Outcome) -> None:
            before = self.comment()
            try:
                with store.write() as session:
                    intake.site_decision(session, site_id, self.id, outcome, "Eve", None, now_ms())
            except Conflict:
                assert before.status == Status.WITHDRAWN
            else:
                assert self.comment().status == STATUS_AFTER[outcome]

        @rule(who=st.integers(0, 1), action=st.sampled_from(sorted(ACTIONS)), stale=st.booleans())
        def rule_on_it(self, who: int, action: str, stale: bool) -> None:
            before = self.comment()
            version = before.version - 1 if stale else before.version
            reason = "insult" if ACTIONS[action].needs_reason else None
            try:
                with store.write() as session:
                    wanted = review.Act(action, version, reason)
                    review.act(session, self.people[who], [self.id], wanted, now_ms(), GRACE)
            except (Conflict, Forbidden):
                claimed = before.claimed_by not in (None, self.people[who].id)
                barred = before.escalated and self.people[who].role is Role.MODERATOR
                assert stale or claimed or barred or before.status not in ACTIONS[action].starts_from
            else:
                assert not stale
                after = self.comment()
                assert after.version == before.version + 1
                assert after.status == (
                    before.status if action == "escalate" else STATUS_AFTER[ACTIONS[action].outcome]
                )  # type: ignore[index]

        @rule(who=st.integers(0, 1))
        def claim(self, who: int) -> None:
            before = self.comment()
            try:
                with store.write() as session:
                    review.claim(session, self.people[who], self.id, now_ms(), GRACE)
            except Conflict:
                assert before.claimed_by not in (None, self.people[who].id)

        @rule(who=st.integers(0, 1))
        def undo(self, who: int) -> None:
            before = self.comment()
            try:
                with store.write() as session:
                    undone = review.undo(session, self.people[who], now_ms())
            except (Conflict, NotFound):
                assert self.comment().version == before.version
            else:
                if self.id in undone:
                    with store.read() as session:
                        undoing = session.get_one(Decision, self.comment().decision_id)
                        last = session.get_one(Decision, undoing.undoes)
                        assert (undoing.actor, last.actor) == (self.people[who].id,) * 2
                        assert before.status == STATUS_AFTER[Outcome(last.action)]
                        restored = session.get_one(Decision, last.replaces)
                    assert self.comment().status == STATUS_AFTER[Outcome(restored.action)]

        @rule()
        def publish(self) -> None:
            with store.write() as session:
                outbox.publish(session, now_ms())

        @rule(often=st.integers(0, 9))
        def withdraw(self, often: int) -> None:
            if often:  # final, so it comes seldom
                return
            with store.write() as session:
                intake.withdraw(session, site_id, self.id, now_ms())

        @invariant()
        def each_decision_once(self) -> None:
            with store.read() as session:
                comment = session.get_one(Comment, self.id)
                decisions = session.scalars(select(Decision).where(Decision.comment_id == self.id)).all()
                verdicts = [d for d in decisions if d.source == Source.POLICY]
                first = [d.revision for d in verdicts if d.replaces is None]
                again = [d.replaces for d in verdicts if d.replaces is not None]
                assert len(first) == len(set(first))
                assert len(again) == len(set(again))
                unscored = {d.id for d in verdicts if d.scorer is None}
                assert set(again) <= unscored
                undecided = comment.status == Status.PENDING or not decisions
                assert comment.decision_id is None or not undecided or comment.decision_id in unscored
                assert comment.decision_id is not None or undecided
                if comment.status in DECIDED:
                    assert (
                        STATUS_AFTER[Outcome(session.get_one(Decision, comment.decision_id).action)] == comment.status
                    )
                told = session.scalars(select(Event.decision_id).where(Event.comment_id == self.id)).all()
                assert len(told) == len(set(told))
                audited = session.scalar(
                    select(func.count()).select_from(AuditEvent).where(AuditEvent.subject_id == self.id)
                )
                assert (audited or 0) >= len(decisions) + 1
                if self.seen.status == Status.WITHDRAWN:
                    assert comment.status == Status.WITHDRAWN
                self.seen = comment

    return Life


def test_any_walk(store: Store, site: tuple[str, str], classifier: Classifier) -> None:
    walks: Callable[..., None] = run_state_machine_as_test
    walks(
        machine(store, site[0], classifier),
        settings=settings(
            max_examples=12, stateful_step_count=20, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
