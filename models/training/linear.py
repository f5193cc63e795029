"""Fit the weights of the linear scorer: one logistic regression per attribute on hashed n-grams."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, vstack
from sklearn.linear_model import LogisticRegression

from models.datasets import OURS, DataError, Table
from models.features import BITS, grams
from models.normalise import normalise_all
from models.scorer import ATTRIBUTES
from models.slices import mentions
from models.training.calibrate import PREVALENCE, calibration_rows, platt

# Inverse of the L2 penalty; the sets about groups hold more that n-grams should not learn by heart.
STRENGTH = {"IDENTITY_ATTACK": 0.3}
_STRENGTH = 1.0
NAMED = 3.0  # weight of a harmless text that names a group or war: elsewhere such words are mostly met in abuse
_ROWS = 2000

Say = Callable[[str], None]


def sparse(texts: Sequence[str], bits: int = BITS) -> csr_matrix:
    """The features of linear.py as a matrix (texts, 2^bits): n-gram counts over the square root of the size."""
    parts = [csr_matrix((0, 1 << bits), dtype=np.float32)]
    for begin in range(0, len(texts), _ROWS):
        found = grams(normalise_all(texts[begin : begin + _ROWS]), bits)
        count = len(found.size)
        rows = np.concatenate([np.repeat(np.arange(count), np.diff(s.bounds)) for s in found.streams])
        columns = np.concatenate([s.index for s in found.streams])
        ones = np.ones(len(rows), np.float32)
        part = csr_matrix((ones, (rows, columns)), shape=(count, 1 << bits))
        parts.append((diags(found.scale) @ part).tocsr())
    return vstack(parts).tocsr().astype(np.float32)


def rarity(x: csr_matrix) -> NDArray[np.float32]:
    """Column scales: a quarter of the smoothed inverse document frequency, which makes rare n-grams cheaper to use."""
    seen = np.bincount(x.indices, minlength=x.shape[1])
    return np.asarray((np.log((x.shape[0] + 1) / (seen + 1)) + 1) / 4, np.float32)


@dataclass(frozen=True)
class Fit:
    """One attribute's numbers: raw log-odds are `x @ weights + bias`, calibrated ones `slope * raw + shift`."""

    weights: NDArray[np.float32]
    bias: float
    slope: float
    shift: float


def row_weights(table: Table) -> NDArray[np.float32]:
    """The weights (rows, attributes) to fit with: harmless texts that name groups or war count NAMED times."""
    harmless = (table.labels[:, 0] == 0) & ~np.isin(table.source, OURS)
    named = [bool(calm) and mentions(text) for calm, text in zip(harmless, table.texts, strict=True)]
    return np.asarray(table.weights * np.where(named, NAMED, 1.0)[:, None], np.float32)


def fit_attribute(x: csr_matrix, scale: NDArray[np.float32], table: Table, column: int) -> Fit:
    """Fit one attribute on the train rows that state it, then calibrate it on tune rows."""
    label = table.labels[:, column]
    rows = (table.split == "train") & ~np.isnan(label)
    if len(np.unique(label[rows])) < 2:
        raise DataError(f"no two classes to fit {ATTRIBUTES[column]} on")
    model = LogisticRegression(C=STRENGTH.get(ATTRIBUTES[column], _STRENGTH), max_iter=300, tol=1e-4)
    scaled = (x[rows] @ diags(scale)).tocsr().astype(np.float32)
    model.fit(scaled, label[rows], sample_weight=table.weights[rows, column])
    weights = (model.coef_[0] * scale).astype(np.float16).astype(np.float32)
    bias = float(model.intercept_[0])
    tune = calibration_rows(table, column)
    raw = np.asarray(x[tune] @ weights, np.float64) + bias
    slope, shift = platt(raw, label[tune].astype(np.float64), PREVALENCE[ATTRIBUTES[column]])
    return Fit(weights, bias, slope, shift)


def fit(table: Table, say: Say, bits: int = BITS) -> dict[str, NDArray[Any]]:
    """The arrays of an artefact, fitted on the table; deterministic."""
    started = time.monotonic()
    x = sparse(table.texts, bits)
    table = replace(table, weights=row_weights(table))
    scale = rarity(x[table.split == "train"])
    say(f"{x.shape[0]} rows, {x.nnz} features, {time.monotonic() - started:.0f} s")
    fits = []
    for column, attribute in enumerate(ATTRIBUTES):
        fits.append(fit_attribute(x, scale, table, column))
        spent = time.monotonic() - started
        left = spent / (column + 1) * (len(ATTRIBUTES) - column - 1)
        say(f"fitted {attribute} ({column + 1} of {len(ATTRIBUTES)}), {spent:.0f} s spent, about {left:.0f} s left")
    return {
        "weights": np.stack([f.weights for f in fits], axis=1).astype(np.float16),
        "bias": np.array([f.bias for f in fits], np.float32),
        "slope": np.array([f.slope for f in fits], np.float32),
        "shift": np.array([f.shift for f in fits], np.float32),
    }
