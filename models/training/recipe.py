"""The numbers of the fine-tuning."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """How to fine-tune; `tokens` is the size of a batch, padding included, and `longest` cuts each text."""

    rounds: tuple[tuple[int, float], ...] = ((2, 1.0), (2, 0.6))  # epochs of each, and its peak as a share of `rate`
    tokens: int = 2048
    longest: int = 80
    rate: float = 9e-5
    warm_up: float = 0.06
    decay: float = 0.01
    by_layer: float = 0.9  # each layer below learns this much slower
    dropout: float = 0.1
    checkpoint: int = 250
    seed: int = 11

    @property
    def epochs(self) -> int:
        """Passes over the data, all rounds together."""
        return sum(epochs for epochs, _ in self.rounds)
