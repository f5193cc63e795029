"""Ten thousand random operations, several people at once: counts equal rows, all is told once, the chain holds."""

import random
import threading
from collections import Counter

import pytest
from sqlalchemy import func, select

from moderation.domain.lifecycle import DECIDED, STATUS_AFTER, Outcome, Source, Status
from moderation.scoring import ATTRIBUTES, Classifier
from moderation.services import audit_chain, histogram, queue, reports
from moderation.services.histogram import Scope
from moderation.services.queue import Filter
from moderation.store.audit import AuditEvent
from moderation.store.session import Store, now_ms
from moderation.store.tables import Article, Comment, Decision, Event, HoldReason
from moderation.store.voices import Appeal, Report
from moderation.store.workspace import HeldScore
from tests.integration.workday import KEYS, Day, settle, standing

OPERATIONS = 10_000
AT_ONCE = 4

pytestmark = pytest.mark.timeout(1200)  # ten thousand operations, each durable


@pytest.fixture
def day(store: Store, site: tuple[str, str], classifier: Classifier) -> Day:
    """The day's end, when all that was begun is decided, told and sealed."""
    made = Day(store, site[0], classifier)
    made.submit(random.Random(0), "first")
    made.live(0, 100)
    faults: list[BaseException] = []

    def live(seed: int) -> None:
        try:
            made.live(seed, (OPERATIONS - 100) // AT_ONCE)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=live, args=(seed,)) for seed in range(1, AT_ONCE + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    assert made.done.total() + made.refused.total() >= OPERATIONS - AT_ONCE
    assert made.done.total() > OPERATIONS / 2, made.refused
    assert min(made.done[name] for name in ("rule", "undo", "report", "appeal", "answer", "edit", "stand")) > 20
    settle(made)
    return made


def test_ten_thousand_operations_leave_nothing_amiss(day: Day) -> None:
    with day.store.read() as session:
        comments = session.scalars(select(Comment).where(Comment.site_id == day.site_id)).all()
        decisions = session.scalars(select(Decision).where(Decision.site_id == day.site_id)).all()
        events = session.scalars(select(Event).where(Event.site_id == day.site_id)).all()
        assert len(comments) > 1000
        for comment in comments:
            stands = standing(session, comment)
            assert comment.status != Status.PENDING
            if comment.status in DECIDED:
                assert stands is not None
                assert STATUS_AFTER[Outcome(stands.action)] == comment.status
        _counts_equal_rows(day, list(comments))
        verdicts = Counter((d.comment_id, d.revision) for d in decisions if d.source == "policy" and not d.replaces)
        assert set(verdicts.values()) == {1}
        told = Counter(event.decision_id for event in events if event.decision_id)
        assert set(told.values()) == {1}
        assert sorted(event.position or 0 for event in events) == list(range(1, len(events) + 1))
        audited = Counter(data.get("decision") for data in session.scalars(
            select(AuditEvent.data).where(AuditEvent.site_id == day.site_id, AuditEvent.action.in_(
                ["comment.approved", "comment.held", "comment.rejected"]))
        ))  # fmt: skip
        assert audited == Counter(decision.id for decision in decisions)
        _voices_are_answered_once(day, {comment.id: comment for comment in comments}, list(events))
        total = session.scalar(select(func.count()).select_from(AuditEvent))
    found = audit_chain.verify(day.store, KEYS)
    assert (found.broken, found.links, found.unsealed) == (None, total, 0)


def _counts_equal_rows(day: Day, comments: list[Comment]) -> None:
    with day.store.read() as session:
        reasons = {(row.comment_id, row.rule) for row in session.scalars(select(HoldReason))}
        section = dict(session.execute(select(Article.id, Article.section)).all())
        reported = set(session.scalars(select(Report.comment_id).where(Report.outcome.is_(None))))
        held = [comment for comment in comments if comment.status == Status.HELD]

        def count(**wanted: object) -> int:
            found = queue.count(session, day.site_id, Filter(**wanted), most=100_000)  # type: ignore[arg-type]
            assert not found.more
            return found.number

        for status in Status:
            assert count(status=status.value) == sum(comment.status == status for comment in comments)
        assert count(status="any") == len(comments)
        assert count(status="escalated") == sum(comment.escalated for comment in held)
        assert count(report="any") == sum(comment.id in reported for comment in held)
        assert count(report="any", status="any") == len(reported)
        assert count(assigned="nobody") == sum(comment.assigned_to is None for comment in held)
        for person in day.people:
            assert count(assigned=person.id) == sum(comment.assigned_to == person.id for comment in held)
        for rule in {rule for _, rule in reasons}:
            assert count(reason=rule) == sum((comment.id, rule) in reasons for comment in held)
        for name in ("World", "Sport"):
            assert count(section=(name,)) == sum(section[comment.article_id] == name for comment in held)
        for key in {comment.author_key for comment in comments}:
            assert count(author=key, status="any") == sum(comment.author_key == key for comment in comments)
        assert count(q="idiot", status="any") == sum("idiot" in comment.body for comment in comments)
        assert reports.count(session, day.site_id) == len(reported)
        _scores_equal_what_waits(day, {comment.id: comment for comment in comments})


def _scores_equal_what_waits(day: Day, comments: dict[str, Comment]) -> None:
    with day.store.read() as session:
        rows = session.scalars(select(HeldScore)).all()
        for row in rows:
            status = comments[row.comment_id].status
            assert (row.ruled is None) == (status == Status.HELD) or status == Status.WITHDRAWN, (row.ruled, status)
        for attribute in ATTRIBUTES:
            shown = histogram.histogram(session, day.site_id, Scope(attribute), now_ms())
            waiting = [row for row in rows if row.attribute == attribute and row.ruled is None]
            assert sum(bin.waiting for bin in shown.bins) == len(waiting)
            by_score = Filter(sort="attribute", attribute=attribute)
            assert queue.count(session, day.site_id, by_score, most=100_000).number == len(waiting)
            rejected = sum(bin.rulings.rejected for bin in shown.bins)
            assert rejected == sum(row.attribute == attribute and row.ruled == "reject" for row in rows)


def _voices_are_answered_once(day: Day, comments: dict[str, Comment], events: list[Event]) -> None:
    with day.store.read() as session:
        closed = Counter(e.data["report"]["id"] for e in events if e.type == "report.closed")
        for report in session.scalars(select(Report)):
            if report.outcome in ("upheld", "dismissed"):
                assert closed[report.id] >= 1
                decision = session.get_one(Decision, report.decision_id)
                assert decision.source in (Source.MODERATOR, Source.SITE, Source.APPEAL)
        decided = Counter(e.data["appeal"]["id"] for e in events if e.type == "appeal.decided")
        for appeal in session.scalars(select(Appeal)):
            if appeal.outcome is None:
                assert comments[appeal.comment_id].status == Status.REJECTED
            else:
                assert decided[appeal.id] >= 1
