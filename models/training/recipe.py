"""The numbers of the fine-tuning."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """How to fine-tune; `tokens` is the size of a batch, padding included, and `longest` cuts each text."""

    epochs: int = 2
    closing: float = 0.15  # share of an epoch that a short last one takes, beside our own comments twice
    closing_rate: float = 0.4  # of `rate`, where the last one begins
    tokens: int = 2048
    longest: int = 80
    rate: float = 9e-5
    warm_up: float = 0.06
    decay: float = 0.01
    by_layer: float = 0.9  # each layer below learns this much slower
    dropout: float = 0.1
    checkpoint: int = 250
    seed: int = 11
