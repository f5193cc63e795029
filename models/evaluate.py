"""Measure an artefact on the test split: `python -m models.evaluate --data DIR [--artefact DIR]`.

Writes operating points and figures into the manifest and renders CARD.md from it. The figures without the sets that
have no written licence come from a second fit, which is measured and thrown away.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from models import ARTEFACTS, linear
from models.artefacts import read_manifest, write_manifest
from models.card import write_card
from models.datasets import OWN, DataError, Table, load_table
from models.operating import civil_rows, holds, operating_points
from models.scorer import ATTRIBUTES, ArtefactError
from models.slices import groups_in
from models.sources import DECIDED, LicenceError

_RESAMPLES = 200
_FEWEST = 10  # positives and negatives that a figure needs
_POOLS = {
    "news (Civil Comments)": ("civil-comments-balanced", "civil-comments-toxic-spans"),
    "Wikipedia": ("jigsaw-wiki-multilabel", "jigsaw-wiki-binary", "wikidetox-sample", "wiki-context-toxicity"),
    "Wikipedia, natural sample": ("wiki-context-toxicity",),
}
WAR_STORIES = Path(__file__).resolve().parent / "evaluation" / "war_stories.jsonl"

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Metric = Callable[[NDArray[Any], Floats], float]


def recall_at_precision(label: NDArray[Any], score: Floats) -> float:
    """The largest recall at any threshold whose precision is at least 0.9."""
    precision, recall, _ = precision_recall_curve(label, score)
    return float(recall[precision >= 0.9].max(initial=0.0))


def _auc(label: NDArray[Any], score: Floats) -> float:
    return float(roc_auc_score(label, score))


def _pr_auc(label: NDArray[Any], score: Floats) -> float:
    return float(average_precision_score(label, score))


METRICS: dict[str, Metric] = {"roc_auc": _auc, "pr_auc": _pr_auc, "recall_at_p90": recall_at_precision}


def measure(label: NDArray[Any], score: Floats) -> dict[str, Any]:
    """Each metric with a 95 % bootstrap interval (stratified, 200 resamples, fixed seed): [value, low, high]."""
    random = np.random.default_rng(7)
    classes = [np.flatnonzero(label == 0), np.flatnonzero(label == 1)]
    draws = [np.concatenate([random.choice(c, len(c)) for c in classes]) for _ in range(_RESAMPLES)]
    out: dict[str, Any] = {"positive": len(classes[1]), "negative": len(classes[0])}
    for name, metric in METRICS.items():
        spread = [metric(label[d], score[d]) for d in draws]
        low, high = np.percentile(spread, [2.5, 97.5])
        out[name] = [round(float(v), 4) for v in (metric(label, score), low, high)]
    return out


def by_attribute(table: Table, scores: Floats) -> dict[str, dict[str, Any]]:
    """Figures of every attribute on every pool and set of the test split that has enough of both classes."""
    pools = {**_POOLS, **{str(name): (str(name),) for name in np.unique(table.source)}}
    out: dict[str, dict[str, Any]] = {a: {} for a in ATTRIBUTES}
    for i, attribute in enumerate(ATTRIBUTES):
        for pool, sources in pools.items():
            label = table.labels[:, i]
            rows = (table.split == "test") & np.isin(table.source, sources) & ~np.isnan(label)
            positives = int((label[rows] == 1).sum())
            if positives >= _FEWEST and int(rows.sum()) - positives >= _FEWEST:
                out[attribute][pool] = measure(label[rows].astype(int), scores[rows, i])
    return out


def by_group(table: Table, held: Bools) -> dict[str, dict[str, Any]]:
    """Of the civil test rows that mention a group: how many, and which share would be held."""
    rows, _ = civil_rows(table, "test")
    rows = rows | ((table.split == "test") & (table.source == "wikipedia-debias-nontoxic"))
    names: dict[str, list[bool]] = {}
    for index in np.flatnonzero(rows):
        for group in ("all", *groups_in(table.texts[index])):
            names.setdefault(group, []).append(bool(held[index]))
    return {g: {"rows": len(h), "held": round(float(np.mean(h)), 4)} for g, h in names.items() if len(h) >= 30}


def at_thresholds(table: Table, scores: Floats, thresholds: dict[str, float]) -> dict[str, Any]:
    """What the thresholds do on the test split: share of civil comments held, recall by attribute and pool."""
    held = holds(scores, thresholds)
    civil, weights = civil_rows(table, "test")
    single = {a: float(weights[scores[civil, i] >= thresholds[a]].sum()) for i, a in enumerate(ATTRIBUTES)}
    recall = {}
    for i, attribute in enumerate(ATTRIBUTES):
        rows = (table.split == "test") & (table.labels[:, i] == 1)
        if rows.any():
            own = round(float((scores[rows, i] >= thresholds[attribute]).mean()), 4)
            recall[attribute] = {"rows": int(rows.sum()), "own": own, "any": round(float(held[rows].mean()), 4)}
    return {
        "civil_rows": int(civil.sum()),
        "civil_held": round(float(weights[held[civil]].sum()), 4),
        "civil_held_by": {a: round(share, 4) for a, share in single.items()},
        "recall": recall,
        "groups": by_group(table, held),
    }


def war_stories(scorer: linear.LinearScorer) -> dict[str, Any]:
    """ROC-AUC on our own war-story sentences, per kind of abuse against all civil ones; empty without the file."""
    if not WAR_STORIES.exists():
        return {}
    rows = [json.loads(line) for line in WAR_STORIES.read_text(encoding="utf-8").splitlines() if line.strip()]
    scores = matrix(scorer, [row["text"] for row in rows])
    label = np.array([row["label"] == "abusive" for row in rows])
    kinds = np.array([row["kind"] for row in rows])
    tops = {"TOXICITY": scores[:, 0], "IDENTITY_ATTACK": scores[:, 5], "THREAT": scores[:, 4]}
    out = {"abusive": {a: round(_auc(label, s), 4) for a, s in tops.items()}, "rows": len(rows)}
    for kind in sorted(set(kinds[label].tolist())):
        keep = ~label | (kinds == kind)
        out[kind] = {a: round(_auc(label[keep], s[keep]), 4) for a, s in tops.items()}
    return out


def matrix(scorer: linear.LinearScorer, texts: Sequence[str]) -> Floats:
    """Scores as an array (texts, attributes)."""
    return np.array([[row[a] for a in ATTRIBUTES] for row in scorer.score(texts)])


def report(scorer: linear.LinearScorer, table: Table) -> dict[str, Any]:
    """Operating points, chosen on the tune split, and all figures of the test split."""
    scores = matrix(scorer, table.texts)
    points = operating_points(table, scores)
    return {
        "operating_points": points,
        "figures": by_attribute(table, scores),
        "at_operating_points": at_thresholds(table, scores, points["thresholds"]),
        "war_stories": war_stories(scorer),
    }


def without_unlicensed(data: Path, table: Table, say: Callable[[str], None]) -> dict[str, Any]:
    """The figures of a fit that leaves out sets without a written licence, on the same test rows."""
    from models.train import fit  # scikit-learn's fitting is needed here only

    say("second fit, without " + ", ".join(DECIDED))
    arrays = fit(load_table(data, without_unlicensed=True, say=lambda line: None), say)
    scorer = linear.from_arrays(arrays, ATTRIBUTES)
    return {"figures": by_attribute(table, matrix(scorer, table.texts)), "war_stories": war_stories(scorer)}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m models.evaluate", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder per labelled set")
    parser.add_argument("--artefact", type=Path, default=ARTEFACTS / linear.NAME, help="folder of the artefact")
    options = parser.parse_args(arguments)

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    try:
        scorer = linear.load_linear(options.artefact)
        manifest = read_manifest(options.artefact)
        table = load_table(options.data, say=lambda line: None)
        table = table.where((table.split != "train") | (table.source == OWN))
        say(f"measuring on {len(table.texts)} rows")
        manifest.update(report(scorer, table))
        if set(DECIDED) & manifest["sets"].keys():
            manifest["without_unlicensed"] = without_unlicensed(options.data, table, say)
    except (ArtefactError, DataError, LicenceError) as error:
        say(f"error: {error}")
        return 1
    write_manifest(options.artefact, manifest)
    write_card(options.artefact, manifest)
    say(f"figures and card written to {options.artefact}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
