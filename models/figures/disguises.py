"""How disguised abuse fares at the operating points, on test rows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from models import robustness
from models.datasets import Table
from models.figures.metrics import Bools, Figure, Floats, wilson
from models.figures.test_split import natural_rows
from models.scorer import ATTRIBUTES

ROWS = 300  # of each class
LONGEST = 600  # characters of a comment that is disguised, to spare time; a longer one has more words left to show it


def _some(table: Table, rows: Bools) -> list[str]:
    texts = [text for text, keep in zip(table.texts, rows, strict=True) if keep and len(text) <= LONGEST]
    return sorted(texts, key=lambda text: hashlib.sha256(text.encode("utf-8", "ignore")).digest())[:ROWS]


def disguises(table: Table, score: Callable[[Sequence[str]], Floats], thresholds: dict[str, float]) -> dict[str, Any]:
    """Shares of held natural comments that slip through, and of passed civil ones that are raised, attack by attack.

    Attacked is what the thresholds decide on: the highest of score minus threshold over all attributes.
    """
    limits = np.array([thresholds.get(a, np.inf) for a in ATTRIBUTES])

    def margin(texts: list[str]) -> Floats:
        return np.asarray(np.nanmax(score(texts) - limits, axis=1), np.float64)

    natural = natural_rows(table)
    abusive, civil = (_some(table, natural & (table.labels[:, 0] == label)) for label in (1, 0))
    try:
        found = robustness.measure(margin, abusive, civil, threshold=0.0)
    except ValueError:  # nothing is held, or everything is
        return {}

    def share(points: float, rows: int) -> Figure:
        return wilson(round(points / 100 * rows), rows)

    held, passed = found["held"], found["passed"]
    return {
        "held": held,
        "passed": passed,
        "attacks": {
            name: {"loss": share(one["recall"], held), "alarms": share(one["alarms"], passed)}
            for name, one in found["attacks"].items()
        },
        "mean_loss": share(found["mean_recall_loss"], held),
        "worst_loss": share(found["worst_recall_loss"], held),
        "worst_alarms": share(found["worst_alarms"], passed),
    }
