"""Comment spam as it stands under articles, and harmless comments that look like it, all written for this project.

The .txt files hold one frame a line; `{x}` is a slot of slots.py, `\\n` a line break, a line with `#` a heading. Frames
with slots are filled several times, and every kind of change of style happens to both sides, so that neither letter
case nor a sentence of praise in front says anything by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from models.own_spam.slots import HARMLESS_SLOTS, SPAM_SLOTS
from models.sources import HARMLESS, Labels

_FILES = {1: ("spam_links.txt", "spam_offers.txt"), 0: ("harmless_links.txt", "harmless_talk.txt")}
_FILLINGS = 4
_CROSSED, _SINGLE = 1.0, 2.0  # weights: one of several alike, the only one of its kind
_SLOT = re.compile(r"\{(\w+)\}")


def frames(spam: int) -> list[str]:
    """The frames of one side, in the order of the files; `spam` is 1 or 0."""
    lines = [
        line.replace("\\n", "\n")
        for name in _FILES[spam]
        for line in Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    ]
    return [line for line in lines if line and not line.startswith("# ")]


def fill(frame: str, slots: dict[str, tuple[str, ...]], turn: int) -> str:
    """The frame with each slot's value number `turn`, `turn + 1` for its second place, and so on.

    Raises KeyError for a slot that does not exist.
    """
    seen: dict[str, int] = {}

    def value(match: re.Match[str]) -> str:
        name = match[1]
        seen[name] = seen.get(name, -1) + 1
        return slots[name][(turn + seen[name]) % len(slots[name])]

    return _SLOT.sub(value, frame)


def _styled(text: str, number: int) -> str:
    """The text as other people would type it: mostly as it is, else in lower case, in capitals, without a stop."""
    bare = text.rstrip(".!")
    return (text, text, text.lower(), bare, text, text, text.upper(), bare.lower())[number % 8]


def _side(spam: int) -> Iterator[tuple[str, float]]:
    slots = SPAM_SLOTS if spam else HARMLESS_SLOTS
    leads = [frame for frame in frames(0) if not _SLOT.search(frame) and len(frame) > 10]
    for number, frame in enumerate(frames(spam)):
        turn = 7 * number
        fillings = _FILLINGS if _SLOT.search(frame) else 1
        yield fill(frame, slots, turn), _CROSSED if fillings > 1 else _SINGLE
        for more in range(1, fillings):
            yield _styled(fill(frame, slots, turn + 5 * more), number + more), _CROSSED
        lead = leads[(11 * number + 3) % len(leads)]
        if lead != frame:
            yield _styled(f"{lead} {fill(frame, slots, turn + 3)}", number), _CROSSED


def spam_examples() -> Iterator[tuple[str, Labels, float]]:
    """A comment, its labels and its weight; the same ones, in the same order, on every call.

    Spam has only the label SPAM: whether it is also toxic is not stated.
    """
    for text, weight in _side(1):
        yield text, {"SPAM": 1.0}, weight
    for text, weight in _side(0):
        yield text, dict(HARMLESS), weight
