"""What every scorer offers, whatever it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

ATTRIBUTES: tuple[str, ...] = (
    "TOXICITY",
    "SEVERE_TOXICITY",
    "INSULT",
    "PROFANITY",
    "THREAT",
    "IDENTITY_ATTACK",
    "SEXUALLY_EXPLICIT",
    "SPAM",
)


class ArtefactError(Exception):
    """An artefact can't be used: a file is missing, altered or of another version. The message is one line."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the original text that raised a score.

    `begin` and `end` are indices into the Python string as it was given (end exclusive);
    `weight` is the share of the attribute's log-odds that the stretch brought (above 0, no upper bound).
    """

    begin: int
    end: int
    weight: float


def as_scores(log_odds: NDArray[np.float32], attributes: Sequence[str]) -> list[dict[str, float]]:
    """Log-odds (texts, attributes) -> one dict of probabilities a text."""
    odds = np.negative(log_odds, dtype=np.float64)
    np.maximum(odds, -30.0, out=odds)
    np.minimum(odds, 30.0, out=odds)
    np.exp(odds, out=odds)
    odds += 1.0
    rows = np.reciprocal(odds, out=odds).tolist()
    return list(map(dict, map(zip, repeat(attributes), rows)))


@runtime_checkable
class Scorer(Protocol):
    """Turns texts into scores; threads may share one: what a call may keep never changes a score."""

    @property
    def name(self) -> str:
        """The name in the registry, such as `linear`."""

    @property
    def version(self) -> str:
        """Goes into every stored score; a new artefact with other figures has a new version."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that `score` returns, in order."""

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """One dict per text, in the same order: attribute -> probability 0..1. Never depends on the other texts."""

    def explain(self, text: str, attribute: str) -> list[Span]:
        """The stretches that raised this attribute most, strongest first, at most five; empty if none stands out.

        Raises KeyError for an attribute that the scorer does not have.
        """
