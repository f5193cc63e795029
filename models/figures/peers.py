"""Other libraries on the same rows, each with one score for "toxic"; one that is not installed is named as such."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from models.datasets import Table
from models.figures.judges import Judge
from models.figures.metrics import Floats, auc, enough
from models.figures.test_split import NATURAL_WIKIPEDIA, WIKIPEDIA, pools
from models.scorer import ATTRIBUTES

COLUMNS = ("TOXICITY",)
BASELINE = "scikit-learn baseline"
_COMPARED = (
    ("TOXICITY", "civil-comments-balanced"),
    ("TOXICITY", WIKIPEDIA),
    ("TOXICITY", NATURAL_WIKIPEDIA),
    ("INSULT", WIKIPEDIA),
    ("PROFANITY", WIKIPEDIA),
    ("IDENTITY_ATTACK", "dynahate"),
)


def _alt_profanity_check() -> Judge:
    from profanity_check import predict_prob  # its model is read at import

    def score(texts: Sequence[str]) -> Floats:
        return np.asarray(predict_prob(list(texts)), np.float64)[:, None]

    return Judge("alt-profanity-check", version("alt-profanity-check"), COLUMNS, score)


class _Index(list[Any]):
    """better-profanity's words, by length and first letter: its own walk through the list takes 0.1 s a text."""

    def __init__(self, words: Iterable[Any], spellings: dict[str, tuple[str, ...]]) -> None:
        super().__init__(words)
        self._found: dict[tuple[int, str], list[Any]] = defaultdict(list)
        for word in self:
            first = str(word)[0]
            for character in {first, *spellings.get(first, ())}:
                self._found[len(str(word)), character].append(word)

    def __contains__(self, word: object) -> bool:
        text = str(word)
        return any(known == text for known in self._found.get((len(text), text[:1]), ()))


def _better_profanity() -> Judge:
    from better_profanity import Profanity

    profanity = Profanity()
    profanity.CENSOR_WORDSET = _Index(profanity.CENSOR_WORDSET, profanity.CHARS_MAPPING)

    def score(texts: Sequence[str]) -> Floats:
        return np.array([[float(profanity.contains_profanity(text))] for text in texts])

    return Judge("better-profanity", version("better-profanity"), COLUMNS, score)


def _vader() -> Judge:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()

    def score(texts: Sequence[str]) -> Floats:
        return np.array([[(1.0 - analyzer.polarity_scores(text)["compound"]) / 2] for text in texts])

    return Judge("VADER", version("vaderSentiment"), COLUMNS, score)


def baseline(train: Table) -> Judge:
    """scikit-learn as most would use it: hashed words 1-2 and characters 3-5, one logistic regression for TOXICITY.

    Fitted, when it is first asked, on the train rows that state TOXICITY, with the weights that our own fit gives them.
    """
    digest = hashlib.sha256("\0".join(train.texts).encode("utf-8", "surrogatepass") + train.labels[:, 0].tobytes())
    digest.update(train.weights[:, 0].tobytes())
    fitted: list[Callable[[Sequence[str]], Floats]] = []

    def score(texts: Sequence[str]) -> Floats:
        if not fitted:
            fitted.append(_fit(train))
        return fitted[0](texts)

    return Judge("scikit-learn", f"{version('scikit-learn')}-{digest.hexdigest()}", COLUMNS, score)


def _fit(train: Table) -> Callable[[Sequence[str]], Floats]:
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    rows = np.flatnonzero((train.split == "train") & ~np.isnan(train.labels[:, 0]))
    model = make_pipeline(
        make_union(
            HashingVectorizer(ngram_range=(1, 2), n_features=1 << 18, alternate_sign=False),
            HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), n_features=1 << 18, alternate_sign=False),
        ),
        LogisticRegression(C=10.0, max_iter=200),
    )
    texts, label = [train.texts[i] for i in rows], train.labels[rows, 0]
    model.fit(texts, label, logisticregression__sample_weight=train.weights[rows, 0])

    def score(texts: Sequence[str]) -> Floats:
        return np.asarray(model.predict_proba(texts)[:, 1:], np.float64)

    return score


_PEERS = {"alt-profanity-check": _alt_profanity_check, "better-profanity": _better_profanity, "VADER": _vader}


def peers(train: Table) -> dict[str, Judge | None]:
    """Each peer by the name the card gives it; None if it is not installed."""
    out: dict[str, Judge | None] = {}
    for name, make in _PEERS.items():
        try:
            out[name] = make()
        except ImportError:
            out[name] = None
    return {**out, BASELINE: baseline(train)}


def compare(table: Table, scores: Floats, ask: Callable[[Judge, Sequence[str]], Floats]) -> dict[str, dict[str, Any]]:
    """ROC-AUC of our attribute and of every peer's one score on the same test rows; null: the peer is not installed.

    `table` holds all rows, for the baseline is fitted on them; `scores` belongs to its test rows.
    """
    others = peers(table)
    test = table.where(table.split == "test")
    inside = pools(test)
    out: dict[str, dict[str, Any]] = {}
    for attribute, pool in _COMPARED:
        column = ATTRIBUTES.index(attribute)
        rows = inside.get(pool, np.zeros(len(scores), bool)) & ~np.isnan(test.labels[:, column])
        label, own = test.labels[rows, column], scores[rows, column]
        if enough(label) and not np.isnan(own).any():
            texts = [text for text, keep in zip(test.texts, rows, strict=True) if keep]
            asked = {name: judge and auc(label, ask(judge, texts)[:, 0]) for name, judge in others.items()}
            out[f"{attribute}, {pool}"] = {"ours": auc(label, own), **asked}
    return out
