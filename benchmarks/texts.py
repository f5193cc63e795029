"""Texts to measure with: the demo's sample comments, two and two, each made its own by a number."""

import json
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from itertools import count


@lru_cache(maxsize=1)
def _samples() -> list[str]:
    found = json.loads(files("moderation").joinpath("demo/comments.json").read_text("utf-8"))
    return [sample["body"] for sample in found]


def texts() -> Iterator[str]:
    """Comments without end, no two the same."""
    samples = _samples()
    for n in count():
        yield f"{samples[n % len(samples)]} {samples[(n + n // len(samples) + 1) % len(samples)]} ({n})"
