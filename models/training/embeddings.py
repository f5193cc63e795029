"""The embeddings of many texts, made once: two processes, kept on disk in parts, so that a run may be interrupted."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.encoder import Network

_PART = 1000
_network: list[Network] = []

Floats = NDArray[np.float32]


def _open(network: bytes, tokenizer: bytes) -> None:
    _network[:] = [Network(network, tokenizer)]


def _embed(texts: Sequence[str]) -> list[Floats]:
    return _network[0].embed(texts)


def _load(path: Path) -> list[Floats] | None:
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as saved:
        return list(np.split(saved["rows"].astype(np.float32), np.cumsum(saved["windows"])[:-1]))


def _save(path: Path, found: Sequence[Floats]) -> None:
    part = path.with_suffix(".part.npz")
    np.savez(part, rows=np.concatenate(found).astype(np.float16), windows=np.array([len(one) for one in found]))
    part.replace(path)


def embed_all(
    texts: Sequence[str], network: bytes, tokenizer: bytes, folder: Path, say: Callable[[str], None]
) -> list[Floats]:
    """For each text its embeddings (windows, hidden), as `Network.embed` gives them, rounded to 16 bits.

    Parts that `folder` holds of the same texts and files are taken from there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = hashlib.sha256(network + tokenizer)
    parts = [texts[i : i + _PART] for i in range(0, len(texts), _PART)]
    paths = []
    for part in parts:
        name = files.copy()
        name.update("\0".join(part).encode("utf-8", "surrogatepass"))
        paths.append(folder / f"{name.hexdigest()[:24]}.npz")
    todo = [i for i, path in enumerate(paths) if not path.exists()]
    started = time.monotonic()
    with ProcessPoolExecutor(
        min(2, os.cpu_count() or 1), get_context("spawn"), initializer=_open, initargs=(network, tokenizer)
    ) as pool:
        for done, (i, found) in enumerate(zip(todo, pool.map(_embed, [parts[i] for i in todo]), strict=True), 1):
            _save(paths[i], found)
            left = (time.monotonic() - started) / done * (len(todo) - done)
            say(f"embeddings: part {done} of {len(todo)}, about {left / 60:.0f} min left")
    return [one for path in paths for one in _load(path) or []]
