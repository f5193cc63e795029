"""How much of each set an epoch of the encoder takes, and how much each row counts there."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from models.datasets import Table
from models.scorer import ATTRIBUTES

# Share of a set's train rows that one epoch takes: above 1 repeats them; below 1 another part follows each epoch.
# Large sets of few ideas are thinned, the ones nearest to a news site and the ones about meaning are not.
SHARES = {
    "civil-comments-balanced": 2.0,
    "jigsaw-wiki-binary": 0.5,
    "wiki-context-toxicity": 0.35,
    "wikipedia-debias-nontoxic": 0.25,
    "stanford-politeness": 0.25,
    "davidson-tweets": 0.12,
    "paradetox": 0.5,
    "hatexplain": 0.6,
    "edos-sexism": 0.6,
    "implicit-hate": 0.7,
    "measuring-hate-speech": 0.6,
    "guest-misogyny-reddit": 0.5,
    "sms-spam": 0.35,
    "own-templates": 0.5,
    "own-spam": 0.6,
    "own-talk": 3.0,
}
# Sets whose toxic and civil rows come with different punctuation, or without any: there it would be the label.
_BARE = ("civil-comments-balanced", "civil-comments-toxic-spans", "jigsaw-wiki-multilabel", "jigsaw-wiki-binary")
_RARE = {"THREAT": 3.0, "SEXUALLY_EXPLICIT": 2.0, "SPAM": 0.5}  # what positives count times


def _place(text: str) -> float:
    """A number in [0, 1) that only depends on the text."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "ignore")).digest()[4:8], "big") / 2**32


def epoch_rows(table: Table, epoch: int) -> NDArray[np.intp]:
    """Numbers of the train rows of one epoch; rows that are toxic talk-page comments are always among them."""
    chosen: list[int] = []
    rare = np.nan_to_num(table.labels[:, ATTRIBUTES.index("TOXICITY")]) == 1
    for row in np.flatnonzero(table.split == "train"):
        source = str(table.source[row])
        share = SHARES.get(source, 1.0)
        if source in ("wiki-context-toxicity", "jigsaw-wiki-binary") and rare[row]:
            share = 1.0
        whole = int(share)
        moved = (_place(table.texts[row]) + epoch * (share - whole)) % 1.0
        chosen += [int(row)] * (whole + (moved < share - whole))
    return np.array(chosen, np.intp)


def always_bare(sources: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Which rows never show punctuation."""
    return np.isin(sources, _BARE)


def encoder_weights(table: Table) -> NDArray[np.float32]:
    """Weights (rows, attributes) of the loss: those of the table, capped, rare positives raised."""
    weights = np.minimum(table.weights, 2.0)
    for attribute, factor in _RARE.items():
        column = ATTRIBUTES.index(attribute)
        weights[table.labels[:, column] == 1, column] *= factor
    return weights.astype(np.float32)
