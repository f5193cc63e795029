"""Texts to measure with: sentences of the demo's article, and in every tenth text one of its sample comments."""

import re
from collections.abc import Iterator
from importlib.resources import files
from itertools import count
from json import loads


def texts() -> Iterator[str]:
    """Comments without end, no two the same; of the samples about half are held, so of all about one in twenty."""
    demo = files("moderation").joinpath("demo")
    article = loads(demo.joinpath("article.json").read_text("utf-8"))
    sentences = re.split(r"(?<=[.!?])\s+", " ".join(article["paragraphs"]))
    samples = [sample["body"] for sample in loads(demo.joinpath("comments.json").read_text("utf-8"))]
    for n in count():
        other = samples[n // 10 % len(samples)] if n % 10 == 0 else sentences[(n * 7 + 3) % len(sentences)]
        yield f"{sentences[n % len(sentences)]} {other} ({n})"
