"""The classifier and a policy over loose texts, without a database: `moderation score`."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from moderation.scoring import Classifier, Judged
from moderation.services.plain_text import PlainText
from moderation.services.policies import CompiledPolicy
from moderation.services.verdicts import signal_row, verdict
from moderation.services.views import reason_view

_BATCH = 256
_OURS = ("language", "scores", "action", "reasons", "error")


def score_lines(classifier: Classifier, policy: CompiledPolicy, lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """JSON lines with `text` -> the same objects with scores, action and reasons; a bad line gives an error."""
    waiting = iter(lines)
    while batch := list(islice(waiting, _BATCH)):
        read = [_read(line) for line in batch]
        texts = [one["text"] for one in read if "error" not in one]
        judged = iter(classifier.judge(texts) if texts else [])
        for one in read:
            yield one if "error" in one else one | _decided(classifier, policy, one["text"], next(judged))


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
    return {name: value for name, value in found.items() if name not in _OURS}


def _decided(classifier: Classifier, policy: CompiledPolicy, text: str, judged: Judged) -> dict[str, Any]:
    answer = verdict(policy, text, judged)
    rows = [signal_row(classifier, signal, PlainText(text), text) for signal in answer.reasons]
    reasons = [reason for row in rows if (reason := reason_view(row))]
    return {
        "language": judged.language,
        "scores": judged.scores or {},
        "action": answer.outcome.value,
        "reasons": reasons,
    }
