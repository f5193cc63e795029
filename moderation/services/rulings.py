"""A decision before and after it is made, in the shapes in which services.record takes and gives it."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from moderation.domain.lifecycle import Outcome, Source
from moderation.store.tables import Comment


class Subject(NamedTuple):
    """What a decision must know of its comment: a row of these columns costs a tenth of a whole object."""

    id: str
    revision: int
    site_id: str = ""
    external_id: str = ""
    version: int = 1
    decision_id: str | None = None
    risk: float = 0.5
    language: str | None = None
    assigned_to: str | None = None
    imported_status: str | None = None


class Made(NamedTuple):
    """A decision that this transaction has made: the columns of `Decision`."""

    id: str
    site_id: str
    comment_id: str
    revision: int
    action: str
    source: str
    actor: str | None
    reason: str | None
    note: str | None
    decided_at: int
    policy_version: int | None
    scorer: str | None
    scores: dict[str, Any]
    signals: list[Any]
    replaces: str | None
    undoes: str | None
    batch: str | None


@dataclass(slots=True)  # several are made for every comment, and a frozen one takes three times as long
class Ruling:
    """A decision about to be made on a comment as this transaction sees it.

    `delay_ms` is how long the site hears nothing of it; `event` False means that it never does.
    `reverses` is the id of an event that this one takes back, `language` what the text was found to be in.
    """

    comment: Comment | Subject
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
    language: str | None = None
    reverses: str | None = None


def held_unscored(comment: Comment | Subject, policy_version: int | None, rule: str) -> Ruling:
    """The policy's hold for a reason that is no score."""
    signal = {"rule": rule, "kind": rule, "outcome": Outcome.HOLD.value, "decided": True, "spans": []}
    return Ruling(comment, Outcome.HOLD, Source.POLICY, policy_version=policy_version, signals=[signal], risk=0.5)
