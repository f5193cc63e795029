"""How well two scores agree, and each with a label: rank statistics with bootstrap intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], float]  # of how often each item counts

_DRAWS, _FEWER_DRAWS, _MANY = 1000, 200, 20_000


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


def spearman(one: Sequence[float], other: Sequence[float]) -> Estimate | None:
    """Rank correlation of two scores of the same items, -1..1; None where there is too little to rank."""
    first, second = _ranking(one), _ranking(other)

    def statistic(counts: Floats) -> float:
        return _correlation(first(counts), second(counts), counts)

    return _estimate(statistic, len(one))


def auc(scores: Sequence[float], positive: Sequence[bool]) -> Estimate | None:
    """How often a positive item scores above a negative one, 0..1, ties half; None if there are not both kinds."""
    return _estimate(_auc(scores, positive), len(scores))


def auc_gain(new: Sequence[float], old: Sequence[float], positive: Sequence[bool]) -> Estimate | None:
    """AUC of the new score less that of the old one, over the same items."""
    by_new, by_old = _auc(new, positive), _auc(old, positive)
    return _estimate(lambda counts: by_new(counts) - by_old(counts), len(new))


def threshold_holding(scores: Sequence[float], wanted: int) -> tuple[float, int] | None:
    """(threshold, number of scores at or above it) that holds as near as can be to `wanted`; None for none at all."""
    if not 0 < wanted <= len(scores):
        return None
    values, counts = np.unique(np.asarray(scores, float), return_counts=True)
    held = np.cumsum(counts[::-1])[::-1]  # by lower end
    # Of two that are as near, the lower one: to hold one more is the smaller mistake.
    best = int(np.argmin(np.abs(held - wanted)))
    return float(values[best]), int(held[best])


def _auc(scores: Sequence[float], positive: Sequence[bool]) -> Statistic:
    ranks, is_positive = _ranking(scores), np.asarray(positive, bool)

    def statistic(counts: Floats) -> float:
        above = float(counts[is_positive].sum())
        below = float(counts.sum()) - above
        if not above or not below:
            return float("nan")
        total = float((counts * ranks(counts))[is_positive].sum())
        return (total - above * (above + 1) / 2) / (above * below)

    return statistic


def _ranking(values: Sequence[float]) -> Callable[[Floats], Floats]:
    """Ranks from 1, equal values sharing theirs, of items that count as often as said. The sorting is done once."""
    _, places = np.unique(np.asarray(values, float), return_inverse=True)

    def ranks(counts: Floats) -> Floats:
        sizes = np.bincount(places, counts)
        shared: Floats = (np.cumsum(sizes) - (sizes - 1) / 2)[places]
        return shared

    return ranks


def _correlation(one: Floats, other: Floats, counts: Floats) -> float:
    x, y = one - np.average(one, weights=counts), other - np.average(other, weights=counts)
    scale = float(np.sqrt((counts * x * x).sum() * (counts * y * y).sum()))
    return float((counts * x * y).sum()) / scale if scale else float("nan")


def _estimate(statistic: Statistic, size: int) -> Estimate | None:
    if size < 3 or np.isnan(value := statistic(np.ones(size))):
        return None
    random = np.random.default_rng(0)
    draws = [
        statistic(np.bincount(random.integers(0, size, size), minlength=size).astype(float))
        for _ in range(_FEWER_DRAWS if size > _MANY else _DRAWS)
    ]
    low, high = np.nanpercentile(draws, (2.5, 97.5))
    return Estimate(value, float(low), float(high))
