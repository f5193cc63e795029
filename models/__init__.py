"""The classifiers: text in, attribute scores out. Imports nothing of the other packages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from models.cascade import load_cascade
from models.encoder import load_encoder
from models.linear import load_linear
from models.scorer import ATTRIBUTES, ArtefactError, Scorer, Span

ARTEFACTS = Path(__file__).resolve().parent / "artefacts"
DEFAULT_SCORER = "cascade"
SCORERS: dict[str, Callable[[Path], Scorer]] = {
    "linear": load_linear,
    "encoder": load_encoder,
    "cascade": load_cascade,
}


def load_scorer(name: str = DEFAULT_SCORER, artefacts: Path = ARTEFACTS) -> Scorer:
    """Load a scorer of the registry; `artefacts` has one folder a scorer, by default those in this package.

    Raises KeyError for a name that is not in `SCORERS`, ArtefactError if the artefact is missing or damaged.
    """
    return SCORERS[name](artefacts / name)


__all__ = ["ARTEFACTS", "ATTRIBUTES", "DEFAULT_SCORER", "SCORERS", "ArtefactError", "Scorer", "Span", "load_scorer"]
