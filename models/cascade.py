"""The `cascade` scorer: the linear one for every text, the encoder where that one is not sure, and both combined.

For text x with linear log-odds l (attributes,), encoder log-odds e and signs of spam s, the log-odds are
`[l, e, s] @ both + bias` where the encoder ran, else `[l, s] @ alone + bias`. It runs where that is worth its time:
where what the linear scorer sees, `l @ gate`, less the logarithm of the length, stands above a limit, a lower one if
the text names people, groups or violence or quotes somebody. All of it is fitted on texts that neither scorer was
trained on (training/cascade.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.artefacts import manifest_digest, read_artefact
from models.encoder import EncoderScorer, load_encoder
from models.evidence import NAMES, evidence
from models.linear import LinearScorer, load_linear
from models.scorer import ArtefactError, Span, as_scores

NAME = "cascade"
VERSION = "1"
WEIGHTS = "weights.safetensors"
PARTS = ("linear", "encoder")

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

_CALLS_FOR_A_SECOND_LOOK = re.compile(
    r"\b(?:you|your|youre|ur|u|he|she|him|they|them|those|these|people|guys|folks|someone|everyone|anyone|nobody"
    r"|wom[ae]n|m[ae]n|girls?|boys?|blacks?|whites?|asians?|chinese|koreans?|mexicans?|latin[oax]s?|russians?"
    r"|ukrainians?|poles|polish|germans?|americans?|indians?|pakistanis?|turks?|arabs?|iranians?|syrians?|jews?|jewish"
    r"|israelis?|palestinians?|muslims?|islam|christians?|catholics?|hindus?|sikhs?|gays?|lesbians?|queers?|trans\w*"
    r"|homosexuals?|immigrants?|migrants?|refugees?|foreigners?|aliens?|disabled|autis\w*|gyps\w*|roma|africans?"
    r"|kill\w*|die|dead|death|shot|shoot\w*|hang\w*|rope|bullets?|burn\w*|beat\w*|rape\w*|murder\w*|hurt|punch\w*"
    r"|animals?|vermin|rats?|pigs?|dogs?|apes?|monkeys?|parasites?|cockroach\w*|disease|plague|scum|filth)\b"
    r"|[\"“”«»]",
    re.IGNORECASE,
)


def calls_for_a_second_look(texts: Sequence[str]) -> Bools:
    """Which texts name people, groups or violence, or quote."""
    return np.array([_CALLS_FOR_A_SECOND_LOOK.search(text) is not None for text in texts], np.bool_)


def sizes_of(texts: Sequence[str]) -> Floats:
    """Lengths in characters, (texts,)."""
    return np.fromiter(map(len, texts), np.float32, len(texts))


@dataclass(frozen=True)
class Combination:
    """`both` (attributes * 2 + signs, attributes), `alone` (attributes + signs, attributes), their biases, and the
    gate: `gate` (attributes,) weighs the linear log-odds; `limits` are those of plain and of telling texts."""

    both: Floats
    both_bias: Floats
    alone: Floats
    alone_bias: Floats
    gate: Floats
    limits: Floats

    def unsure(self, linear: Floats, telling: Bools, sizes: Floats) -> Bools:
        """Which texts the encoder should see."""
        return np.asarray(
            worth(linear, self.gate, sizes) >= np.where(telling, self.limits[1], self.limits[0]), np.bool_
        )

    def log_odds(self, linear: Floats, signs: Floats, seen: Bools, encoder: Floats) -> Floats:
        """(texts, attributes); `encoder` holds only the rows that were `seen`."""
        out = np.concatenate([linear, signs], axis=1) @ self.alone + self.alone_bias
        if seen.any():
            out[seen] = np.concatenate([linear[seen], encoder, signs[seen]], axis=1) @ self.both + self.both_bias
        return out.astype(np.float32)


def worth(linear: Floats, gate: Floats, sizes: Floats) -> Floats:
    """How much a second look promises for its time, (texts,): log-odds of harm less the logarithm of the time.

    `sizes` are lengths in characters, which the encoder's time follows; below 20 they cost as much as 20.
    """
    return np.asarray(linear @ gate - np.log(np.maximum(sizes, 20) / 100), np.float32)


class CascadeScorer:
    """See `models.scorer.Scorer`."""

    name = NAME
    version = VERSION

    def __init__(self, linear: LinearScorer, encoder: EncoderScorer, combination: Combination) -> None:
        self.attributes = linear.attributes
        self._linear = linear
        self._encoder = encoder
        self._combination = combination

    def _seen(self, texts: Sequence[str], linear: Floats) -> Bools:
        return self._combination.unsure(linear, calls_for_a_second_look(texts), sizes_of(texts))

    def log_odds(self, texts: Sequence[str]) -> Floats:
        """Calibrated log-odds, (texts, attributes)."""
        linear = self._linear.log_odds(texts)
        seen = self._seen(texts, linear)
        encoder = self._encoder.log_odds([text for text, one in zip(texts, seen, strict=True) if one])
        return self._combination.log_odds(linear, evidence(texts), seen, encoder)

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """See `models.scorer.Scorer.score`."""
        return as_scores(self.log_odds(texts), self.attributes)

    def explain(self, text: str, attribute: str) -> list[Span]:
        """See `models.scorer.Scorer.explain`: exact where words gave it away, else by leaving pieces out."""
        found = self._linear.explain(text, attribute)
        if found or not self._seen([text], self._linear.log_odds([text]))[0]:
            return found
        return self._encoder.explain(text, attribute)


def combination_of(arrays: dict[str, NDArray[Any]], attributes: int) -> Combination:
    """The combination in an artefact's arrays; raises ArtefactError if it does not fit."""
    signs = len(NAMES)
    shapes = {
        "both": (2 * attributes + signs, attributes),
        "both_bias": (attributes,),
        "alone": (attributes + signs, attributes),
        "alone_bias": (attributes,),
        "gate": (attributes,),
        "limits": (2,),
    }
    if set(arrays) != set(shapes) or any(arrays[name].shape != shape for name, shape in shapes.items()):
        raise ArtefactError("artefact arrays do not fit its attributes")
    return Combination(**{name: array.astype(np.float32) for name, array in arrays.items()})


def load_cascade(folder: Path) -> CascadeScorer:
    """Read the artefact in `folder` and those of its parts beside it; raises ArtefactError."""
    artefact = read_artefact(folder)
    facts = artefact.manifest
    if (facts["scorer"], facts["scorer_version"]) != (NAME, VERSION):
        raise ArtefactError(f"artefact is not for scorer {NAME} {VERSION}")
    for part in PARTS:
        if facts.get("parts", {}).get(part) != manifest_digest(folder.parent / part):
            raise ArtefactError(f"artefact was not fitted for the {part} artefact beside it")
    linear, encoder = load_linear(folder.parent / "linear"), load_encoder(folder.parent / "encoder")
    if not linear.attributes == encoder.attributes == tuple(facts["attributes"]):
        raise ArtefactError("artefact and its parts have different attributes")
    return CascadeScorer(linear, encoder, combination_of(artefact.arrays[WEIGHTS], len(linear.attributes)))
