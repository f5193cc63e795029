"""Which words raised a score: n-gram contributions, spread over the text they came from."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from models.features import Grams
from models.normalise import Normalised
from models.scorer import Span

_MOST = 5
_FLOOR = 0.12  # log-odds that a word must bring to be shown at all
_SHARE = 0.25  # of the strongest word's log-odds
_WORD = re.compile(r"\S+")


def _origins(plain: Normalised, kept: NDArray[np.intp]) -> NDArray[np.intp]:
    """For each byte of the batch of this one text: the index of the original character behind it, or -1."""
    widths = [len(c.encode("utf-8", "ignore")) for c in plain.text]
    flat = np.repeat(np.asarray(plain.origin, np.intp), widths)
    return np.concatenate([[-1], flat, [-1]]).astype(np.intp)[kept]


def contributions(plain: Normalised, found: Grams, column: NDArray[np.float32], length: int) -> NDArray[np.float64]:
    """What each character of the original brought to the log-odds, (length,); sums to the score less its bias.

    An n-gram's weight is shared equally by the characters it came from.
    """
    origin = _origins(plain, found.kept)
    out = np.zeros(length + 1)
    scale = float(found.scale[0])
    for stream in found.streams:
        widths = stream.end - stream.begin
        total = int(widths.sum())
        first = np.repeat(stream.begin - np.cumsum(widths) + widths, widths)
        source = origin[np.minimum(first + np.arange(total), len(origin) - 1)]
        real = source >= 0
        owner = np.repeat(np.arange(len(widths)), widths)
        letters = np.maximum(np.bincount(owner[real], minlength=len(widths)), 1)
        share = (column[stream.index] / letters * scale)[owner]
        out += np.bincount(source[real], weights=share[real], minlength=length + 1)
    return out[:length]


def spans(text: str, plain: Normalised, found: Grams, column: NDArray[np.float32]) -> list[Span]:
    """The whole words of `text` that brought most, neighbours merged, strongest first; empty if none stands out."""
    brought = contributions(plain, found, column, len(text))
    total = np.concatenate([[0.0], np.cumsum(brought)])
    words = [(m.start(), m.end(), float(total[m.end()] - total[m.start()])) for m in _WORD.finditer(text)]
    best = max((w for _, _, w in words), default=0.0)
    chosen: list[Span] = []
    for begin, end, weight in words:
        if weight < max(_FLOOR, _SHARE * best):
            continue
        if chosen and not text[chosen[-1].end : begin].strip():
            chosen[-1] = Span(chosen[-1].begin, end, chosen[-1].weight + weight)
        else:
            chosen.append(Span(begin, end, weight))
    trimmed = [_trim(text, span) for span in chosen]
    return sorted(trimmed, key=lambda s: (-s.weight, s.begin))[:_MOST]


def _trim(text: str, span: Span) -> Span:
    """Without punctuation at either end, unless nothing else would be left."""
    begin, end = span.begin, span.end
    while end > begin and not (text[end - 1].isalnum() or text[end - 1] in "*$"):
        end -= 1
    while begin < end and not (text[begin].isalnum() or text[begin] in "*$@"):
        begin += 1
    return Span(begin, end, span.weight) if end > begin else span
