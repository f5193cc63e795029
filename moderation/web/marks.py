"""A comment's text cut at the borders of its reasons, so that a template can underline each piece."""

import itertools
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from moderation.domain.text import Span, from_utf16, merge
from moderation.services.plain_text import plain_text
from moderation.web.words import clearness, name_of, number, strongest_first, style_of

_DEEPEST = 3


@dataclass(frozen=True)
class Mark:
    """One reason on a piece of text: its class, its name, its words for the title, its strength 1 to 3."""

    style: str
    name: str
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
    cut = _cut(shown.text, marked)
    return (_trimmed(cut) if cut and shown.origin is not None else cut), words


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


def _trimmed(cut: list[Piece]) -> list[Piece]:
    """Without the empty lines that the first and the last block of an HTML body leave."""
    ends = [replace(cut[0], text=cut[0].text.lstrip("\n")), *cut[1:]]
    ends[-1] = replace(ends[-1], text=ends[-1].text.rstrip("\n"))
    return [piece for piece in ends if piece.text]


def legend(shown: Iterable[Piece]) -> list[Mark]:
    """One mark of each reason that is on the text, in the order in which they come first."""
    found: dict[tuple[str, str], Mark] = {}
    for mark in itertools.chain.from_iterable(piece.marks for piece in shown):
        found.setdefault((mark.style, mark.name), mark)
    return list(found.values())


def _mark(signal: dict[str, Any]) -> Mark:
    score, name = signal.get("score"), str(name_of(signal))
    strength = 1 + (clearness(signal) > 1) + (clearness(signal) > 3)
    return Mark(style_of(signal), name, name if score is None else f"{name} {number(score)}", strength)


def _cut(text: str, marked: list[tuple[Mark, list[Span]]]) -> list[Piece]:
    """One walk over the borders: a body full of words that a list names has thousands of them."""
    turns: dict[int, list[int]] = {}
    for at, (_, spans) in enumerate(marked):
        for span in spans:  # apart from each other, so that each border turns the mark on or off
            turns.setdefault(span.begin, []).append(at)
            turns.setdefault(span.end, []).append(at)
    found, active = [], set[int]()
    for begin, end in itertools.pairwise(sorted({0, len(text), *turns})):
        active.symmetric_difference_update(turns.get(begin, ()))
        found.append(Piece(text[begin:end], tuple(marked[at][0] for at in sorted(active)[:_DEEPEST])))
    return found
