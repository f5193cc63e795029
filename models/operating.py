"""Choose a threshold per attribute: as much abuse held as possible while few civil comments are."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.datasets import OWN, Table
from models.scorer import ATTRIBUTES
from models.slices import mentions
from models.sources import SOURCES
from models.templates import lone

ONE = 0.02  # no attribute alone may hold a larger share of the civil comments
UNION = 0.035  # and all of them together no larger one
NAMED = 0.05  # nor more than this of the civil comments that name a group of people or war
OWN_HARMLESS = 0.005  # nor of our own harmless sentences, most of which name one
_STEPS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.015, ONE)
_FIXED = {"SEVERE_TOXICITY": 0.001, "SPAM": 0.0025}  # the first is part of TOXICITY; spam is rare in natural comments
_NEWS = ("civil-comments-balanced",)

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def civil_rows(table: Table, split: str) -> tuple[Bools, Floats]:
    """Rows of natural comments that raters called civil, and weights that give news and Wikipedia half each."""
    natural = [s.name for s in SOURCES if s.natural]
    rows = (table.split == split) & np.isin(table.source, natural) & (table.labels[:, 0] == 0)
    news = np.isin(table.source[rows], _NEWS)
    weights = np.where(news, 0.5 / max(news.sum(), 1), 0.5 / max((~news).sum(), 1))
    return rows, weights / weights.sum()


def threshold(scores: Floats, weights: Floats, share: float) -> float:
    """The lowest threshold above which at most `share` of the weighted scores lie."""
    order = np.argsort(-scores)
    held = np.cumsum(weights[order])
    over = np.flatnonzero(held > share)
    return float(np.nextafter(scores[order[over[0]]], 2.0)) if len(over) else 0.0


def _abuse(table: Table, split: str) -> list[Bools]:
    """The kinds of abuse whose recall is averaged: toxic news and talk, group attacks, threats, insults."""
    inside = table.split == split
    natural = np.isin(table.source, [s.name for s in SOURCES if s.natural])
    kinds = [inside & natural & (table.labels[:, 0] == 1)]
    kinds += [inside & (table.labels[:, ATTRIBUTES.index(a)] == 1) for a in ("IDENTITY_ATTACK", "THREAT", "INSULT")]
    return [kind for kind in kinds if kind.any()]


def _named(table: Table, civil: Bools) -> list[tuple[Bools, float]]:
    """Harmless rows that name groups or war, each with the largest share of them that may be held."""
    named = civil.copy()
    named[civil] = [mentions(table.texts[i]) for i in np.flatnonzero(civil)]
    own = (table.source == OWN) & (table.labels[:, 0] == 0)
    return [(named, NAMED), (own, OWN_HARMLESS)]


def _floors(table: Table, scores: Floats) -> Floats:
    """Thresholds that no lone harmless word of ours, such as "Jews" or "kill", reaches."""
    words = np.array([lone(text) for text in table.texts]) & (table.source == OWN) & (table.labels[:, 0] == 0)
    floors: Floats = scores[words].max(axis=0, initial=0.0) + 1e-4  # more than rounding may take off
    return floors


def operating_points(table: Table, scores: Floats) -> dict[str, Any]:
    """Thresholds for `scores` (rows, attributes), chosen on the tune split, with what they hold there.

    Every mix of the allowed shares is tried; the one with the highest mean recall over the kinds of abuse wins
    among those whose union holds at most UNION of the civil comments.
    """
    civil, weights = civil_rows(table, "tune")
    kinds = _abuse(table, "tune")
    if not civil.any() or not kinds:
        return {"thresholds": dict.fromkeys(ATTRIBUTES, 0.5), "chosen_on": "nothing: the data has no civil tune rows"}
    free = [a for a in ATTRIBUTES if a not in _FIXED]
    floors = _floors(table, scores)
    cuts = {
        a: [max(threshold(scores[civil, i], weights, s), floors[i]) for s in ([_FIXED[a]] if a in _FIXED else _STEPS)]
        for i, a in enumerate(ATTRIBUTES)
    }
    held = {a: [scores[:, i] >= cut for cut in cuts[a]] for i, a in enumerate(ATTRIBUTES)}
    fixed = np.logical_or.reduce([held[a][0] for a in _FIXED])
    limits = [(rows, limit) for rows, limit in _named(table, civil) if rows.any()]
    best, choice = -1.0, dict.fromkeys(free, 0)
    for steps in product(range(len(_STEPS)), repeat=len(free)):
        mix = dict(zip(free, steps, strict=True))
        union = _union(held, mix, fixed, civil)
        if float(weights[union].sum()) > UNION:
            continue
        if any(_union(held, mix, fixed, rows).mean() > limit for rows, limit in limits):
            continue
        recall = float(np.mean([_union(held, mix, fixed, kind).mean() for kind in kinds]))
        if recall > best:
            best, choice = recall, mix
    choice = {**dict.fromkeys(_FIXED, 0), **choice}
    return {
        "thresholds": {a: round(cuts[a][choice[a]], 4) for a in ATTRIBUTES},
        "chosen_on": f"tune split: at most {ONE:.0%} of civil comments held by one attribute, {UNION:.1%} by all, "
        f"{NAMED:.0%} of those that name a group or war",
        "mean_recall_on_tune": round(best, 4),
    }


def _union(held: dict[str, list[Bools]], mix: dict[str, int], fixed: Bools, rows: Bools) -> Bools:
    out = fixed[rows]
    for attribute, step in mix.items():
        out = out | held[attribute][step][rows]
    return out


def holds(scores: Floats, thresholds: dict[str, float]) -> Bools:
    """Which rows any attribute holds."""
    out: Bools = np.any(scores >= np.array([thresholds[a] for a in ATTRIBUTES]), axis=1)
    return out
