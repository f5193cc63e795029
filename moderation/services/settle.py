"""What a decision settles besides the comment: readers' reports of it, and the author's appeal.

Called by services.record in the transaction of the decision, under the lock of the comment's row; reports and appeals
come in under that lock as well, so each is settled once.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import STATUS_AFTER, Outcome, Source, Status
from moderation.domain.voices import REPORTED, AppealOutcome, ReportOutcome
from moderation.services.events import APPEAL_DECIDED, REPORT_CLOSED, event_row
from moderation.services.rulings import Made, Ruling, Subject
from moderation.services.views import view
from moderation.store.queries import insert_rows
from moderation.store.tables import Comment, Decision, Event
from moderation.store.voices import Appeal, Report

BY_PEOPLE = frozenset({Source.MODERATOR, Source.SITE, Source.APPEAL})


@dataclass
class Settled:
    """Rows of the outbox, and how many reports each decision upheld."""

    events: list[dict[str, Any]] = field(default_factory=list)
    upheld: Counter[str] = field(default_factory=Counter)


def settle(session: Session, made: Sequence[tuple[Ruling, Made]], now: int) -> Settled:
    """Closes what these decisions answer, and opens again what an undone one had closed."""
    settled = Settled()
    by_people = [(r, d) for r, d in made if r.source in BY_PEOPLE and (r.event or r.source is not Source.SITE)]
    if undone := [ruling.undoes for ruling, _ in by_people if ruling.undoes]:
        _reopen(session, undone)
    final = [(r, d) for r, d in by_people if r.outcome is not Outcome.HOLD and not r.undoes]
    _close_reports(session, final, settled)
    _close_appeals(session, [(r, d) for r, d in by_people if r.outcome is not Outcome.REJECT], settled)
    session.flush()
    return settled


def _close_reports(session: Session, made: Sequence[tuple[Ruling, Made]], settled: Settled) -> None:
    ruled = {ruling.comment.id: (ruling, decision) for ruling, decision in made}
    for report in _open_reports(session, ruled):
        ruling, decision = ruled[report.comment_id]
        upheld = ruling.outcome is Outcome.REJECT
        stale = report.revision != decision.revision  # the reported text was mended, and what stands now is fine
        report.outcome = ReportOutcome.UPHELD if upheld else ReportOutcome.MOOT if stale else ReportOutcome.DISMISSED
        report.closed_at, report.decision_id = decision.decided_at, decision.id
        settled.upheld[decision.id] += upheld
        shown = _shown(ruling.comment, STATUS_AFTER[ruling.outcome], decision)
        settled.events.append(_report_event(ruling.comment, report, shown, decision.decided_at, ruling.delay_ms))


def _open_reports(session: Session, ruled: dict[str, tuple[Ruling, Made]]) -> Sequence[Report]:
    if not ruled:
        return []
    sites = {ruling.comment.site_id for ruling, _ in ruled.values()}
    query = select(Report).where(Report.site_id.in_(sites), Report.comment_id.in_(ruled), Report.outcome.is_(None))
    return session.scalars(query.order_by(Report.id)).all()


def _close_appeals(session: Session, made: Sequence[tuple[Ruling, Made]], settled: Settled) -> None:
    """An appeal against a rejection that is no more: granted where the comment is published, moot where it waits."""
    ruled = {ruling.comment.id: (ruling, decision) for ruling, decision in made}
    if not ruled:
        return
    for appeal in session.scalars(select(Appeal).where(Appeal.comment_id.in_(ruled), Appeal.outcome.is_(None))):
        ruling, decision = ruled[appeal.comment_id]
        approved = ruling.outcome is Outcome.APPROVE
        appeal.outcome = AppealOutcome.OVERTURN if approved else AppealOutcome.MOOT
        appeal.answered_at, appeal.ruling_id = decision.decided_at, decision.id
        appeal.answered_by = decision.actor if ruling.source is Source.MODERATOR else None
        shown = _shown(ruling.comment, STATUS_AFTER[ruling.outcome], decision)
        settled.events.append(appeal_event(ruling.comment, appeal, shown, decision.decided_at, ruling.delay_ms))


def _reopen(session: Session, undone: Sequence[str]) -> None:
    """What these decisions had closed is open again; what the site has not heard of it yet, it never will."""
    reports = session.scalars(select(Report).where(Report.decision_id.in_(undone))).all()
    appeals = session.scalars(select(Appeal).where(Appeal.ruling_id.in_(undone))).all()
    ids = [report.event_id for report in reports] + [appeal.event_id for appeal in appeals]
    untold = delete(Event).where(Event.id.in_([id for id in ids if id]), Event.position.is_(None)).returning(Event.id)
    taken_back = set(session.scalars(untold)) if ids else set()
    for report in reports:
        report.outcome = report.closed_at = report.decision_id = None
        report.event_id = None if report.event_id in taken_back else report.event_id
    for appeal in appeals:
        appeal.outcome = appeal.answered_at = appeal.answered_by = appeal.ruling_id = None
        appeal.event_id = None if appeal.event_id in taken_back else appeal.event_id
    session.flush()


def settle_gone(session: Session, comments: Sequence[Comment], now: int) -> None:
    """For comments that were just edited or withdrawn: nobody can answer an appeal about them any more.

    Reports end with a comment that is withdrawn. An edit leaves them open, or a changed comma would shake them off.
    """
    gone = {comment.id: (comment, _shown(comment, Status(comment.status), None)) for comment in comments}
    rows = []
    for appeal in session.scalars(select(Appeal).where(Appeal.comment_id.in_(gone), Appeal.outcome.is_(None))):
        appeal.outcome, appeal.answered_at = AppealOutcome.MOOT, now
        comment, shown = gone[appeal.comment_id]
        rows.append(appeal_event(comment, appeal, shown, now))
    if withdrawn := [comment for comment in comments if comment.status == Status.WITHDRAWN]:
        theirs = Report.comment_id.in_([comment.id for comment in withdrawn]), Report.outcome.is_(None)
        here = Report.site_id.in_({comment.site_id for comment in withdrawn})
        for report in session.scalars(select(Report).where(here, *theirs).order_by(Report.id)):
            report.outcome, report.closed_at = ReportOutcome.MOOT, now
            comment, shown = gone[report.comment_id]
            rows.append(_report_event(comment, report, shown, now))
    session.flush()
    insert_rows(session, Event, rows)


def _report_event(
    comment: Comment | Subject, report: Report, shown: dict[str, Any], now: int, delay_ms: int = 0
) -> dict[str, Any]:
    told = {"id": report.id, "reporter": report.reporter, "outcome": str(report.outcome)}
    data = {"comment": shown, "report": told} | ({"reverses": report.event_id} if report.event_id else {})
    row = event_row(comment, REPORT_CLOSED, data, now, delay_ms=delay_ms)
    report.event_id = row["id"]
    return row


def appeal_event(
    comment: Comment | Subject, appeal: Appeal, shown: dict[str, Any], now: int, delay_ms: int = 0
) -> dict[str, Any]:
    """The row that tells the site what became of an appeal; notes it on the appeal."""
    told = {"id": appeal.id, "outcome": str(appeal.outcome), "answer": appeal.answer}
    data = {"comment": shown, "appeal": told} | ({"reverses": appeal.event_id} if appeal.event_id else {})
    row = event_row(comment, APPEAL_DECIDED, data, now, delay_ms=delay_ms)
    appeal.event_id = row["id"]
    return row


def _shown(comment: Comment | Subject, status: Status, decision: Made | None) -> dict[str, Any]:
    return view(comment.id, comment.external_id, comment.revision, status, decision)


def still_reported(session: Session, rulings: Sequence[Ruling]) -> list[Ruling]:
    """The same, but a text that reports had sent back to the moderators does not go live by being edited."""
    edited = {
        ruling.comment.id for ruling in rulings
        if ruling.source is Source.POLICY and ruling.outcome is Outcome.APPROVE and ruling.comment.revision > 1
    }  # fmt: skip
    if not edited:
        return list(rulings)
    waiting = (
        select(Report.comment_id, func.count().label("reports"))
        .where(Report.comment_id.in_(edited), Report.outcome.is_(None))
        .where(select(Decision.id).where(
            Decision.comment_id == Report.comment_id, Decision.source == Source.REPORT,
            Decision.decided_at >= Report.created_at,
        ).exists())
        .group_by(Report.comment_id)
    )  # fmt: skip
    counts: dict[str, int] = {row[0]: row[1] for row in session.execute(waiting)}
    return [_held_still(ruling, counts.get(ruling.comment.id)) for ruling in rulings]


def _held_still(ruling: Ruling, reports: int | None) -> Ruling:
    if not reports or ruling.comment.id is None or ruling.source is not Source.POLICY:
        return ruling
    signals = [*ruling.signals, reported_signal(reports)]
    return replace(ruling, outcome=Outcome.HOLD, signals=signals, risk=max(ruling.risk or 0.0, 0.5))


def reported_signal(reports: int, weight: float | None = None) -> dict[str, Any]:
    """Why a comment is held that readers reported, as decisions keep it."""
    signal: dict[str, Any] = {
        "rule": REPORTED, "kind": REPORTED, "outcome": Outcome.HOLD.value, "decided": True, "spans": [],
        "reports": reports,
    }  # fmt: skip
    return signal if weight is None else signal | {"weight": round(weight, 3)}
