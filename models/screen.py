"""Find the few places of a batch of texts that may hold a disguise, in one numpy pass over all their bytes.

It finds too much rather than too little: `normalise` then decides.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.rude import LONG, NEAR, WORDS

Places = NDArray[np.intp]

_KINDS = (  # one nibble each
    (_OTHER := 0, ""),
    (_LETTER := 1, "abcdefghijklmnopqrstuvwxyz"),
    (_APOSTROPHE := 2, "'"),
    (_DIGIT := 3, "0123456789"),
    (_DOLLAR := 4, "$"),
    (_LEADING := 5, "!|"),
    (_MIDDLE := 6, "#%^+?"),
    (_AND := 7, "&"),
    (_DOT := 8, "."),
    (_COLON := 9, ":"),
    (_SLASH := 10, "/"),
    (_SPACE := 11, " \t\n\r\0"),
    (_MARK := 12, "@*_~`["),
    (_LESS := 13, "<"),
    (_CONTROL := 14, "".join(map(chr, [*range(1, 9), 11, 12, *range(14, 32), 127]))),
    (_HIGH := 15, ""),
)
_TABLE = bytearray(128) + bytearray([_HIGH] * 128)
for _kind, _chars in _KINDS:
    for _char in _chars:
        _TABLE[ord(_char)] = _kind
_KIND = bytes(_TABLE)
_GAP = bytes([_SPACE])
_ANY = range(16)
_WORD, _TEXT = 1, 2  # what a pair of neighbours makes suspect
_PAIRS = np.zeros((16, 16), np.uint8)
for _left, _rights in (
    (_DIGIT, [_LETTER]),
    (_LETTER, [_DIGIT, _DOLLAR]),
    (_LEADING, [_LETTER, _DIGIT, _DOLLAR]),
    (_DOLLAR, [_LETTER, _MIDDLE, _AND, _LEADING, _DOLLAR]),
    (_MIDDLE, [_LETTER, _MIDDLE, _AND, _LEADING, _DOLLAR]),
    (_AND, [_LETTER, _MIDDLE, _AND, _LEADING, _DOLLAR]),
    (_DOT, [_LETTER]),
    (_COLON, [_SLASH]),
    (_SLASH, [_SLASH]),
    (_MARK, _ANY),
    (_HIGH, _ANY),
    (_LESS, [_LETTER, _SLASH]),
):
    _PAIRS[_left, list(_rights)] = _WORD
_PAIRS[_CONTROL] = _TEXT
_PAIR = _PAIRS.tobytes()
_TIES = ~np.isin(np.arange(16), [_SPACE, _DIGIT, _APOSTROPHE])  # kinds that may tie a lone letter to another

_BITS = 20
_HEADS = np.array([(1 << 8 * n) - 1 for n in range(8)] + [(1 << 64) - 1], np.uint64)  # keep the first n bytes
_FOUR_FIVE = _HEADS[4:6, None]
_FACTOR, _REST = np.uint64(0x9E3779B97F4A7C15), np.uint64(64 - _BITS)


def _hash(head: NDArray[np.uint64], size: Places) -> Places:
    """Of words, by their first eight bytes, which are lost, and their length."""
    head += size.view(np.uint64)
    head *= _FACTOR
    head >>= _REST
    return head.view(np.intp)


def _heads(data: bytes, begin: Places, size: Places) -> NDArray[np.uint64]:
    """The first eight bytes of each word as one number, shorter words filled with zeros; `data` needs 8 bytes more."""
    windows = np.ndarray((len(data) - 7,), "V8", data, strides=(1,))  # of no alignment, unlike numbers
    head = windows.take(begin).view(np.uint64)
    head &= _HEADS.take(size, mode="clip")
    return head


def _openings(data: bytes, at: Places) -> Places:
    """Hashes of the first four and of the first five bytes at each place, (2, places); `data` needs 8 bytes more."""
    heads = np.ndarray((len(data) - 7,), "V8", data, strides=(1,)).take(at).view(np.uint64) & _FOUR_FIVE
    heads *= _FACTOR
    heads >>= _REST
    return heads.view(np.intp)


def _slips() -> NDArray[np.bool_]:
    """For each hash whether a slip of a known word has it."""
    words = [word.encode() for word in NEAR]
    size = np.array([len(word) for word in words])
    found = np.zeros(1 << _BITS, np.bool_)
    found[_hash(_heads(b"".join(words) + bytes(8), np.cumsum(size) - size, size), size)] = True
    return found


def _opened() -> NDArray[np.bool_]:
    """For each hash whether a word of four letters, or the first five of a longer one, have it."""
    words = [word.encode() for word in WORDS if len(word) > 3]
    size = np.array([len(word) for word in words])
    four, five = _openings(b"".join(words) + bytes(8), np.cumsum(size) - size)
    found = np.zeros(1 << _BITS, np.bool_)
    found[np.where(size > 4, five, four)] = True
    return found


_SLIP, _OPENED = _slips(), _opened()


def suspects(data: bytes) -> tuple[list[tuple[int, int]], list[int]]:
    """Of lower-case texts in UTF-8 that each have a NUL before and after them (one between neighbours).

    Returns where in `data` the suspect words begin (after white space) and end, and places in texts that must be
    looked at as a whole.
    """
    raw = np.frombuffer(data, np.uint8)
    kind = data.translate(_KIND)
    kinds = np.frombuffer(kind, np.uint8)
    pairs = kinds[:-1] * np.uint8(16)  # a shift takes several times as long
    pairs |= kinds[1:]
    pair = np.frombuffer(pairs.tobytes().translate(_PAIR), np.uint8)
    odd = (pair != 0).nonzero()[0]
    whole = pair.take(odd) == _TEXT
    same = raw[1:] == raw[:-1]
    runs = (same[1:] & same[:-1]).nonzero()[0]
    words, spelt = _words(data, kinds)
    places = np.concatenate([odd, runs[kinds.take(runs) == _LETTER], words])
    if whole.any():
        spelt = np.concatenate([odd[whole], spelt])
        places = np.concatenate([places[: len(odd)][~whole], places[len(odd) :]])
    places.sort()
    found: list[tuple[int, int]] = []
    end = 0
    for place in places.tolist():
        if place >= end:
            begin, end = kind.rfind(_GAP, 0, place + 1) + 1, kind.find(_GAP, place + 1)
            found.append((begin, end))
    return found, spelt.tolist()


def _words(data: bytes, kinds: NDArray[np.uint8]) -> tuple[Places, Places]:
    """Places in words like a slip, made of several, or lone and tied to a neighbour; places of spelt-out text."""
    letter = kinds == _LETTER
    edges = (letter[1:] != letter[:-1]).nonzero()[0]
    edges += 1
    begin = edges[0::2].copy()
    size = edges[1::2] - begin
    padded = data + bytes(8)
    slip = _SLIP.take(_hash(_heads(padded, begin, size), size))
    slip &= size > 2
    tied, spelt = _lone(kinds, begin.take((size == 1).nonzero()[0]))
    long = (size >= LONG).nonzero()[0]
    several = _several(padded, begin.take(long), size.take(long))
    return np.concatenate([begin.take(slip.nonzero()[0]), tied, several]), spelt


def _lone(kinds: NDArray[np.uint8], at: Places) -> tuple[Places, Places]:
    """Of the lone letters at `at`: those that a sign ties to a letter, and those beside others or beside symbols."""
    before, after = kinds.take(at - 1), kinds.take(at + 1)
    further = kinds.take(at + 2, mode="clip")
    sign = _TIES.take(after) & (further == _LETTER)
    sign |= _TIES.take(before) & (kinds.take(at - 2, mode="clip") == _LETTER)
    spaced = after == _SPACE
    next_to = (at[1:] - at[:-1] <= 4) & spaced[:-1] & (before[1:] == _SPACE)
    symbol = (after == _HIGH) | (spaced & (further == _HIGH))
    return at[sign], np.concatenate([at[:-2][next_to[1:] & next_to[:-1]], at[symbol]])


def _several(data: bytes, begin: Places, size: Places) -> Places:
    """Places in long words where the first four or five letters of a known word stand; `data` needs 8 bytes more."""
    count = size - 3
    ends = np.cumsum(count)
    at = np.arange(ends[-1] if len(ends) else 0) + np.repeat(begin - ends + count, count)
    four, five = _OPENED.take(_openings(data, at))
    found: Places = at.take((four | five).nonzero()[0])
    return found
