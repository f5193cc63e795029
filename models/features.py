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
_SEED_ROWS = np.array(_SEEDS[:4], np.uint32)[:, None]
_PAIRED = np.uint32(0x9E3779B1)

_TABLE = np.full(256, _SPACE, np.uint8)  # ASCII punctuation -> space, every digit -> 0, the rest as it is
_TABLE[128:] = np.arange(128, 256)
for _code in range(128):
    if chr(_code).isalpha():
        _TABLE[_code] = ord(chr(_code).lower())
    elif chr(_code).isdigit():
        _TABLE[_code] = ord("0")
_TABLE[[2, ord("*")]] = 2, ord("*")

_TO_LETTERS = _TABLE.tobytes()

Indices = NDArray[np.intp]
Hashes = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of n-gram: `index[bounds[i]:bounds[i + 1]]` are the hash slots of text i.

    `begin` and `end` are where each n-gram lies in the bytes of the batch (`Grams.kept` leads back to the texts).
    """

    index: Indices
    bounds: Indices
    begin: Indices
    end: Indices


def scale(size: Indices) -> NDArray[np.float32]:
    """What the sum of the n-grams of a text of that many bytes is multiplied by, (texts,)."""
    return np.asarray(1 / np.sqrt(size + _EXTRA), np.float32)


@dataclass(frozen=True, slots=True)
class Grams:
    """All n-grams of a batch; `size[i]` is the length of text i in bytes after runs of spaces are made one.

    `index[bounds[k, i]:bounds[k, i + 1]]` are the hash slots of the n-grams of kind k of text i; `keep` tells which
    bytes of the batch are left once runs of spaces are made one.
    """

    index: Indices
    bounds: Indices
    size: Indices
    keep: NDArray[np.bool_]
    places: tuple[Indices, ...]

    @property
    def scale(self) -> NDArray[np.float32]:
        """What the sum of a text's n-grams is multiplied by: one over the square root of its size, (texts,)."""
        return scale(self.size)

    @property
    def kept(self) -> Indices:
        """For each byte that is left, which byte of the batch it was."""
        return self.keep.nonzero()[0]

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The n-grams by kind."""
        *at, begin, end, left = self.places
        where = [(first, first + length) for first, length in zip(at, (3, 4, 5), strict=True)]
        where += [(begin, end), (begin[left], end[left + 1])]
        found = []
        for bounds, (first, last) in zip(self.bounds, where, strict=True):
            found.append(Stream(self.index[bounds[0] : bounds[-1]], bounds - bounds[0], first, last))
        return tuple(found)


def _powers(base: int, count: int) -> Hashes:
    return np.cumprod(np.concatenate([[1], np.full(count, base)]).astype(np.uint32), dtype=np.uint32)


_tables: dict[int, Hashes] = {base: _powers(base, 1 << 17) for base in (_P, _P_INVERSE)}


def _power_table(base: int, count: int) -> Hashes:
    """base^0..base^(count-1) mod 2^32; huge batches get a table of their own, which is not kept."""
    table = _tables[base]
    return table[:count] if count <= len(table) else _powers(base, count - 1)


def _slots(hashes: Sequence[Hashes], bits: int) -> Indices:
    """Scramble polynomial hashes (their low bits alone are poor), by kind, and cut them to `bits` bits."""
    return _mixed(np.concatenate([found + np.uint32(seed) for found, seed in zip(hashes, _SEEDS, strict=True)]), bits)


def _mixed(h: Hashes, bits: int) -> Indices:
    h ^= h >> 15
    h *= 0x2C1B3C6D
    h ^= h >> 12
    h &= (1 << bits) - 1
    return h.astype(np.intp)


def grams(texts: Sequence[str], bits: int = BITS) -> Grams:
    """The n-grams of normalised texts. Memory: about 150 bytes for each byte of text."""
    parts = [text.replace("\0", " ").encode("utf-8", "ignore") for text in texts]
    return grams_of(b"\0".join([b"", *parts, b""]) if parts else b"\0", bits)


def grams_of(joined: bytes, bits: int = BITS) -> Grams:
    """The n-grams of texts in UTF-8, each with a NUL before and after it, one between neighbours.

    The NULs become spaces, and of a run of spaces the last is kept, so the space before a text also ends the text
    before it and no n-gram can reach from one text into the next.
    """
    whole = np.frombuffer(joined, np.uint8)
    raw = np.frombuffer(joined.translate(_TO_LETTERS), np.uint8)
    space = raw == _SPACE
    keep = np.ones(len(raw), np.bool_)
    np.logical_and(space[:-1], space[1:], out=keep[:-1])
    np.logical_not(keep[:-1], out=keep[:-1])
    starts = (whole == 0).nonzero()[0]
    starts -= np.searchsorted((~keep).nonzero()[0], starts)
    return _grams(raw.take(keep.nonzero()[0]), starts, keep, bits)


def _grams(data: NDArray[np.uint8], starts: Indices, keep: NDArray[np.bool_], bits: int) -> Grams:
    count = len(data) - 1
    wide = np.full(count + 6, _SPACE, np.uint32)
    wide[: count + 1] = data
    letter = wide != _SPACE
    prime = np.uint32(_P)
    hashes: list[Hashes] = []
    at: list[Indices] = []
    h = (wide[:count] * prime + wide[1 : count + 1]) * prime + wide[2 : count + 2]
    inside = letter[1 : count + 1]
    for length in (3, 4, 5):
        if length > 3:
            h *= prime
            h += wide[length - 1 : count + length - 1]
            inside = inside & letter[length - 2 : count + length - 2]
        at.append(inside.nonzero()[0])
        hashes.append(h.take(at[-1], mode="clip"))
    begin, end, left, first, word, pair = _words(wide[:count], letter, starts)
    bounds = np.empty((5, len(starts)), np.intp)
    for row, places in zip(bounds, at, strict=False):
        row[:] = places.searchsorted(starts)
    bounds[3] = first
    bounds[4] = left.searchsorted(first)
    bounds += np.cumsum([0, *map(len, at), len(word)])[:, None]
    return Grams(_slots([*hashes, word, pair], bits), bounds, np.diff(starts), keep, (*at, begin, end, left))


def _word_hashes(wide: Hashes, begin: Indices, end: Indices) -> Hashes:
    """Polynomial hashes of the bytes from each `begin` to its `end`."""
    count = len(wide)
    total = np.zeros(count + 1, np.uint32)
    np.cumsum(wide * _power_table(_P, count), out=total[1:], dtype=np.uint32)
    found: Hashes = (total.take(end) - total.take(begin)) * _power_table(_P_INVERSE, count).take(begin)
    return found


def _words(
    wide: Hashes, letter: NDArray[np.bool_], starts: Indices
) -> tuple[Indices, Indices, Indices, Indices, Hashes, Hashes]:
    """Where words begin and end, which have a neighbour in their text, each text's first; hashes of words and pairs."""
    count = len(wide)
    edges = (letter[1 : count + 1] != letter[:count]).nonzero()[0] + 1
    begin, end = edges[0::2], edges[1::2]
    word = _word_hashes(wide, begin, end)
    first = begin.searchsorted(starts)
    same = np.ones(max(len(word) - 1, 0), np.bool_)
    cuts = first[1:-1] - 1
    same[cuts[(cuts >= 0) & (cuts < len(same))]] = False
    left = same.nonzero()[0]
    pair = word.take(left) * _PAIRED + word.take(left + 1)
    return begin, end, left, first, word, pair


@dataclass(frozen=True, slots=True)
class Lines:
    """The words of a batch: word i is `data[begin[i]:end[i]]`, text k has words `first[k]` to `first[k + 1]`."""

    data: bytes
    begin: Indices
    end: Indices
    first: Indices


def lines_of(joined: bytes) -> Lines:
    """The words of texts in UTF-8, each with a NUL before and after it, one between neighbours."""
    data = joined.translate(_TO_LETTERS)
    letter = np.frombuffer(data, np.uint8) != _SPACE
    edges = (letter[1:] != letter[:-1]).nonzero()[0]
    edges += 1
    begin, end = edges[0::2].copy(), edges[1::2].copy()
    return Lines(data, begin, end, begin.searchsorted((np.frombuffer(joined, np.uint8) == 0).nonzero()[0]))


def word_grams(words: Sequence[bytes], none: int, bits: int = BITS) -> tuple[Indices, Indices, Hashes]:
    """The n-grams inside words of `Lines`: hash slots, where those of each word begin (words,), hashes of the words.

    The slots are (4, bytes): of 3, 4 and 5 characters, for each byte at which they begin, and of the word itself at
    the space before it; `none` where there is no such n-gram.
    """
    raw = np.frombuffer(b" ".join([b"", *words, b"    "]), np.uint8)
    count = len(raw) - 5  # without the space after the last word, so that every word has a space before it alone
    wide = raw.astype(np.uint32)
    letter = raw != _SPACE
    prime = np.uint32(_P)
    hashes = np.empty((4, count), np.uint32)
    inside = np.zeros((4, count), np.bool_)
    hashes[0] = (wide[:count] * prime + wide[1 : count + 1]) * prime + wide[2 : count + 2]
    inside[0] = letter[1 : count + 1]
    for row in (1, 2):
        hashes[row] = hashes[row - 1] * prime + wide[row + 2 : count + row + 2]
        inside[row] = inside[row - 1] & letter[row + 1 : count + row + 1]
    gaps = (~letter[: count + 1]).nonzero()[0]
    first = gaps[:-1]
    word = _word_hashes(wide[: count + 1], first + 1, gaps[1:])
    hashes[3, first] = word
    inside[3, first] = True
    hashes += _SEED_ROWS
    slots = _mixed(hashes, bits)
    slots[~inside] = none
    return slots, first, word


def pairs(words: Hashes, bits: int) -> Indices:
    """Hash slots of each word of a batch with the one before it; that of the first means nothing."""
    h = words * _PAIRED
    h[1:] = h[:-1] + words[1:]
    h += np.uint32(_SEEDS[4])
    return _mixed(h, bits)
