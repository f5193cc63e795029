"""Statuses of a comment, what may move it, and the actions of a moderator.

Every page, the API, the hotkey help and the docs read ACTIONS; no transition exists outside this file.
"""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Where a comment stands; only `approved` is ever shown to readers."""

    PENDING = "pending"
    APPROVED = "approved"
    HELD = "held"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Outcome(StrEnum):
    """What a verdict or a ruling says; weakest first."""

    APPROVE = "approve"
    HOLD = "hold"
    REJECT = "reject"


class Source(StrEnum):
    """Who decided."""

    POLICY = "policy"
    MODERATOR = "moderator"
    SITE = "site"


class Role(StrEnum):
    """What a moderator may do; each includes the ones before it."""

    MODERATOR = "moderator"
    SENIOR = "senior"
    ADMIN = "admin"


STATUS_AFTER = {
    Outcome.APPROVE: Status.APPROVED,
    Outcome.HOLD: Status.HELD,
    Outcome.REJECT: Status.REJECTED,
}
OUTCOME_OF = {status: outcome for outcome, status in STATUS_AFTER.items()}

DECIDED = frozenset(STATUS_AFTER.values())

# Which statuses a decision of each source may start from. An undo is a moderator's decision too.
MAY_DECIDE = {
    Source.POLICY: frozenset({Status.PENDING}),
    Source.MODERATOR: DECIDED,
    Source.SITE: DECIDED | {Status.PENDING},
}

# The reason of a comment that filled a field which people can't see. It needs no scores, so a rescoring leaves it held.
HONEYPOT = "honeypot"

# From here the policy's own decision goes back to pending, if it was made without scores and a scorer works again.
MAY_RESCORE = frozenset({Status.HELD})


@dataclass(frozen=True)
class Action:
    """One thing that a moderator can do to a review item.

    `outcome` is None where the comment keeps its status; `roles` are those that may do it.
    """

    name: str
    label: str
    done: str
    hotkey: str
    outcome: Outcome | None
    starts_from: frozenset[Status]
    needs_reason: bool = False


ACTIONS: dict[str, Action] = {
    action.name: action
    for action in (
        Action("approve", "Approve", "Approved", "a", Outcome.APPROVE, DECIDED),
        Action("reject", "Reject", "Rejected", "r", Outcome.REJECT, DECIDED, needs_reason=True),
        Action("escalate", "Escalate", "Escalated", "e", None, frozenset({Status.HELD})),
    )
}

# Reason code -> (hotkey after `r`, words for people). `other` needs a note.
REJECT_REASONS: dict[str, tuple[str, str]] = {
    "toxicity": ("t", "Abusive tone"),
    "severe_toxicity": ("v", "Severe abuse"),
    "insult": ("i", "Insult"),
    "profanity": ("p", "Profanity"),
    "threat": ("h", "Threat"),
    "identity_attack": ("g", "Attack on a group"),
    "sexually_explicit": ("e", "Sexually explicit"),
    "spam": ("s", "Spam"),
    "off_topic": ("o", "Off topic"),
    "personal_data": ("d", "Personal data"),
    "advertising": ("a", "Advertising"),
    "other": ("x", "Other (say what)"),
}


def may_decide(source: Source, status: Status) -> bool:
    """Whether a decision of this source may be made on a comment in this status."""
    return status in MAY_DECIDE[source]


def may_edit(status: Status) -> bool:
    """An edit sends any comment that is not withdrawn back to pending with its next revision."""
    return status is not Status.WITHDRAWN
