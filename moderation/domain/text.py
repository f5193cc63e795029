"""Positions in a text: Python counts code points, the outside counts UTF-16 code units."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import bidirectional


def N_(text: str) -> str:  # noqa: N802 - the name under which gettext's tools look for it
    """Marks a text that pages show in the reader's language; here it stays as it is."""
    return text


# Marks that turn the direction of what follows, letters without any width, and what breaks a line in one place or
# another. Not the two joiners (U+200C, U+200D): Persian, Indic writing and emoji need them.
_UNSEEN = re.compile("[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
_BREAKS = re.compile("[\x00-\x20\x7f-\x9f\u2028\u2029]+")
_ISOLATES = re.compile("[\u2066-\u2069]")
_TURNING = ("R", "AL", "AN", "LRE", "RLE", "LRO", "RLO", "LRI", "RLI", "FSI", "PDF", "PDI")
_ISOLATE, _END = "\u2068", "\u2069"


def one_line(text: str) -> str:
    """A name or a title as it is kept: one line, without what can't be seen but turns or breaks what stands around
    it. What consists of nothing else becomes U+FFFD."""
    if text.isascii() and text.isprintable() and text == text.strip():
        return text
    return _BREAKS.sub(" ", _UNSEEN.sub("", text)).strip() or "\ufffd"


def apart(text: str) -> str:
    """The text for the middle of a sentence: if it has what is written from right to left, in marks that keep it from
    turning its neighbours; they do so also where there can be no <bdi>, as in a page's title."""
    if text.isascii() or not any(bidirectional(letter) in _TURNING for letter in text):
        return text
    return f"{_ISOLATE}{_ISOLATES.sub('', text)}{_END}"  # a mark of its own could end ours


@dataclass(frozen=True, order=True)
class Span:
    """A piece of a text, `end` exclusive; the unit is said where it is used."""

    begin: int
    end: int


def merge(spans: Sequence[Span]) -> list[Span]:
    """The same pieces in order, touching or overlapping ones joined."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.begin <= merged[-1].end:
            merged[-1] = Span(merged[-1].begin, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def to_utf16(text: str, spans: Sequence[Span]) -> list[Span]:
    """Code point positions -> UTF-16 code unit positions."""
    if text.isascii():
        return list(spans)
    units = _units_before(text)
    return [Span(units[span.begin], units[span.end]) for span in spans]


def from_utf16(text: str, spans: Sequence[Span]) -> list[Span]:
    """UTF-16 code unit positions -> code point positions; a position inside a pair moves to its end."""
    if text.isascii():
        return list(spans)
    units = _units_before(text)
    point_at = {unit: point for point, unit in enumerate(units)}
    last = len(text)
    return [
        Span(point_at.get(s.begin, point_at.get(s.begin + 1, last)), point_at.get(s.end, point_at.get(s.end + 1, last)))
        for s in spans
    ]


def _units_before(text: str) -> list[int]:
    units, position = [0], 0
    for character in text:
        position += 2 if ord(character) > 0xFFFF else 1
        units.append(position)
    return units
