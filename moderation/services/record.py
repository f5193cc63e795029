"""The one place where a decision becomes true: decision, status, outbox and audit rows in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import STATUS_AFTER, Outcome, Source, Status
from moderation.services.audit import audit_row
from moderation.services.views import view
from moderation.store.queries import insert_rows
from moderation.store.session import new_id
from moderation.store.tables import AuditEvent, Comment, Decision, Event, HoldReason

_EVENT_OF = {
    Outcome.APPROVE: "comment.approved",
    Outcome.HOLD: "comment.held",
    Outcome.REJECT: "comment.rejected",
}


@dataclass(frozen=True)
class Ruling:
    """A decision about to be made on a comment as this transaction sees it.

    `delay_ms` is how long the site hears nothing of it; `event` False means that it never does.
    `reverses` is the id of an event that this one takes back.
    """

    comment: Comment
    outcome: Outcome
    source: Source
    actor: str | None = None
    reason: str | None = None
    note: str | None = None
    policy_version: int | None = None
    scorer: str | None = None
    scores: dict[str, float] = field(default_factory=dict)
    signals: list[dict[str, Any]] = field(default_factory=list)
    risk: float | None = None
    undoes: str | None = None
    batch: str | None = None
    delay_ms: int = 0
    event: bool = True
    reverses: str | None = None


def held_unscored(comment: Comment, policy_version: int | None, rule: str) -> Ruling:
    """The policy's hold for a reason that is no score."""
    signal = {"rule": rule, "kind": rule, "outcome": Outcome.HOLD.value, "decided": True, "spans": []}
    return Ruling(comment, Outcome.HOLD, Source.POLICY, policy_version=policy_version, signals=[signal], risk=0.5)


def record(session: Session, rulings: Sequence[Ruling], now: int) -> list[Decision]:
    """Makes these decisions; the caller has checked, under this transaction's lock, that each may be made."""
    if not rulings:
        return []
    decisions = [_decision_row(ruling, now) for ruling in rulings]
    insert_rows(session, Decision, decisions)
    session.execute(update(Comment), [_comment_change(r, d) for r, d in zip(rulings, decisions, strict=True)])
    _replace_hold_reasons(session, rulings)
    pairs = [(r, Decision(**d)) for r, d in zip(rulings, decisions, strict=True)]
    insert_rows(session, Event, [_event_row(ruling, decision) for ruling, decision in pairs if ruling.event])
    insert_rows(session, AuditEvent, [_audit(ruling, decision) for ruling, decision in pairs])
    return [decision for _, decision in pairs]


def _decision_row(ruling: Ruling, now: int) -> dict[str, Any]:
    comment = ruling.comment
    return {
        "id": new_id(), "site_id": comment.site_id, "comment_id": comment.id, "revision": comment.revision,
        "action": ruling.outcome.value, "source": ruling.source.value, "actor": ruling.actor,
        "reason": ruling.reason, "note": ruling.note, "decided_at": now,
        "policy_version": ruling.policy_version, "scorer": ruling.scorer, "scores": ruling.scores,
        "signals": ruling.signals, "replaces": comment.decision_id, "undoes": ruling.undoes, "batch": ruling.batch,
    }  # fmt: skip


def _comment_change(ruling: Ruling, decision: dict[str, Any]) -> dict[str, Any]:
    comment = ruling.comment
    return {
        "id": comment.id, "status": STATUS_AFTER[ruling.outcome].value, "decision_id": decision["id"],
        "decided_at": decision["decided_at"], "version": comment.version + 1, "escalated": False,
        "risk": comment.risk if ruling.risk is None else ruling.risk,
        "lease_owner": None, "lease_until": None, "claimed_by": None, "claimed_until": None,
    }  # fmt: skip


def _replace_hold_reasons(session: Session, rulings: Sequence[Ruling]) -> None:
    """The reasons stay on record while nothing new is said; a new verdict replaces them."""
    new = [ruling for ruling in rulings if ruling.source is Source.POLICY]
    again = [ruling.comment.id for ruling in new if ruling.comment.revision > 1]
    if again:
        session.execute(delete(HoldReason).where(HoldReason.comment_id.in_(again)))
    rows = [
        {"comment_id": ruling.comment.id, "rule": signal["rule"], "site_id": ruling.comment.site_id,
         "attribute": signal.get("attribute"), "score": signal.get("score")}
        for ruling in new for signal in ruling.signals if signal["decided"] and ruling.outcome is not Outcome.APPROVE
    ]  # fmt: skip
    insert_rows(session, HoldReason, rows)


def _event_row(ruling: Ruling, decision: Decision) -> dict[str, Any]:
    comment = ruling.comment
    data = view(comment.id, comment.external_id, comment.revision, STATUS_AFTER[ruling.outcome], decision)
    if ruling.reverses:
        data["reverses"] = ruling.reverses
    return event_row(
        comment, _EVENT_OF[ruling.outcome], data, decision.decided_at,
        decision_id=decision.id, delay_ms=ruling.delay_ms, webhook=ruling.source is not Source.SITE,
    )  # fmt: skip


def event_row(
    comment: Comment,
    type: str,
    data: dict[str, Any],
    now: int,
    *,
    decision_id: str | None = None,
    delay_ms: int = 0,
    webhook: bool = True,
) -> dict[str, Any]:
    """One row of the outbox, not released yet."""
    return {
        "id": new_id(), "site_id": comment.site_id, "comment_id": comment.id, "decision_id": decision_id,
        "type": type, "occurred_at": now, "release_at": now + delay_ms, "position": None, "webhook": webhook,
        "data": data,
    }  # fmt: skip


def _audit(ruling: Ruling, decision: Decision) -> dict[str, Any]:
    data = {"decision": decision.id, "source": decision.source, "revision": decision.revision}
    if decision.reason:
        data["reason"] = decision.reason
    if decision.undoes:
        data["undoes"] = decision.undoes
    return audit_row(
        f"comment.{STATUS_AFTER[ruling.outcome]}", site_id=decision.site_id, subject_id=decision.comment_id,
        actor=decision.actor, at=decision.decided_at, data=data,
    )  # fmt: skip


def withdrawn_event(comment: Comment, now: int) -> dict[str, Any]:
    """The event of a comment that its site has taken back."""
    data = view(comment.id, comment.external_id, comment.revision, Status.WITHDRAWN, None)
    return event_row(comment, "comment.withdrawn", data, now)
