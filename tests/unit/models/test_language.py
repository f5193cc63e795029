"""English must never be taken for another language; longer comments in other languages must be found."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.language import SERVED, UNKNOWN, Language, detect, prepare, served

COMMENTS: dict[str, list[str]] = json.loads(Path(__file__).with_name("languages.json").read_text("utf-8"))
# Tongues so near that a comment of a few words does not tell them apart.
NEAR = {"no": {"da"}, "da": {"no"}, "id": {"ms"}, "ru": {"bg"}, "uk": {"be", "ru"}, "cs": {"sk"}, "ar": {"fa"}}
OTHER_SCRIPTS = ("ru", "uk", "bg", "ar", "fa", "zh", "ja", "ko", "hi", "el", "he", "th")

ENGLISH = [
    "ok", "lol", "Great!", "no u", "ya ok", "hahahaha", "burn baby burn", "Sad.", "typical liberal", "gross", "xD xD",
    "you are an idiot", "Nobody asked.", "He said «das ist mir egal» and left the room.",
    "I say Слава Україні to all of them", "The word 愛 means love",
    "João Silva da Costa and Zoë Müller-Lüdenscheidt agree",
    "Vladimir Putin, Volodymyr Zelenskyy, Angela Merkel", "nipple " * 60, "pig " * 200,
    "ты is what he wrote and I did not like it",
]  # fmt: skip
DISGUISED = [
    "y0u 4r3 4n 1d10t", "уоu аrе аn idiоt", "y o u a r e s t u p i d", "f.u.c.k y.o.u", "ʎou ɐɹǝ ɐn ıpıoʇ",
    "ｙｏｕ ａｒｅ ａ ｆｏｏｌ",
    "yóu áre án ídiòt ánd Í háte yóu", "i\u200bd\u200bi\u200bo\u200bt, leave us al\u200bone",
    "уоu аrе sсum аnd wе аll knоw it",
    "𝔂𝓸𝓾 𝓪𝓻𝓮 𝓪 𝓯𝓸𝓸𝓵", "<b>you</b> are a f&#111;&#111;l",
]  # fmt: skip
WORDLESS = [
    "",
    "  ",
    "12345 !!!",
    "😀😀",
    "https://example.com/a/b",
    "¯\\_(ツ)_/¯",
    "ಠ_ಠ",
    "π = 3.14",
    "\x00\x01",
    "\u200b",
]


@pytest.fixture(scope="module", autouse=True)
def _prepared() -> None:
    prepare()


@pytest.mark.parametrize("text", ENGLISH + DISGUISED)
def test_english_stays_english(text: str) -> None:
    found = detect(text)
    assert found.code == "en"
    assert 0 < found.confidence <= 1


@pytest.mark.parametrize("text", WORDLESS)
def test_a_text_without_words_is_scored(text: str) -> None:
    assert detect(text).code == UNKNOWN
    assert served(detect(text))


@pytest.mark.parametrize(
    ("code", "text"),
    [(code, text) for code, texts in COMMENTS.items() for text in texts if len(text.split()) >= 4],
)  # fmt: skip
def test_longer_comments_of_other_languages_are_found(code: str, text: str) -> None:
    found = detect(text)
    assert not served(found), text
    if len(text.split()) >= 10:
        assert found.code in {code} | NEAR.get(code, set())


@pytest.mark.parametrize("code", OTHER_SCRIPTS)
def test_other_scripts_are_found_at_any_length(code: str) -> None:
    found = [detect(text) for text in COMMENTS[code]]
    assert [one for one in found if served(one)] == []
    assert sum(one.code in {code} | NEAR.get(code, set()) for one in found) == len(found)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Слава Україні", "uk"),
        ("Das ist mir völlig egal, sagte er, und ging einfach weg. What a quote!", "de"),
        ("It is what it is. " * 12 + "Das ist mir völlig egal, sagte er. " * 2, "en"),
        ("It is what it is. " * 3 + "Das ist mir doch völlig egal, sagte er und ging einfach weg. " * 30, "de"),
        ("I say Слава Україні to all of them. " + "nipple " * 60, "en"),
        ("React はとても使いやすいと思います", "ja"),
    ],
)
def test_the_larger_part_decides(text: str, code: str) -> None:
    assert detect(text).code == code


def test_what_is_served_is_stated_once() -> None:
    assert SERVED == ("en",)
    assert [served(Language(code, 1.0)) for code in ("en", "und", "de")] == [True, True, False]


@settings(deadline=None)  # the machine may be busy
@given(st.text(max_size=400))
def test_any_text_has_a_language(text: str) -> None:
    found = detect(text)
    assert 2 <= len(found.code) <= 3
    assert 0 <= found.confidence <= 1
    assert detect(text) == found


@settings(deadline=None)
@given(st.lists(st.sampled_from([text for text in ENGLISH if len(set(text.split())) >= 4]), min_size=2, max_size=6))
def test_english_beside_english_is_english(texts: list[str]) -> None:
    """Of whole sentences. Scraps (lol, xD, names) are English by the doubt, and a heap of them may lose it."""
    assert detect(". ".join(texts)).code == "en"


@pytest.mark.parametrize("text", ["wort und satz " * 20_000, "слово" * 50_000, "a" * 100_000, "das, " * 50_000])
def test_huge_texts_have_a_language_too(text: str) -> None:
    assert detect(text).code
