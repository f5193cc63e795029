"""Fit the linear scorer: `python -m models.train --data DIR [--out DIR] [--without-unlicensed]`.

The same data gives the same artefact: nothing is drawn at random, and the order of rows is that of the files.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, vstack
from sklearn.linear_model import LogisticRegression

from models import ARTEFACTS, linear
from models.artefacts import WEIGHTS, write_artefact
from models.datasets import OWN, DataError, Table, load_table
from models.features import BITS, SETTINGS, grams
from models.normalise import normalise_all
from models.scorer import ATTRIBUTES
from models.slices import mentions
from models.sources import SOURCES, LicenceError

# Inverse of the L2 penalty; the sets about groups hold more that n-grams should not learn by heart.
STRENGTH = {"IDENTITY_ATTACK": 0.3}
_STRENGTH = 1.0
NAMED = 3.0  # weight of a harmless text that names a group or war: elsewhere such words are mostly met in abuse
# Share of positives that scores are calibrated to: news and talk pages as raters see them, rounded by us.
PREVALENCE = {
    "TOXICITY": 0.08,
    "SEVERE_TOXICITY": 0.008,
    "INSULT": 0.05,
    "PROFANITY": 0.03,
    "THREAT": 0.005,
    "IDENTITY_ATTACK": 0.02,
    "SPAM": 0.02,
}
_ROWS = 2000

Say = Callable[[str], None]
Floats = NDArray[np.float64]


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


def platt(raw: Floats, label: Floats, prevalence: float) -> tuple[float, float]:
    """Slope and shift that turn raw log-odds into calibrated ones at the given share of positives (Platt 1999)."""
    positive = label == 1
    if not positive.any() or positive.all():
        return 1.0, 0.0
    weight = np.where(positive, prevalence / positive.sum(), (1 - prevalence) / (~positive).sum()) * len(label)
    model = LogisticRegression(C=1e4, max_iter=1000).fit(raw[:, None], label, sample_weight=weight)
    return max(float(model.coef_[0, 0]), 1e-3), float(model.intercept_[0])


def calibration_rows(table: Table, column: int) -> NDArray[np.bool_]:
    """Tune rows to calibrate on: natural sets; sets made half of positives lend only positives, where few are known."""
    natural = np.isin(table.source, [s.name for s in SOURCES if s.natural])
    known = (table.split == "tune") & ~np.isnan(table.labels[:, column])
    rows = known & natural
    few = (table.labels[rows, column] == 1).sum() < 100
    rows = rows | (known & (table.labels[:, column] == 1)) if few else rows
    return rows if rows.any() else ~np.isnan(table.labels[:, column])


def row_weights(table: Table) -> NDArray[np.float32]:
    """The weights (rows, attributes) to fit with: harmless texts that name groups or war count NAMED times."""
    harmless = (table.labels[:, 0] == 0) & (table.source != OWN)
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


def facts(table: Table, bits: int = BITS) -> dict[str, Any]:
    """What the manifest says besides the files: settings, data sets with licence and rows, library versions."""
    licences = {s.name: s.licence for s in SOURCES}
    sets = {
        str(name): {"licence": licences.get(str(name), "own work"), "rows": int(rows)}
        for name, rows in zip(*np.unique(table.source, return_counts=True), strict=True)
    }
    trained = table.split == "train"
    known = table.labels[trained]
    rows = {
        a: {"positive": int((known[:, i] == 1).sum()), "negative": int((known[:, i] == 0).sum())}
        for i, a in enumerate(ATTRIBUTES)
    }
    return {
        "scorer": linear.NAME,
        "scorer_version": linear.VERSION,
        "attributes": list(ATTRIBUTES),
        "features": {**SETTINGS, "bits": bits},
        "calibrated_to": PREVALENCE,
        "sets": sets,
        "train_rows": rows,
        "libraries": {name: version(name) for name in ("numpy", "scipy", "scikit-learn", "safetensors")},
        "own_examples": OWN,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m models.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder per labelled set")
    parser.add_argument("--out", type=Path, default=ARTEFACTS / linear.NAME, help="folder of the artefact")
    parser.add_argument("--without-unlicensed", action="store_true", help="leave out sets without a written licence")
    options = parser.parse_args(arguments)

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    try:
        table = load_table(options.data, options.without_unlicensed, say=say)
        write_artefact(options.out, {WEIGHTS: fit(table, say)}, facts(table))
    except (LicenceError, DataError) as error:
        say(f"error: {error}")
        return 1
    say(f"written to {options.out}; python -m models.evaluate adds its operating points, figures and card")
    return 0


if __name__ == "__main__":
    sys.exit(main())
