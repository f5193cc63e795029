"""What a score means: log-odds stretched and moved so that, at natural prevalence, 0.8 is right 8 times in 10."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from models.datasets import Table
from models.sources import SOURCES

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Share of positives that scores are calibrated to: news and talk pages as raters see them, rounded by us.
PREVALENCE = {
    "TOXICITY": 0.08,
    "SEVERE_TOXICITY": 0.008,
    "INSULT": 0.05,
    "PROFANITY": 0.03,
    "THREAT": 0.005,
    "IDENTITY_ATTACK": 0.02,
    "SEXUALLY_EXPLICIT": 0.01,
    "SPAM": 0.02,
}
_FEW = 100  # positives of natural sets below which the other sets lend theirs


def platt(raw: Floats, label: Floats, prevalence: float) -> tuple[float, float]:
    """Slope and shift that turn raw log-odds into calibrated ones at the given share of positives (Platt 1999)."""
    positive = label == 1
    if not positive.any() or positive.all():
        return 1.0, 0.0
    weight = np.where(positive, prevalence / positive.sum(), (1 - prevalence) / (~positive).sum()) * len(label)
    model = LogisticRegression(C=1e4, max_iter=1000).fit(raw[:, None], label, sample_weight=weight)
    return max(float(model.coef_[0, 0]), 1e-3), float(model.intercept_[0])


def calibration_rows(table: Table, column: int) -> Bools:
    """Tune rows to calibrate on: natural sets; sets made half of positives lend only positives, where few are known."""
    natural = np.isin(table.source, [s.name for s in SOURCES if s.natural])
    known = (table.split == "tune") & ~np.isnan(table.labels[:, column])
    rows = known & natural
    few = (table.labels[rows, column] == 1).sum() < _FEW
    rows = rows | (known & (table.labels[:, column] == 1)) if few else rows
    return rows if rows.any() else ~np.isnan(table.labels[:, column])
