"""A word's kept sum is the sum of the weights of its n-grams, whatever was scored before and by how many threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import models.words
from models.features import grams
from models.linear import LinearScorer, Table
from models.normalise import normalise_all

BITS = 12
ATTRIBUTES = ("TOXICITY", "SPAM")


def made(seed: int = 0) -> tuple[LinearScorer, np.ndarray]:
    weights = np.random.default_rng(seed).normal(size=(1 << BITS, 2)).astype(np.float32)
    ones = np.ones(2, np.float32)
    return LinearScorer(Table(weights, ones * 0, ones, ones * 0), ATTRIBUTES), weights


def by_grams(texts: list[str], weights: np.ndarray) -> np.ndarray:
    """The log-odds from every n-gram of every text, one by one."""
    found = grams(normalise_all(texts), BITS)
    sums = np.zeros((len(texts), 2))
    for stream in found.streams:
        for i, (begin, end) in enumerate(zip(stream.bounds, stream.bounds[1:], strict=False)):
            sums[i] += weights[stream.index[begin:end]].sum(axis=0, dtype=np.float64)
    return sums * found.scale[:, None]


@given(st.lists(st.text(max_size=40) | st.text(alphabet="ab é.'0\n", max_size=60), min_size=1, max_size=6))
@settings(max_examples=200, deadline=None)
def test_sums_are_those_of_the_n_grams(texts: list[str]) -> None:
    scorer, weights = made()
    expected = by_grams(texts, weights)
    for _ in range(2):  # unknown, then known words
        assert scorer.log_odds(texts) == pytest.approx(expected, abs=1e-5)


def test_words_of_any_length_are_told_apart() -> None:
    scorer, weights = made()
    words = [("xz" * 150)[:n] for n in range(1, 300)]  # many that begin and end alike
    words += [word[:-1] + "q" for word in words]
    assert normalise_all(words) == words
    for order in (1, -1, 1):
        assert scorer.log_odds(words[::order]) == pytest.approx(by_grams(words[::order], weights), abs=1e-4)


def test_a_sum_is_the_same_to_the_last_bit_alone_and_among_others() -> None:
    words = ["abcdefghijklm"[:n] + end for n in range(1, 14) for end in "xyz"]
    together = made()[0].log_odds(words)
    for word, expected in zip(words, together, strict=True):
        assert np.array_equal(made()[0].log_odds([word])[0], expected)


def test_full_and_shared_by_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models.words, "_SLOTS", 4)
    monkeypatch.setattr(models.words, "_AT_ONCE", 7)
    scorer, _ = made()
    batches = [[f"word{chr(97 + (i * k) % 26)}x" * (1 + i % 2) + " again" for i in range(60)] for k in range(24)]
    alone = [made()[0].log_odds(batch) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(scorer.log_odds, batches * 4))
    for i, found in enumerate(together):
        assert np.array_equal(found, alone[i % len(batches)])


def test_scorers_do_not_share_sums() -> None:
    texts = ["one two three"]
    one, other = made(0)[0].log_odds(texts), made(1)[0].log_odds(texts)
    assert not np.allclose(one, other)
