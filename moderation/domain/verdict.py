"""What goes into a policy and what comes out: facts and rules, signals and the verdict. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import exp, log
from typing import NamedTuple, Protocol

from moderation.domain.lifecycle import Outcome
from moderation.domain.standing import Standing
from moderation.domain.text import Span


class Matcher(Protocol):
    """Finds pieces of a text in time linear in its length."""

    def __call__(self, text: str) -> Sequence[Span]: ...


@dataclass(slots=True)  # one is made for every comment, and a frozen one takes three times as long
class Facts:
    """What is known about a comment; None means unknown, and unknown facts fire nothing.

    `text` is what a reader would see, scores are 0..1 by attribute, spans are code points of `text`. `language` is the
    code of a language in which comments are not scored, and the reason why there are no scores. `floods` and `repeats`
    count comments up to and with this one: any, and those with nearly the same text. `bad_links` are those to domains
    that an operator listed, and `bad_website` says that the author's website is one more; `trapped` says that a field
    was filled in which people don't see.
    """

    text: str
    scores: Mapping[str, float] | None = None
    links: Sequence[Span] | None = None
    email_addresses: Sequence[Span] | None = None
    phone_numbers: Sequence[Span] | None = None
    approved_before: int | None = None
    rejected_before: int | None = None
    language: str | None = None
    standing: Standing | None = None
    article_closed: bool = False
    article_held: bool = False
    site_held: bool = False
    slow_mode: bool = False
    trapped: bool = False
    floods: Mapping["Look", int] | None = None
    repeats: Mapping["Look", int] | None = None
    bad_links: Sequence[Span] | None = None
    bad_website: bool = False


class Look(NamedTuple):
    """What a rule counts: comments of the last `seconds` that have the same author, address or (any) site in common."""

    by: str
    seconds: int


@dataclass(frozen=True)
class Rule:
    """One line of a policy. Which fields count depends on `kind`; RULES says how.

    `place` is where the rule holds, if not everywhere: section or article.
    """

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
    region: str | None = None
    place: str | None = None
    look: Look | None = None


class Signal(NamedTuple):
    """What one rule saw. `outcome` is None where it did not fire; `muted` where the author is trusted all the same.

    `number` is how many comments it found in the last `seconds`, where it counts.
    """

    rule: str
    kind: str
    outcome: Outcome | None = None
    attribute: str | None = None
    score: float | None = None
    threshold: float | None = None
    spans: tuple[Span, ...] = ()
    language: str | None = None
    place: str | None = None
    number: int | None = None
    seconds: int | None = None
    muted: bool = False
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
    return _log_odds(score) - _of_threshold(threshold)


def _log_odds(share: float) -> float:
    inside = 1e-6 if share < 1e-6 else share if share < 1 - 1e-6 else 1 - 1e-6
    return log(inside / (1 - inside))


_of_threshold = lru_cache(maxsize=1024)(_log_odds)  # there are few of them, and each is asked for with every comment
