"""Make texts that read the same look the same, and remember where each character came from.

The result feeds the n-gram features, which treat ASCII punctuation as spaces and every digit alike, so nothing is
done here about those. Style that differs from one data set to the next (letter case, apostrophes, user names,
addresses, stretched letters) is levelled, so that a style can't become a label.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from models.letters import COMBINING
from models.screen import suspects
from models.steps import FOLDS, LETTER_STEPS, REVERSED, STEPS, URL, Edit, forwards

__all__ = ["URL", "Normalised", "normalise", "normalise_all", "normalise_joined"]

_TYPOGRAPHIC = (("’", "'"), ("‘", "'"), ("“", " "), ("”", " "), ("–", " "), ("—", " "), ("…", " "), ("\xa0", " "))
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_TURN = "\u202e"
_WHOLE = re.compile(f"[\0{_TURN}\ud800-\udfff]")  # what words alone don't tell: direction, halves of characters
_REACHING = re.compile(rb"\[.*=|<[^>]*(?:<|$)|&(?:lt|gt|#)", re.DOTALL)  # mark-up that may go on in the next word
_PLAIN = re.compile(rb"[(\"]?([a-z]+)(?<!www)[.,;:)\"]*")  # a word and signs that never hide or join anything
_MARKED = re.compile(f".[{COMBINING}]+", re.DOTALL)  # what NFKC may join: a letter and the marks after it


@dataclass(frozen=True, slots=True)
class Normalised:
    """A normalised text; `origin[i]` is the index in the original of the character behind `text[i]`."""

    text: str
    origin: list[int]


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


def _run_letters(word: str) -> str:
    """As `_run`, for a word of nothing but the letters a to z: only these steps can change it."""
    for worth, pattern, edit in LETTER_STEPS:
        if worth(word):
            word = _apply(pattern, edit, word, None)[0]
    return word


def _run(text: str, origin: list[int] | None) -> tuple[str, list[int] | None]:
    if not text.isascii():
        text, origin = _apply(REVERSED, forwards, text, origin)
        text, origin = _apply(_MARKED, lambda m: unicodedata.normalize("NFKC", m[0]), text, origin)
    if origin is not None:
        folded = [FOLDS[ord(c)] for c in text]
        origin = [o for o, new in zip(origin, folded, strict=True) for _ in new]
        text = "".join(folded)
    elif text.isascii() and not _CONTROL.search(text):
        text = text.lower().replace("\n", " ").replace("\r", " ").replace("\t", " ")  # as FOLDS, but faster
    else:
        text = text.translate(FOLDS)
    for worth, pattern, edit in STEPS:
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
    plain = _PLAIN.fullmatch(token)
    if plain:
        word = plain[1].decode()
        new = _run_letters(word)
        return token if new == word else token[: plain.start(1)] + new.encode() + token[plain.end(1) :]
    if token[:1] in (b"/", b":") or _REACHING.search(token):
        return None
    return _run(token.decode(), None)[0].encode()


_known_token = lru_cache(1 << 15)(_token)
_KEPT = 40  # bytes of the longest word that is remembered


def _joined(texts: Sequence[str]) -> tuple[bytes, list[int]]:
    """The texts in UTF-8 between NULs, and the numbers of those (left out) that must be looked at as a whole."""
    try:
        joined = b"\0".join([b"", *(text.encode() for text in texts), b""])
        if joined.count(b"\0") == len(texts) + 1 and not any(_TURN in text for text in texts if not text.isascii()):
            return joined, []
    except UnicodeEncodeError:
        pass
    whole = {i for i, text in enumerate(texts) if _WHOLE.search(text)}
    return "\0".join(["", *("" if i in whole else text for i, text in enumerate(texts)), ""]).encode(), sorted(whole)


def normalise_joined(texts: Sequence[str]) -> bytes:
    """The normalised texts in UTF-8, a NUL before and after each, one between neighbours; see `normalise_all`.

    Most words need no more than lower case; one numpy pass over all texts finds the others.
    """
    texts = [text if text.isascii() else _typewritten(text) for text in texts]
    joined, whole = _joined(texts)
    data = joined.lower()
    found, places = suspects(data)
    changes: list[tuple[int, int, bytes]] = []
    for begin, end in found:
        token = data[begin:end]
        new = _known_token(token) if end - begin <= _KEPT else _token(token)
        if new is None:
            places.append(begin)
        elif new != token:
            changes.append((begin, end, new))
    if places or whole:
        changes = _with_whole(texts, data, changes, places, whole)
    parts: list[bytes] = []
    last = 0
    for begin, end, new in changes:
        parts += (data[last:begin], new)
        last = end
    return b"".join([*parts, data[last:]]).replace(b"'", b"")


def _with_whole(
    texts: Sequence[str], data: bytes, changes: list[tuple[int, int, bytes]], places: list[int], whole: list[int]
) -> list[tuple[int, int, bytes]]:
    """The changes, with those of texts that are looked at as a whole in the place of their words' changes."""
    bounds = np.flatnonzero(np.frombuffer(data, np.uint8) == 0)
    at = [*places, *(begin for begin, _, _ in changes)]
    numbers = (bounds.searchsorted(at, side="right") - 1).tolist()
    chosen = {*whole, *numbers[: len(places)]}
    kept = [change for change, i in zip(changes, numbers[len(places) :], strict=True) if i not in chosen]
    for i in chosen:
        new = _run(texts[i], None)[0].encode("utf-8", "ignore")
        kept.append((int(bounds[i]) + 1, int(bounds[i + 1]), new))
    return sorted(kept)


def normalise_all(texts: Sequence[str]) -> list[str]:
    """The normalised texts, as `normalise` gives them, except that plain ones keep punctuation that features ignore."""
    return normalise_joined(texts).decode().split("\0")[1:-1] if texts else []
