"""Fit how linear scorer and encoder are combined, and choose for which texts the encoder runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from models.cascade import Combination
from models.datasets import Table
from models.evidence import NAMES
from models.scorer import ATTRIBUTES
from models.sources import SOURCES
from models.training.calibrate import PREVALENCE, calibration_rows, platt

_STRENGTH = 0.3  # inverse of the L2 penalty on standardised columns
_FEW = 30  # tune rows of either class below which both scorers simply count alike
LOOKED_AT = 0.15  # share of natural comments that the encoder may see
_TELLING = 0.75  # of these, the share given to texts that name people, groups or violence, or quote

# Signs that tell the sets apart, some of which kept no case or punctuation, rather than spam from the rest.
_STYLE = ("punctuation", "symbols", "digits", "exclamations", "capitals", "length")
_USED = np.array([name not in _STYLE for name in NAMES], np.float32)

Say = Callable[[str], None]
Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Views:
    """What is known of each row of a table: log-odds of both scorers (rows, attributes), signs of spam (rows, signs),
    and whether the text is telling (see models.cascade)."""

    linear: Floats
    encoder: Floats
    signs: Floats
    telling: Bools


def _columns(views: Views, spam: bool, both: bool) -> Floats:
    """All columns, those that may not speak set to zero: signs only for SPAM, the encoder only where it ran."""
    signs = views.signs * (_USED if spam else 0)
    parts = [views.linear, views.encoder, signs] if both else [views.linear, signs]
    return np.concatenate(parts, axis=1)


def _fit(table: Table, x: Floats, column: int, both: bool) -> tuple[Floats, float]:
    """Weights and bias of one attribute on the tune rows that state it, calibrated on natural ones."""
    label = table.labels[:, column]
    rows = (table.split == "tune") & ~np.isnan(label)
    if min((label[rows] == 1).sum(), (label[rows] == 0).sum()) < _FEW:
        weights, bias = np.zeros(x.shape[1]), 0.0
        weights[[column, len(ATTRIBUTES) + column] if both else [column]] = 1.0
    else:
        spread = x[rows].std(axis=0)
        scale = np.where(spread > 1e-9, 1 / np.maximum(spread, 1e-9), 0.0)
        model = LogisticRegression(C=_STRENGTH, max_iter=1000)
        model.fit(x[rows] * scale, label[rows], sample_weight=table.weights[rows, column])
        weights, bias = model.coef_[0] * scale, float(model.intercept_[0])
    tune = calibration_rows(table, column)
    raw = (x[tune] @ weights + bias).astype(np.float64)
    slope, shift = platt(raw, label[tune].astype(np.float64), PREVALENCE[ATTRIBUTES[column]])
    return (weights * slope).astype(np.float32), bias * slope + shift


def _matrix(table: Table, views: Views, both: bool) -> tuple[Floats, Floats]:
    fits = [
        _fit(table, _columns(views, attribute == "SPAM", both), column, both)
        for column, attribute in enumerate(ATTRIBUTES)
    ]
    return np.stack([weights for weights, _ in fits], axis=1), np.array([bias for _, bias in fits], np.float32)


def natural_rows(table: Table, split: str) -> Bools:
    """Rows of sets drawn from real comments that are not toxic: nearly all that a site sees."""
    natural = [source.name for source in SOURCES if source.natural]
    rows = (table.split == split) & np.isin(table.source, natural) & (table.labels[:, 0] == 0)
    return np.asarray(rows, np.bool_)


def _gate(table: Table, views: Views, say: Say) -> tuple[Floats, Floats]:
    """What is usual of each attribute, and the limits that let LOOKED_AT of the natural comments through."""
    rows = natural_rows(table, "tune")
    usual = views.linear[rows].mean(axis=0)
    risk = (views.linear[rows] - usual).max(axis=1)
    telling = views.telling[rows]
    parts = (1 - _TELLING) / max((~telling).mean(), 1e-9), _TELLING / max(telling.mean(), 1e-9)
    shares = [LOOKED_AT * part for part in parts]
    limits = [
        float(np.quantile(risk[part], 1 - min(share, 1.0))) if part.any() else 0.0
        for part, share in zip((~telling, telling), shares, strict=True)
    ]
    say(f"cascade: {telling.mean():.0%} of natural comments are telling; limits {limits[0]:.2f} and {limits[1]:.2f}")
    return usual.astype(np.float32), np.array(limits, np.float32)


def fit_combination(table: Table, views: Views, say: Say) -> Combination:
    """The combination for rows of `table` (tune split) as seen by both scorers."""
    both, both_bias = _matrix(table, views, both=True)
    alone, alone_bias = _matrix(table, replace(views, encoder=np.zeros_like(views.encoder)), both=False)
    usual, limits = _gate(table, views, say)
    return Combination(both, both_bias, alone, alone_bias, usual, limits)
