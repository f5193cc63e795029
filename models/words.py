"""What each word adds to the log-odds, kept from batch to batch: most words of a text have been met before.

All n-grams but the pairs of words lie inside one word, so the sum of their weights belongs to the word. A word is
known by all its bytes, not by a hash of them, so a kept sum is exactly the one that would be worked out anew.
"""

from __future__ import annotations

import threading
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.features import Grams, Hashes, Indices, grams_of

_SLOTS = 17  # bits: 2^17 words are kept, about 7 MB
_LONGEST = 15  # bytes of a word that is kept
_ROWS = 1 << 14  # of weights fetched at once: fits the caches
_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
_HEADS = np.array([(1 << 8 * n) - 1 for n in range(8)] + [(1 << 64) - 1], np.uint64)  # keep the first n bytes

Weights = NDArray[np.float32]
Keys = NDArray[np.uint64]


def sums(found: Grams, weights: Weights) -> Weights:
    """The sum of the weights of each text's n-grams, (texts, columns); a text's sum never depends on the others."""
    begin, end = found.bounds[:, :-1].ravel(), found.bounds[:, 1:].ravel()
    filled = (end > begin).nonzero()[0]
    begin = begin[filled]
    out = np.zeros((found.bounds[:, :-1].size, weights.shape[1]), np.float32)
    cuts = [*begin.searchsorted(np.arange(0, len(found.index), _ROWS)).tolist(), len(filled)]
    for first, last in pairwise(cuts):
        if last > first:
            low = begin[first]
            high = begin[last] if last < len(begin) else len(found.index)
            rows = weights.take(found.index[low:high], axis=0, mode="clip")
            out[filled[first:last]] = np.add.reduceat(rows, begin[first:last] - low, axis=0)
    total: Weights = out.reshape(len(found.bounds), len(found.size), -1).sum(axis=0)
    return total


def _keys(data: bytes, begin: Indices, end: Indices, size: Indices) -> tuple[Keys, Keys, Indices]:
    """Two numbers that hold all bytes of a word of at most 15 and its size; which words are longer."""
    windows = np.ndarray((len(data),), "V8", data + bytes(8), strides=(1,))
    head = windows.take(begin).view(np.uint64)
    head &= _HEADS.take(size, mode="clip")
    tail = size.astype(np.uint64)
    tail <<= np.uint64(56)
    more = (size > 8).nonzero()[0]
    tail[more] |= windows.take(end.take(more) - 8).view(np.uint64) >> np.uint64(8)
    return head, tail, more[size.take(more) > _LONGEST]


class Words:
    """Sums and hashes of words, by table of weights; threads may share it."""

    def __init__(self, weights: Weights, bits: int) -> None:
        self._weights, self._bits = weights, bits
        self._head, self._tail = np.zeros((2, 1 << _SLOTS), np.uint64)
        self._hashes = np.zeros(1 << _SLOTS, np.uint32)
        self._sums = np.zeros((1 << _SLOTS, weights.shape[1]), np.float32)
        self._lock = threading.Lock()

    def look_up(self, data: bytes, begin: Indices, end: Indices, size: Indices) -> tuple[Weights, Hashes]:
        """Of the words at `data[begin:end]`: the sums of the weights of their n-grams, (words, columns), and hashes."""
        head, tail, long = _keys(data, begin, end, size)
        slot = tail * _MIX[1]
        slot ^= head
        slot *= _MIX[0]
        slot >>= np.uint64(64 - _SLOTS)
        at = slot.view(np.intp)
        with self._lock:
            known = self._head.take(at) == head
            known &= self._tail.take(at) == tail
            sums_, hashes = self._sums.take(at, axis=0), self._hashes.take(at)
        known[long] = False
        missing = (~known).nonzero()[0]
        if len(missing):
            words = [
                data[first:last] for first, last in zip(begin[missing].tolist(), end[missing].tolist(), strict=True)
            ]
            found = grams_of(b"\0".join([b"", *words, b""]), self._bits)
            sums_[missing], hashes[missing] = sums(found, self._weights), found.words
            keep = missing[size.take(missing) <= _LONGEST]
            at, which = np.unique(at.take(keep), return_index=True)
            keep = keep.take(which)
            with self._lock:
                self._head[at], self._tail[at] = head.take(keep), tail.take(keep)
                self._hashes[at], self._sums[at] = hashes.take(keep), sums_.take(keep, axis=0)
        return sums_, hashes
