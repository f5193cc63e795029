"""Which comments a moderator sees blurred until they want to read them, and in which words that is said."""

from collections.abc import Iterable, Mapping
from typing import Any

from moderation.domain.lifecycle import Status
from moderation.services.examples import LIKELY
from moderation.web.texts import gettext as _
from moderation.web.words import ATTRIBUTE_WORDS, RULE_WORDS, clearness, strongest_first

# What wears people down most; anything else is severe when it lies far above its limit.
SEVERE = frozenset({"SEVERE_TOXICITY", "THREAT", "IDENTITY_ATTACK", "SEXUALLY_EXPLICIT"})
_FAR_ABOVE = 3.0


def severe(signal: dict[str, Any]) -> bool:
    """Whether this reason alone makes a comment hard to read."""
    if not signal.get("decided") or not signal.get("attribute") or signal.get("score") is None:
        return False
    return signal["attribute"] in SEVERE or clearness(signal) > _FAR_ABOVE


def veil(blur: str, status: Status, signals: Iterable[dict[str, Any]]) -> str | None:
    """Why a comment is blurred, as a sentence; None where it is not. `blur` is off, severe or all (that is held)."""
    decided = strongest_first(signal for signal in signals if signal.get("decided") and signal.get("kind"))
    if blur == "off" or status not in (Status.HELD, Status.REJECTED):
        return None
    hard = [signal for signal in decided if severe(signal)]
    if blur == "severe" and not hard:
        return None
    worst_first = sorted(hard or decided, key=lambda signal: signal.get("attribute") not in SEVERE)
    for signal in worst_first:
        words = ATTRIBUTE_WORDS.get(signal.get("attribute") or "") or RULE_WORDS.get(signal["kind"])
        if words:
            return _("Hidden because it %(reason)s.", reason=words[1])
    return _("Hidden because it is held.") if status is Status.HELD else None


def veiled(blur: str, status: str, signals: Iterable[dict[str, Any]]) -> bool:
    """Whether the beginning of another comment, shown in passing, is blurred: there is no asking for it there."""
    if status == Status.REJECTED:
        return blur != "off"
    return status == Status.HELD and (blur == "all" or (blur == "severe" and any(map(severe, signals))))


def veil_of_labels(blur: str, said: Mapping[str, float]) -> str | None:
    """The same for a labelled example. `said`: attribute -> 0..1, by whoever labelled it or by us."""
    named = [name for name, value in said.items() if value >= LIKELY and (blur == "all" or name in SEVERE)]
    if blur == "off" or not named:
        return None
    words = next((ATTRIBUTE_WORDS[name] for name in named if name in ATTRIBUTE_WORDS), None)
    return _("Hidden because it %(reason)s.", reason=words[1]) if words else _("Hidden because of its label.")
