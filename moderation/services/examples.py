"""Labelled examples: what a site's people said of a text, as the drop-in interfaces bring it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from moderation.services.audit import record_audit
from moderation.services.views import iso
from moderation.store.queries import upsert
from moderation.store.session import new_id, now_ms
from moderation.store.tables import Check, Example


@dataclass(frozen=True)
class NewExample:
    """A label that came in. `labels` are 0..1 by attribute of ours or by the caller's own name where we have none;
    `origin` is what the caller names it by: the same again replaces the labels."""

    interface: str
    text: str
    match: str
    labels: dict[str, float]
    origin: str
    languages: tuple[str, ...] = ()
    context: dict[str, Any] = field(default_factory=dict)


def keep(session: Session, site_id: str, example: NewExample) -> None:
    """Stores a labelled example; one with the same origin is replaced."""
    now = now_ms()
    row: dict[str, Any] = {
        "id": new_id(), "site_id": site_id, "interface": example.interface,
        "origin": hashlib.sha256(example.origin.encode("utf-8", "surrogatepass")).hexdigest(),
        "match": example.match, "text": example.text, "labels": example.labels,
        "languages": list(example.languages), "context": example.context, "created_at": now, "updated_at": now,
    }  # fmt: skip
    changed = ("match", "text", "labels", "languages", "context", "updated_at")
    upsert(session, Example, row, ["site_id", "interface", "origin"], {name: row[name] for name in changed})
    record_audit(session, "example.kept", site_id=site_id, subject_id=row["origin"][:32],
                 data={"interface": example.interface})  # fmt: skip


def counts(session: Session, site_id: str) -> dict[str, int]:
    """Number of examples by interface."""
    query = select(Example.interface, func.count()).where(Example.site_id == site_id).group_by(Example.interface)
    return {interface: int(count) for interface, count in session.execute(query)}


def exported(session: Session, site_id: str) -> Iterator[dict[str, Any]]:
    """All examples of a site, oldest first, each with what we had said of the same text (None: never asked)."""
    query = select(Example).where(Example.site_id == site_id).order_by(Example.id)
    for one in session.scalars(query.execution_options(yield_per=500)):
        check = session.execute(
            select(Check.scores, Check.outcome, Check.scorer)
            .where(Check.site_id == site_id, Check.match == one.match).order_by(Check.id.desc()).limit(1)
        ).first()  # fmt: skip
        yield {
            "text": one.text, "labels": one.labels, "interface": one.interface, "languages": one.languages,
            "context": one.context, "labelled_at": iso(one.updated_at),
            "checked": {"scores": check.scores, "outcome": check.outcome, "scorer": check.scorer} if check else None,
        }  # fmt: skip
