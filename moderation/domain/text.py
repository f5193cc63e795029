"""Positions in a text: Python counts code points, the outside counts UTF-16 code units."""

from collections.abc import Sequence
from dataclasses import dataclass


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
