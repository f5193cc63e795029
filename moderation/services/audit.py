"""The audit trail: who did what to which thing, in the transaction that did it."""

from typing import Any

from sqlalchemy.orm import Session

from moderation.store.audit import AuditEvent
from moderation.store.queries import insert_rows
from moderation.store.session import new_id, now_ms


def audit_row(
    action: str,
    *,
    site_id: str | None,
    subject_id: str | None,
    actor: str | None,
    at: int,
    data: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """One audit event as a row. `data` holds ids, codes and numbers, never text or personal data."""
    return {"id": new_id(), "site_id": site_id, "at": at, "actor": actor, "action": action,
            "subject_id": subject_id, "data": data or {}}  # fmt: skip


def record_audit(
    session: Session,
    action: str,
    *,
    site_id: str | None = None,
    subject_id: str | None = None,
    actor: str | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Adds one audit event to this transaction."""
    row = audit_row(action, site_id=site_id, subject_id=subject_id, actor=actor, at=now_ms(), data=data)
    insert_rows(session, AuditEvent, [row])
