"""The classifier and a policy over loose texts, without a database: `moderation score` and `moderation evaluate`."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import sqrt
from typing import Any

from moderation.domain.lifecycle import Outcome
from moderation.scoring import Classifier
from moderation.services.decide import signal_row, verdict
from moderation.services.plain_text import PlainText
from moderation.services.policies import CompiledPolicy
from moderation.services.views import reason_view

_BATCH = 256
_Z = 1.96


def score_lines(classifier: Classifier, policy: CompiledPolicy, lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """JSON lines with `text` -> the same objects with scores, action and reasons; a bad line gives an error."""
    waiting = iter(lines)
    while batch := list(islice(waiting, _BATCH)):
        read = [_read(line) for line in batch]
        texts = [one["text"] for one in read if "error" not in one]
        scores = iter(classifier.score(texts) if texts else [])
        for one in read:
            yield one if "error" in one else one | _decided(classifier, policy, one["text"], next(scores))


def _read(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {"error": "not JSON"}
    if not isinstance(found, dict) or not isinstance(found.get("text"), str):
        return {"error": "not an object with a text"}
    if any("\ud800" <= character <= "\udfff" for character in found["text"]):
        return {"error": "the text has lone surrogates"}
    # What we add must be ours, also where a line holds such a key already.
    return {name: value for name, value in found.items() if name not in ("scores", "action", "reasons", "error")}


def _decided(classifier: Classifier, policy: CompiledPolicy, text: str, scores: dict[str, float]) -> dict[str, Any]:
    answer = verdict(policy, text, scores)
    rows = [signal_row(classifier, signal, PlainText(text), text) for signal in answer.reasons]
    reasons = [reason for row in rows if (reason := reason_view(row))]
    return {"scores": scores, "action": answer.outcome.value, "reasons": reasons}


@dataclass(frozen=True)
class Share:
    """How many of a group were not approved, with the 95 % Wilson interval."""

    group: str
    held: int
    total: int

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end, 0..1."""
        n, p = self.total, self.held / self.total
        middle, spread = p + _Z**2 / (2 * n), _Z * sqrt(p * (1 - p) / n + _Z**2 / (4 * n * n))
        return max(0.0, (middle - spread) / (1 + _Z**2 / n)), min(1.0, (middle + spread) / (1 + _Z**2 / n))


def shares_held(classifier: Classifier, policy: CompiledPolicy, labelled: Sequence[dict[str, Any]]) -> list[Share]:
    """Share held or rejected of labelled texts (`text`, `label`, `kind`, `swear`): by label, then by kind."""
    scores = classifier.score([one["text"] for one in labelled])
    counts: dict[str, list[bool]] = defaultdict(list)
    for one, its_scores in zip(labelled, scores, strict=True):
        held = verdict(policy, one["text"], its_scores).outcome is not Outcome.APPROVE
        for group in _groups(one):
            counts[group].append(held)
    return [Share(group, sum(counts[group]), len(counts[group])) for group in sorted(counts, key=_reading_order)]


def _groups(one: dict[str, Any]) -> list[str]:
    label, groups = str(one["label"]), [str(one["label"])]
    if "swear" in one and label == "abusive":
        groups.append(f"{label}, {'with' if one['swear'] else 'without'} a swear word")
    if "kind" in one:
        groups.append(f"{label}: {one['kind']}")
    return groups


def _reading_order(group: str) -> tuple[bool, bool, str]:
    return ":" in group, "," in group, group


def table(shares: Sequence[Share]) -> str:
    """The shares as a Markdown table."""
    lines = ["| group | comments | held | 95 % interval |", "| --- | --- | --- | --- |"]
    for share in shares:
        low, high = share.interval
        lines.append(f"| {share.group} | {share.total} | {share.held / share.total:.1%} | {low:.1%} to {high:.1%} |")
    return "\n".join(lines)
