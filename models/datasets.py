"""All labelled sets as one table: one row per distinct text, its labels where known, its split by a hash of it."""

from __future__ import annotations

import csv
import gzip
import hashlib
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.normalise import normalise_all
from models.own_spam import spam_examples
from models.own_talk import talk_examples
from models.scorer import ATTRIBUTES
from models.sources import DECIDED, SOURCES, Labels, LicenceError, Row, Source, admit
from models.templates import examples as template_examples

SPLITS = ("train", "tune", "test")
OWN, OWN_SPAM, OWN_TALK = OURS = "own-templates", "own-spam", "own-talk"
_OWN_SPAM = 0.5  # weight of our own sentences where they are only more of what is no spam
_TOKENISED = re.compile(r"(?i)\s+(?=(?:n't|'(?:s|m|d|re|ve|ll))\b)")
_PUNCTUATION = re.compile(r"[\x20-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+")  # ASCII only: emoji make a difference
_NOT_LETTERS = re.compile(r"[\W_]+")


class DataError(Exception):
    """A set is missing or not as its loader expects; the message is one line."""


@dataclass(frozen=True)
class Table:
    """`labels` and `weights` are (rows, attributes); a missing label is NaN and has weight 0.

    `source` is the set a row was first met in, `split` one of SPLITS.
    """

    texts: list[str]
    source: NDArray[np.str_]
    split: NDArray[np.str_]
    labels: NDArray[np.float32]
    weights: NDArray[np.float32]

    def where(self, keep: NDArray[np.bool_]) -> Table:
        """The rows for which `keep` is true."""
        texts = [text for text, wanted in zip(self.texts, keep, strict=True) if wanted]
        return Table(texts, self.source[keep], self.split[keep], self.labels[keep], self.weights[keep])


@dataclass
class _Entry:
    text: str
    key: str  # the normalised text without ASCII punctuation
    source: str
    split: str
    labels: Labels
    weights: Labels


def split_of(key: str) -> str:
    """80 % train, 10 % tune, 10 % test, by a hash of the letters alone, so that near-copies stay together."""
    letters = _NOT_LETTERS.sub("", key)
    part = int.from_bytes(hashlib.sha256(letters.encode("utf-8", "ignore")).digest()[:4], "big") % 10
    return SPLITS[0 if part < 8 else part - 7]


def check_licence(source: Source, notice: str) -> None:
    """Raise LicenceError unless the set's own SOURCE.md states the licence that the code believes it has."""
    line = next((ln for ln in notice.splitlines() if ln.lower().startswith("- licence:")), "")
    if source.name in DECIDED:
        return
    if source.licence not in line:
        raise LicenceError(f"set {source.name}: its SOURCE.md does not state {source.licence!r}")


def read_rows(data: Path, source: Source) -> list[Row]:
    """The CSV rows of a set; raises DataError if it is missing."""
    folder = data / source.path
    try:
        check_licence(source, (folder / "SOURCE.md").read_text(encoding="utf-8"))
        with gzip.open(folder / "train.csv.gz", "rt", encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))
    except OSError as error:
        raise DataError(f"set {source.name} can't be read: {error}") from error


def _key(normalised: str) -> str:
    return " ".join(_PUNCTUATION.sub(" ", normalised).split())


def _entries(source: Source, rows: list[Row]) -> Iterator[_Entry]:
    """The rows of one set with a text and at least one label."""
    texts = [_TOKENISED.sub("", row[source.text] or "") for row in rows]
    for row, text, normalised in zip(rows, texts, normalise_all(texts), strict=True):
        labels, key = source.label(row), _key(normalised)
        if key and labels:
            weights = {a: source.weights.get(a, source.weight) for a in labels}
            yield _Entry(text, key, source.name, _split(source, row, key), labels, weights)


def _split(source: Source, row: Row, key: str) -> str:
    if source.unseen:
        column, value = source.unseen
        split = split_of(key)
        return "test" if row[column] == value else split if split != "test" else "tune"
    return split_of(f"{source.name} {row[source.group]}" if source.group else key)


def _own() -> Iterator[_Entry]:
    for name, examples in ((OWN, template_examples), (OWN_TALK, talk_examples), (OWN_SPAM, spam_examples)):
        for text, labels, weight in examples():
            weights = {a: _OWN_SPAM if a == "SPAM" and name != OWN_SPAM else weight for a in labels}
            yield _Entry(text, _key(normalise_all([text])[0]), name, "train", labels, weights)


def merge(entries: Iterable[_Entry]) -> list[_Entry]:
    """One entry per text: the first met stays and takes over labels that only a later copy states."""
    found: dict[str, _Entry] = {}
    for entry in entries:
        first = found.setdefault(entry.key, entry)
        if first is not entry:
            for attribute, label in entry.labels.items():
                first.labels.setdefault(attribute, label)
                first.weights.setdefault(attribute, entry.weights[attribute])
    return list(found.values())


def tabulate(entries: list[_Entry]) -> Table:
    """The entries as arrays."""
    labels = np.array([[e.labels.get(a, math.nan) for a in ATTRIBUTES] for e in entries], np.float32)
    weights = np.array([[e.weights.get(a, 0.0) for a in ATTRIBUTES] for e in entries], np.float32)
    shape = (len(entries), len(ATTRIBUTES))
    return Table(
        [e.text for e in entries],
        np.array([e.source for e in entries]),
        np.array([e.split for e in entries]),
        labels.reshape(shape),
        weights.reshape(shape),
    )


def load_table(
    data: Path,
    without_unlicensed: bool = False,
    sources: Iterable[Source] = SOURCES,
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr),
) -> Table:
    """Read every admitted set below `data`, and our own templates (train split only), into one table.

    Raises LicenceError for a set that may not be used and DataError for one that can't be read.
    """
    entries: list[_Entry] = []
    for source in sources:
        if admit(source, without_unlicensed):
            part = list(_entries(source, read_rows(data, source)))
            say(f"{source.name}: {len(part)} rows")
            entries += part
    return tabulate(merge([*_own(), *entries]))
