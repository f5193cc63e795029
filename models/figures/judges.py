"""Whatever is measured, scored once: each text's scores are kept in a work folder, and a stopped run goes on."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from models import ARTEFACTS, SCORERS, Scorer
from models.artefacts import MANIFEST, read_manifest
from models.figures.metrics import Floats
from models.scorer import ATTRIBUTES

FIGURES = "figures.json"
_NO_SCORE = ("operating_points", "seal")  # of a manifest: may change without any score changing
_BATCH = 256
_EVERY = 20.0  # seconds between two saves and two lines of progress
_WORTH_SAYING = 2.0
_DIGEST = 32

Say = Callable[[str], None]
Keys = NDArray[np.bytes_]


@dataclass(frozen=True)
class Judge:
    """Something that scores texts: `score` gives (texts, columns); `key` changes whenever its scores might."""

    name: str
    key: str
    columns: tuple[str, ...]
    score: Callable[[Sequence[str]], Floats]


def _source(module: ModuleType, seen: set[str]) -> None:
    """Collect the names of the modules of this package that `module` takes something from."""
    seen.add(module.__name__)
    for value in vars(module).values():
        name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        if isinstance(name, str) and name.startswith("models.") and name not in seen:
            _source(sys.modules[name], seen)


def _fingerprint(scorer: Scorer, folders: Sequence[Path]) -> str:
    """Of the artefacts, thresholds aside, and of the source that turns texts into scores."""
    modules: set[str] = set()
    _source(sys.modules[type(scorer).__module__], modules)
    digest = hashlib.sha256()
    for name in sorted(modules):
        digest.update(Path(str(sys.modules[name].__file__)).read_bytes())
    for folder in folders:
        manifest = read_manifest(folder)
        kept = {name: value for name, value in manifest.items() if name not in _NO_SCORE}
        digest.update(json.dumps(kept, sort_keys=True).encode())
    return digest.hexdigest()


def of_scorer(name: str, folder: Path | None = None) -> Judge:
    """A scorer of the registry, from its own folder or another one.

    A scorer that is not itself in `linear` or `encoder` is made of the others, so its key covers all folders.
    Raises KeyError for an unknown name and ArtefactError for a broken artefact.
    """
    folder = folder or ARTEFACTS / name
    scorer = SCORERS[name](folder)
    alone = name in ("linear", "encoder")
    folders = [folder] if alone else sorted(path.parent for path in folder.parent.glob(f"*/{MANIFEST}"))

    def score(texts: Sequence[str]) -> Floats:
        return np.array([[row.get(a, np.nan) for a in ATTRIBUTES] for row in scorer.score(texts)])

    return Judge(f"{scorer.name}-{scorer.version}", _fingerprint(scorer, folders), ATTRIBUTES, score)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST].encode()


def _read(path: Path, columns: int) -> tuple[Keys, Floats]:
    if not path.exists():
        return np.zeros(0, f"S{_DIGEST}"), np.zeros((0, columns))
    with np.load(path) as kept:
        return kept["keys"], kept["scores"]


def _write(path: Path, keys: Keys, scores: Floats) -> None:
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.savez(file, keys=keys, scores=scores)
    part.replace(path)


def matrix(judge: Judge, texts: Sequence[str], work: Path, say: Say) -> Floats:
    """Scores (texts, columns), NaN for an attribute that the judge lacks; only texts new to `work` are scored."""
    work.mkdir(parents=True, exist_ok=True)
    path = work / f"{judge.name}-{judge.key[:16]}.npz"
    keys, scores = _read(path, len(judge.columns))
    known = dict(zip(keys.tolist(), range(len(keys)), strict=True))
    wanted = [_digest(text) for text in texts]
    missing = {digest: text for digest, text in zip(wanted, texts, strict=True) if digest not in known}
    if missing:
        found = _score(judge, list(missing), list(missing.values()), (path, keys, scores), say)
        scores = np.concatenate([scores, found])
        known.update(zip(missing, range(len(keys), len(scores)), strict=True))
    return scores[[known[digest] for digest in wanted]]


def _score(judge: Judge, new: list[bytes], texts: list[str], kept: tuple[Path, Keys, Floats], say: Say) -> Floats:
    path, keys, scores = kept
    parts = [np.zeros((0, len(judge.columns)))]
    started = last = time.monotonic()
    for begin in range(0, len(texts), _BATCH):
        parts.append(judge.score(texts[begin : begin + _BATCH]).reshape(-1, len(judge.columns)))
        done, now = min(begin + _BATCH, len(texts)), time.monotonic()
        if now - last > _EVERY or done == len(texts):
            last = now
            _write(path, np.append(keys, np.array(new[:done])), np.concatenate([scores, *parts]))
            left = (now - started) / done * (len(texts) - done)
            if now - started > _WORTH_SAYING:
                say(f"{judge.name}: {done} of {len(texts)} texts, {now - started:.0f} s, about {left:.0f} s left")
    return np.concatenate(parts)
