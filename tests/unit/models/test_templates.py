"""Our own training sentences: the same on every call, abuse and civil talk in balance, labels and slots in order."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

import models.own_talk
from models.own_talk import parse, talk_examples
from models.own_talk.slots import SLOTS
from models.scorer import ATTRIBUTES
from models.sources import Labels
from models.templates import examples, lone

Example = tuple[str, Labels, float]
FILES = sorted(Path(models.own_talk.__file__).parent.glob("*.txt"))


@pytest.fixture(scope="module")
def own() -> list[Example]:
    return [*examples(), *talk_examples()]


def frames() -> list[tuple[str, Labels]]:
    return [frame for path in FILES for frame in parse(path.read_text(encoding="utf-8"))]


def test_examples_are_the_same_on_every_call(own: list[Example]) -> None:
    assert own == [*examples(), *talk_examples()]
    assert 9_000 <= len(own) <= 14_000


def test_labels_are_shares_of_known_attributes(own: list[Example]) -> None:
    for text, labels, weight in own:
        assert labels, text
        assert set(labels) <= set(ATTRIBUTES), text
        assert all(0 <= value <= 1 for value in labels.values()), text
        assert weight > 0, text


@pytest.mark.parametrize("attribute", [a for a in ATTRIBUTES if a != "SPAM"])  # spam has sentences of its own
def test_every_attribute_has_both_classes(own: list[Example], attribute: str) -> None:
    assert {0.0, 1.0} <= {labels.get(attribute) for _, labels, _ in own}


def test_harmless_and_abusive_texts_are_in_balance(own: list[Example]) -> None:
    for part in (own, list(talk_examples())):
        harmless = sum(max(labels.values()) == 0 for _, labels, _ in part)
        assert 0.45 <= harmless / len(part) <= 0.65


def test_no_slot_is_left_unfilled_and_every_slot_is_used(own: list[Example]) -> None:
    assert not [text for text, _, _ in own if re.search(r"[{}]", text) or not text.strip()]
    assert set(re.findall(r"\{\w+\}", " ".join(line for line, _ in frames()))) == set(SLOTS)


def test_fillings_are_distinct() -> None:
    assert all(len(words) == len(set(words)) for words in SLOTS.values())


def test_no_sentence_is_written_twice_or_with_two_opinions(own: list[Example]) -> None:
    written = [line.lower() for line, _ in frames()]
    assert len(written) == len(set(written)) >= 1_500
    found: dict[str, dict[str, set[float]]] = defaultdict(lambda: defaultdict(set))
    for text, labels, _ in own:
        for attribute, value in labels.items():
            found[" ".join(re.findall(r"\w+", text.lower())) or text][attribute].add(value)
    assert not [text for text, labels in found.items() if any(len(values) > 1 for values in labels.values())]


def test_sex_is_written_about_on_both_sides() -> None:
    for side in (0.0, 1.0):
        lines = [line for line, labels in frames() if labels.get("SEXUALLY_EXPLICIT") == side]
        assert len(lines) >= 120


def test_a_group_named_alone_is_harmless(own: list[Example]) -> None:
    alone = {text.lower(): labels["TOXICITY"] for text, labels, _ in own if lone(text) and "TOXICITY" in labels}
    for word in (*SLOTS["{g}"], *SLOTS["{s}"]):
        assert not lone(word) or alone[word.lower()] == 0


def test_a_file_that_breaks_the_format_is_refused() -> None:
    with pytest.raises(ValueError, match="before its labels"):
        list(parse("a sentence without labels\n"))
    for labels in ("TOXICITY", "TOXICITY=", "TOXICITY=yes", "RUDENESS=1"):
        with pytest.raises(ValueError, match="is no label"):
            list(parse(f"= {labels}\na sentence\n"))
