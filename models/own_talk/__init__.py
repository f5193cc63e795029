"""Reader comments for what the labelled sets lack, abusive and harmless ones with the same words; all written for this
project. In the .txt files a line `= LABEL=1 ...` holds for the lines after it, `= harmless` means no abuse of any kind;
slots such as `{g}` are filled with a few words in turn, a slot that stands alone (but for signs) with all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from models.own_talk.slots import SLOTS
from models.scorer import ATTRIBUTES
from models.sources import HARMLESS, Labels

_CROSSED, _SINGLE = 1.0, 3.0  # weights: one of several alike, the only one of its kind
_FILLINGS = 9
_ARTICLE = re.compile(r"\b([Aa]) (?=(?!Eu)[AEIOaeio])")  # "a Ukrainian", "a European"


def parse(block: str) -> Iterator[tuple[str, Labels]]:
    """The lines of one file with their labels. Raises ValueError for a line without labels or a label that is none."""
    labels: Labels | None = None
    for line in block.splitlines():
        if line.startswith("= "):
            labels = dict(HARMLESS) if line[2:].strip() == "harmless" else _labels(line[2:])
        elif line.strip():
            if labels is None:
                raise ValueError("a sentence stands before its labels")
            yield line.strip(), dict(labels)


def _labels(line: str) -> Labels:
    labels: Labels = {}
    for part in line.split():
        name, _, value = part.partition("=")
        if name not in ATTRIBUTES or value not in ("0", "1"):
            raise ValueError(f"{part!r} is no label: write ATTRIBUTE=0 or ATTRIBUTE=1")
        labels[name] = float(value)
    return labels


def _filled(line: str, number: int) -> Iterator[tuple[str, float]]:
    wanted = [slot for slot in SLOTS if slot in line]
    if not wanted:
        yield line, _SINGLE
        return
    alone = line.strip("!. ") == wanted[0]
    for turn in range(len(SLOTS[wanted[0]]) if alone else _FILLINGS):
        text = line
        for slot in wanted:
            words = SLOTS[slot]
            text = text.replace(slot, words[(number * 5 + turn * 7) % len(words)])
        yield _ARTICLE.sub(r"\1n ", text), _CROSSED


def talk_examples() -> Iterator[tuple[str, Labels, float]]:
    """A comment, its labels and its weight; the same ones, in the same order, on every call."""
    for path in sorted(Path(__file__).parent.glob("*.txt")):
        for number, (line, labels) in enumerate(parse(path.read_text(encoding="utf-8"))):
            for text, weight in _filled(line, number):
                yield text[:1].upper() + text[1:] if line.startswith("{") else text, labels, weight
