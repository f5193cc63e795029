"""Scorer and policy together over labelled sentences: what is decided right. `moderation evaluate`."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from moderation.domain.lifecycle import Outcome
from moderation.errors import SetupError
from moderation.scoring import Classifier
from moderation.services.policies import CompiledPolicy
from moderation.services.verdicts import verdict

ABUSIVE, CIVIL = LABELS = ("abusive", "civil")
SPEAKING_AGAINST = ("counter_speech", "quoted_abuse", "quoted_abuse_condemned")
_BATCH = 256
_Z = 1.96


@dataclass(frozen=True)
class Decided:
    """One labelled sentence, and whether the policy held (or rejected) it."""

    label: str
    kind: str
    swear: bool | None  # None: not stated
    held: bool

    @property
    def right(self) -> bool:
        """An abusive one held, or a civil one published."""
        return self.held == (self.label == ABUSIVE)


@dataclass(frozen=True)
class Share:
    """A count of a total, with the 95 % Wilson interval."""

    count: int
    total: int

    @property
    def value(self) -> float:
        """The share, 0..1."""
        return self.count / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end, 0..1."""
        n, p = self.total, self.value
        middle, spread = p + _Z**2 / (2 * n), _Z * sqrt(p * (1 - p) / n + _Z**2 / (4 * n * n))
        return max(0.0, (middle - spread) / (1 + _Z**2 / n)), min(1.0, (middle + spread) / (1 + _Z**2 / n))


def read(data: bytes) -> list[dict[str, Any]]:
    """JSON lines with `text` and `label` (abusive or civil), and `kind` and `swear` if there are any.

    Raises SetupError, naming the line, for one that is not so, and for data without any.
    """
    found = [_labelled(number, line) for number, line in enumerate(data.splitlines(), 1) if line.strip()]
    if not found:
        raise SetupError("there are no labelled texts")
    return found


def _labelled(number: int, line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise SetupError(f"line {number} is not JSON") from error
    if not isinstance(found, dict) or not isinstance(found.get("text"), str):
        raise SetupError(f"line {number} is not an object with a text")
    if any("\ud800" <= character <= "\udfff" for character in found["text"]):
        raise SetupError(f"line {number}: the text has lone surrogates")
    if found.get("label") not in LABELS:
        raise SetupError(f"line {number}: the label must be abusive or civil")
    return found


def decide_all(classifier: Classifier, policy: CompiledPolicy, labelled: Sequence[dict[str, Any]]) -> list[Decided]:
    """The policy's answer on each."""
    out = []
    for begin in range(0, len(labelled), _BATCH):
        batch = labelled[begin : begin + _BATCH]
        for one, judged in zip(batch, classifier.judge([one["text"] for one in batch]), strict=True):
            held = verdict(policy, one["text"], judged).outcome is not Outcome.APPROVE
            swear = bool(one["swear"]) if "swear" in one else None
            out.append(Decided(one["label"], str(one.get("kind", "")), swear, held))
    return out


def right(rows: Iterable[Decided]) -> Share | None:
    """Share that is decided right; None without rows."""
    answers = [row.right for row in rows]
    return Share(sum(answers), len(answers)) if answers else None


def _groups(row: Decided) -> Iterator[str]:
    yield "all"
    yield row.label
    if row.label == ABUSIVE and row.swear is not None:
        yield f"{ABUSIVE}, {'with' if row.swear else 'without'} a swear word"
    if row.kind:
        yield f"{row.label}: {row.kind}"


def _reading_order(group: str) -> tuple[bool, bool, bool, str]:
    return ":" in group, "," in group, group != "all", group


def table(rows: Sequence[Decided]) -> str:
    """Share right by label, then by kind, as a Markdown table."""
    groups: dict[str, list[Decided]] = defaultdict(list)
    for row in rows:
        for group in _groups(row):
            groups[group].append(row)
    lines = ["| group | comments | right | 95 % interval |", "| --- | --- | --- | --- |"]
    for group in sorted(groups, key=_reading_order):
        share = right(groups[group])
        if share:
            low, high = share.interval
            lines.append(f"| {group} | {share.total} | {share.value:.1%} | {low:.1%} to {high:.1%} |")
    return "\n".join(lines)


def headlines(functional: Sequence[Decided], stories: Sequence[Decided]) -> list[str]:
    """What was to be reached on the project's own sentences, and whether the intervals say that it was."""
    both = [*functional, *stories]
    against = right(row for row in both if row.kind in SPEAKING_AGAINST)
    return [
        _headline("functional tests right", right(functional), 0.80),
        _headline("functional tests, harmless right", right(row for row in functional if row.label == CIVIL), 0.60),
        _headline("war stories, abusive held", right(row for row in stories if row.label == ABUSIVE), 0.80),
        _headline("counter-speech and quoted abuse published", against, 0.80),
        _headline(
            "abuse without a swear word held",
            right(row for row in both if row.label == ABUSIVE and row.swear is False),
            0.85,
        ),
    ]


def _headline(what: str, share: Share | None, least: float) -> str:
    if share is None:
        return f"{what}: nothing to measure"
    low, high = share.interval
    reached = f"{what}: {share.value:.1%} ({low:.1%} to {high:.1%}) of {share.total}; at least {least:.0%} wanted: "
    if share.value >= least:
        return reached + ("met" if low >= least else "met, within the margin")
    return reached + ("fell short" if high < least else "short, within the margin")


def section(functional: Sequence[Decided], stories: Sequence[Decided]) -> str:
    """The model card's section: headlines, then a table for each file."""
    lead = "Right: an abusive comment held, a civil one published."
    lines = [f"- {line}" for line in headlines(functional, stories)]
    tables = [
        f"### {name}\n\n{table(rows)}" for name, rows in (("Functional tests", functional), ("War stories", stories))
    ]
    return "\n\n".join([lead, "\n".join(lines), *tables])
