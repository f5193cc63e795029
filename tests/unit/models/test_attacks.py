"""Attacks change texts in ways that a person still reads, and most of them come off again."""

from __future__ import annotations

import random
from difflib import SequenceMatcher

import numpy as np
import pytest

from models.attacks import ATTACKS, perturb
from models.normalise import normalise, normalise_all
from models.robustness import measure, strongest

ABUSE = "You are a pathetic idiot and everybody here knows that you are a liar, so shut up."
CIVIL = "The council met on Tuesday at 10:30 to discuss the U.S. budget of $5 million for the bridge."
# What leaves no trace of itself in known words.
UNDONE = set(ATTACKS) - {"joined words"}


@pytest.mark.parametrize("name", ATTACKS)
def test_same_seed_same_text(name: str) -> None:
    once, again = (ATTACKS[name](ABUSE, random.Random(7)) for _ in range(2))
    assert once == again != ABUSE


@pytest.mark.parametrize("name", sorted(UNDONE))
def test_known_words_come_back(name: str) -> None:
    words = normalise(ABUSE).text.split()
    for seed in range(20):
        changed = ATTACKS[name](ABUSE, random.Random(seed), ["pathetic", "idiot"])
        found = normalise(changed).text.split()
        assert SequenceMatcher(None, words, found).ratio() > 0.85, (seed, changed)


@pytest.mark.parametrize("name", ATTACKS)
def test_no_word_no_change(name: str) -> None:
    assert ATTACKS[name]("", random.Random(1)) == ""
    assert ATTACKS[name]("12:30 a b!", random.Random(1)) == "12:30 a b!"


def test_wanted_words_go_first() -> None:
    changed = ATTACKS["spaced"](ABUSE, random.Random(3), ["everybody", "knows", "here"])
    assert "e v e r y b o d y" in changed
    assert "idiot" in changed


def test_perturb_draws_among_the_attacks() -> None:
    assert perturb(ABUSE, 5) == perturb(ABUSE, 5)
    assert len({perturb(ABUSE, seed) for seed in range(40)}) > 20


def test_alone_as_in_a_batch() -> None:
    texts = [attack(text, random.Random(2)) for attack in ATTACKS.values() for text in (ABUSE, CIVIL)]
    assert [normalise_all([text])[0] for text in texts] == normalise_all(texts)


def _liars(texts: list[str]) -> np.ndarray:
    return np.array([float("liar" in text) for text in texts])


def test_strongest_words_are_those_the_score_stands_on() -> None:
    assert strongest(_liars, [ABUSE, "hello"], most=1)[0] == ["liar"]


def test_measure_counts_what_is_lost_and_raised() -> None:
    found = measure(_liars, [ABUSE, ABUSE, "nothing held"], [CIVIL], threshold=0.5)
    assert (found["held"], found["passed"]) == (2, 1)
    assert found["attacks"]["leet"] == {"recall": 100.0, "alarms": 0.0}
    assert found["attacks"]["joined words"]["recall"] == 0.0
    assert found["worst_recall_loss"] == 100.0
    raised = measure(lambda texts: np.array([float("U.S." not in t or "*" in t) for t in texts]), [ABUSE], [CIVIL])
    assert raised["attacks"]["starred"]["alarms"] == 100.0


def test_measure_needs_something_to_attack() -> None:
    with pytest.raises(ValueError, match="nothing to attack"):
        measure(_liars, ["held by nobody"], [CIVIL])
