"""Changes to training texts that must not change their labels: terms swapped, punctuation dropped, words disguised."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence

from models.attacks import perturb

# Terms that may stand for one another: attacks on one are attacks on the other, and harmless talk stays harmless.
_FAMILIES = (
    "muslims jews christians hindus sikhs buddhists catholics mormons",
    "muslim jewish christian hindu sikh buddhist catholic mormon",
    "russians ukrainians chinese koreans mexicans germans poles turks iranians indians pakistanis israelis nigerians",
    "russian ukrainian chinese korean mexican german polish turkish iranian indian pakistani israeli nigerian",
    "gays lesbians bisexuals",
    "gay lesbian bisexual transgender",
    "immigrants migrants refugees foreigners",
    "arabs asians africans latinos europeans",
    "arab asian african latino european",
)
_OTHERS = {term: family.split() for family in _FAMILIES for term in family.split()}
_TERM = re.compile(rf"\b(?:{'|'.join(_OTHERS)})\b", re.IGNORECASE)
_PUNCTUATION = re.compile(r"[^\w\s@$*|]+", re.ASCII)
_SWAPPED, _BARE, _DISGUISED = 0.3, 0.5, 0.1  # shares of the rows


def swap_terms(text: str, draw: random.Random) -> str:
    """Each identity term becomes one of its family, the same one for the same term."""
    chosen: dict[str, str] = {}

    def other(match: re.Match[str]) -> str:
        term = match[0].lower()
        new = chosen.setdefault(term, draw.choice(_OTHERS[term]))
        return new.capitalize() if match[0][0].isupper() else new

    return _TERM.sub(other, text)


def bare(text: str) -> str:
    """Without ASCII punctuation, as the news comments of the labelled sets come."""
    return text if not text.isascii() else _PUNCTUATION.sub(" ", text)


def augment(texts: Sequence[str], always_bare: Sequence[bool], seed: int) -> list[str]:
    """One changed copy of each text, another one each time that a text comes again; the same for the same seed,
    whatever the other texts are."""
    out = []
    times: Counter[str] = Counter()
    for text, strip in zip(texts, always_bare, strict=True):
        times[text] += 1
        draw = random.Random(f"{seed} {times[text]} {text}")  # nosec B311 (must come out the same again)
        if draw.random() < _SWAPPED:
            text = swap_terms(text, draw)
        if draw.random() < _DISGUISED:
            text = perturb(text, draw.randrange(1 << 30))
        out.append(bare(text) if draw.random() < _BARE or strip else text)
    return out
