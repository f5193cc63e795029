"""A site with its people and workers for walks through whole lifetimes, and the model of what must be."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, cast

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select, update
from sqlalchemy.orm import Session

from moderation.config import Settings
from moderation.domain import chain
from moderation.domain.lifecycle import Role
from moderation.scoring import Classifier
from moderation.services import accounts, audit_chain, decide, deliveries, leases, outbox, policies, rescore, sites
from moderation.services.accounts import Person
from moderation.services.decide import Scored
from moderation.store.audit import AuditEvent
from moderation.store.session import Store, new_id, now_ms
from moderation.store.tables import Comment, Decision, Delivery, Event, Feed
from tests.integration.receiver import Receiver
from tests.services import a_comment, bearer, make_moderator

SECRET = "k" * 32
ARTICLE = "https://news.example/a"
GRACE_MS = 3_600_000  # longer than any walk, so that time passes only when a walk says so
LEASE_MS = 3_600_000

# What the policies of a walk look for, and what each of them then says.
FINE, RUDE = "A calm day, thank you.", "A calm day with snark in it."
POLICIES = {"holds": "held", "rejects": "rejected", "lets all through": "approved"}
_RULES = {
    "holds": [{"name": "house", "kind": "words", "words": ["snark"], "action": "hold"}],
    "rejects": [{"name": "house", "kind": "words", "words": ["snark"], "action": "reject"}],
    "lets all through": [],
}


class Killed(BaseException):
    """Stands where a process would be gone: nothing of ours catches it."""


@dataclass
class Told:
    """What a comment must be. `stack` holds what is in force: (decision's id, status, escalated), the newest last."""

    id: str
    body: str
    status: str = "pending"
    revision: int = 1
    verdicts: set[int] = field(default_factory=set)
    rescored: int = 0
    leased: str | None = None
    holder: int | None = None
    escalated: bool = False
    stack: list[tuple[str, str, bool]] = field(default_factory=list)

    def decided(self, status: str, decision: str, escalated: bool = False) -> None:
        """A further decision stands."""
        self.status, self.leased, self.holder, self.escalated = status, None, None, escalated
        self.stack.append((decision, status, escalated))

    def anew(self) -> None:
        """Back to the policy."""
        self.status, self.leased, self.holder, self.escalated, self.stack = "pending", None, None, False, []


class World:
    """One site, reached by HTTP where there is a way, with two moderators (the second a senior) and a webhook."""

    def __init__(self, app: Flask, store: Store, classifier: Classifier, receiver: Receiver) -> None:
        self.app, self.store, self.classifier, self.receiver = app, store, classifier, receiver
        receiver.answers.clear()
        receiver.got.clear()
        with store.write() as session:
            site, self.key = sites.create_site(session, f"walk {new_id()}")
            self.site_id = site.id
            self.secret = sites.set_webhook(session, site, receiver.url) or ""
        self.people = [self._moderator(role) for role in (Role.MODERATOR, Role.SENIOR)]
        self.comments: dict[int, Told] = {}
        self.in_hand: dict[str, list[Scored]] = {}
        self.workers = 0
        self.cursor, self.feed = "", list[dict[str, Any]]()
        self.policy = ""
        self.apply("holds")
        self._leave_nothing_else()

    def _leave_nothing_else(self) -> None:
        """What a walk that failed left behind is no work for this one."""
        self.publish(2 * GRACE_MS)
        with self.store.write() as session:
            session.execute(update(Comment).where(Comment.status == "pending").values(status="withdrawn"))
            session.execute(update(Delivery).values(next_at=None))

    def _moderator(self, role: Role) -> tuple[Person, dict[str, str]]:
        person = make_moderator(self.store, self.site_id, f"{new_id()}@example.org", role)
        with self.store.write() as session:
            return person, bearer(accounts.sign_in(session, person, 1.0, "token")[0])

    @property
    def client(self) -> FlaskClient:
        """Without cookies, as programs are."""
        return self.app.test_client(use_cookies=False)

    def call(self, method: str, path: str, body: Any = None, who: int | None = None) -> tuple[int, Any]:
        """(status, JSON) of a request by the site, or by one of its moderators. No request may break anything."""
        headers = bearer(self.key) if who is None else self.people[who][1]
        answer = self.client.open(path, method=method, json=body, headers=headers)
        assert answer.status_code < 500, answer.text
        return answer.status_code, answer.json

    def submitted(self, number: int, body: str) -> dict[str, Any]:
        """A comment as the site sends it."""
        return a_comment(f"n{number}", body)

    def apply(self, policy: str) -> None:
        """From now on this policy decides."""
        self.policy = policy
        with self.store.write() as session:
            policies.apply(session, self.site_id, policies.parse(repr({"rules": _RULES[policy]})))

    def verdict(self, body: str, scored: bool = True) -> str:
        """What the policy in force says."""
        return "held" if not scored else POLICIES[self.policy] if body == RUDE else "approved"

    def worker(self) -> str:
        """A worker that has not been there before."""
        self.workers += 1
        return f"{self.site_id}:{self.workers}"

    def drain(self, classifier: Classifier, owner: str) -> None:
        """What a worker does with all that is free."""
        decide.drain(self.store, classifier, owner, lease_ms=LEASE_MS, until=lambda: False, after_batch=lambda: None)

    def drain_killed_before_commit(self, owner: str) -> None:
        """The worker dies when its decisions are written and not yet committed."""

        def die(session: Session) -> None:
            if session.info.get("decided"):
                raise Killed

        event.listen(Session, "before_commit", die)
        try:
            self.drain(self.classifier, owner)
        except Killed:
            pass
        finally:
            event.remove(Session, "before_commit", die)

    def lease(self, owner: str) -> list[Scored]:
        """A worker takes and scores, and has not written yet."""
        with self.store.write() as session:
            taken = leases.lease(session, owner, now_ms(), LEASE_MS)
        return decide.score_in_halves(self.classifier, taken) if taken else []

    def write(self, owner: str, scored: list[Scored]) -> int:
        """The same worker writes; returns how many it decided."""
        return decide.decide_scored(self.store, self.classifier, owner, scored)

    def free_leases(self, owners: list[str] | None) -> None:
        """The sweep finds these workers gone; without any named, the leases run out."""
        with self.store.write() as session:
            if owners is None:
                session.execute(update(Comment).where(Comment.lease_until.is_not(None)).values(lease_until=1))
            elif owners:
                leases.give_back(session, owners)

    def rescore(self) -> None:
        """The sweep of a worker whose scorer works."""
        with self.store.write() as session:
            rescore.rescore(session, now_ms())

    def publish(self, later_ms: int = 0) -> None:
        """Events get their places."""
        with self.store.write() as session:
            outbox.publish(session, now_ms() + later_ms)

    def deliver(self, answers: list[int]) -> None:
        """All tries that are ahead come due, and the receiver answers like this."""
        with self.store.write() as session:
            session.execute(update(Delivery).where(Delivery.next_at.is_not(None)).values(next_at=1))
        self.receiver.answers[:] = answers
        deliveries.deliver_due(self.store, Settings(webhook_allow_private=True, webhook_timeout_seconds=60))
        self.receiver.answers.clear()

    def seal(self) -> None:
        """Audit events are sealed, and the whole chain holds."""
        audit_chain.seal_waiting(self.store, chain.keys(SECRET), until=lambda: False)
        found = audit_chain.verify(self.store, chain.keys(SECRET))
        assert found.broken is None, found.broken

    def row(self, told: Told) -> Comment:
        """The comment as it is kept."""
        with self.store.read() as session:
            return session.get_one(Comment, told.id)

    # What must hold at any moment.

    def check(self) -> None:
        """Everything at once, in one look at the database."""
        with self.store.read() as session:
            rows = {c.id: c for c in session.scalars(select(Comment).where(Comment.site_id == self.site_id))}
            decisions = session.scalars(
                select(Decision).where(Decision.site_id == self.site_id).order_by(Decision.id)
            ).all()
            events = session.scalars(select(Event).where(Event.site_id == self.site_id).order_by(Event.id)).all()
            audited = session.scalars(select(AuditEvent).where(AuditEvent.site_id == self.site_id)).all()
            self._places(session)
        self._comments(rows)
        self._verdicts(decisions)
        self._events(decisions, events)
        self._audited(decisions, audited)
        self._seen_from_outside()

    def _places(self, session: Session) -> None:
        last = session.get_one(Feed, 1).last_position
        first, newest, number = session.execute(
            select(func.min(Event.position), func.max(Event.position), func.count(Event.position))
        ).one()
        assert (first or 0, newest or 0, number) == (min(1, last), last, last)  # dense: no gap, nothing twice

    def _comments(self, rows: dict[str, Comment]) -> None:
        assert len(rows) == len(self.comments)
        for told in self.comments.values():
            row = rows[told.id]
            assert (row.status, row.revision, row.body) == (told.status, told.revision, told.body)
            holder = None if told.holder is None else self.people[told.holder][0].id
            assert (row.escalated, row.claimed_by, row.lease_owner) == (told.escalated, holder, told.leased)
            if told.stack:
                assert row.decision_id is not None

    def _verdicts(self, decisions: Any) -> None:
        first = Counter((d.comment_id, d.revision) for d in decisions if d.source == "policy" and not d.replaces)
        expected = {(told.id, revision) for told in self.comments.values() for revision in told.verdicts}
        assert set(first) == expected
        assert set(first.values()) <= {1}
        again = Counter(d.comment_id for d in decisions if d.source == "policy" and d.replaces)
        assert again == Counter({told.id: told.rescored for told in self.comments.values() if told.rescored})

    def _events(self, decisions: Any, events: Any) -> None:
        """One event a decision; an undo has one if what it undoes was heard, and else both have none."""
        told = Counter(e.decision_id for e in events if e.decision_id)
        assert set(told.values()) <= {1}
        heard = {e.decision_id for e in events if e.decision_id and e.position is not None}
        undone = {d.undoes for d in decisions if d.undoes}
        for decision in decisions:
            if decision.undoes:
                assert told[decision.id] == (decision.undoes in heard), decision.id
            elif decision.reason == "escalate":
                assert told[decision.id] == 0
            elif decision.id in undone:
                assert told[decision.id] == (decision.id in heard)
            else:
                assert told[decision.id] == 1, (decision.source, decision.action)
        withdrawn = Counter(e.comment_id for e in events if e.type == "comment.withdrawn")
        assert withdrawn == Counter(t.id for t in self.comments.values() if t.status == "withdrawn")

    def _audited(self, decisions: Any, audited: Any) -> None:
        named = Counter(str(a.data.get("decision")) for a in audited if str(a.data.get("source", "")))
        assert named == Counter(d.id for d in decisions)
        assert sum(a.action == "comment.received" for a in audited) == len(self.comments)

    def _seen_from_outside(self) -> None:
        """Numbers are those of the rows; readers see what is approved; the feed is read on without a gap."""
        held = {told.id for told in self.comments.values() if told.status == "held"}
        listed = self.call("GET", "/v1/review/items?limit=200", who=0)[1]["items"]
        assert {item["id"] for item in listed} == held
        assert self.call("GET", "/v1/review/count", who=0)[1]["count"] == len(held)
        shown = self.client.get("/v1/threads", query_string={"site": self.site_id, "article_url": ARTICLE})
        approved = {told.id: told.body for told in self.comments.values() if told.status == "approved"}
        assert {one["id"]: one["body"] for one in cast(Any, shown.json)["comments"]} == approved
        page = self.call("GET", f"/v1/events?after={self.cursor}&limit=1000")[1]
        self.cursor, self.feed = page["next"], self.feed + page["events"]

    def check_the_end(self) -> None:
        """All that is decided is released and delivered; then site and webhook know all of it, by comment in order."""
        self.publish(2 * GRACE_MS)
        for _ in range(4):  # whatever had failed
            self.deliver([])
        self.check()
        with self.store.read() as session:
            in_order = select(Event).where(Event.site_id == self.site_id).order_by(Event.position)
            events = session.scalars(in_order).all()
            to_tell = [e.id for e in events if e.webhook]
            assert session.scalars(select(Delivery).where(Delivery.next_at.is_not(None))).all() == []
        assert [one["id"] for one in self.feed] == [e.id for e in events]
        assert all(e.position is not None for e in events)
        got = self.receiver.events(self.secret)  # each signature is checked
        heard = list(dict.fromkeys(one["id"] for one in got))
        assert sorted(heard) == sorted(to_tell)
        of = {e.id: e.comment_id for e in events}
        for told in self.comments.values():
            said = [e.type for e in events if e.comment_id == told.id and e.type.startswith("comment.")]
            assert said[-1] == f"comment.{told.status}"
            assert [id for id in heard if of[id] == told.id] == [id for id in to_tell if of[id] == told.id]
        self.seal()
