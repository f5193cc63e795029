"""How much recall disguises cost, and how many false alarms they raise."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.attacks import ATTACKS

Score = Callable[[list[str]], NDArray[np.floating[Any]]]  # texts -> (texts,), held at the threshold and above
_WORD = re.compile(r"[^\W\d_]{4,}")
_TRIED = 60  # words of a text that are tried out


@dataclass(frozen=True)
class Loss:
    """Of one attack: points of recall lost, and points of civil texts that it alone raised to the threshold."""

    recall: float
    alarms: float


def strongest(score: Score, texts: Sequence[str], most: int = 3) -> list[list[str]]:
    """For each text the words (lower case) without which it scores least, the strongest first."""
    bare: list[str] = []
    words: list[list[str]] = []
    for text in texts:
        found = list(dict.fromkeys(m[0].lower() for m in _WORD.finditer(text)))[:_TRIED]
        words.append(found)
        bare += [re.sub(rf"(?i)\b{re.escape(word)}\b", " ", text) for word in found]
    left = score(bare) if bare else np.zeros(0)
    ends = np.cumsum([len(found) for found in words])
    parts = np.split(left, ends[:-1]) if words else []
    return [
        [found[i] for i in np.argsort(part, kind="stable")[:most]] for found, part in zip(words, parts, strict=True)
    ]


def measure(
    score: Score, abusive: Sequence[str], civil: Sequence[str], threshold: float | None = None, seed: int = 0
) -> dict[str, Any]:
    """What each attack does to a scorer that is held at `threshold` (its default 0.5).

    The attacks go for the words that the scorer itself finds strongest. Recall is lost among the abusive texts that
    are held as they stand; alarms are counted among the civil texts that are not. Returns `held`, `passed` (how many
    those are), `attacks` (name -> recall, alarms in points), `mean_recall_loss`, `worst_recall_loss`, `worst_alarms`.
    """
    limit = 0.5 if threshold is None else threshold
    held = [text for text, high in zip(abusive, score(list(abusive)) >= limit, strict=True) if high]
    passed = [text for text, high in zip(civil, score(list(civil)) >= limit, strict=True) if not high]
    if not held or not passed:
        raise ValueError("no abusive text is held, or no civil text passes: nothing to attack")
    goals = [*strongest(score, held), *strongest(score, passed)]
    texts = [*held, *passed]
    losses: dict[str, Loss] = {}
    for name, attack in ATTACKS.items():
        draws = [random.Random(f"{seed} {name} {text}") for text in texts]  # nosec B311 (must come out the same again)
        changed = [attack(text, draw, goal) for text, draw, goal in zip(texts, draws, goals, strict=True)]
        high = score(changed) >= limit
        losses[name] = Loss(100 * float(np.mean(~high[: len(held)])), 100 * float(np.mean(high[len(held) :])))
    recalls = [loss.recall for loss in losses.values()]
    return {
        "threshold": limit,
        "held": len(held),
        "passed": len(passed),
        "attacks": {name: asdict(loss) for name, loss in losses.items()},
        "mean_recall_loss": float(np.mean(recalls)),
        "worst_recall_loss": max(recalls),
        "worst_alarms": max(loss.alarms for loss in losses.values()),
    }
