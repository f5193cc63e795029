"""Texts to measure with: the evaluation sentences, two and two, each made its own by a number."""

import json
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from itertools import count


@lru_cache(maxsize=1)
def _sentences() -> list[str]:
    lines = files("models").joinpath("evaluation/war_stories.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def texts() -> Iterator[str]:
    """Comments of about 250 characters, without end, no two the same."""
    sentences = _sentences()
    for n in count():
        yield f"{sentences[n % len(sentences)]} {sentences[(n * 7 + 3) % len(sentences)]} ({n})"
