"""Where sentences begin and end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.domain.sentences import sentences
from moderation.domain.text import to_utf16

CASES = [
    ("", []),
    (" \n ", []),
    ("No full stop", ["No full stop"]),
    ("Hello world. You suck!", ["Hello world.", "You suck!"]),
    ("  Hi there.  And\tthere?!  ", ["Hi there.", "And\tthere?!"]),
    ('He said "go." Then he left.', ['He said "go."', "Then he left."]),
    ("Dr. Who met J. Smith vs. Mr. X.", ["Dr. Who met J. Smith vs. Mr. X."]),
    ("It costs 3.50, e.g. at news.example today.", ["It costs 3.50, e.g. at news.example today."]),
    ("the U.S. is large", ["the U.S. is large"]),
    ("So am I. Good.", ["So am I.", "Good."]),
    ("First line\nsecond line\r\n\r\nthird", ["First line", "second line", "third"]),
    ("Well… no. Yes...", ["Well…", "no.", "Yes..."]),
    ("你好。再见！", ["你好。", "再见！"]),
    ("😀 one. 😀😀 two.", ["😀 one.", "😀😀 two."]),
]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[repr(text) for text, _ in CASES])
def test_sentences(text: str, expected: list[str]) -> None:
    assert [text[span.begin : span.end] for span in sentences(text, 100)] == expected


def test_positions_outside_count_utf16_units() -> None:
    text = "😀 one. two."
    assert [(span.begin, span.end) for span in to_utf16(text, sentences(text, 100))] == [(0, 7), (8, 12)]


def test_of_too_many_neighbours_are_joined() -> None:
    text = " ".join(f"Number {n} is here." for n in range(250))
    found = sentences(text, 100)
    assert len(found) == 84
    assert text[found[0].begin : found[0].end] == "Number 0 is here. Number 1 is here. Number 2 is here."
    assert (found[0].begin, found[-1].end) == (0, len(text))


@given(st.text(alphabet="ab.!? \n\"')。😀ΩM", max_size=200), st.integers(1, 20))
def test_pieces_are_in_order_and_leave_nothing_but_blanks_out(text: str, most: int) -> None:
    found = sentences(text, most)
    assert len(found) <= most
    edges = [0, *(edge for span in found for edge in (span.begin, span.end)), len(text)]
    assert edges == sorted(edges)
    assert all(not text[edges[at] : edges[at + 1]].strip() for at in range(0, len(edges), 2))
    assert all(text[span.begin : span.end].strip() == text[span.begin : span.end] != "" for span in found)


@pytest.mark.parametrize("piece", ["!", ".", "...!", '."', "a.", "M. ", "\n", "。」", " "])
def test_no_input_takes_long(piece: str) -> None:
    text = piece * 100_000 + "x"  # takes minutes where an expression goes back and tries again
    assert len(sentences(text, 100)) <= 100
