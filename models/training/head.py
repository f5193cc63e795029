"""Fit the head of the encoder: one logistic regression per attribute on embeddings. Takes seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from models.datasets import DataError, Table
from models.encoder import Head
from models.scorer import ATTRIBUTES
from models.training.calibrate import PREVALENCE, calibration_rows, platt

_STRENGTH = 0.02  # inverse of the L2 penalty on standardised columns

Floats = NDArray[np.float32]


def fit_head(table: Table, embeddings: Sequence[Floats], weights: Floats, say: Callable[[str], None]) -> Head:
    """A calibrated head from the train and tune rows of `table`; `embeddings[i]` is (windows, hidden) of row i.

    Fitted on the first window of each train row, calibrated on tune rows over all windows. `weights` is
    (rows, attributes). Raises DataError where an attribute has no two classes.
    """
    first = np.stack([one[0] for one in embeddings])
    train = table.split == "train"
    middle, spread = first[train].mean(axis=0), first[train].std(axis=0) + 1e-6
    columns, biases = [], []
    for column, attribute in enumerate(ATTRIBUTES):
        label = table.labels[:, column]
        rows = train & ~np.isnan(label)
        if len(np.unique(label[rows])) < 2:
            raise DataError(f"no two classes to fit {attribute} on")
        model = LogisticRegression(C=_STRENGTH, max_iter=500)
        model.fit((first[rows] - middle) / spread, label[rows], sample_weight=weights[rows, column])
        columns.append((model.coef_[0] / spread).astype(np.float32))
        biases.append(float(model.intercept_[0] - model.coef_[0] @ (middle / spread)))
        say(f"head: fitted {attribute}")
    raw = Head(np.stack(columns, axis=1), np.array(biases, np.float32))
    return _calibrated(raw, table, raw.log_odds(embeddings))


def _calibrated(raw: Head, table: Table, odds: Floats) -> Head:
    """The same head with slope and shift of each attribute worked in."""
    slopes, shifts = [], []
    for column, attribute in enumerate(ATTRIBUTES):
        rows = calibration_rows(table, column)
        slope, shift = platt(
            odds[rows, column].astype(np.float64), table.labels[rows, column].astype(np.float64), PREVALENCE[attribute]
        )
        slopes.append(slope)
        shifts.append(shift)
    stretch = np.array(slopes, np.float32)
    return Head(raw.weights * stretch, raw.bias * stretch + np.array(shifts, np.float32))
