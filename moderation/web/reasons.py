"""The reasons of a rejection as the desk offers them: what the check found strongest comes first, and is marked."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from moderation.domain.lifecycle import NOTE_FOR_AUTHOR, REJECT_REASONS
from moderation.web.texts import gettext as _
from moderation.web.words import strongest_first

# What a rule that is no score would be called as a reason.
_REASON_OF_KIND = {
    "email_address": "personal_data", "phone_number": "personal_data", "links": "advertising",
    "bad_domain": "spam", "repeated_text": "spam", "flood": "spam", "honeypot": "spam",
}  # fmt: skip


@dataclass(frozen=True)
class Offered:
    """A reason, its words, whether the check found it the strongest, and whether words for the author go with it."""

    code: str
    label: str
    strongest: bool = False
    needs_note: bool = False


def offered(signals: Iterable[dict[str, Any]]) -> list[Offered]:
    """All reasons, the strongest of these signals first."""
    first = strongest(signals)
    codes = sorted(REJECT_REASONS, key=lambda code: code != first)
    return [Offered(code, _(REJECT_REASONS[code][1]), code == first, code in NOTE_FOR_AUTHOR) for code in codes]


def strongest(signals: Iterable[dict[str, Any]]) -> str | None:
    """The reason that the strongest of the signals that decided comes down to; None where none does."""
    for signal in strongest_first(signal for signal in signals if signal.get("decided")):
        code = str(signal.get("attribute") or "").lower() or _REASON_OF_KIND.get(str(signal.get("kind")))
        if code in REJECT_REASONS:
            return code
    return None
