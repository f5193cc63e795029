"""Statuses of a comment, what may move it, and the actions of a moderator.

Every page, the API, the hotkey help and the docs read ACTIONS; no transition exists outside this file.
"""

from dataclasses import dataclass
from enum import StrEnum

from moderation.domain.text import N_


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
    REPORT = "report"
    APPEAL = "appeal"


class Role(StrEnum):
    """What a moderator may do; each includes the ones before it."""

    MODERATOR = "moderator"
    SENIOR = "senior"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        """Whether whoever has this role may do what the other may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


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
    Source.REPORT: frozenset({Status.APPROVED}),
    Source.APPEAL: frozenset({Status.REJECTED}),
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
        Action("approve", N_("Approve"), N_("Approved"), "a", Outcome.APPROVE, DECIDED),
        Action("reject", N_("Reject"), N_("Rejected"), "r", Outcome.REJECT, DECIDED, needs_reason=True),
        Action("escalate", N_("Escalate"), N_("Escalated"), "e", None, frozenset({Status.HELD})),
    )
}

# Reason code -> (hotkey after `r`, words for people).
REJECT_REASONS: dict[str, tuple[str, str]] = {
    "toxicity": ("t", N_("Abusive tone")),
    "severe_toxicity": ("v", N_("Severe abuse")),
    "insult": ("i", N_("Insult")),
    "profanity": ("p", N_("Profanity")),
    "threat": ("h", N_("Threat")),
    "identity_attack": ("g", N_("Attack on a group")),
    "sexually_explicit": ("e", N_("Sexually explicit")),
    "spam": ("s", N_("Spam")),
    "off_topic": ("o", N_("Off topic")),
    "personal_data": ("d", N_("Personal data")),
    "advertising": ("a", N_("Advertising")),
    "illegal": ("l", N_("Illegal (name the law)")),
    "other": ("x", N_("Other (say what)")),
}
# These need a note, and the author reads it in the statement of reasons.
NOTE_FOR_AUTHOR = frozenset({"illegal", "other"})


def may_decide(source: Source, status: Status) -> bool:
    """Whether a decision of this source may be made on a comment in this status."""
    return status in MAY_DECIDE[source]


def may_edit(status: Status) -> bool:
    """An edit sends any comment that is not withdrawn back to pending with its next revision."""
    return status is not Status.WITHDRAWN
