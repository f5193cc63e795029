"""Ways to disguise the words of a text that a person still reads: to measure how scorers stand them, and to train.

Every attack is a pure function of the text, the words to go for, and the state of the generator it draws from.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from typing import Protocol

from models.letters import LOOKALIKES
from models.rude import WORDS

MOST = 3  # words that one attack changes
_WORD = re.compile(r"[^\W\d_]{3,}")
_VOWELS = "aeiou"
_LEET = {"a": "4@", "e": "3", "i": "1!", "o": "0", "s": "5$", "t": "7", "b": "8", "l": "1|", "g": "9"}
_TWINS: dict[str, list[str]] = {}
for _code, _latin in LOOKALIKES.items():
    _TWINS.setdefault(_latin, []).append(chr(_code))
_SMALL = dict(zip("abcdefghijklmnoprtuvwyz", "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀᴛᴜᴠᴡʏᴢ", strict=True))
_UPSIDE = dict(zip("abcdefghijklmnopqrstuvwxyz", "ɐqɔpǝɟƃɥᴉɾʞlɯuodbɹsʇnʌʍxʎz", strict=True))
_EMOJI = "😀🔥💀😂👍⭐"
_TAGS = ("b", "i", "em", "strong", "span")
_MATHS = (0x1D41A, 0x1D5EE, 0x1D4EA, 0x1D586)  # bold, sans bold, script bold, fraktur bold
_ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff"

Edit = Callable[[str, random.Random], str]  # of one word


class Attack(Protocol):
    """Disguises one to MOST words: those of `words` (lower case, most wanted first), else rude or long ones."""

    def __call__(self, text: str, draw: random.Random, words: Sequence[str] = ()) -> str:
        """The disguised text; the text itself where it has no word to disguise."""


def _targets(text: str, draw: random.Random, words: Sequence[str]) -> list[re.Match[str]]:
    """The words to change, in their order in the text."""
    rank = {word: place for place, word in enumerate(words)}

    def wanted(match: re.Match[str]) -> tuple[int, bool, int]:
        word = match[0].lower()
        return rank.get(word, len(rank)), word not in WORDS, -len(word)

    found = [m for m in _WORD.finditer(text) if len(m[0]) > 3 or m[0].lower() in WORDS or m[0].lower() in rank]
    return sorted(sorted(found, key=wanted)[: draw.randint(1, MOST)], key=lambda m: m.start())


def _of_words(edit: Edit) -> Attack:
    """The attack that makes `edit` of each chosen word."""

    def attack(text: str, draw: random.Random, words: Sequence[str] = ()) -> str:
        parts, last = [], 0
        for match in _targets(text, draw, words):
            parts += [text[last : match.start()], edit(match[0], draw)]
            last = match.end()
        return "".join([*parts, text[last:]])

    return attack


def _joined(text: str, draw: random.Random, words: Sequence[str] = ()) -> str:
    """The chosen words without the spaces on either side of them."""
    for match in reversed(_targets(text, draw, words)):
        text = text[: match.start()].rstrip(" ") + match[0] + text[match.end() :].lstrip(" ")
    return text


def _swapped_for(table: dict[str, str] | dict[str, list[str]], share: float) -> Edit:
    """Letters become one of their stand-ins, each with the chance `share`, at least one of them."""

    def edit(word: str, draw: random.Random) -> str:
        can = [i for i, c in enumerate(word) if c.lower() in table]
        chosen = {i for i in can if draw.random() < share} or set(can[:1])
        return "".join(draw.choice(table[c.lower()]) if i in chosen else c for i, c in enumerate(word))

    return edit


def _inside(word: str, draw: random.Random) -> int:
    return draw.randrange(1, len(word))


def _with(word: str, sign: str, at: int) -> str:
    return word[:at] + sign + word[at:]


def _starred(word: str, draw: random.Random) -> str:
    """Stars for the vowels, the first letter stays."""
    masked = word[0] + re.sub(f"(?i)[{_VOWELS}]", "*", word[1:])
    return masked if masked != word else word[0] + "*" + word[2:]


def _stretched(word: str, draw: random.Random) -> str:
    vowels = [i for i, c in enumerate(word) if c.lower() in _VOWELS] or [len(word) - 1]
    at = draw.choice(vowels)
    return _with(word, word[at] * draw.randint(2, 6), at)


def _doubled(word: str, draw: random.Random) -> str:
    at = _inside(word, draw)
    return _with(word, word[at], at)


def _mistyped(word: str, draw: random.Random) -> str:
    """Two neighbouring letters inside change places."""
    at = draw.randrange(1, len(word) - 1)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _shortened(word: str, draw: random.Random) -> str:
    """One vowel after the first letter is left out."""
    vowels = [i for i, c in enumerate(word) if i and c.lower() in _VOWELS]
    at = draw.choice(vowels) if vowels else len(word) - 1
    return word[:at] + word[at + 1 :]


def _tagged(word: str, draw: random.Random) -> str:
    tag, at = draw.choice(_TAGS), _inside(word, draw)
    return f"<{tag}>{word[:at]}</{tag}>{word[at:]}"


def _emphasised(word: str, draw: random.Random) -> str:
    at = _inside(word, draw)
    return word[:at] + f"**{word[at]}**" + word[at + 1 :]


def _entities(word: str, draw: random.Random) -> str:
    at = _inside(word, draw)
    return word[:at] + f"&#{ord(word[at])};" + word[at + 1 :]


def _maths(word: str, draw: random.Random) -> str:
    first = draw.choice(_MATHS)
    return "".join(chr(first + ord(c) - ord("a")) if "a" <= c <= "z" else c for c in word.lower())


def _wide(word: str, draw: random.Random) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in word)


def _upside_down(word: str, draw: random.Random) -> str:
    return "".join(_UPSIDE.get(c, c) for c in reversed(word.lower()))


ATTACKS: dict[str, Attack] = {
    "leet": _of_words(_swapped_for({k: list(v) for k, v in _LEET.items()}, 0.7)),
    "look-alikes": _of_words(_swapped_for(_TWINS, 0.5)),
    "mathematical letters": _of_words(_maths),
    "full-width letters": _of_words(_wide),
    "small capitals": _of_words(_swapped_for({k: [v] for k, v in _SMALL.items()}, 1.0)),
    "upside down": _of_words(_upside_down),
    "marks over letters": _of_words(lambda w, d: "".join(c + chr(0x0300 + d.randrange(0x40)) for c in w)),
    "zero-width": _of_words(lambda w, d: d.choice(_ZERO_WIDTH).join(w)),
    "soft hyphen": _of_words(lambda w, d: _with(w, "\u00ad", _inside(w, d))),
    "right to left": _of_words(lambda w, d: f"\u202e{w[::-1]}\u202c"),
    "spaced": _of_words(lambda w, d: " ".join(w)),
    "dotted": _of_words(lambda w, d: d.choice("._-").join(w)),
    "stretched": _of_words(_stretched),
    "starred": _of_words(_starred),
    "doubled letter": _of_words(_doubled),
    "mistyped": _of_words(_mistyped),
    "shortened": _of_words(_shortened),
    "emoji inside": _of_words(lambda w, d: _with(w, d.choice(_EMOJI), _inside(w, d))),
    "tags inside": _of_words(_tagged),
    "emphasis inside": _of_words(_emphasised),
    "entities": _of_words(_entities),
    "joined words": _joined,
    "mixed case": _of_words(lambda w, d: "".join(c.upper() if i % 2 else c.lower() for i, c in enumerate(w))),
}


def perturb(text: str, seed: int, words: Sequence[str] = ()) -> str:
    """The text under one attack, drawn by the seed; the same for the same text and seed."""
    draw = random.Random(seed)  # nosec B311 (must come out the same again)
    return ATTACKS[draw.choice(list(ATTACKS))](text, draw, words)
