"""Choose a threshold per attribute: as much abuse held as possible while few civil comments are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.datasets import OWN, Table
from models.scorer import ATTRIBUTES
from models.slices import mentions
from models.sources import SOURCES
from models.templates import lone

UNION = 0.02  # all attributes together may hold no larger share of the civil comments
NAMED = 0.05  # nor more than this of the civil comments that name a group of people or war
OWN_HARMLESS = 0.005  # nor of our own harmless sentences, most of which name one
_STEPS = tuple(UNION * 0.85**n for n in range(24, -1, -1))  # shares of civil comments that an attribute may hold
# The first is part of TOXICITY; the others are rare in natural comments, which say little about them.
_FIXED = {"SEVERE_TOXICITY": 0.0005, "SEXUALLY_EXPLICIT": 0.001, "SPAM": 0.002}
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


@dataclass(frozen=True)
class _Search:
    """Rows held at each step of each attribute, and what a mix of steps may not do."""

    held: dict[str, list[Bools]]
    civil: Bools
    weights: Floats
    limits: list[tuple[Bools, float]]
    kinds: list[Bools]

    def union(self, mix: dict[str, int]) -> Bools:
        """Rows that any attribute holds."""
        held: Bools = np.logical_or.reduce([self.held[attribute][step] for attribute, step in mix.items()])
        return held

    def allowed(self, held: Bools) -> bool:
        """Whether no limit on wrongful holds is broken."""
        within = float(self.weights[held[self.civil]].sum()) <= UNION
        return within and all(held[rows].mean() <= limit for rows, limit in self.limits)

    def recall(self, held: Bools) -> float:
        """The mean over the kinds of abuse of the share that is held."""
        return float(np.mean([held[kind].mean() for kind in self.kinds]))

    def neighbours(self, mix: dict[str, int]) -> Iterator[dict[str, int]]:
        """One attribute a step or three looser, alone or with another one a step or three tighter."""
        free = [attribute for attribute in mix if attribute not in _FIXED]
        for one, up in product(free, (1, 3)):
            if mix[one] + up < len(self.held[one]):
                looser = {**mix, one: mix[one] + up}
                yield looser
                for other, down in product(free, (1, 3)):
                    if other != one and mix[other] >= down:
                        yield {**looser, other: mix[other] - down}

    def best(self, mix: dict[str, int]) -> tuple[dict[str, int], float]:
        """Climb from `mix` to the next better one until there is none."""
        recall = self.recall(self.union(mix))
        while True:
            found = [(self.recall(held), n, near) for n, near in enumerate(self.neighbours(mix))
                     if self.allowed(held := self.union(near))]  # fmt: skip
            top = max(found, key=lambda one: (one[0], -one[1]), default=(0.0, 0, mix))
            if top[0] <= recall:
                return mix, recall
            recall, _, mix = top


def operating_points(table: Table, scores: Floats) -> dict[str, Any]:
    """Thresholds for `scores` (rows, attributes), chosen on the tune split, with what they hold there.

    From the strictest, thresholds are lowered as long as the mean recall over the kinds of abuse rises and no limit
    on wrongful holds is broken.
    """
    civil, weights = civil_rows(table, "tune")
    kinds = _abuse(table, "tune")
    if not civil.any() or not kinds:
        return {"thresholds": dict.fromkeys(ATTRIBUTES, 0.5), "chosen_on": "nothing: the data has no civil tune rows"}
    floors = _floors(table, scores)
    cuts = {}
    for i, a in enumerate(ATTRIBUTES):
        shares = [_FIXED[a]] if a in _FIXED else _STEPS
        found = {max(threshold(scores[civil, i], weights, share), floors[i]) for share in shares}
        cuts[a] = sorted(found, reverse=True)
    held = {a: [scores[:, i] >= cut for cut in cuts[a]] for i, a in enumerate(ATTRIBUTES)}
    limits = [(rows, limit) for rows, limit in _named(table, civil) if rows.any()]
    mix, recall = _Search(held, civil, weights, limits, kinds).best(dict.fromkeys(ATTRIBUTES, 0))
    return {
        "thresholds": {a: ceil(cuts[a][mix[a]] * 1e4) / 1e4 for a in ATTRIBUTES},
        "chosen_on": f"tune split: maximum recall at wrongful holds of at most {UNION:.0%} of civil comments and "
        f"{NAMED:.0%} of those that name a group or war",
        "mean_recall_on_tune": round(recall, 4),
    }


def holds(scores: Floats, thresholds: dict[str, float]) -> Bools:
    """Which rows any attribute holds."""
    out: Bools = np.any(scores >= np.array([thresholds[a] for a in ATTRIBUTES]), axis=1)
    return out
