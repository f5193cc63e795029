"""Metrics with 95 % intervals. A figure is a list [value, low, high], rounded to 4 digits."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 200
FEWEST = 10  # positives and negatives that a figure needs
BINS = 10
_SEED = 7
_PRECISION = 0.9
_Z = 1.96
_METRICS = ("roc_auc", "pr_auc", "recall_at_p90")

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Figure = list[float]


def figure(value: float, low: float, high: float) -> Figure:
    """As it is stored."""
    return [round(float(v), 4) for v in (value, low, high)]


def draws(label: NDArray[Any], resamples: int = RESAMPLES) -> Floats:
    """How often each row is drawn, (1 + resamples, rows): stratified bootstrap; the first line draws each row once."""
    random = np.random.default_rng(_SEED)
    counts = np.ones((1 + resamples, len(label)))
    for value in (0, 1):
        rows = np.flatnonzero(label == value)
        size = len(rows)
        if size:
            picked = random.integers(size, size=(resamples, size)) + size * np.arange(resamples)[:, None]
            counts[1:, rows] = np.bincount(picked.ravel(), minlength=resamples * size).reshape(resamples, size)
    return counts


def _cumulated(label: NDArray[Any], score: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """True and false positives at each distinct threshold, highest first, (lines, thresholds)."""
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    ordered, positive = counts[:, order], label[order] == 1
    hits = np.cumsum(ordered * positive, axis=1)[:, ends]
    misses = np.cumsum(ordered * ~positive, axis=1)[:, ends]
    return hits, misses


def curves(label: NDArray[Any], score: Floats, counts: Floats) -> dict[str, Floats]:
    """ROC-AUC, PR-AUC (average precision) and the largest recall at precision 0.9, one value a line of `counts`."""
    hits, misses = _cumulated(label, score, counts)
    positives, negatives = hits[:, -1], misses[:, -1]
    gained = np.diff(hits, axis=1, prepend=0.0)
    area = np.sum(np.diff(misses, axis=1, prepend=0.0) * (hits - gained / 2), axis=1) / (positives * negatives)
    precision = hits / np.maximum(hits + misses, 1e-12)
    average = np.sum(gained * precision, axis=1) / positives
    recall = np.max(np.where(precision >= _PRECISION, hits, 0.0), axis=1) / positives
    return {"roc_auc": area, "pr_auc": average, "recall_at_p90": recall}


def enough(label: NDArray[Any]) -> bool:
    """Whether both classes have FEWEST rows."""
    return bool((label == 1).sum() >= FEWEST and (label == 0).sum() >= FEWEST)


def measure(label: NDArray[Any], score: Floats, names: tuple[str, ...] = _METRICS) -> dict[str, Any]:
    """The metrics of one set of rows, label 0 or 1, with stratified bootstrap intervals; both classes must be there."""
    found = curves(label, score, draws(label))
    out: dict[str, Any] = {"positive": int((label == 1).sum()), "negative": int((label == 0).sum())}
    for name in names:
        value, *spread = found[name]
        out[name] = figure(value, *np.percentile(spread, [2.5, 97.5]))
    return out


def auc(label: NDArray[Any], score: Floats) -> Figure:
    """ROC-AUC alone."""
    found: Figure = measure(label, score, ("roc_auc",))["roc_auc"]
    return found


def roc(label: NDArray[Any], score: Floats, points: int = 200) -> tuple[Floats, Floats]:
    """False and true positive rate, thinned to about `points`."""
    hits, misses = _cumulated(label, score, np.ones((1, len(label))))
    x, y = np.append(0.0, misses[0] / misses[0, -1]), np.append(0.0, hits[0] / hits[0, -1])
    keep = np.unique(np.searchsorted(x + y, np.linspace(0, 2, points)).clip(0, len(x) - 1))
    return x[keep], y[keep]


def wilson(count: int, total: int) -> Figure:
    """A share with its Wilson interval; total must be above 0."""
    share = count / total
    middle, scale = share + _Z**2 / (2 * total), 1 + _Z**2 / total
    spread = _Z * sqrt(share * (1 - share) / total + _Z**2 / (4 * total**2))
    return figure(share, max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale))


def borkan(label: NDArray[Any], score: Floats, inside: Bools) -> dict[str, Figure]:
    """Subgroup, BPSN and BNSP AUC of a subgroup (Borkan et al. 2019); those without enough rows are left out.

    BPSN: background positives against subgroup negatives, low if harmless mentions score high.
    BNSP: background negatives against subgroup positives, low if abuse of the subgroup scores low.
    """
    positive = label == 1
    parts = {"subgroup_auc": inside, "bpsn_auc": inside ^ positive, "bnsp_auc": inside == positive}
    return {name: auc(label[rows], score[rows]) for name, rows in parts.items() if enough(label[rows])}


def calibration(label: NDArray[Any], score: Floats, prevalence: float | None = None) -> dict[str, Any]:
    """Reliability in ten bins by value, and the expected calibration error (mean distance, weighted by rows).

    With `prevalence`, the classes are weighted so that this share is positive. The interval of the error is that of
    the resamples moved onto the value, for resampling adds noise that the error counts.
    """
    positive = label == 1
    weight = np.ones(len(label))
    if prevalence is not None:
        weight = np.where(positive, prevalence / positive.sum(), (1 - prevalence) / (~positive).sum())
    inside = np.eye(BINS)[np.minimum((score * BINS).astype(int), BINS - 1)]
    counts = draws(label) * weight
    total, shares, scores = counts @ inside, (counts * positive) @ inside, (counts * score) @ inside
    errors = np.abs(shares - scores).sum(axis=1) / counts.sum(axis=1)
    spread = np.percentile(errors[1:], [2.5, 97.5]) - np.median(errors[1:]) + errors[0]
    rows = inside.sum(axis=0).astype(int)
    bins = [
        {
            "rows": int(rows[b]),
            **{k: round(float(v[0, b] / total[0, b]), 4) for k, v in (("score", scores), ("share", shares))},
        }
        for b in range(BINS)
        if rows[b]
    ]
    return {
        "rows": len(label),
        "positive": int(positive.sum()),
        "prevalence": round(float(total[0] @ (shares[0] / np.maximum(total[0], 1e-12)) / total[0].sum()), 4),
        "ece": figure(errors[0], max(0.0, spread[0]), spread[1]),
        "bins": bins,
    }
