"""The look from outside: sets that are only validated, pairs, real Perspective scores, our own sentences."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.datasets import Table
from models.figures.metrics import RESAMPLES, Bools, Figure, Floats, auc, enough, figure, measure, wilson
from models.figures.test_split import NATURAL_WIKIPEDIA, POOLS, held
from models.scorer import ATTRIBUTES
from models.validation_sets import PAIRS, Check, letters, pairs

Score = Callable[[Sequence[str]], Floats]

EVALUATION = Path(__file__).resolve().parents[1] / "evaluation"
PERSPECTIVE = "reference/perspective-scores-wiki-2k"
HIGH = 0.8  # where a site would act on Perspective's score
_COLUMNS = {"TOXICITY": "TOXICITY@6", "SEVERE_TOXICITY": "SEVERE_TOXICITY@2"}


def checks(
    labelled: Sequence[tuple[Check, Sequence[tuple[str, float]]]], score: Score, thresholds: dict[str, float]
) -> dict[str, dict[str, Any]]:
    """Every check with its texts and labels: AUC where it has both classes, shares held of zeros and ones."""
    out: dict[str, dict[str, Any]] = {}
    for check, rows in labelled:
        scores, label = score([text for text, _ in rows]), np.array([value for _, value in rows])
        own = scores[:, ATTRIBUTES.index(check.attribute)]
        found: dict[str, Any] = {"set": check.folder, "attribute": check.attribute, "meaning": check.meaning}
        if enough(label) and not np.isnan(own).any():
            found |= measure(label, own, ("roc_auc", "pr_auc"))
        caught = held(scores, thresholds)
        if check.civil and (label == 0).any():
            found |= {"civil_rows": int((label == 0).sum()), "civil_held": _share(caught[label == 0])}
        if (label == 1).any():
            found |= {"abusive_rows": int((label == 1).sum()), "abusive_held": _share(caught[label == 1])}
        out[check.name] = found
    return out


def _share(caught: Bools) -> Figure:
    return wilson(int(caught.sum()), len(caught))


def in_order(data: Path, score: Score, seen: Collection[str]) -> dict[str, dict[str, Any]]:
    """Share of pairs whose rude text has the higher TOXICITY score (a tie counts half, rounded down)."""
    out = {}
    for name in PAIRS:
        found = pairs(data, name, seen)
        if found:
            rude, civil = score([p.rude for p in found])[:, 0], score([p.civil for p in found])[:, 0]
            right = int((rude > civil).sum() + (rude == civil).sum() // 2)
            out[name] = {"pairs": len(found), "right": wilson(right, len(found))}
    return out


def correlation(x: NDArray[Any], y: NDArray[Any]) -> Figure:
    """Pearson's r with a bootstrap interval."""
    random = np.random.default_rng(7)
    picked = [random.integers(len(x), size=len(x)) for _ in range(RESAMPLES)]
    spread = [np.corrcoef(x[rows], y[rows])[0, 1] for rows in picked]
    return figure(float(np.corrcoef(x, y)[0, 1]), *np.nanpercentile(spread, [2.5, 97.5]))


def _agreement(theirs: Floats, ours: Floats) -> dict[str, Any]:
    """Pearson, Spearman, and our AUC at finding what they score HIGH or above."""
    from scipy.stats import rankdata

    high = (theirs >= HIGH).astype(int)
    out: dict[str, Any] = {"rows": len(theirs), "high": int(high.sum()), "pearson": correlation(theirs, ours)}
    out["spearman"] = correlation(rankdata(theirs), rankdata(ours))
    return {**out, "roc_auc_of_high": auc(high, ours)} if enough(high) else out


def _csv(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def perspective(data: Path, score: Score, seen: Collection[str]) -> dict[str, dict[str, Any]]:
    """Agreement with Perspective's scores of 2018, by attribute, on texts that no fit has seen."""
    rows = _csv(data / PERSPECTIVE / "train.csv.gz")
    keys = letters([row["text"] for row in rows])
    rows = [row for row, key in zip(rows, keys, strict=True) if key not in seen]
    scores = score([row["text"] for row in rows])
    out = {}
    for i, attribute in enumerate(ATTRIBUTES):
        stated = [row.get(_COLUMNS.get(attribute, attribute)) or "nan" for row in rows]
        theirs = np.array([float(value) for value in stated])
        both = ~np.isnan(theirs) & ~np.isnan(scores[:, i])
        if both.any() and np.ptp(theirs[both]) and np.ptp(scores[both, i]):
            out[attribute] = _agreement(theirs[both], scores[both, i])
    return out


def perspective_on_labels(data: Path, table: Table, scores: Floats) -> dict[str, Any]:
    """On the natural Wikipedia sample: Perspective's AUC (scores of 2020) against the raters beside ours, same rows."""
    (source,) = POOLS[NATURAL_WIKIPEDIA]
    stated = {
        r["text"]: float(r["perspective_score"]) for r in _csv(data / source / "train.csv.gz") if r["perspective_score"]
    }
    theirs = np.array([stated.get(text, np.nan) for text in table.texts])
    rows = (table.source == source) & ~np.isnan(theirs) & ~np.isnan(table.labels[:, 0])
    label = table.labels[rows, 0]
    if not enough(label):
        return {}
    measured = {"perspective": auc(label, theirs[rows]), "ours": auc(label, scores[rows, 0])}
    return {**_agreement(theirs[rows], scores[rows, 0]), "positive": int(label.sum()), "roc_auc": measured}


def sentences(name: str) -> list[dict[str, Any]]:
    """The sentences of one of our own files, empty without it."""
    path = EVALUATION / f"{name}.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.strip()]


def own_sentences(score: Score) -> dict[str, dict[str, Any]]:
    """AUC of abusive against civil sentences of our own; which of them are held is for `moderation evaluate`."""
    out: dict[str, dict[str, Any]] = {}
    for name in ("war_stories", "functional"):
        rows = sentences(name)
        label = np.array([row["label"] == "abusive" for row in rows], int)
        if enough(label):
            scores = score([row["text"] for row in rows])
            kinds = {a: scores[:, ATTRIBUTES.index(a)] for a in ("TOXICITY", "IDENTITY_ATTACK", "THREAT", "INSULT")}
            out[name] = {"rows": len(rows), **{a: auc(label, s) for a, s in kinds.items() if not np.isnan(s).any()}}
    return out
