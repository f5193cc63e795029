"""Fit how linear scorer and encoder are combined, and choose for which texts the encoder runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge

from models.cascade import Combination, worth
from models.datasets import Table
from models.evidence import NAMES
from models.scorer import ATTRIBUTES
from models.sources import SOURCES
from models.training.calibrate import PREVALENCE, calibration_rows, platt

_STRENGTH = 0.3  # inverse of the L2 penalty on standardised columns
_FAINT = 0.1  # what a sign's column counts beside a score's: left out one at a time, the sets of spam bear no more
_RIDGE = 10.0  # L2 penalty of the guess
_FEW = 30  # tune rows of either class below which both scorers simply count alike
LOOKED_AT = 0.18  # share of the characters of natural comments that the encoder may see
_TELLING = 0.75  # of these, the share given to texts that name people, groups or violence, or quote

# Signs that tell the sets apart, some of which kept no case or punctuation, rather than spam from the rest.
_STYLE = ("punctuation", "symbols", "digits", "exclamations", "capitals", "length")
_HARMS = [ATTRIBUTES.index(a) for a in ("TOXICITY", "INSULT", "THREAT", "IDENTITY_ATTACK", "SPAM")]
# Both scorers know the other comments on the things these sets are about, and would be trusted too far.
_KNOWN = [source.name for source in SOURCES if source.unseen]
_USED = np.array([name not in _STYLE for name in NAMES], np.float32)

Say = Callable[[str], None]
Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Views:
    """What is known of each row of a table: log-odds of both scorers (rows, attributes), signs of spam (rows, signs),
    whether the text is telling (see models.cascade), and its length in characters."""

    linear: Floats
    encoder: Floats
    signs: Floats
    telling: Bools
    sizes: Floats


def _columns(views: Views, column: int, both: bool) -> Floats:
    """All columns, those that may not speak set to zero: the encoder only where it ran. For SPAM its own scores and the
    signs, for what else the scorers say tells the sets apart; for the others no signs."""
    spam = ATTRIBUTES[column] == "SPAM"
    heard = np.eye(len(ATTRIBUTES), dtype=np.float32)[column] if spam else np.ones(len(ATTRIBUTES), np.float32)
    signs = views.signs * (_USED if spam else 0)
    parts = [views.linear * heard, views.encoder * heard, signs] if both else [views.linear * heard, signs]
    return np.concatenate(parts, axis=1)


def _fit(table: Table, x: Floats, column: int) -> tuple[Floats, float]:
    """Weights and bias of one attribute on the tune rows that state it, calibrated on natural ones."""
    label = table.labels[:, column]
    rows = (table.split == "tune") & ~np.isnan(label) & ~np.isin(table.source, _KNOWN)
    if min((label[rows] == 1).sum(), (label[rows] == 0).sum()) < _FEW:
        weights, bias = np.zeros(x.shape[1]), 0.0
        weights[[column, len(ATTRIBUTES) + column]] = 1.0
    else:
        spread = x[rows].std(axis=0)
        scale = np.where(spread > 1e-9, 1 / np.maximum(spread, 1e-9), 0.0)
        scale[-len(NAMES) :] *= _FAINT
        model = LogisticRegression(C=_STRENGTH, max_iter=1000)
        model.fit(x[rows] * scale, label[rows], sample_weight=table.weights[rows, column])
        weights, bias = model.coef_[0] * scale, float(model.intercept_[0])
    tune = calibration_rows(table, column)
    raw = (x[tune] @ weights + bias).astype(np.float64)
    slope, shift = platt(raw, label[tune].astype(np.float64), PREVALENCE[ATTRIBUTES[column]])
    return (weights * slope).astype(np.float32), bias * slope + shift


def _alone(table: Table, views: Views, found: Combination) -> tuple[Floats, Floats]:
    """What the linear scorer alone says of tune rows without a second look: its guess of what both would have said."""
    seen = found.unsure(views.linear, views.telling, views.sizes)
    tune = table.split == "tune"
    unseen = tune & ~seen if (tune & ~seen).any() else tune
    said = found.log_odds(views.linear, views.signs, np.ones(len(seen), np.bool_), views.encoder)
    weights, biases = [], []
    for column, attribute in enumerate(ATTRIBUTES):
        # Hardly any spam is left among them, too little to tell how far apart it should stand.
        rows = unseen | (tune & (table.labels[:, column] == 1)) if attribute == "SPAM" else unseen
        model = Ridge(alpha=_RIDGE).fit(_columns(views, column, both=False)[rows], said[rows, column])
        weights.append(model.coef_)
        biases.append(float(model.intercept_))
    return np.stack(weights, axis=1).astype(np.float32), np.array(biases, np.float32)


def natural_rows(table: Table, split: str) -> Bools:
    """Rows of sets drawn from real comments that are not toxic: nearly all that a site sees."""
    natural = [source.name for source in SOURCES if source.natural]
    rows = (table.split == split) & np.isin(table.source, natural) & (table.labels[:, 0] == 0)
    return np.asarray(rows, np.bool_)


def _harm(table: Table, views: Views) -> Floats:
    """Weights (attributes,) of the linear log-odds that tell abuse and spam from civil natural comments."""
    harm = np.nanmax(np.where(table.labels[:, _HARMS] == 1, 1.0, 0.0), axis=1) == 1
    rows = ((table.split == "tune") & harm) | natural_rows(table, "tune")
    model = LogisticRegression(C=_STRENGTH, max_iter=1000).fit(views.linear[rows], harm[rows])
    return np.asarray(model.coef_[0], np.float32)


def _limits(table: Table, views: Views, gate: Floats, say: Say) -> Floats:
    """The limits of plain and of telling texts that let LOOKED_AT of the natural characters through."""
    rows = natural_rows(table, "tune")
    sizes, telling = views.sizes[rows], views.telling[rows]
    value = worth(views.linear[rows], gate, sizes)
    shares = (1 - _TELLING) * LOOKED_AT * sizes.sum(), _TELLING * LOOKED_AT * sizes.sum()
    limits = []
    for part, share in zip((~telling, telling), shares, strict=True):
        order = np.argsort(-value[part])
        within = np.cumsum(sizes[part][order]) <= share
        limits.append(float(value[part][order][within][-1]) if within.any() else 1e6)
    seen = value >= np.where(telling, limits[1], limits[0])
    say(f"cascade: {telling.mean():.0%} of natural comments are telling, {seen.mean():.0%} get a second look")
    return np.array(limits, np.float32)


def fit_combination(table: Table, views: Views, say: Say) -> Combination:
    """The combination for rows of `table` (tune split) as seen by both scorers."""
    fits = [_fit(table, _columns(views, column, both=True), column) for column in range(len(ATTRIBUTES))]
    both = np.stack([weights for weights, _ in fits], axis=1)
    both_bias = np.array([bias for _, bias in fits], np.float32)
    gate = _harm(table, views)
    limits = _limits(table, views, gate, say)
    none = np.zeros((len(ATTRIBUTES) + len(NAMES), len(ATTRIBUTES)), np.float32)
    found = Combination(both, both_bias, none, both_bias, gate, limits)
    alone, alone_bias = _alone(table, views, found)
    return replace(found, alone=alone, alone_bias=alone_bias)
