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
from numpy.typing import NDArray

from models.letters import COMBINING
from models.screen import suspects
from models.steps import FOLDS, REVERSED, STEPS, URL, Edit, forwards

__all__ = ["URL", "Normalised", "normalise", "normalise_all", "normalise_joined"]

_TYPOGRAPHIC = (("’", "'"), ("‘", "'"), ("“", " "), ("”", " "), ("–", " "), ("—", " "), ("…", " "), ("\xa0", " "))
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_WHOLE = re.compile("[\u202e\ud800-\udfff]")  # what words alone don't tell: direction, halves of characters
_REACHING = re.compile(rb"\[.*=|<[^>]*(?:<|$)|&(?:lt|gt|#)", re.DOTALL)  # mark-up that may go on in the next word
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
