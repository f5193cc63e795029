"""How well nearly equal texts are found: `python -m benchmarks.repeats FILE`, one comment a line (JSON, `text`).

Pairs: each comment with an edited copy of itself (recall), and comments with all others (false alarms).
"""

import json
import random
import sys
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

from moderation.services.fingerprints import bands, pieces


def _typo(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text) - 1)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _look_alikes(text: str, rng: random.Random, share: float) -> str:
    return "".join(letter.translate(_CYRILLIC) if rng.random() < share else letter for letter in text)


def _words(rng: random.Random, many: int) -> str:
    return " ".join("".join(rng.choices(_LETTERS, k=rng.randint(2, 9))) for _ in range(many))


_LETTERS = "etaoinshrdlucm"
_ACCENTS = str.maketrans("aeiou", "\xe1\xe9\xed\xf3\xfa")
_SAMPLE = 3_000  # comments that are edited; false alarms are counted among all
_CYRILLIC = str.maketrans("aeopc", "\u0430\u0435\u043e\u0440\u0441")
EDITS: dict[str, Callable[[str, random.Random], str]] = {
    "case and emoji": lambda text, rng: f"{text.upper()} 😀!!!",
    "a typo": _typo,
    "two typos": lambda text, rng: _typo(_typo(text, rng), rng),
    "a greeting": lambda text, rng: f"Hello everybody! {text}",
    "another link": lambda text, rng: f"{text} https://shop{rng.randrange(10**6)}.example/x",
    "5 % look-alikes": lambda text, rng: _look_alikes(text, rng, 0.05),
    "20 % look-alikes": lambda text, rng: _look_alikes(text, rng, 0.2),
    "signs without a width": lambda text, rng: "\u200b".join(text),
    "dots between letters": lambda text, rng: ".".join(text),
    "accents": lambda text, rng: text.translate(_ACCENTS),
    "half as many words of another": lambda text, rng: f"{text} {_words(rng, len(text.split()) // 2)}",
}


def measure(texts: list[str], seed: int = 1) -> dict[str, float]:
    """Recall by kind of edit, who meets any other's band, and microseconds of the processor a text."""
    rng = random.Random(seed)
    began = time.process_time()
    known = [set(bands(text)) for text in texts]
    took = (time.process_time() - began) / len(texts) * 1e6
    figures = {}
    sample = rng.sample(list(zip(texts, known, strict=True)), min(_SAMPLE, len(texts)))
    for name, edit in EDITS.items():
        found = [bool(own & set(bands(edit(text, rng)))) for text, own in sample]
        figures[name] = sum(found) / len(found)
    crowd: dict[int, list[int]] = {}
    for number, own in enumerate(known):
        for band in own:
            crowd.setdefault(band, []).append(number)
    met = {pair for together in crowd.values() for pair in combinations(together, 2)}
    shared = [_shared(texts[one], texts[other]) for one, other in met]
    figures["meets another"] = len({number for pair in met for number in pair}) / len(known)
    figures |= {"pairs that meet": len(met), "share 0.7 or more": sum(part >= 0.7 for part in shared)}
    return figures | {"share under 0.5": sum(part < 0.5 for part in shared), "microseconds": took}


def _shared(one: str, other: str) -> float:
    """The part of the pieces of both texts that they have in common."""
    first, second = set(pieces(one)), set(pieces(other))
    return len(first & second) / len(first | second)


def run(path: str) -> None:
    """Prints the figures of a file of comments."""
    lines = (json.loads(line)["text"] for line in Path(path).read_text("utf-8").splitlines())
    texts = [text for text in dict.fromkeys(lines) if bands(text)][:20_000]
    print(len(texts), "comments")
    for name, value in measure(texts).items():
        print(f"{name:20} {value:.4f}")


if __name__ == "__main__":
    run(sys.argv[1])
