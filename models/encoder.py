"""The `encoder` scorer: a small sentence encoder (ONNX, 8 bits) with one linear head for all attributes.

Fine-tuned by training/finetune.py; here only onnxruntime, tokenizers and numpy run. Windows of a text go through the
network one at a time: in a batch the 8-bit scales of the activations would be shared, so that a score would depend on
its neighbours, and padding costs more than a batch saves on a CPU (docs/decisions/0009-one-window-at-a-time.md).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.artefacts import Arrays, read_artefact
from models.scorer import ArtefactError, Span, as_scores
from models.wording import wording

NAME = "encoder"
VERSION = "1"
NETWORK, TOKENIZER, HEAD = "encoder.onnx", "tokenizer.json", "head.safetensors"
WINDOW = 128  # tokens, the two marks at the ends included
_STRIDE = 96
_WINDOWS = 24  # of one text at most: the first ones and the last
_CHARACTERS = 60_000  # of a text that are looked at: as many from its end as from its beginning
_PIECES = 12  # that a text is cut into to explain a score
_WORD = re.compile(r"\S+")
_LEAST = 0.15  # log-odds that a piece must bring to be shown

Floats = NDArray[np.float32]


class Network:
    """Texts -> embeddings. Holds no state that a call changes; one thread a call, and none before, so it may fork."""

    def __init__(self, network: bytes, tokenizer: bytes) -> None:
        """Raises ArtefactError if the bytes are not what they should be."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
            self._tokenizer = Tokenizer.from_buffer(tokenizer)
        except Exception as error:  # both libraries raise bare Exceptions of their own
            raise ArtefactError("artefact files of the encoder can't be read") from error
        self._begin, self._end = self._tokenizer.encode("").ids

    def windows(self, texts: Sequence[str]) -> list[list[list[int]]]:
        """The token ids of each text, in windows of at most WINDOW that overlap; at least one window each."""
        cut = [t if len(t) <= _CHARACTERS else f"{t[: _CHARACTERS // 2]} {t[-_CHARACTERS // 2 :]}" for t in texts]
        encoded = self._tokenizer.encode_batch(wording(cut), add_special_tokens=False)
        return [self._cut(one.ids) for one in encoded]

    def _cut(self, ids: list[int]) -> list[list[int]]:
        inside = WINDOW - 2
        starts = [0, *range(_STRIDE, max(len(ids) - inside + _STRIDE, 0), _STRIDE)] if len(ids) > inside else [0]
        if len(starts) > _WINDOWS:
            starts = starts[: _WINDOWS // 2] + starts[-_WINDOWS // 2 :]
        return [[self._begin, *ids[at : at + inside], self._end] for at in starts]

    def embed(self, texts: Sequence[str]) -> list[Floats]:
        """For each text its embeddings, (windows, hidden); they never depend on the other texts."""
        return [np.concatenate([self._run(ids) for ids in windows]) for windows in self.windows(texts)]

    def _run(self, ids: list[int]) -> Floats:
        tokens = np.array([ids], np.int64)
        found: Floats = self._session.run(None, {"ids": tokens, "mask": np.ones_like(tokens)})[0]
        return found


@dataclass(frozen=True)
class Head:
    """`weights` (hidden, attributes) and `bias` (attributes,): embedding -> log-odds, fitted by scikit-learn."""

    weights: Floats
    bias: Floats

    def log_odds(self, embeddings: Sequence[Floats]) -> Floats:
        """(texts, attributes): of each text the highest over its windows."""
        if not embeddings:
            return np.zeros((0, len(self.bias)), np.float32)
        counts = [len(one) for one in embeddings]
        each = np.concatenate(embeddings) @ self.weights + self.bias
        begins = np.concatenate([[0], np.cumsum(counts)[:-1]])
        highest: Floats = np.maximum.reduceat(each, begins, axis=0)
        return highest


class EncoderScorer:
    """See `models.scorer.Scorer`."""

    name = NAME

    def __init__(self, network: Network, head: Head, attributes: tuple[str, ...], version: str = VERSION) -> None:
        self.network = network
        self.attributes = attributes
        self.version = version
        self._head = head

    def log_odds(self, texts: Sequence[str]) -> Floats:
        """Calibrated log-odds, (texts, attributes)."""
        return self._head.log_odds([found for text in texts for found in self.network.embed([text])])

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """See `models.scorer.Scorer.score`."""
        return as_scores(self.log_odds(texts), self.attributes)

    def explain(self, text: str, attribute: str) -> list[Span]:
        """See `models.scorer.Scorer.explain`: the pieces without which the log-odds fall most; at most 13 runs."""
        if attribute not in self.attributes:
            raise KeyError(attribute)
        pieces = _pieces(text)
        if len(pieces) < 2:
            return []
        without = [text[:begin] + " " + text[end:] for begin, end in pieces]
        odds = self.log_odds([text, *without])[:, self.attributes.index(attribute)]
        falls = [Span(begin, end, float(odds[0] - less)) for (begin, end), less in zip(pieces, odds[1:], strict=True)]
        best = max(fall.weight for fall in falls)
        shown = [fall for fall in falls if fall.weight >= max(_LEAST, best / 2)]
        return sorted(shown, key=lambda s: (-s.weight, s.begin))[:5]


def _pieces(text: str) -> list[tuple[int, int]]:
    """Runs of whole words that cover the text, at most _PIECES of about the same number of words."""
    words = [match.span() for match in _WORD.finditer(text)]
    size = max(1, -(-len(words) // _PIECES))
    groups = [words[i : i + size] for i in range(0, len(words), size)]
    return [(group[0][0], group[-1][1]) for group in groups]


def head_of(arrays: Arrays, attributes: int, hidden: int | None = None) -> Head:
    """The head in an artefact's arrays; raises ArtefactError if it does not fit."""
    try:
        head = Head(arrays["weights"].astype(np.float32), arrays["bias"].astype(np.float32))
    except KeyError as error:
        raise ArtefactError(f"artefact lacks the array {error.args[0]}") from error
    if head.weights.ndim != 2 or head.weights.shape[1:] != (attributes,) or head.bias.shape != (attributes,):
        raise ArtefactError("artefact arrays do not fit its attributes")
    if hidden is not None and len(head.weights) != hidden:
        raise ArtefactError("artefact head does not fit its network")
    return head


def load_encoder(folder: Path) -> EncoderScorer:
    """Read the artefact in `folder`; raises ArtefactError."""
    artefact = read_artefact(folder)
    facts = artefact.manifest
    if (facts["scorer"], facts["scorer_version"]) != (NAME, VERSION):
        raise ArtefactError(f"artefact is not for scorer {NAME} {VERSION}")
    try:
        network = Network(artefact.files[NETWORK], artefact.files[TOKENIZER])
        head = artefact.arrays[HEAD]
    except KeyError as error:
        raise ArtefactError(f"artefact lacks the file {error.args[0]}") from error
    hidden = network.embed([""])[0].shape[1]
    return EncoderScorer(network, head_of(head, len(facts["attributes"]), hidden), tuple(facts["attributes"]))
