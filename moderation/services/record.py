"""The one place where a decision becomes true: decision, status, outbox and audit rows in one transaction."""

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, event, update
from sqlalchemy.orm import Session

from moderation import metrics
from moderation.domain.lifecycle import STATUS_AFTER, Outcome, Source, Status
from moderation.services import outbox
from moderation.services.audit import audit_row
from moderation.services.events import event_row
from moderation.services.rulings import Made, Ruling
from moderation.services.settle import settle, still_reported
from moderation.services.statements import compose
from moderation.services.views import view
from moderation.store.audit import AuditEvent
from moderation.store.queries import insert_rows, update_rows
from moderation.store.session import new_id
from moderation.store.tables import Comment, Decision, HoldReason
from moderation.store.workspace import HeldScore

log = logging.getLogger(__name__)

_DECIDED = "decided"
_EVENT_OF = {
    Outcome.APPROVE: "comment.approved",
    Outcome.HOLD: "comment.held",
    Outcome.REJECT: "comment.rejected",
}


def record(session: Session, rulings: Sequence[Ruling], now: int, *, publish: bool = False) -> list[Made]:
    """Makes these decisions; the caller has checked, under this transaction's lock, that each may be made.

    With `publish` their events go out at once; that takes the lock of the feed until the transaction ends.
    """
    if not rulings:
        return []
    rulings = still_reported(session, rulings)
    pairs = [(ruling, _made(ruling, now)) for ruling in rulings]
    insert_rows(session, Decision, [decision._asdict() for _, decision in pairs])
    update_rows(session, Comment, [_comment_change(ruling, decision) for ruling, decision in pairs])
    _replace_hold_reasons(session, rulings)
    _note_held_scores(session, rulings)
    settled = settle(session, pairs, now)
    stated = compose(session, [(r.comment, d) for r, d in pairs if _needs_reasons(r)], settled.upheld)
    told = [_event_row(ruling, decision, stated.get(decision.id)) for ruling, decision in pairs if ruling.event]
    insert_rows(session, AuditEvent, [_audit(ruling, decision) for ruling, decision in pairs])
    (outbox.add_published if publish else outbox.add)(session, told + settled.events, now)
    session.info.setdefault(_DECIDED, []).extend((d.source, d.action, d.comment_id) for _, d in pairs)
    return [decision for _, decision in pairs]


@event.listens_for(Session, "after_commit")
def _count(session: Session) -> None:
    """Only what is committed was decided."""
    if done := session.info.pop(_DECIDED, None):
        metrics.decided(Counter((source, action) for source, action, _ in done))
        log.info("decided %d", len(done), extra={"comment_ids": [id for *_, id in done]})


def _made(ruling: Ruling, now: int) -> Made:
    comment = ruling.comment
    return Made(
        new_id(), comment.site_id, comment.id, comment.revision, ruling.outcome.value, ruling.source.value,
        ruling.actor, ruling.reason, ruling.note, now, ruling.policy_version, ruling.scorer, ruling.scores,
        ruling.signals, comment.decision_id, ruling.undoes, ruling.batch,
    )  # fmt: skip


def _comment_change(ruling: Ruling, decision: Made) -> dict[str, Any]:
    comment = ruling.comment
    return {
        "id": comment.id, "status": STATUS_AFTER[ruling.outcome].value, "decision_id": decision.id,
        "decided_at": decision.decided_at, "version": comment.version + 1, "escalated": False,
        "risk": comment.risk if ruling.risk is None else ruling.risk,
        "lease_owner": None, "lease_until": None, "claimed_by": None, "claimed_until": None,
        "language": comment.language if ruling.language is None else ruling.language,
        "assigned_to": comment.assigned_to if ruling.outcome is Outcome.HOLD else None,
    }  # fmt: skip


def _replace_hold_reasons(session: Session, rulings: Sequence[Ruling]) -> None:
    """The reasons stay on record while nothing new is said; a new verdict replaces them."""
    new = [ruling for ruling in rulings if ruling.source in (Source.POLICY, Source.REPORT)]
    again = [r.comment.id for r in new if r.comment.revision > 1 or r.source is Source.REPORT]
    if again:
        session.execute(delete(HoldReason).where(HoldReason.comment_id.in_(again)))
    rows = [
        {"comment_id": ruling.comment.id, "rule": signal["rule"], "site_id": ruling.comment.site_id,
         "attribute": signal.get("attribute"), "score": signal.get("score")}
        for ruling in new for signal in ruling.signals if signal["decided"] and ruling.outcome is not Outcome.APPROVE
    ]  # fmt: skip
    insert_rows(session, HoldReason, rows)


def _note_held_scores(session: Session, rulings: Sequence[Ruling]) -> None:
    """Scores of what waits for a person, to sort and count by; a ruling marks them, a new hold makes them wait anew."""
    held = [r for r in rulings if r.outcome is Outcome.HOLD and r.source in (Source.POLICY, Source.REPORT)]
    new = {ruling.comment.id for ruling in held}
    again = [ruling.comment.id for ruling in held if ruling.comment.decision_id or ruling.comment.revision > 1]
    if again:
        session.execute(delete(HeldScore).where(HeldScore.comment_id.in_(again)))
    insert_rows(session, HeldScore, [
        {"comment_id": ruling.comment.id, "attribute": attribute, "site_id": ruling.comment.site_id, "score": score,
         "ruled": None}
        for ruling in held for attribute, score in ruling.scores.items()
    ])  # fmt: skip
    for outcome in Outcome:
        ruled = [r.comment.id for r in rulings
                 if r.outcome is outcome and r.source is not Source.POLICY and r.comment.id not in new]  # fmt: skip
        if ruled:
            session.execute(
                update(HeldScore).where(HeldScore.comment_id.in_(ruled))
                .values(ruled=None if outcome is Outcome.HOLD else outcome.value)
                .execution_options(synchronize_session=False)
            )  # fmt: skip


def forget_waiting_scores(session: Session, comment_ids: Sequence[str]) -> None:
    """For comments that wait no more and were not ruled on: they were edited or withdrawn."""
    session.execute(delete(HeldScore).where(HeldScore.comment_id.in_(comment_ids), HeldScore.ruled.is_(None)))


def _needs_reasons(ruling: Ruling) -> bool:
    """Whether the author is owed a statement of reasons by us; what a site's own staff decided, it explains itself."""
    return ruling.outcome is Outcome.REJECT and ruling.event and ruling.source is not Source.SITE


def _event_row(ruling: Ruling, decision: Made, statement: dict[str, Any] | None) -> dict[str, Any]:
    comment = ruling.comment
    data = view(comment.id, comment.external_id, comment.revision, STATUS_AFTER[ruling.outcome], decision)
    if statement:
        data["statement"] = statement
    if ruling.reverses:
        data["reverses"] = ruling.reverses
    return event_row(
        comment, _EVENT_OF[ruling.outcome], data, decision.decided_at,
        decision_id=decision.id, delay_ms=ruling.delay_ms, webhook=ruling.source is not Source.SITE,
    )  # fmt: skip


def _audit(ruling: Ruling, decision: Made) -> dict[str, Any]:
    data = {"decision": decision.id, "source": decision.source, "revision": decision.revision}
    # What a site says of its own staff's decision is free text: it stands in the decision, never in the trail.
    free = ruling.source is Source.SITE
    if decision.reason and not free:
        data["reason"] = decision.reason
    if decision.undoes:
        data["undoes"] = decision.undoes
    return audit_row(
        f"comment.{STATUS_AFTER[ruling.outcome]}", site_id=decision.site_id, subject_id=decision.comment_id,
        actor=None if free else decision.actor, at=decision.decided_at, data=data,
    )  # fmt: skip


def withdrawn_event(comment: Comment, now: int) -> dict[str, Any]:
    """The event of a comment that its site has taken back."""
    data = view(comment.id, comment.external_id, comment.revision, Status.WITHDRAWN, None)
    return event_row(comment, "comment.withdrawn", data, now)
