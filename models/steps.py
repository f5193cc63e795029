"""What hides a word, in the order in which it is taken off: how to find it, and what it becomes."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable

from models.letters import LOOKALIKES, TURNED, Folds, upright
from models.rude import LONG, NEAR, SMALL, WORDS, apart, part, restore, unstretch

URL = " \x02 "  # what an address becomes: a word of its own that no text can contain
FOLDS = Folds(dict.fromkeys(range(32), "") | {9: " ", 10: " ", 13: " ", 127: ""})
_TOP = "com|net|org|info|biz|ru|io|xyz|ly|me|co|tk|club|shop|site|online|top|uk|de|us|tv"
_ADDRESS = re.compile(
    rf"(?:https?\s?:\s?//|www\.)\S*|\b[a-z0-9._%+-]{{1,64}}@[a-z0-9-]{{1,63}}\.[a-z.]{{2,20}}"
    rf"|\b[a-z0-9-]{{1,63}}\.(?:{_TOP})\b(?!\.[a-z])(?:/\S*)?|[\[<]url[\]>]"
)
_MENTION = re.compile(r"(?<![\w@])@(?!ss)\w{2,}|\[(?:@?user(?:name)?|name)\]")
_TAG = re.compile(r"</?(?!url>)([a-z][a-z0-9]*)\b[^<>]{0,300}>|\[/?(b|i|u|s|color|size|font)(?:=[^\[\]]{0,60})?\]")
_STYLES = "a b big code color del em font i ins mark s size small span strike strong sub sup tt u wbr"
_INLINE = frozenset(_STYLES.split())
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|nbsp|#\d{1,7}|#x[0-9a-f]{1,6});?|&[a-z]{2,24};")
REVERSED = re.compile("\u202e([^\u202c\u2069\n]{1,200})")
_EMPHASIS = re.compile(
    r"(?<=[a-z])(?P<mark>\*\*|__|~~|\|\||`)([a-z]+)(?P=mark)|(?P<mark2>\*\*|__|~~|\|\||`)([a-z]+)(?P=mark2)(?=[a-z])"
)
_TOKEN = re.compile(r"(?<!\S)(?=\S{0,39}[^\sa-z])\S{3,40}(?!\S)")
_TURNED_WORD = re.compile(rf"(?<![^\W\d_])(?=[^\W\d_]{{0,30}}[{TURNED}])[^\W\d_]{{1,60}}")
_LONG_WORD = re.compile(rf"(?<![a-z])[a-z]{{{LONG},40}}(?![a-z])")
_LONG_RUN = re.compile(r"(?<![a-z])(?=[a-z]*?([a-z])\1\1)[a-z]{4,60}(?![a-z])")
_PLAIN_WORD = re.compile(r"(?<![^\W\d_])[a-z]{3,}(?![^\W\d_])")
_ROMAN = re.compile(r"(?:ww)?[ivxlcdm]+")
_RARELY_DOUBLE = re.compile(r"(?<=[a-z])([aiu])\1{2,}|([aiu])\2{2,}(?=[a-z])")
_EMOJI = r"[^\w\s\x00-\x7f]{1,3}"
_BROKEN = re.compile(rf"(?<![^\W_])([a-z]{{1,2}}){_EMOJI}([a-z]{{2,}})|([a-z]{{2,}}){_EMOJI}([a-z]{{1,2}})(?![^\W_])")
_GREETINGS = frozenset(("hi", "ok", "oh", "ah", "yo", "ya", "am", "ny", "la", "uk"))
_SYMBOL = re.compile(r"[^\w\s\x00-\x7f]")
_WORD = re.compile(r"[^\W\d_]+")
_DISGUISED = re.compile(  # bounded, so that no text makes it slow
    r"(?<![a-z0-9@$])[a-z0-9@$]{0,30}[a-z][0-9@$!|]{1,30}[a-z](?:[a-z0-9@$!|]*[a-z0-9@$])?"
    r"|(?<![a-z0-9$@])[$@][$@a-z]{2,}|[a-z]{1,9}\$\$+"
)
_LEET = str.maketrans("013457@$!|", "oieastasil")
_SPACED = re.compile(r"(?<![a-z0-9])[a-z]( ?[^\w\s\x00-\x7f]{1,3} ?|[^\w\s]|_| )[a-z](?:\1[a-z])+(?![a-z0-9])")
_SPELT = re.compile(r"(?<![a-z0-9])[a-z](?: {1,3}[a-z]){6,}(?![a-z0-9])")  # a whole sentence, letter by letter
_SIGNED = re.compile(r"[0-9@$!|][a-z$]")
_SINGLE = re.compile(r"(?<![a-z0-9])[a-z](?:[^\w]|_)[a-z](?![a-z0-9])|[^\x00-\x7f]")
_ODD = re.compile(  # a sign or a lone letter that may belong to the word beside it
    r"[0-9$!|@][a-z]|[a-z][#%&^+?$@][a-z#%&^+?$@!*]|[a-z][!|][0-9$]|\*|[a-z][0-9]|[^\x00-\x7f]"
    r"|(?<![a-z0-9'])[a-z][^\sa-z0-9'][a-z]|[a-z][^\sa-z0-9'][a-z](?![a-z0-9'])"
)
_MARKED_UP = re.compile(r"[*_~|`]")
_HOST = re.compile(r"\.[a-z]|: ?/")
_STRETCHED = re.compile(r"([^\W\d]|[^\x00-\x7f])\1{2,}")
_MASK = re.compile(r"\*+")

Edit = Callable[[re.Match[str]], str | None]


def _latin(match: re.Match[str]) -> str | None:
    """A word that mixes Latin with look-alikes of other scripts, in Latin; None for a word of one script."""
    word = match[0]
    if word.isascii():
        return None
    latin = word.translate(LOOKALIKES)
    return latin if latin in WORDS or any("a" <= c <= "z" for c in word) else None


def _turned(match: re.Match[str]) -> str | None:
    """A word written upside down, upright; one such letter alone may be phonetics."""
    word = upright(match[0])
    return word if word in WORDS or (sum(c in TURNED for c in match[0]) >= 2 and word.isascii()) else None


def forwards(match: re.Match[str]) -> str | None:
    """Text that a control character shows from right to left, as it is shown, unless only its own order says a word."""
    shown = match[1][::-1]
    rude = [any(word in WORDS for word in way.lower().split()) for way in (match[1], shown)]
    return None if rude[0] and not rude[1] else shown


def _character(match: re.Match[str]) -> str:
    """The character behind an HTML entity, folded."""
    return "".join(FOLDS[ord(c)] for c in html.unescape(match[0]))


def _untagged(match: re.Match[str]) -> str:
    """Mark-up of a few letters of a word leaves nothing behind; any other parts words."""
    before, after = match.string[max(match.start() - 1, 0) : match.start()], match.string[match.end() : match.end() + 1]
    inside = before not in ("", " ") and after not in ("", " ") and (match[1] or match[2]) in _INLINE
    return "" if inside else " "


def _letters(match: re.Match[str]) -> str | None:
    """A word with digits or signs for letters, in letters; None for units, ordinals and codes such as 5g."""
    word = match[0]
    letters = sum("a" <= c <= "z" for c in word)
    signs = any(c in "@$!|" for c in word)
    known = letters >= 3 or (letters >= 2 and signs) or (letters and "$$" in word)
    return word.translate(_LEET) if known else None


def _unstretched(match: re.Match[str]) -> str | None:
    """The known word that was stretched, else one of each letter that English hardly ever doubles."""
    if _ROMAN.fullmatch(match[0]):
        return None
    return unstretch(match[0]) or _RARELY_DOUBLE.sub(lambda m: m[1] or m[2], match[0])


def _joined(match: re.Match[str]) -> str | None:
    """A word or two written letter by letter; three letters alone only if they make a word worth hiding."""
    word = match[0].replace(match[1], "")
    if len(word) > 3:
        words = apart(word) or word
        return words if word not in WORDS and not WORDS.isdisjoint(words.split()) else word
    return word if word in WORDS or (match[1] == " " and word in SMALL) else None


def _between(match: re.Match[str]) -> str | None:
    """A word broken by an emoji near one of its ends; whole small words around it are two words."""
    before, after = (match[1], match[2]) if match[1] else (match[3], match[4])
    return None if not {before, after}.isdisjoint(SMALL | _GREETINGS) else before + after


def _spelt(match: re.Match[str]) -> str | None:
    """A sentence written letter by letter, its words apart where the gaps are wider."""
    words = re.split(r" {2,}", match[0])
    return " ".join(word.replace(" ", "") for word in words) if len(words) > 1 else None


def _unmask(match: re.Match[str]) -> str | None:
    """Keep asterisks that stand for letters (`f**k`); drop mark-up."""
    before = match.string[match.start() - 1 : match.start()]
    after = match.string[match.end() : match.end() + 1]
    return None if before.isalpha() and (after.isalpha() or len(match[0]) > 1) else " " * len(match[0])


# What to look for before a step is worth its regular expression (most comments need none), the expression, the edit.
STEPS: tuple[tuple[Callable[[str], object], re.Pattern[str], Edit], ...] = (
    (lambda t: "&" in t, _ENTITY, _character),
    (lambda t: "<" in t or "[" in t, _TAG, _untagged),
    (lambda t: not t.isascii(), _WORD, _latin),
    (lambda t: not t.isascii(), _TURNED_WORD, _turned),
    (_ODD.search, _TOKEN, lambda m: restore(m[0]) if _ODD.search(m[0]) else None),
    (lambda t: not t.isascii(), _BROKEN, _between),
    (_MARKED_UP.search, _EMPHASIS, lambda m: m[2] or m[4]),
    (lambda t: "@" in t or "url" in t or "www." in t or _HOST.search(t), _ADDRESS, lambda m: URL),
    (lambda t: "@" in t or "[" in t, _MENTION, lambda m: " "),
    (_SIGNED.search, _DISGUISED, _letters),
    (_SPELT.search, _SPELT, _spelt),
    (_SINGLE.search, _SPACED, _joined),
    (lambda t: "*" in t, _MASK, _unmask),
    (_STRETCHED.search, _LONG_RUN, _unstretched),
    (lambda t: True, _STRETCHED, lambda m: m[1] * 2),
    (lambda t: True, _PLAIN_WORD, lambda m: NEAR.get(m[0])),
    (lambda t: True, _LONG_WORD, lambda m: part(m[0])),
    (lambda t: "'" in t, re.compile("'"), lambda m: ""),
    (lambda t: not t.isascii(), _SYMBOL, lambda m: f" {m[0]} " if unicodedata.category(m[0])[0] == "S" else None),
)
LETTER_STEPS = STEPS[13:17]  # those that can change a word of nothing but the letters a to z
