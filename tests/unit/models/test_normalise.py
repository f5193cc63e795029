"""Disguises come off, real text survives, and every character knows where it came from."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.features import grams
from models.normalise import URL, normalise, normalise_all


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("IDIOT", "idiot"),
        ("id\u200biot", "idiot"),
        ("\u202eidiot\u2069", "idiot"),
        ("ｆｕｌｌｗｉｄｔｈ 𝖇𝖔𝖑𝖉", "fullwidth bold"),
        ("іdіоt", "idiot"),  # Cyrillic i and o
        ("ρatheτic", "pathetic"),  # Greek rho and tau
        ("fo\u0308o\u0301l", "fool"),
        ("ídïôt", "idiot"),
        ("1d10t b1tch st00pid a$$", "idiot bitch stoopid ass"),
        ("soooooo", "soo"),
        ("i d i o t", "idiot"),
        ("@some_body hello", "hello"),
        ("[USER] hello", "hello"),
        ("don't don’t dont", "dont dont dont"),
        ("f**k and *bold*", "fuck and bold"),
        ("see https://example.org/x?y=1", "see \x02"),
        ("see www.example.org", "see \x02"),
        ("see example.com/page", "see \x02"),
        ("AT&amp;T <b>bold</b>", "at&t bold"),
        ("sh*t c*nt a**hole n***er f#ck", "shit cunt asshole nigger fuck"),
        ("s**t", "s**t"),  # two words fit
        ("id!ot 1diot m0r0n $tupid 5hit", "idiot idiot moron stupid shit"),
        ("i.d.i.o.t i-d-i-o-t i_d_i_o_t d.i.e", "idiot idiot idiot die"),
        ("y o u  a r e  a n  i d i o t", "you are an idiot"),
        ("y o u a r e a n i d i o t", "you are an idiot"),
        ("youareanidiot", "you are an idiot"),
        ("i😀d😀i😀o😀t idi😀ot", "idiot idiot"),
        ("good😂but", "good 😂 but"),
        ("i**di**ot <b>id</b>iot i[b]d[/b]iot", "idiot idiot idiot"),
        ("<p>one</p>two", "one two"),
        ("&#105;d&#x69;ot id&shy;iot", "idiot idiot"),
        ("id\u00adiot i\u0336d\u0336iot", "idiot idiot"),
        ("\u202etoidi\u202c", "idiot"),
        ("ʇoᴉpᴉ ɪᴅɪᴏᴛ 🅸🅳🅸🅾🆃", "idiot idiot idiot"),
        ("fuϲk ѕhіt", "fuck shit"),
        ("idiiiooot stupiiiid", "idiot stupid"),
        ("idoit idiiot idot", "idiot idiot idiot"),
    ],
)
def test_disguises_and_styles(text: str, words: str) -> None:
    assert normalise(text).text.split() == words.split()


@pytest.mark.parametrize(
    "text",
    [
        "in 2022",
        "155mm",
        "10th of 1990",
        "covid19",
        "привет, мир",
        "καλημέρα κόσμε",
        "3.5 km",
        "u.s.a. and c.e.o. j.r.r. tolkien",
        "plan a b c at 10:30pm for $5.00 or 20%",
        "5g w3c h1n1 mp3 x-ray e-mail t-shirt",
        "a therapist on the lair of deportation and assassination",
        "wwii and vii",
        "my rapper wore a hat",
        "cumbersome corruption of the oxymoronic controllers",
    ],
)
def test_left_alone(text: str) -> None:
    expected = normalise(text).text
    assert expected == text.replace("έ", "ε").replace("ό", "ο") or expected == text


def test_address_is_not_a_word_of_any_text() -> None:
    assert normalise(URL).text.strip() == ""


def test_origin_points_at_the_original_letters() -> None:
    text = "😀 You ідіоt,  see ID\u200biOT!"
    result = normalise(text)
    at = result.text.rindex("idiot")
    begin, end = result.origin[at], result.origin[at + 4] + 1
    assert text[begin:end] == "ID\u200biOT"


@given(st.text(max_size=300) | st.text(alphabet="aAbi1d0t @.$!*'-_<>&é\u0301іо\u200b😀[]urURWks#?/|", max_size=60))
@settings(max_examples=600, deadline=None)
def test_both_ways_to_normalise_give_the_same_features(text: str) -> None:
    text = text.replace("U", "see x.com ").replace("R", "http: //b ").replace("W", "www.").replace("k", "idiot")
    result = normalise(text)
    assert len(result.origin) == len(result.text)
    assert all(0 <= o < len(text) for o in result.origin)
    assert all(a <= b for a, b in zip(result.origin, result.origin[1:], strict=False))
    (quick,) = normalise_all([text])
    for a, b in zip(grams([quick]).streams, grams([result.text]).streams, strict=True):
        assert a.index.tolist() == b.index.tolist()
