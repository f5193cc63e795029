"""Our own spam sentences and their harmless look-alikes: enough, both sides alike in form, the same on every call."""

from __future__ import annotations

import re

import pytest

from models.own_spam import fill, frames, spam_examples
from models.own_spam.slots import HARMLESS_SLOTS, SPAM_SLOTS


def test_there_are_enough_distinct_frames_on_both_sides() -> None:
    spam, harmless = frames(1), frames(0)
    assert len(spam) == len(set(spam)) >= 350
    assert len(harmless) == len(set(harmless)) >= 350
    assert not set(spam) & set(harmless)


def test_examples_are_the_same_on_every_call_and_every_slot_is_filled() -> None:
    first = list(spam_examples())
    assert first == list(spam_examples())
    assert 2500 <= len(first) <= 4000
    assert not [text for text, _, _ in first if re.search(r"\{\w+\}", text) or not text.strip()]


def test_spam_says_nothing_of_toxicity_and_harmless_texts_are_civil() -> None:
    for _, labels, weight in spam_examples():
        assert labels == {"SPAM": 1.0} or (labels["SPAM"], labels["TOXICITY"]) == (0.0, 0.0)
        assert weight in (1.0, 2.0)


def test_no_text_stands_on_both_sides() -> None:
    sides: dict[float, set[str]] = {0.0: set(), 1.0: set()}
    for text, labels, _ in spam_examples():
        sides[labels["SPAM"]].add(text.lower())
    assert not sides[0.0] & sides[1.0]


def test_links_phone_numbers_and_capitals_stand_on_both_sides() -> None:
    for pattern in (r"https?://", r"<a href", r"\[url=", r"\]\(http", r"555", r"\$\d", r"\S@\S+\.", r"[A-Z ]{30}"):
        found = {labels["SPAM"] for text, labels, _ in spam_examples() if re.search(pattern, text)}
        assert found == {0.0, 1.0}, pattern


def test_a_slot_used_twice_gets_two_values() -> None:
    assert fill("{a} {a} {b}", {"a": ("x", "y", "z"), "b": ("q",)}, 2) == "z x q"
    with pytest.raises(KeyError):
        fill("{c}", {"a": ("x",)}, 0)


def test_every_slot_is_used_and_has_distinct_values() -> None:
    for spam, slots in ((1, SPAM_SLOTS), (0, HARMLESS_SLOTS)):
        used = set(re.findall(r"\{(\w+)\}", " ".join(frames(spam))))
        assert used == set(slots)
        assert all(len(values) == len(set(values)) > 3 for values in slots.values())
