"""Words for people: statuses, rules and times as the pages say them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from moderation.domain.lifecycle import HONEYPOT, REJECT_REASONS, Source, Status
from moderation.domain.policy import margin
from moderation.services.context import Step
from moderation.store.tables import Decision
from moderation.web.languages import LANGUAGE_WORDS

ATTRIBUTE_WORDS: dict[str, tuple[str, str]] = {
    # attribute -> (its name on the page, how a sentence goes on after "it ...")
    "TOXICITY": ("Abusive tone", "has an abusive tone"),
    "SEVERE_TOXICITY": ("Severe abuse", "looks severely abusive"),
    "INSULT": ("Insult", "looks like an insult"),
    "PROFANITY": ("Profanity", "holds strong language"),
    "THREAT": ("Threat", "looks like a threat"),
    "IDENTITY_ATTACK": ("Attack on a group", "looks like an attack on a group"),
    "SEXUALLY_EXPLICIT": ("Sexual", "looks sexually explicit"),
    "SPAM": ("Spam", "looks like spam"),
}

# Kind of rule -> (its name on the page, how a sentence goes on after "it ..."); a score rule has its attribute's.
# The hidden field is no rule of a policy: it holds by itself.
RULE_WORDS: dict[str, tuple[str, str]] = {
    "score": ("Score", "reached a limit"),
    "words": ("Word list", "matches your word list"),
    "pattern": ("Pattern", "matches your pattern"),
    "links": ("Links", "holds many links"),
    "email_address": ("E-mail address", "holds an e-mail address"),
    "phone_number": ("Phone number", "holds a phone number"),
    "first_time_author": ("New author", "is by a new author"),
    "repeat_offender": ("Rejected before", "is by an author whose comments were often rejected"),
    "trusted_author": ("Trusted author", "is by a trusted author"),
    "not_scored": ("Classifier", "could not be checked"),
    HONEYPOT: ("Hidden field", "filled in a field that people can't see"),
    "language": ("Language", "is in a language that this service does not score"),
}

STATUS_WORDS = {
    Status.PENDING: "Being checked",
    Status.HELD: "Held",
    Status.APPROVED: "Approved",
    Status.REJECTED: "Rejected",
    Status.WITHDRAWN: "Withdrawn",
}
FILTER_WORDS = {
    "held": "All held",
    "escalated": "Escalated",
    "approved": "Approved",
    "rejected": "Rejected",
    "pending": "Being checked",
    "withdrawn": "Withdrawn",
    "any": "All comments",
}
SORT_WORDS = {"risk": "Highest risk", "oldest": "Oldest", "newest": "Newest", "uncertain": "Least certain"}

_DONE = {"approve": "approved", "hold": "held", "reject": "rejected", "escalate": "escalated"}


def name_of(signal: dict[str, Any]) -> str:
    """What a signal is about, as a label."""
    attribute, kind = signal.get("attribute"), signal.get("kind")
    if kind is None:  # a moderator's reason
        return REJECT_REASONS.get(signal["rule"], ("", str(signal["rule"])))[1]
    if attribute:
        return ATTRIBUTE_WORDS.get(attribute, (str(attribute).replace("_", " ").capitalize(), ""))[0]
    label = RULE_WORDS.get(kind, (kind, ""))[0]
    return f"{label} “{signal['rule']}”" if kind in ("words", "pattern") else label


def style_of(signal: dict[str, Any]) -> str:
    """The class of a signal's underline: each attribute has its own pattern, all other rules share one."""
    return f"r-{(signal.get('attribute') or 'rule').lower()}"


def because(signal: dict[str, Any]) -> str:
    """How the sentence "Held because it ..." goes on, with the numbers that a moderator can check."""
    attribute, kind = signal.get("attribute"), signal.get("kind") or "score"
    if language := signal.get("language"):
        return f"seems to be in {LANGUAGE_WORDS.get(language, language)}, which this service does not score"
    said = (ATTRIBUTE_WORDS.get(attribute or "") or RULE_WORDS.get(kind, RULE_WORDS["score"]))[1]
    if signal.get("score") is not None and signal.get("threshold") is not None:
        return f"{said} ({number(signal['score'])}, your limit is {number(signal['threshold'])})"
    return said


def number(value: float) -> str:
    """A score or a limit: two digits, three where two would hide the difference."""
    return f"{value:.3f}" if 0.0005 <= value < 0.1 else f"{value:.2f}"


def clearness(signal: dict[str, Any]) -> float:
    """How far above its limit; a rule without a score is clear."""
    score, limit = signal.get("score"), signal.get("threshold")
    return 2.0 if score is None or limit is None else margin(score, limit)


def strongest_first(signals: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """What decided before what fired before the rest, each by how far it is above its limit."""
    return sorted(
        signals, key=lambda signal: (not signal.get("decided"), not signal.get("outcome"), -clearness(signal))
    )


def sentence(verdict: Decision) -> str:
    """Why the policy decided as it did, strongest reason first."""
    decided = strongest_first(signal for signal in verdict.signals if signal.get("decided"))
    if not decided:
        return "Nothing in your policy spoke against it"
    reasons = [because(signal) for signal in decided]
    listed = reasons[0] if len(reasons) == 1 else f"{', '.join(reasons[:-1])} and {reasons[-1]}"
    return f"{_DONE[verdict.action].capitalize()} because it {listed}"


def step(step: Step) -> str:
    """One line of a comment's history."""
    decision = step.decision
    done, who = _DONE.get(decision.action, decision.action), step.by or "the policy"
    if decision.undoes:
        return f"Undone by {who}, {done} again"
    if decision.source == Source.POLICY:
        return f"{done.capitalize()} by policy v{decision.policy_version}"
    if decision.reason == "escalate":
        return f"Escalated by {who}"
    where = " at the site" if decision.source == Source.SITE else ""
    why = f": {REJECT_REASONS[decision.reason][1]}" if decision.reason in REJECT_REASONS else ""
    return f"{done.capitalize()} by {step.by or 'the site'}{where}{why}"


def ago(at: int, now: int) -> str:
    """How long ago, or how soon, short."""
    seconds = abs(now - at) // 1000
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return "now" if seconds < 10 else f"{seconds} s"


def absolute(at: int) -> str:
    """The time in full, for a title."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%-d %B %Y, %H:%M:%S UTC")


def ordinal(number: int) -> str:
    """1 -> 1st."""
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
