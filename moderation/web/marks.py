"""A comment's text cut at the borders of its reasons, so that a template can underline each piece."""

import itertools
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from moderation.domain.text import Span, from_utf16, merge
from moderation.services.plain_text import plain_text
from moderation.web.words import clearness, name_of, number, strongest_first, style_of

_DEEPEST = 3


@dataclass(frozen=True)
class Mark:
    """One reason on a piece of text: its class, its words for the title, its strength 1 to 3."""

    style: str
    title: str
    strength: int


@dataclass(frozen=True)
class Piece:
    """Some text and the reasons that cover it, at most three, strongest first."""

    text: str
    marks: tuple[Mark, ...] = ()


def pieces(body: str, format: str, signals: list[dict[str, Any]]) -> tuple[list[Piece], dict[str, list[str]]]:
    """The text as shown in pieces, and the words that each rule points at."""
    shown = plain_text(body, format)
    marked: list[tuple[Mark, list[Span]]] = []
    words: dict[str, list[str]] = {}
    for signal in strongest_first(signals):
        spans = _shown_spans(shown.origin, from_utf16(body, [Span(**span) for span in signal.get("spans") or []]))
        if spans and signal.get("decided"):
            marked.append((_mark(signal), spans))
            words[signal["rule"]] = list(dict.fromkeys(shown.text[span.begin : span.end] for span in spans))
    return _cut(shown.text, marked), words


def _shown_spans(origin: tuple[Span, ...] | None, spans: list[Span]) -> list[Span]:
    """Pieces of the body -> pieces of the text that a reader sees of it."""
    if origin is None:
        return merge(spans)
    wanted = merge(spans)
    ends = [span.end for span in wanted]
    places = []
    for place, source in enumerate(origin):
        nearest = bisect_right(ends, source.begin)
        if nearest < len(wanted) and wanted[nearest].begin < source.end:
            places.append(Span(place, place + 1))
    return merge(places)


def _mark(signal: dict[str, Any]) -> Mark:
    score = signal.get("score")
    strength = 1 + (clearness(signal) > 1) + (clearness(signal) > 3)
    title = name_of(signal) if score is None else f"{name_of(signal)} {number(score)}"
    return Mark(style_of(signal), title, strength)


def _cut(text: str, marked: list[tuple[Mark, list[Span]]]) -> list[Piece]:
    borders = sorted({0, len(text), *(edge for _, spans in marked for s in spans for edge in (s.begin, s.end))})
    found = []
    for begin, end in itertools.pairwise(borders):
        covering = [mark for mark, spans in marked if any(s.begin <= begin and end <= s.end for s in spans)]
        found.append(Piece(text[begin:end], tuple(covering[:_DEEPEST])))
    return found
