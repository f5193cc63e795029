"""Make texts that read the same look the same, and remember where each character came from.

The result feeds the n-gram features, which treat ASCII punctuation as spaces and every digit alike, so nothing is
done here about those. Style that differs from one data set to the next (letter case, apostrophes, user names,
addresses, stretched letters) is levelled, so that a style can't become a label.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from models.letters import COMBINING, LOOKALIKES, Folds

URL = " \x02 "  # what an address becomes: a word of its own that no text can contain
_FOLDS = Folds(dict.fromkeys(range(32), "") | {9: " ", 10: " ", 13: " ", 127: ""})
_TOP = "com|net|org|info|biz|ru|io|xyz|ly|me|co|tk|club|shop|site|online|top|uk|de|us|tv"
_ADDRESS = re.compile(
    rf"(?:https?\s?:\s?//|www\.)\S*|\b[a-z0-9._%+-]{{1,64}}@[a-z0-9-]{{1,63}}\.[a-z.]{{2,20}}"
    rf"|\b[a-z0-9-]{{1,63}}\.(?:{_TOP})\b(?!\.[a-z])(?:/\S*)?|[\[<]url[\]>]"
)
_MENTION = re.compile(r"(?<![\w@])@(?!ss)\w{2,}|\[(?:@?user(?:name)?|name)\]")
_TAG = re.compile(r"</?(?!url>)[a-z][^<>]{0,300}>|&(?:amp|lt|gt|quot|nbsp|#\d{1,5});?")
_WORD = re.compile(r"[^\W\d_]+")
_DISGUISED = re.compile(  # bounded, so that no text makes it slow
    r"(?<![a-z0-9@$])[a-z0-9@$]{0,30}[a-z][0-9@$!|]{1,30}[a-z](?:[a-z0-9@$!|]*[a-z0-9@$])?"
    r"|(?<![a-z0-9$@])[$@][$@a-z]{2,}|[a-z]{1,9}\$\$+"
)
_LEET = str.maketrans("013457@$!|", "oieastasil")
_SPACED = re.compile(r"(?<![a-z0-9])[a-z]([ ._*-])[a-z](?:\1[a-z]){2,}(?![a-z0-9])")
_SIGNED = re.compile(r"[0-9@$!|][a-z$]")
_SINGLE = re.compile(r"[ ._*-][a-z][ ._*-][a-z][ ._*-]")
_TYPOGRAPHIC = (("’", "'"), ("‘", "'"), ("“", " "), ("”", " "), ("–", " "), ("—", " "), ("…", " "), ("\xa0", " "))
_HOST = re.compile(r"\.[a-z]|: ?/")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_STRETCHED = re.compile(r"([^\W\d]|[^\x00-\x7f])\1{2,}")
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
    return word.translate(LOOKALIKES) if not word.isascii() and any("a" <= c <= "z" for c in word) else None


def _letters(match: re.Match[str]) -> str | None:
    """A word with digits or signs for letters, in letters; None for units, ordinals and codes such as 5g."""
    word = match[0]
    letters = sum("a" <= c <= "z" for c in word)
    return word.translate(_LEET) if letters >= 2 or "$$" in word else None


def _unmask(match: re.Match[str]) -> str | None:
    """Keep asterisks that stand for letters (`f**k`); drop mark-up."""
    before = match.string[match.start() - 1 : match.start()]
    after = match.string[match.end() : match.end() + 1]
    return None if before.isalpha() and (after.isalpha() or len(match[0]) > 1) else " " * len(match[0])


# What to look for before a step is worth its regular expression (most comments need none), the expression, the edit.
_STEPS: tuple[tuple[Callable[[str], object], re.Pattern[str], Edit], ...] = (
    (lambda t: "<" in t or "&" in t, _TAG, lambda m: " "),
    (lambda t: "@" in t or "url" in t or "www." in t or _HOST.search(t), _ADDRESS, lambda m: URL),
    (lambda t: "@" in t or "[" in t, _MENTION, lambda m: " "),
    (lambda t: not t.isascii(), _WORD, _latin),
    (_SIGNED.search, _DISGUISED, _letters),
    (_SINGLE.search, _SPACED, lambda m: m[0].replace(m[1], "")),
    (lambda t: "*" in t, _MASK, _unmask),
    (lambda t: True, _STRETCHED, lambda m: m[1] * 2),
    (lambda t: "'" in t, re.compile("'"), lambda m: ""),
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


# Bits of the screen below: what a character may be part of.
_LETTER, _SIGN, _MARK, _GAP = 1, 2, 4, 8
_CLASSES = np.zeros(256, np.uint8)
_CLASSES[[*range(ord("a"), ord("z") + 1)]] = _LETTER
_CLASSES[[ord(c) for c in "0123456789$!|"]] = _SIGN
_CLASSES[[ord(c) for c in "<&@*["] + [*range(9)] + [*range(14, 32)] + [11, 12, 127]] = _MARK
_CLASSES[[ord(c) for c in " .-_"]] = _GAP


def _suspects(joined: bytes, starts: np.ndarray, count: int) -> set[int]:
    """Numbers of the lower-case ASCII texts in `joined` (each ends with a NUL) that a full pass may change."""
    raw = np.frombuffer(joined, np.uint8)
    kind = _CLASSES[raw]
    letter = kind == _LETTER
    same = raw[1:] == raw[:-1]
    odd = kind == _MARK
    odd[starts[1:] - 1] = False  # our own NULs
    hits = [np.flatnonzero(odd), np.flatnonzero(same[1:] & same[:-1] & letter[2:])]
    sign, dollar = kind == _SIGN, raw == ord("$")
    after = letter | dollar
    hits.append(np.flatnonzero(sign[1:-1] & after[2:] & (after | sign)[:-2]) + 1)
    hits.append(np.flatnonzero(dollar[:-1] & after[1:]))
    gap = kind == _GAP
    lone = gap[:-2] & letter[1:-1] & gap[2:]
    hits.append(np.flatnonzero(lone[:-2] & lone[2:]))
    colon, slash = raw == ord(":"), raw == ord("/")
    hits.append(np.flatnonzero(colon[:-2] & (slash[1:-1] | slash[2:])))
    hits.append(np.flatnonzero((raw[:-1] == ord(".")) & letter[1:]))  # example.com; "www" is a run of letters
    places = np.concatenate(hits)
    found = set((np.searchsorted(starts, places, side="right") - 1).tolist()) if len(places) else set()
    return {i for i in found if i < count}


def _typewritten(text: str) -> str:
    """Typographic quotes and dashes as on a typewriter: the most frequent reason for a text not to be ASCII."""
    for fine, plain in _TYPOGRAPHIC:
        text = text.replace(fine, plain)
    return text


def normalise_all(texts: Sequence[str]) -> list[str]:
    """The normalised texts, as `normalise` gives them, except that plain ones keep punctuation that features ignore.

    Most comments need no more than lower case; one numpy pass over all of them finds the others.
    """
    texts = [text if text.isascii() else _typewritten(text) for text in texts]
    plain = [i for i, text in enumerate(texts) if text.isascii()]
    out = [""] * len(texts)
    joined = "".join(texts[i].lower() + "\0" for i in plain)
    sizes = np.fromiter((len(texts[i]) + 1 for i in plain), np.int64, len(plain))
    starts = np.zeros(len(plain) + 1, np.int64)
    np.cumsum(sizes, out=starts[1:])
    suspects = _suspects(joined.encode("ascii"), starts, len(plain)) if plain else set()
    lowered = joined.replace("'", "").split("\0") if "\0" not in "".join(texts) else []
    quick = {i: lowered[n] for n, i in enumerate(plain) if n not in suspects} if lowered else {}
    for i, text in enumerate(texts):
        done = quick.get(i)
        out[i] = _run(text, None)[0] if done is None else done
    return out
