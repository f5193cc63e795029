"""Labelled examples: what a site's people said of a text, as the drop-in interfaces bring it."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from moderation.services.audit import record_audit
from moderation.services.views import iso
from moderation.store.feedback import Check, Example, label_counts
from moderation.store.queries import upsert
from moderation.store.session import new_id, now_ms

LIKELY = 0.5  # labels are mostly 0 or 1; scores say how likely a label of 1 is
_PAGE = 500


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


@dataclass(frozen=True)
class Counted:
    """How many examples an interface brought for an attribute, and how many of them say that the text has it."""

    interface: str
    attribute: str
    examples: int
    yes: int


def counts(session: Session, site_id: str) -> list[Counted]:
    """Number of examples by interface and attribute, the most frequent first."""
    found = [Counted(interface, name, n, yes) for interface, name, n, yes in label_counts(session, site_id, LIKELY)]
    return sorted(found, key=lambda one: (one.interface, -one.examples, one.attribute))


@dataclass
class Agreed:
    """Of an attribute: texts that had been scored when somebody labelled them, and on how many both said the same."""

    compared: int = 0
    same: int = 0


def agreement(examples: Sequence[dict[str, Any]]) -> dict[tuple[str, str], Agreed]:
    """By interface and attribute, for examples as `newest` gives them. Both speak of what is more likely than not."""
    found: dict[tuple[str, str], Agreed] = defaultdict(Agreed)
    for example in examples:
        scores = example["checked"]["scores"] if example["checked"] else {}
        for attribute in example["labels"].keys() & scores.keys():
            agreed = found[example["interface"], attribute]
            agreed.compared += 1
            agreed.same += (example["labels"][attribute] >= LIKELY) == (scores[attribute] >= LIKELY)
    return found


def newest(session: Session, site_id: str, most: int) -> list[dict[str, Any]]:
    """The examples that were labelled last, as `exported` gives them, the newest first."""
    query = select(Example).where(Example.site_id == site_id).order_by(Example.updated_at.desc(), Example.id.desc())
    return _views(session, site_id, session.scalars(query.limit(most)).all())


def exported(session: Session, site_id: str) -> Iterator[dict[str, Any]]:
    """All examples of a site, oldest first, each with what we had said of the same text (None: never asked)."""
    query = select(Example).where(Example.site_id == site_id).order_by(Example.id).limit(_PAGE)
    last = ""
    while page := session.scalars(query.where(Example.id > last)).all():
        yield from _views(session, site_id, page)
        last = page[-1].id
        session.expunge_all()


def _views(session: Session, site_id: str, examples: Sequence[Example]) -> list[dict[str, Any]]:
    """Examples, each with the last check of the same text."""
    last = (
        select(func.max(Check.id)).where(Check.site_id == site_id, Check.match.in_({one.match for one in examples}))
        .group_by(Check.match)
    )  # fmt: skip
    checks = {
        check.match: {"scores": check.scores, "outcome": check.outcome, "scorer": check.scorer}
        for check in session.scalars(select(Check).where(Check.id.in_(last)))
    }
    return [
        {
            "text": one.text, "labels": one.labels, "interface": one.interface, "languages": one.languages,
            "context": one.context, "labelled_at": iso(one.updated_at), "checked": checks.get(one.match),
        }
        for one in examples
    ]  # fmt: skip
