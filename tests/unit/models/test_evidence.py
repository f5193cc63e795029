"""Signs of spam that are not words: what each one counts, and that no text breaks or slows them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evidence import NAMES, evidence


def sign(name: str, text: str) -> float:
    return float(evidence([text])[0, NAMES.index(name)])


def count(name: str, text: str) -> int:
    return round(math.expm1(sign(name, text)))


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("no link. Not one.", 0),
        ("See https://www.example.com/a?b=c, page 3", 1),
        ("www.example.org", 1),
        ("read bestdealz.com now", 1),
        ("http://a.example http://b.example", 2),
        ("That was the end.In the morning it was over.me too", 0),
        ("version 1.2.3 of e.g. the file", 0),
        ("name@example.com", 0),
        ("join t.me/signals", 1),
        ("the last.top of all", 0),
        ("cheapwatches.top", 1),
    ],
)
def test_links_are_counted_and_full_stops_are_not(text: str, links: int) -> None:
    assert count("links", text) == links
    assert (sign("link_share", text) > 0) == (links > 0)


def test_hosts_are_counted_once_whatever_their_form() -> None:
    assert count("domains", "http://www.example.com/a HTTP://EXAMPLE.COM/b example.com") == 1
    assert count("domains", "http://a.example/ http://b.example/") == 2


@pytest.mark.parametrize(
    "text",
    [
        '<a href="http://x.example/">x</a>',
        "[url=http://x.example]x[/url]",
        "[URL]http://x.example[/URL]",
        "[x](http://x.example/)",
        "[link=http://x.example]x[/link]",
    ],
)
def test_links_in_mark_up(text: str) -> None:
    assert count("marked_links", text) == 1
    assert sign("link_last", text) == 1
    assert count("marked_links", "see http://x.example") == 0


def test_where_a_link_leads_and_stands() -> None:
    assert sign("odd_endings", "go to http://deals.xyz/a") == 1
    assert sign("odd_endings", "go to http://example.org/a.xyz") == 0
    assert sign("shorteners", "see https://bit.ly/abc") == 1
    assert sign("shorteners", "see https://example.com/bit.ly") == 0
    assert sign("link_last", "my site: http://example.com/ !!") == 1
    assert sign("link_last", "http://example.com says the opposite") == 0


@pytest.mark.parametrize(
    ("text", "phones"),
    [
        ("call +1 (202) 555-0143 or 01632 960 412", 2),
        ("555-0113", 1),
        ("ring 4155550122", 1),
        ("between 2016 and 2017 there were 1,000,000", 0),
        ("on 2023-05-14, 14-05-2021 and 01-05-2021", 0),
        ("it cost $1234567890", 0),
        ("2016 2017 2018", 0),
    ],
)
def test_phones_are_neither_dates_nor_sums(text: str, phones: int) -> None:
    assert count("phones", text) == phones


def test_messengers_need_a_handle_or_number() -> None:
    assert count("messengers", "WhatsApp +447700900218") == 1
    assert count("messengers", "write on Telegram: @signals") == 1
    assert count("messengers", "join t.me/vip") == 1
    assert count("messengers", "Telegram is full of rumours and WhatsApp too") == 0


def test_addresses_and_money() -> None:
    assert count("emails", "a.b@example.com and drx(at)mail.example") == 2
    assert count("emails", "@mayor you are wrong") == 0
    assert count("money", "from $500 to 300 euros, or 2k USD") == 3
    assert count("money", "the euro fell in 2015") == 0


def test_repetition() -> None:
    assert sign("repeated_words", "buy now buy now buy now") == pytest.approx(4 / 6)
    assert sign("repeated_words", "each word once") == 0
    assert sign("repeated_lines", "a b\na b\n\nc d\na b") == pytest.approx(0.5)
    assert sign("compressed", "buynow" * 50) > 0.9
    assert sign("compressed", "A plain remark on the bridge.") == 0


def test_symbols_digits_and_capitals() -> None:
    assert sign("symbols", "go 🚀🚀") == pytest.approx(2 / 5)
    assert sign("symbols", "naïve café") == 0
    assert sign("digits", "a1b2") == 0.5
    assert sign("punctuation", "a!?b") == 0.5
    assert count("exclamations", "now!!!") == 3
    assert sign("capitals", "all in lower case") == 0
    assert sign("capitals", "ALL IN CAPITALS HERE AND NOW") > 0.6
    assert sign("capitals", "I") < 0.1
    assert sign("capitals", "ÄÖÜ abc") < sign("capitals", "ABC abc")


def test_length_and_nothing() -> None:
    assert sign("length", "x" * 99) == pytest.approx(1)
    assert not evidence([""]).any()
    assert evidence([]).shape == (0, len(NAMES))


@given(st.lists(st.text(), max_size=6))
def test_any_text_gives_bounded_rows_that_depend_on_itself_alone(texts: list[str]) -> None:
    rows = evidence(texts)
    assert rows.shape == (len(texts), len(NAMES))
    assert rows.dtype == np.float32
    assert ((rows >= 0) & (rows <= 3)).all()
    for text, row in zip(texts, rows, strict=True):
        assert np.array_equal(evidence([text])[0], row)


_PIECES = [
    "a",
    ".",
    "@",
    "www.",
    "http://",
    "[url=",
    "1",
    " ",
    "-",
    "(",
    "at",
    "$",
    "😀",
    "\n",
    "a.com",
    "whatsapp ",
    ",",
]


@given(st.lists(st.sampled_from(_PIECES), min_size=1, max_size=30))
def test_mixtures_of_what_the_patterns_look_for(pieces: list[str]) -> None:
    rows = evidence(["".join(pieces), "".join(pieces) * 40])
    assert np.isfinite(rows).all()
    assert (rows >= 0).all()
    assert (rows <= 3).all()


@pytest.mark.parametrize("piece", [*_PIECES, "a.", "1 ", "x@y.", "(at) ", "1,", "a-", "]("])
def test_a_million_hostile_characters_come_through(piece: str) -> None:
    """A pattern that is not linear takes so long that the limit of all tests ends it."""
    text = piece * (1_000_000 // len(piece)) + "@$1234567"
    row = evidence([text])[0]
    assert (row <= 3).all()
    assert row[NAMES.index("length")] == pytest.approx(3, abs=0.01)


@pytest.mark.parametrize("text", ["\ud800 lone surrogate", "\ud800", "\x00\x7f", "\u202e\u200b"])
def test_texts_that_are_not_proper_unicode(text: str) -> None:
    assert np.isfinite(evidence([text])).all()
