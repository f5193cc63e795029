"""How fast do the scorers score? Against scikit-learn's own hashed n-grams, in one interleaved run on one core.

CPU time of this process, so that a busy machine disturbs little; the ratio is taken within each round.
"""

from __future__ import annotations

import csv
import gzip
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

from models import ARTEFACTS, SCORERS, load_scorer

BATCH = 256
LENGTHS = range(200, 421)  # characters: about 300 on average
SETS = ("civil-comments-balanced", "jigsaw-wiki-multilabel", "wiki-context-toxicity")
_SLOW_TEXTS = 64  # of a scorer that takes milliseconds a comment
_SLOW = 1e-3

Run = Callable[[Sequence[str]], object]


def comments(data: Path, count: int, seed: int = 0) -> list[str]:
    """Natural comments of about 300 characters from the labelled sets in `data`."""
    found: list[str] = []
    for name in SETS:
        with gzip.open(data / name / "train.csv.gz", "rt", encoding="utf-8", newline="") as lines:
            found += [row["text"] for row in csv.DictReader(lines) if len(row["text"]) in LENGTHS]
    order = np.random.default_rng(seed).permutation(len(found))
    return [found[i] for i in order[:count]]


def pipeline(texts: Sequence[str]) -> Any:
    """Words 1-2 and characters 3-5 inside words, 2^18 slots each, logistic regression, fitted on labels by chance.

    What it has learnt makes no difference to its speed.
    """
    hashed = make_union(
        HashingVectorizer(ngram_range=(1, 2), n_features=1 << 18),
        HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), n_features=1 << 18),
    )
    labels = np.random.default_rng(0).integers(0, 2, len(texts))
    return make_pipeline(hashed, LogisticRegression(max_iter=20)).fit(list(texts), labels)


def _seconds(run: Run, texts: Sequence[str], batch: int) -> float:
    """CPU seconds a text."""
    begin = time.process_time()
    for i in range(0, len(texts), batch):
        run(texts[i : i + batch])
    return (time.process_time() - begin) / len(texts)


def _runs(texts: Sequence[str]) -> dict[str, Run]:
    found: dict[str, Run] = {"scikit-learn": pipeline(texts[:512]).predict_proba}
    for name in SCORERS:
        if (ARTEFACTS / name).is_dir():
            found[name] = load_scorer(name).score
    return found


def measure(data: Path, rounds: int, count: int = 1024) -> dict[str, dict[str, list[float]]]:
    """CPU seconds a comment in each round: `batch` and `alone` -> scorer -> rounds. Set OMP_NUM_THREADS=1."""
    texts = comments(data, count)
    runs = _runs(texts)
    sizes: dict[str, int] = {}
    for name, run in runs.items():  # also warms up
        run(texts[:BATCH])
        sizes[name] = len(texts) if _seconds(run, texts[:8], 8) < _SLOW else _SLOW_TEXTS
    times: dict[str, dict[str, list[float]]] = {how: {name: [] for name in runs} for how in ("batch", "alone")}
    for _ in range(rounds):
        for name, run in runs.items():
            times["batch"][name].append(_seconds(run, texts[: sizes[name]], BATCH))
            times["alone"][name].append(_seconds(run, texts[: min(sizes[name], BATCH)], 1))
    return times
