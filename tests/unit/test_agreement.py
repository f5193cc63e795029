"""Rank statistics, held against those of scipy and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from moderation.services.agreement import auc, auc_gain, spearman, threshold_holding


def correlated(size: int, noise: float, decimals: int = 6) -> tuple[list[float], list[float]]:
    """Two scores 0..1 that agree more the less noise there is; few decimals make ties."""
    random = np.random.default_rng(7)
    one = random.random(size)
    other = np.clip(one + noise * random.normal(size=size), 0, 1)
    return one.round(decimals).tolist(), other.round(decimals).tolist()


@pytest.mark.parametrize("decimals", [6, 1])
def test_the_rank_correlation_is_scipys(decimals: int) -> None:
    one, other = correlated(400, 0.4, decimals)
    found = spearman(one, other)
    assert found is not None
    assert found.value == pytest.approx(spearmanr(one, other).statistic, abs=1e-9)
    assert found.low < found.value < found.high


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    random, truth, covered = np.random.default_rng(1), 6 / np.pi * np.arcsin(0.6 / 2), 0
    for _ in range(30):
        pairs = random.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 100)
        found = spearman(pairs[:, 0].tolist(), pairs[:, 1].tolist())
        assert found is not None
        covered += found.low <= truth <= found.high
    assert covered >= 25


def test_scores_that_say_nothing_have_no_rank_correlation() -> None:
    assert spearman([], []) is None
    assert spearman([0.1, 0.2], [0.1, 0.2]) is None
    assert spearman([0.5] * 9, [float(number) for number in range(9)]) is None


def test_the_auc_is_scikit_learns_also_with_ties() -> None:
    scores, noisy = correlated(300, 0.5, 1)
    positive = [value > 0.6 for value in noisy]
    found = auc(scores, positive)
    assert found is not None
    assert found.value == pytest.approx(roc_auc_score(positive, scores), abs=1e-9)
    assert found.low < found.value < found.high < 1


def test_the_gain_is_of_the_same_comments() -> None:
    truth, old = correlated(300, 0.8)
    new = correlated(300, 0.2)[1]
    positive = [value > 0.7 for value in truth]
    gain = auc_gain(new, old, positive)
    assert gain is not None
    assert gain.value == pytest.approx(roc_auc_score(positive, new) - roc_auc_score(positive, old), abs=1e-9)
    assert gain.low > 0
    same = auc_gain(old, old, positive)
    assert same is not None
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_one_kind_alone_has_no_auc() -> None:
    assert auc([0.1, 0.2, 0.3], [True, True, True]) is None
    assert auc([], []) is None


def test_the_threshold_that_holds_as_many() -> None:
    scores = [0.1, 0.2, 0.3, 0.4, 0.5]
    assert threshold_holding(scores, 2) == (0.4, 2)
    assert threshold_holding(scores, 5) == (0.1, 5)
    assert threshold_holding(scores, 0) is None
    assert threshold_holding([0.5, 0.5, 0.5, 0.1], 2) == (0.5, 3)
    assert threshold_holding([0.9, 0.5, 0.5], 2) == (0.5, 3)  # one more held rather than one fewer


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(1, 30))
def test_no_other_threshold_holds_nearer(scores: list[float], wanted: int) -> None:
    wanted = min(wanted, len(scores))
    found = threshold_holding(scores, wanted)
    assert found is not None
    assert found[1] == sum(score >= found[0] for score in scores)
    nearest = min(abs(sum(score >= other for score in scores) - wanted) for other in scores)
    assert abs(found[1] - wanted) == nearest
