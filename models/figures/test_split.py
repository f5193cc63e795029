"""Figures of the test split: by attribute and set, calibration, and what the thresholds do."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.datasets import Table
from models.figures.metrics import Bools, Floats, calibration, enough, measure, wilson
from models.scorer import ATTRIBUTES
from models.sources import SOURCES

NATURAL_WIKIPEDIA = "Wikipedia, natural sample"
NEWS, WIKIPEDIA = "news (Civil Comments)", "Wikipedia"
POOLS = {
    NEWS: ("civil-comments-balanced", "civil-comments-toxic-spans"),
    WIKIPEDIA: ("jigsaw-wiki-multilabel", "jigsaw-wiki-binary", "wikidetox-sample", "wiki-context-toxicity"),
    NATURAL_WIKIPEDIA: ("wiki-context-toxicity",),
}
NEWS_PREVALENCE = 0.08  # toxic share of Civil Comments as a whole; our sample is half toxic


def natural_rows(table: Table) -> Bools:
    """Rows of sets that are drawn from real comments."""
    out: Bools = np.isin(table.source, [s.name for s in SOURCES if s.natural])
    return out


def pools(table: Table) -> dict[str, Bools]:
    """Which rows belong to each pool and to each set that is not a pool by itself."""
    alone = {sources[0] for sources in POOLS.values() if len(sources) == 1}
    named = {**POOLS, **{str(n): (str(n),) for n in np.unique(table.source) if str(n) not in alone}}
    return {name: np.isin(table.source, sources) for name, sources in named.items()}


def by_attribute(table: Table, scores: Floats) -> dict[str, dict[str, Any]]:
    """Figures of every attribute on every pool and set that has enough rows of both classes."""
    out: dict[str, dict[str, Any]] = {}
    for i, attribute in enumerate(ATTRIBUTES):
        out[attribute] = {}
        for pool, inside in pools(table).items():
            rows = inside & ~np.isnan(table.labels[:, i]) & ~np.isnan(scores[:, i])
            label = table.labels[rows, i]
            if enough(label):
                out[attribute][pool] = measure(label, scores[rows, i])
    return out


def calibrations(table: Table, scores: Floats, stated: dict[str, float]) -> dict[str, dict[str, Any]]:
    """Reliability by attribute: the natural Wikipedia sample as it is, other pools weighted to a share of positives.

    `stated` is the share of positives that an attribute is calibrated to; news as a whole has NEWS_PREVALENCE.
    """
    inside = pools(table)
    out: dict[str, dict[str, Any]] = {}
    for i, attribute in enumerate(ATTRIBUTES):
        wanted = {NATURAL_WIKIPEDIA: None, WIKIPEDIA: stated.get(attribute), NEWS: stated.get(attribute)}
        wanted[NEWS] = NEWS_PREVALENCE if attribute == "TOXICITY" else wanted[NEWS]
        wanted = wanted if attribute != "SPAM" else {"youtube-spam": stated.get(attribute)}
        out[attribute] = {}
        for pool, prevalence in wanted.items():
            rows = inside.get(pool, np.zeros(len(scores), bool))
            rows = rows & ~np.isnan(table.labels[:, i]) & ~np.isnan(scores[:, i])
            label = table.labels[rows, i]
            if enough(label) and (prevalence or pool == NATURAL_WIKIPEDIA):
                out[attribute][pool] = calibration(label, scores[rows, i], prevalence)
    return out


def held(scores: Floats, thresholds: dict[str, float]) -> Bools:
    """Which rows any attribute holds; an attribute without a score or a threshold holds nothing."""
    out: Bools = np.any(scores >= np.array([thresholds.get(a, np.inf) for a in ATTRIBUTES]), axis=1)
    return out


def at_thresholds(table: Table, scores: Floats, thresholds: dict[str, float]) -> dict[str, Any]:
    """Shares of civil comments held in each pool, and recall of each attribute, by itself and by any of them."""
    caught = held(scores, thresholds)
    civil = {name: rows & (table.labels[:, 0] == 0) for name, rows in pools(table).items() if name in POOLS}
    recall = {}
    for i, attribute in enumerate(ATTRIBUTES):
        rows = table.labels[:, i] == 1
        if rows.any() and attribute in thresholds:
            own = scores[rows, i] >= thresholds[attribute]
            total = int(rows.sum())
            recall[attribute] = {"rows": total, "own": wilson(int(own.sum()), total)}
            recall[attribute]["any"] = wilson(int(caught[rows].sum()), total)
    return {
        "civil": {
            n: {"rows": int(r.sum()), "held": wilson(int(caught[r].sum()), int(r.sum()))}
            for n, r in civil.items()
            if r.any()
        },
        "civil_by_attribute": {
            a: {n: round(float((scores[r, i] >= thresholds[a]).mean()), 4) for n, r in civil.items() if r.any()}
            for i, a in enumerate(ATTRIBUTES)
            if a in thresholds
        },
        "recall": recall,
    }
