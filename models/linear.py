"""The `linear` scorer: hashed n-grams times one table of weights, all attributes in one pass.

The weights are fitted by scikit-learn (train.py); nothing here imports it. For text x with n-gram slots s and a size
of n bytes, the log-odds of attribute a are `slope[a] * (sum_s W[s, a] / sqrt(n + 30) + bias[a]) + shift[a]`: a logistic
regression on length-scaled counts, then Platt's calibration (Platt 1999) of that attribute.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.artefacts import WEIGHTS, read_artefact
from models.explain import spans
from models.features import SETTINGS, grams, lines_of, pairs, scale
from models.normalise import normalise, normalise_joined
from models.scorer import ArtefactError, Span, as_scores
from models.words import Words

NAME = "linear"
VERSION = "1"
_BATCH_CHARACTERS = 3 << 15  # of text in one pass: fits the caches, bounds the memory of huge batches
_BATCH_TEXTS = 512
_COLUMNS = 8  # of four bytes each: half a cache line, so that a row of weights is fetched at once

Weights = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Table:
    """Fitted numbers: `weights` (2^bits, attributes), and `bias`, `slope`, `shift` (attributes,)."""

    weights: Weights
    bias: Weights
    slope: Weights
    shift: Weights


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    begin = size = 0
    for i, text in enumerate(texts):
        if i > begin and (size + len(text) > _BATCH_CHARACTERS or i - begin >= _BATCH_TEXTS):
            yield texts[begin:i]
            begin, size = i, 0
        size += len(text)
    yield texts[begin:]


class LinearScorer:
    """See `models.scorer.Scorer`."""

    name = NAME
    version = VERSION

    def __init__(self, table: Table, attributes: tuple[str, ...]) -> None:
        self.attributes = attributes
        padded = np.zeros((len(table.weights) + 1, _COLUMNS), np.float32)  # the last row stands for no n-gram
        padded[:-1, : len(attributes)] = table.weights * table.slope
        self._weights = padded
        self._offset = table.bias * table.slope + table.shift
        self._bits = len(table.weights).bit_length() - 1
        self._words = Words(padded, self._bits)

    def log_odds(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Calibrated log-odds, (texts, attributes)."""
        parts = [self._log_odds(batch) for batch in _batches(texts)] if texts else []
        return np.concatenate(parts) if parts else np.zeros((0, len(self.attributes)), np.float32)

    def _log_odds(self, texts: Sequence[str]) -> NDArray[np.float32]:
        lines = lines_of(normalise_joined(texts))
        size = lines.end - lines.begin
        rows, hashes = self._words.look_up(lines.data, lines.begin, lines.end, size)
        slots = pairs(hashes, self._bits)
        filled = (np.diff(lines.first) > 0).nonzero()[0]
        first = lines.first.take(filled)
        slots[first] = len(self._weights) - 1
        rows += self._weights.take(slots, axis=0, mode="clip")
        totals = np.zeros((len(texts), len(self.attributes)), np.float32)
        bytes_ = np.zeros(len(texts), np.intp)
        if len(first):
            totals[filled] = np.add.reduceat(rows, first, axis=0)[:, : len(self.attributes)]
            size += 1  # the space before it
            bytes_[filled] = np.add.reduceat(size, first)
        totals *= scale(bytes_)[:, None]
        totals += self._offset
        return totals

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """See `models.scorer.Scorer.score`."""
        return as_scores(self.log_odds(texts), self.attributes)

    def explain(self, text: str, attribute: str) -> list[Span]:
        """See `models.scorer.Scorer.explain`; a span's weight is exactly what its n-grams added to the log-odds."""
        if attribute not in self.attributes:
            raise KeyError(attribute)
        column = self._weights[:, self.attributes.index(attribute)]
        plain = normalise(text)
        return spans(text, plain, grams([plain.text], self._bits), column)


def from_arrays(arrays: Mapping[str, NDArray[Any]], attributes: Sequence[str]) -> LinearScorer:
    """A scorer from the arrays of an artefact; raises ArtefactError if their shapes don't fit together."""
    count = len(attributes)
    try:
        table = Table(**{name: arrays[name].astype(np.float32) for name in ("weights", "bias", "slope", "shift")})
    except KeyError as error:
        raise ArtefactError(f"artefact lacks the array {error.args[0]}") from error
    rows = len(table.weights)
    fits = table.weights.shape == (rows, count) and all(
        part.shape == (count,) for part in (table.bias, table.slope, table.shift)
    )
    if not fits or rows & (rows - 1) or not 1 <= count <= _COLUMNS or rows < 2:
        raise ArtefactError("artefact arrays do not fit its attributes")
    return LinearScorer(table, tuple(attributes))


def load_linear(folder: Path) -> LinearScorer:
    """Read the artefact in `folder`; raises ArtefactError."""
    artefact = read_artefact(folder)
    manifest, arrays = artefact.manifest, artefact.arrays.get(WEIGHTS, {})
    settings = {**SETTINGS, "bits": arrays["weights"].shape[0].bit_length() - 1} if "weights" in arrays else SETTINGS
    if (manifest["scorer"], manifest["scorer_version"]) != (NAME, VERSION) or manifest.get("features") != settings:
        raise ArtefactError(f"artefact is not for scorer {NAME} {VERSION} with the features of this program")
    return from_arrays(arrays, manifest["attributes"])
