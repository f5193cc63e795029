"""What each word adds to the log-odds, kept from batch to batch: most words of a text have been met before.

All n-grams but the pairs of words lie inside one word, so the sum of their weights belongs to the word. A word is
known by all its bytes, not by a hash of them, so a kept sum is exactly the one that would be worked out anew.
"""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from models.features import Hashes, Indices, word_grams

_SLOTS = 17  # bits: 2^17 words are kept, about 7 MB
_LONGEST = 15  # bytes of a word that is kept
_AT_ONCE = 1024  # words worked out at once: fits the caches, bounds the memory
_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
_HEADS = np.array([(1 << 8 * n) - 1 for n in range(8)] + [(1 << 64) - 1], np.uint64)  # keep the first n bytes

Weights = NDArray[np.float32]
Keys = NDArray[np.uint64]


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
    """Sums and hashes of words, for weights (2^bits + 1, columns) whose last row is zero; threads may share it."""

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
            found, hashes = self._sums.take(at, axis=0), self._hashes.take(at)
        known[long] = False
        missing = (~known).nonzero()[0]
        for i in range(0, len(missing), _AT_ONCE):
            now = missing[i : i + _AT_ONCE]
            places = zip(begin.take(now).tolist(), end.take(now).tolist(), strict=True)
            found[now], hashes[now] = self._work_out([data[first:last] for first, last in places])
        new = missing[size.take(missing) <= _LONGEST]
        if len(new):
            slots, which = np.unique(at.take(new), return_index=True)
            new = new.take(which)
            with self._lock:
                self._head[slots], self._tail[slots] = head.take(new), tail.take(new)
                self._hashes[slots], self._sums[slots] = hashes.take(new), found.take(new, axis=0)
        return found, hashes

    def _work_out(self, words: list[bytes]) -> tuple[Weights, Hashes]:
        slots, first, hashes = word_grams(words, len(self._weights) - 1, self._bits)
        rows = self._weights.take(slots, axis=0, mode="clip")
        return np.add.reduceat(rows, first, axis=1).sum(axis=0), hashes
