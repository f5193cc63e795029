"""Make texts that read the same look the same, and remember where each character came from.

The result feeds the n-gram features, which treat ASCII punctuation as spaces and every digit alike, so nothing is
done here about those. Style that differs from one data set to the next (letter case, apostrophes, user names,
addresses, stretched letters) is levelled, so that a style can't become a label.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from models.letters import COMBINING, LOOKALIKES, TURNED, Folds, upright
from models.rude import LONG, NEAR, SMALL, WORDS, apart, part, restore, unstretch
from models.screen import suspects

URL = " \x02 "  # what an address becomes: a word of its own that no text can contain
_FOLDS = Folds(dict.fromkeys(range(32), "") | {9: " ", 10: " ", 13: " ", 127: ""})
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
_REVERSED = re.compile("\u202e([^\u202c\u2069\n]{1,200})")
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
_TYPOGRAPHIC = (("’", "'"), ("‘", "'"), ("“", " "), ("”", " "), ("–", " "), ("—", " "), ("…", " "), ("\xa0", " "))
_HOST = re.compile(r"\.[a-z]|: ?/")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_STRETCHED = re.compile(r"([^\W\d]|[^\x00-\x7f])\1{2,}")
_WHOLE = re.compile("[\u202e\ud800-\udfff]")  # what words alone don't tell: direction, halves of characters
_REACHING = re.compile(
    rb"\[.*=|<[^>]*(?:<|$)|&(?:lt|gt|#)", re.DOTALL
)  # a word with mark-up that may go on in the next
_MASK = re.compile(r"\*+")
_MARKED = re.compile(f".[{COMBINING}]+", re.DOTALL)  # what NFKC may join: a letter and the marks after it

Edit = Callable[[re.Match[str]], str | None]


@dataclass(frozen=True, slots=True)
class Normalised:
    """A normalised text; `origin[i]` is the index in the original of the character behind `text[i]`."""

    text: str
    origin: list[int]


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


def _forwards(match: re.Match[str]) -> str | None:
    """Text that a control character shows from right to left, as it is shown, unless only its own order says a word."""
    shown = match[1][::-1]
    rude = [any(word in WORDS for word in way.lower().split()) for way in (match[1], shown)]
    return None if rude[0] and not rude[1] else shown


def _character(match: re.Match[str]) -> str:
    """The character behind an HTML entity, folded."""
    return "".join(_FOLDS[ord(c)] for c in html.unescape(match[0]))


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
_STEPS: tuple[tuple[Callable[[str], object], re.Pattern[str], Edit], ...] = (
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


def _apply(pattern: re.Pattern[str], edit: Edit, text: str, origin: list[int] | None) -> tuple[str, list[int] | None]:
    """Replace each match by what `edit` returns (None: leave it), keeping the origins in step if they are wanted."""
    parts: list[str] = []
    kept: list[int] = []
    last = 0
    for match in pattern.finditer(text):
        new = edit(match)
        if new is None or new == match[0]:
            continue
        begin, end = match.span()
        parts += (text[last:begin], new)
        if origin is not None:
            kept += origin[last:begin]
            steps = max(len(new) - 1, 1)
            kept += [origin[begin + i * (end - begin - 1) // steps] for i in range(len(new))]
        last = end
    if not parts:
        return text, origin
    parts.append(text[last:])
    if origin is not None:
        kept += origin[last:]
    return "".join(parts), None if origin is None else kept


def _run(text: str, origin: list[int] | None) -> tuple[str, list[int] | None]:
    if not text.isascii():
        text, origin = _apply(_REVERSED, _forwards, text, origin)
        text, origin = _apply(_MARKED, lambda m: unicodedata.normalize("NFKC", m[0]), text, origin)
    if origin is not None:
        folded = [_FOLDS[ord(c)] for c in text]
        origin = [o for o, new in zip(origin, folded, strict=True) for _ in new]
        text = "".join(folded)
    elif text.isascii() and not _CONTROL.search(text):
        text = text.lower().replace("\n", " ").replace("\r", " ").replace("\t", " ")  # as _FOLDS, but faster
    else:
        text = text.translate(_FOLDS)
    for worth, pattern, edit in _STEPS:
        if worth(text):
            text, origin = _apply(pattern, edit, text, origin)
    return text, origin


def normalise(text: str) -> Normalised:
    """Normalise one text and map each character of the result to the index of the original it came from."""
    result, origin = _run(text, list(range(len(text))))
    return Normalised(result, origin or [])


def _typewritten(text: str) -> str:
    """Typographic quotes and dashes as on a typewriter: the most frequent reason for a text not to be ASCII."""
    for fine, plain in _TYPOGRAPHIC:
        text = text.replace(fine, plain)
    return text


def _token(token: bytes) -> bytes | None:
    """A word without white space, normalised; None if its neighbours have a say in it."""
    if token[:1] in (b"/", b":") or _REACHING.search(token):
        return None
    return _run(token.decode(), None)[0].encode()


_known_token = lru_cache(1 << 15)(_token)
_KEPT = 40  # bytes of the longest word that is remembered


def normalise_joined(texts: Sequence[str]) -> bytes:
    """The normalised texts in UTF-8, a NUL before and after each, one between neighbours; see `normalise_all`.

    Most words need no more than lower case; one numpy pass over all texts finds the others.
    """
    odd = {i: text for i, text in enumerate(texts) if not text.isascii()}
    if odd or any("\0" in text for text in texts):
        texts = [_typewritten(odd[i]) if i in odd else text for i, text in enumerate(texts)]
        whole = [i for i, text in enumerate(texts) if "\0" in text or (i in odd and _WHOLE.search(text))]
    else:
        whole = []
    lone = dict.fromkeys(whole, "")
    joined = "\0".join(["", *(lone.get(i, text) for i, text in enumerate(texts)), ""])
    data = joined.encode().lower()
    begins, ends, places = suspects(data)
    changes: list[tuple[int, int, bytes]] = []
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        token = data[begin:end]
        new = _known_token(token) if end - begin <= _KEPT else _token(token)
        if new is None:
            places = np.append(places, begin)
        elif new != token:
            changes.append((begin, end, new))
    if len(places) or whole:
        changes = _with_whole(texts, data, changes, places, whole)
    parts: list[bytes] = []
    last = 0
    for begin, end, new in changes:
        parts += (data[last:begin], new)
        last = end
    return b"".join([*parts, data[last:]]).replace(b"'", b"")


def _with_whole(
    texts: Sequence[str], data: bytes, changes: list[tuple[int, int, bytes]], places: NDArray[np.intp], whole: list[int]
) -> list[tuple[int, int, bytes]]:
    """The changes, with those of texts that are looked at as a whole in the place of their words' changes."""
    bounds = np.flatnonzero(np.frombuffer(data, np.uint8) == 0)
    numbers = sorted({*whole, *(np.searchsorted(bounds, places, side="right") - 1).tolist()})
    spans = {int(bounds[i]) + 1: (int(bounds[i + 1]), i) for i in numbers}
    starts = np.array(list(spans))
    kept = []
    for change in changes:
        at = int(np.searchsorted(starts, change[0], side="right")) - 1
        if at < 0 or change[0] > spans[int(starts[at])][0]:
            kept.append(change)
    done = [(begin, end, _run(texts[i], None)[0].encode("utf-8", "ignore")) for begin, (end, i) in spans.items()]
    return sorted(kept + done)


def normalise_all(texts: Sequence[str]) -> list[str]:
    """The normalised texts, as `normalise` gives them, except that plain ones keep punctuation that features ignore."""
    return normalise_joined(texts).decode().split("\0")[1:-1] if texts else []
