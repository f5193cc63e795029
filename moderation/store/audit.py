"""The audit trail and its chain: the events, and the head, whose one row the sealers lock and a walk must arrive at."""

from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from moderation.store.tables import Base, Id, only_where

# Audit events besides those that nearly every comment has; a query for one of these must say so in these words.
RARE_ACTIONS = "action NOT IN ('comment.received', 'comment.approved', 'comment.held', 'comment.rejected')"


class AuditEvent(Base):
    """Who did what to which thing; only ever added. `actor` None is the system.

    The sealer gives each its `place` in the chain, a keyed `digest` of what it says, and a `seal` over that digest and
    the seal before it; an erasure may blank what an event says, and sets `erased_at`.
    """

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_subject", "subject_id", "id"),
        Index("ix_audit_events_site", "site_id", "id"),
        Index("ix_audit_events_place", "place", unique=True, **only_where("place IS NOT NULL")),
        Index("ix_audit_events_unsealed", "id", **only_where("place IS NULL")),
        Index("ix_audit_events_actor", "site_id", "actor", "id", **only_where("actor IS NOT NULL")),
        Index("ix_audit_events_rare", "site_id", "action", "id", **only_where(RARE_ACTIONS)),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    site_id: Mapped[str | None] = mapped_column(Id)
    at: Mapped[int]
    actor: Mapped[str | None]
    action: Mapped[str] = mapped_column(String(48))
    subject_id: Mapped[str | None]
    data: Mapped[dict[str, Any]]
    place: Mapped[int | None]
    digest: Mapped[str | None] = mapped_column(String(64))
    seal: Mapped[str | None] = mapped_column(String(64))
    erased_at: Mapped[int | None]


class AuditChain(Base):
    """The newest sealed place and its seal; `mac` signs both, so that a chain that was cut short shows.

    `verified_at` and `verified_place` tell of the last whole walk, `broken` what it found wrong.
    """

    __tablename__ = "audit_chain"
    id: Mapped[int] = mapped_column(primary_key=True)
    place: Mapped[int]
    seal: Mapped[str] = mapped_column(String(64))
    mac: Mapped[str] = mapped_column(String(64))
    sealed_at: Mapped[int | None]
    verified_at: Mapped[int | None]
    verified_place: Mapped[int | None]
    broken: Mapped[str | None]
