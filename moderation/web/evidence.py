"""What each check said of a comment, one line a check, for the table under it: the strongest first."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from moderation.domain.lifecycle import Source
from moderation.store.tables import Decision
from moderation.web.texts import gettext as _
from moderation.web.words import RULE_WORDS, language_name, name_of, strongest_first, style_of


class Effect(StrEnum):
    """What a check did to the decision."""

    DECIDED = "decided"
    SPOKE = "spoke"  # it fired, and something stronger decided
    MUTED = "muted"  # it fired, and does not count against an author whom people trust
    NONE = "none"
    NO_RULE = "no_rule"  # scored, but no rule of the policy asks for it


@dataclass(frozen=True)
class Line:
    """One check. `ran` False is a state of its own: there is no score, and that is not a score of nothing.

    `place` is section or article where the rule is not the whole site's; `words` are what it points at in the text,
    and `style` is the class of their underline, None where it points at nothing.
    """

    name: str
    effect: Effect
    ran: bool = True
    score: float | None = None
    limit: float | None = None
    outcome: str | None = None
    place: str | None = None
    style: str | None = None
    words: tuple[str, ...] = ()


def lines(verdict: Decision, quoted: dict[str, list[str]]) -> list[Line]:
    """Every check of this verdict; `quoted` has the words that each rule points at."""
    signals = strongest_first(verdict.signals)
    found = [_line(signal, quoted.get(signal["rule"], [])) for signal in signals]
    kinds = {signal.get("kind") for signal in signals}
    if verdict.source == Source.POLICY and verdict.scorer is None and "not_scored" not in kinds:
        found.insert(0, Line(str(RULE_WORDS["not_scored"][0]), Effect.NONE, ran=False))
    asked = {signal.get("attribute") for signal in signals}
    rest = sorted(((score, name) for name, score in verdict.scores.items() if name not in asked), reverse=True)
    return found + [Line(str(name_of({"attribute": name, "kind": "score"})), Effect.NO_RULE, score=score)
                    for score, name in rest]  # fmt: skip


def _line(signal: dict[str, Any], words: list[str]) -> Line:
    kind, outcome = signal.get("kind"), signal.get("outcome")
    name = str(name_of(signal))
    if language := signal.get("language"):
        name = _("%(check)s: %(language)s is not scored", check=name, language=language_name(language))
    return Line(
        name, _effect(signal), kind not in ("not_scored", "language"), signal.get("score"),
        signal.get("threshold"), outcome, signal.get("place"),
        style_of(signal) if signal.get("decided") and words else None, tuple(_short(word) for word in words[:4]),
    )  # fmt: skip


def _short(word: str) -> str:
    return word if len(word) <= 40 else f"{word[:39]}…"


def _effect(signal: dict[str, Any]) -> Effect:
    if signal.get("decided"):
        return Effect.DECIDED
    if signal.get("muted"):
        return Effect.MUTED
    return Effect.SPOKE if signal.get("outcome") else Effect.NONE
