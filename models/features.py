"""Hashed n-grams of many texts at once, in numpy: character 3-5-grams inside words, words, and pairs of words.

The same arrays are multiplied with the weights at run time (linear.py) and laid out as a sparse matrix for fitting
(train.py), so that what is fitted is what is applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SETTINGS = {"char": [3, 4, 5], "word": [1, 2], "hash": "polynomial-32-mix", "bits": 18, "scale": "1/sqrt(bytes + 30)"}
BITS = 18
_EXTRA = 30  # bytes added to every size, so that the few n-grams of a very short text weigh less
_SPACE = 32
_P = 0x01000193
_P_INVERSE = pow(_P, -1, 1 << 32)
_SEEDS = (3, 44, 555, 6666, 77777)

_TABLE = np.full(256, _SPACE, np.uint8)  # ASCII punctuation -> space, every digit -> 0, the rest as it is
_TABLE[128:] = np.arange(128, 256)
for _code in range(128):
    if chr(_code).isalpha():
        _TABLE[_code] = ord(chr(_code).lower())
    elif chr(_code).isdigit():
        _TABLE[_code] = ord("0")
_TABLE[[2, ord("*")]] = 2, ord("*")

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of n-gram: `index[bounds[i]:bounds[i + 1]]` are the hash slots of text i.

    `begin` and `end` are where each n-gram lies in the bytes of the batch (`Grams.source` leads back to the texts).
    """

    index: Indices
    bounds: Indices
    begin: Indices
    end: Indices


@dataclass(frozen=True, slots=True)
class Grams:
    """All n-grams of a batch; `size[i]` is the length of text i in bytes after runs of spaces are made one."""

    streams: tuple[Stream, ...]
    size: Indices
    kept: Indices

    @property
    def scale(self) -> NDArray[np.float32]:
        """What the sum of a text's n-grams is multiplied by: one over the square root of its size, (texts,)."""
        return np.asarray(1 / np.sqrt(self.size + _EXTRA), np.float32)


def _mix(h: NDArray[np.uint32], seed: int, bits: int) -> Indices:
    """Scramble a polynomial hash (its low bits alone are poor) and cut it to `bits` bits."""
    h = h + np.uint32(seed)
    h ^= h >> np.uint32(15)
    h *= np.uint32(0x2C1B3C6D)
    h ^= h >> np.uint32(12)
    h &= np.uint32((1 << bits) - 1)
    return h.astype(np.intp)


def _powers(base: int, count: int) -> NDArray[np.uint32]:
    return np.cumprod(np.concatenate([[1], np.full(count, base)]).astype(np.uint32), dtype=np.uint32)


_tables: dict[int, NDArray[np.uint32]] = {base: _powers(base, 1 << 17) for base in (_P, _P_INVERSE)}


def _power_table(base: int, count: int) -> NDArray[np.uint32]:
    """base^0..base^(count-1) mod 2^32; huge batches get a table of their own, which is not kept."""
    table = _tables[base]
    return table[:count] if count <= len(table) else _powers(base, count - 1)


def _bytes(texts: Sequence[str]) -> tuple[NDArray[np.uint8], Indices, Indices]:
    """The batch as bytes with one space before each text and between words; where each text starts; what was kept.

    A run of spaces keeps its last one, so the space before a text also ends the text before it and no n-gram
    can reach from one text into the next.
    """
    parts = [b" " + text.encode("utf-8", "ignore") for text in texts]
    sizes = np.fromiter(map(len, parts), np.intp, len(parts))
    starts = np.zeros(len(parts) + 1, np.intp)
    np.cumsum(sizes, out=starts[1:])
    raw = _TABLE[np.frombuffer(b"".join(parts) + b" ", np.uint8)]
    space = raw == _SPACE
    kept = np.flatnonzero(~(space[:-1] & space[1:]))
    kept = np.append(kept, len(raw) - 1)
    return raw[kept], np.searchsorted(kept, starts).astype(np.intp), kept


def grams(texts: Sequence[str], bits: int = BITS) -> Grams:
    """The n-grams of normalised texts. Memory: about 150 bytes for each byte of text."""
    data, starts, kept = _bytes(texts)
    padded = np.concatenate([data, np.full(5, _SPACE, np.uint8)])
    space = padded == _SPACE
    wide = padded.astype(np.uint32)
    count = len(data) - 1
    prime = np.uint32(_P)
    h3 = (wide[:count] * prime + wide[1 : count + 1]) * prime + wide[2 : count + 2]
    h4 = h3 * prime + wide[3 : count + 3]
    h5 = h4 * prime + wide[4 : count + 4]
    at = np.flatnonzero(~space[1 : count + 1])
    streams = []
    for length, hashes in ((3, h3), (4, h4), (5, h5)):
        if length > 3:
            at = at[~space[at + (length - 2)]]
        index = _mix(hashes[at], _SEEDS[length - 3], bits)
        streams.append(Stream(index, np.searchsorted(at, starts).astype(np.intp), at, at + length))
    streams += _words(wide[:count], space, starts, bits)
    return Grams(tuple(streams), np.diff(starts), kept)


def _words(wide: NDArray[np.uint32], space: NDArray[np.bool_], starts: Indices, bits: int) -> list[Stream]:
    """The streams of single words and of pairs of neighbouring words of one text."""
    count = len(wide)
    edges = np.flatnonzero(space[1 : count + 1] != space[:count]) + 1
    begin, end = edges[0::2], edges[1::2]
    total = np.zeros(count + 1, np.uint32)
    np.cumsum(wide * _power_table(_P, count), out=total[1:], dtype=np.uint32)
    word = (total[end] - total[begin]) * _power_table(_P_INVERSE, count)[begin]
    first = np.searchsorted(begin, starts).astype(np.intp)
    same = np.ones(max(len(word) - 1, 0), np.bool_)
    cuts = first[1:-1] - 1
    same[cuts[(cuts >= 0) & (cuts < len(same))]] = False
    left = np.flatnonzero(same)
    pair = word[left] * np.uint32(0x9E3779B1) + word[left + 1]
    return [
        Stream(_mix(word, _SEEDS[3], bits), first, begin, end),
        Stream(_mix(pair, _SEEDS[4], bits), np.searchsorted(left, first).astype(np.intp), begin[left], end[left + 1]),
    ]
