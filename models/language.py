"""The language of a text, and whether the scorers have evidence for it.

English has to be safe: most comments show enough common English words and no library is asked. Writing systems are
counted next. Only for the rest, in Latin letters, the n-gram detector `eld` speaks, and it has to be clearly against
English, the clearer the shorter the text is. Everything looks at the text as `normalise` gives it, so that
look-alikes, digits for letters and spaced words stay English. Languages written in Latin letters against their custom
(romanised Hindi, Arabic or Russian) are not told apart.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache, lru_cache

from eld import LanguageDetector

from models.english import STRONG, WEAK
from models.normalise import normalise_all

SERVED = ("en",)  # languages that the scorers are trained and measured on
UNKNOWN = "und"

_ENGLISH_SHARE = 0.2  # of the words: from here on a text is English
# Words that differ -> how far `eld` must put another language above English (its scores are about 0 to 1).
_MARGINS = ((7, 0.12), (4, 0.2), (2, 0.45))
_MARGIN_WITHOUT_ACCENTS = 0.05
_FEWEST_LETTERS = 8
_NAMES_SHARE = 0.6
_PIECE = 300  # characters; the detector reads no more than 350 bytes
_MOST_PIECES = 8
_WORD = re.compile(r"[^\W\d_]+")
_NO_WORDS = re.compile(r"https?://\S+|\S+@\S+|[@#]\w+|\b[\w-]+\.[a-z]{2,6}(?:/\S*)?\b|&#?\w{1,8};|<[^<>]{0,300}>")

# First word of a character's Unicode name -> languages written so, the usual one first.
_SCRIPTS = {
    "CYRILLIC": ("ru", "uk", "bg", "sr", "be"),
    "ARABIC": ("ar", "fa", "ur", "ku"),
    "DEVANAGARI": ("hi", "mr"),
    "GREEK": ("el",),
    "HEBREW": ("he",),
    "THAI": ("th",),
    "LAO": ("lo",),
    "HANGUL": ("ko",),
    "HIRAGANA": ("ja",),
    "KATAKANA": ("ja",),
    "CJK": ("zh",),
    "ARMENIAN": ("hy",),
    "GEORGIAN": ("ka",),
    "BENGALI": ("bn",),
    "GURMUKHI": ("pa",),
    "GUJARATI": ("gu",),
    "ORIYA": ("or",),
    "TAMIL": ("ta",),
    "TELUGU": ("te",),
    "KANNADA": ("kn",),
    "MALAYALAM": ("ml",),
    "ETHIOPIC": ("am",),
    "SINHALA": ("si",),
    "KHMER": ("km",),
    "MYANMAR": ("my",),
    "TIBETAN": ("bo",),
}
_LATIN = "LATIN"
_DENSE = frozenset(("HANGUL", "HIRAGANA", "KATAKANA", "CJK"))  # one character says as much as two or more letters
_FEWEST_IN_SCRIPT = 3  # below, it is more likely a kaomoji or a formula than a word; weighted like the rest


@dataclass(frozen=True, slots=True)
class Language:
    """An ISO 639 code, `und` for a text without words. `confidence` is 0..1: it gives an order, not a probability."""

    code: str
    confidence: float


def served(language: Language) -> bool:
    """Whether the scorers may score it. Texts without words are: what links and emoji say, the scorers know."""
    return language.code == UNKNOWN or language.code in SERVED


def detect(text: str) -> Language:
    """The language of the larger part of `text`; of short or doubtful text in Latin letters, English."""
    text = _sample(text)
    share = _english(text.lower().replace("'", "").replace("’", "")) if text.isascii() else 0.0
    if share >= _ENGLISH_SHARE:  # plain English: no need to look closer
        return _sure_english(share)
    (normalised,) = normalise_all([text])
    share = _english(normalised)
    if share >= _ENGLISH_SHARE and normalised.isascii():
        return _sure_english(share)
    counts = _letters(normalised)
    if not counts:
        return Language(UNKNOWN, 1.0)
    script, most = counts.most_common(1)[0]
    if script != _LATIN and 2 * most > counts.total():
        return _by_script(script, most / counts.total(), normalised)
    if share >= _ENGLISH_SHARE:
        return _sure_english(share)
    return _latin(text, normalised)


def _sure_english(share: float) -> Language:
    return Language("en", min(1.0, 0.5 + share))


def _english(lowered: str) -> float:
    """Share of the words that are common English ones, 0..1."""
    words = _WORD.findall(lowered)
    return (sum(w in STRONG for w in words) + sum(w in WEAK for w in words) / 2) / len(words) if words else 0.0


@lru_cache(maxsize=4096)
def _script(character: str) -> str:
    """The writing system of a letter, empty for anything that says nothing about a language."""
    first = unicodedata.name(character, "").split(" ")[0]
    return first if character.isalpha() and (first in _SCRIPTS or first == _LATIN) else ""


def _letters(normalised: str) -> Counter[str]:
    """Letters by writing system, East Asian characters twice; Japanese is one system, too few letters are none."""
    counts: Counter[str] = Counter()
    for character, times in Counter(normalised).items():
        if script := _script(character):
            counts[script] += times * (2 if script in _DENSE else 1)
    kana = counts["HIRAGANA"] + counts["KATAKANA"]
    if 5 * kana > counts["CJK"]:
        counts["HIRAGANA"] = kana + counts["CJK"]
        del counts["KATAKANA"], counts["CJK"]
    return Counter({s: n for s, n in counts.items() if n and (s == _LATIN or n >= _FEWEST_IN_SCRIPT)})


def _by_script(script: str, share: float, normalised: str) -> Language:
    usual, *others = _SCRIPTS[script]
    if others:
        scores = _scores(normalised)
        usual = max(_SCRIPTS[script], key=lambda code: scores.get(code, 0.0))
    return Language(usual, share)


def _latin(text: str, normalised: str) -> Language:
    """Pieces of the text vote with their length; a piece of few words that is not clearly foreign is English."""
    clean = _NO_WORDS.sub(" ", _only_latin(text))
    votes: Counter[str] = Counter()
    margins: dict[str, float] = {}
    for piece in _pieces(clean if clean.strip() else normalised):
        (plain,) = normalise_all([piece])
        code, margin = ("en", 0.0) if _names(piece) else _against_english(piece.lower(), plain)
        votes[code] += len(piece)
        margins[code] = max(margin, margins.get(code, 0.0))
    code, most = votes.most_common(1)[0]
    return Language(code, most / votes.total() * min(1.0, 0.5 + margins[code]))


def _only_latin(text: str) -> str:
    """Words in other scripts were outvoted by letters; the detector would give them more than their share."""
    return " ".join(word for word in text.split() if not any(_script(c) not in ("", _LATIN) for c in word))


def _names(piece: str) -> bool:
    """Whether it is hardly more than names, which have the look of their own languages in every comment."""
    words = set(_WORD.findall(piece))
    return len([w for w in words if w.istitle()]) > _NAMES_SHARE * len(words)


def _sample(text: str) -> str:
    """The text, or pieces spread over one that is long: its size bounds the time."""
    if len(text) <= _MOST_PIECES * _PIECE:
        return text
    step = (len(text) - _PIECE) // (_MOST_PIECES - 1)
    return " ".join(text[i * step : i * step + _PIECE] for i in range(_MOST_PIECES))


def _pieces(text: str) -> list[str]:
    """Stretches of up to _PIECE characters, of whole words as far as there are spaces."""
    return re.findall(rf"\S(?:.{{0,{_PIECE}}}(?!\S)|\S{{0,{_PIECE}}})", text, re.DOTALL) or [text]


def _against_english(lowered: str, normalised: str) -> tuple[str, float]:
    """The language of a piece and the margin. Its written form and its normalised form must both speak against English.

    (Accents tell languages apart, and they are also a way to disguise English.)
    """
    words = set(_WORD.findall(normalised))
    needed = next((margin for fewest, margin in _MARGINS if len(words) >= fewest), None)
    if needed is None or sum(map(len, words)) < _FEWEST_LETTERS or _english(normalised) >= _ENGLISH_SHARE:
        return "en", 0.0
    code, margin = _foreign(lowered)
    if margin >= needed and (lowered == normalised or _foreign(normalised)[1] >= _MARGIN_WITHOUT_ACCENTS):
        return code, margin
    return "en", max(0.0, needed - margin)


def _foreign(text: str) -> tuple[str, float]:
    """The most likely language besides English and how far it stands above English."""
    scores = _scores(text)
    english = scores.pop("en", 0.0)
    code = max(scores, key=lambda name: scores[name], default="en")
    return code, scores.get(code, 0.0) - english


def _scores(text: str) -> dict[str, float]:
    scores: dict[str, float] = _detector().detect(text).scores()
    return scores


def prepare() -> None:
    """Reads the detector's table, so that no comment waits for it: about 45 MB and a tenth of a second."""
    _detector()


@cache
def _detector() -> LanguageDetector:
    return LanguageDetector()
