"""The policy: rules over scores and facts -> one verdict with its reasons. Pure.

How rules combine: a rule speaks only when it fires; nothing fired means approve; otherwise the strongest
outcome wins (reject over hold). An explicit approve that meets a reject is a disagreement, and a person
decides: hold. Every signal is kept, also those that did not decide.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import exp, log
from typing import Protocol

from moderation.domain.lifecycle import Outcome
from moderation.domain.text import Span


class Matcher(Protocol):
    """Finds pieces of a text in time linear in its length."""

    def __call__(self, text: str) -> Sequence[Span]: ...


@dataclass(frozen=True)
class Facts:
    """What is known about a comment; None means unknown, and unknown facts fire nothing.

    `text` is what a reader would see, scores are 0..1 by attribute, spans are code points of `text`. `language` is the
    code of a language in which comments are not scored, and the reason why there are no scores.
    """

    text: str
    scores: Mapping[str, float] | None = None
    links: Sequence[Span] | None = None
    email_addresses: Sequence[Span] | None = None
    phone_numbers: Sequence[Span] | None = None
    approved_before: int | None = None
    rejected_before: int | None = None
    language: str | None = None


@dataclass(frozen=True)
class Rule:
    """One line of a policy. Which fields count depends on `kind`; RULES says how."""

    name: str
    kind: str
    action: Outcome = Outcome.HOLD
    attribute: str | None = None
    hold: float | None = None
    reject: float | None = None
    at_least: int = 1
    share: float = 0.0
    matcher: Matcher | None = None
    allow: tuple[str, ...] = ()


@dataclass(frozen=True)
class Signal:
    """What one rule saw. `outcome` is None where it did not fire."""

    rule: str
    kind: str
    outcome: Outcome | None = None
    attribute: str | None = None
    score: float | None = None
    threshold: float | None = None
    spans: tuple[Span, ...] = ()
    language: str | None = None
    decided: bool = False


@dataclass(frozen=True)
class Verdict:
    """The pure answer: what to do, and every signal behind it."""

    outcome: Outcome
    signals: tuple[Signal, ...] = field(default=())

    @property
    def reasons(self) -> tuple[Signal, ...]:
        """The signals that decided."""
        return tuple(signal for signal in self.signals if signal.decided)

    @property
    def risk(self) -> float:
        """How far the clearest score stands above (towards 1) or below (towards 0) its threshold; at it, 0.5.

        Thresholds differ much between attributes, so that bare scores would not put comments in order.
        Without any score it is 0.5.
        """
        margins = [
            margin(signal.score, signal.threshold)
            for signal in self.signals
            if signal.score is not None and signal.threshold is not None
        ]
        return 1 / (1 + exp(-max(margins, default=0.0)))


def margin(score: float, threshold: float) -> float:
    """How far a score lies above its threshold, in log-odds; thresholds differ, so bare scores don't compare."""
    return _log_odds(score) - _log_odds(threshold)


def _log_odds(share: float) -> float:
    inside = min(max(share, 1e-6), 1 - 1e-6)
    return log(inside / (1 - inside))


def _score(rule: Rule, facts: Facts) -> Signal | None:
    """Lanes of one attribute: below `hold` nothing, from `hold` on hold, from `reject` on reject."""
    if facts.scores is None or rule.attribute is None or rule.attribute not in facts.scores:
        return None
    score = facts.scores[rule.attribute]
    lanes = [(rule.reject, Outcome.REJECT), (rule.hold, Outcome.HOLD)]
    reached = [(limit, outcome) for limit, outcome in lanes if limit is not None and score >= limit]
    nearest = rule.hold if rule.hold is not None else rule.reject
    threshold, outcome = reached[0] if reached else (nearest, None)
    return Signal(rule.name, rule.kind, outcome, rule.attribute, score, threshold)


def _matches(rule: Rule, facts: Facts) -> Signal | None:
    """A word list or a pattern; the matcher is compiled outside, on an engine without backtracking."""
    return _found(rule, rule.matcher(facts.text) if rule.matcher else None)


def _links(rule: Rule, facts: Facts) -> Signal | None:
    return _found(rule, facts.links)


def _email_address(rule: Rule, facts: Facts) -> Signal | None:
    return _found(rule, facts.email_addresses)


def _phone_number(rule: Rule, facts: Facts) -> Signal | None:
    return _found(rule, facts.phone_numbers)


def _found(rule: Rule, spans: Sequence[Span] | None) -> Signal | None:
    if spans is None or len(spans) < rule.at_least:
        return None
    return Signal(rule.name, rule.kind, rule.action, spans=tuple(spans))


def _first_time_author(rule: Rule, facts: Facts) -> Signal | None:
    """Fewer than `at_least` approved comments so far."""
    if facts.approved_before is None or facts.approved_before >= rule.at_least:
        return None
    return Signal(rule.name, rule.kind, rule.action)


def _repeat_offender(rule: Rule, facts: Facts) -> Signal | None:
    """At least `at_least` rejected comments, and at least `share` of all that were decided."""
    if facts.rejected_before is None or facts.approved_before is None:
        return None
    decided = facts.rejected_before + facts.approved_before
    if facts.rejected_before < rule.at_least or facts.rejected_before < rule.share * decided:
        return None
    return Signal(rule.name, rule.kind, rule.action)


def _trusted_author(rule: Rule, facts: Facts) -> Signal | None:
    """At least `at_least` approved comments and none rejected."""
    if facts.approved_before is None or facts.rejected_before is None:
        return None
    if facts.approved_before < rule.at_least or facts.rejected_before > 0:
        return None
    return Signal(rule.name, rule.kind, Outcome.APPROVE)


def _not_scored(rule: Rule, facts: Facts) -> Signal | None:
    """The classifier could not run on this comment."""
    unscored = facts.scores is None and facts.language is None
    return Signal(rule.name, rule.kind, rule.action) if unscored else None


def _language(rule: Rule, facts: Facts) -> Signal | None:
    """The comment is in a language that is not scored, and not in one of `allow`."""
    if facts.language is None or facts.language in rule.allow:
        return None
    return Signal(rule.name, rule.kind, rule.action, language=facts.language)


# Kind -> function. To add a kind: a function above, one line here, its words in RULE_WORDS.
RULES: dict[str, Callable[[Rule, Facts], Signal | None]] = {
    "score": _score,
    "words": _matches,
    "pattern": _matches,
    "links": _links,
    "email_address": _email_address,
    "phone_number": _phone_number,
    "first_time_author": _first_time_author,
    "repeat_offender": _repeat_offender,
    "trusted_author": _trusted_author,
    "not_scored": _not_scored,
    "language": _language,
}


def evaluate(rules: Sequence[Rule], facts: Facts) -> Verdict:
    """All rules over one comment -> the verdict; the order of the rules does not matter."""
    if facts.language is not None and all(rule.kind != "language" for rule in rules):
        rules, facts = _without_word_on_language(rules), replace(facts, language=None)
    signals = [signal for rule in rules if (signal := RULES[rule.kind](rule, facts)) is not None]
    fired = {signal.outcome for signal in signals if signal.outcome is not None}
    outcome = _combine(fired)
    decisive = fired if {Outcome.APPROVE, Outcome.REJECT} <= fired else {outcome}
    return Verdict(outcome, tuple(replace(signal, decided=signal.outcome in decisive) for signal in signals))


def _without_word_on_language(rules: Sequence[Rule]) -> Sequence[Rule]:
    """A policy that says nothing about languages treats such a comment as not scored, and must not publish it."""
    if any(rule.kind == "not_scored" for rule in rules):
        return rules
    return [*rules, Rule("not_scored", "not_scored")]


def _combine(fired: set[Outcome]) -> Outcome:
    if Outcome.REJECT in fired:
        return Outcome.HOLD if Outcome.APPROVE in fired else Outcome.REJECT
    return Outcome.HOLD if Outcome.HOLD in fired else Outcome.APPROVE
