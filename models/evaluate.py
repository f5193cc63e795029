"""Measure scorers on rows that no fit has seen: `python -m models.evaluate --data DIR [--scorer NAME ...]`.

Every text is scored once for each artefact and kept in the work folder, so a stopped run goes on and a second one is
quick. Figures go into `figures.json` beside the manifest, plots into docs/evaluation, and CARD.md is written from both.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from models import ARTEFACTS, SCORERS
from models.artefacts import read_manifest
from models.card import write_card
from models.datasets import DataError, Table, load_table
from models.figures import judges, outside, peers, people, plots, test_split
from models.figures.disguises import disguises
from models.figures.judges import FIGURES, Judge, Say
from models.figures.metrics import Floats
from models.scorer import ArtefactError
from models.slices import swear_words
from models.sources import LicenceError
from models.validation_sets import CHECKS, NATURAL, Check, labelled, letters

PLOTS = ARTEFACTS.parents[1] / "docs" / "evaluation"
WITHOUT = "without_unlicensed"
_KEPT = ("attributes", "own_sentences", "outside")  # of another artefact's figures


@dataclass(frozen=True)
class Rows:
    """All labelled rows, and what is looked up in them once."""

    data: Path
    table: Table

    @cached_property
    def test(self) -> Table:
        """The rows that are measured."""
        return self.table.where(self.table.split == "test")

    @cached_property
    def seen(self) -> set[str]:
        """The letters of every text that a fit or a choice may have seen."""
        fitted = self.table.split != "test"
        return set(letters([text for text, keep in zip(self.table.texts, fitted, strict=True) if keep]))

    @cached_property
    def outside(self) -> list[tuple[Check, list[tuple[str, float]]]]:
        """The checks whose sets are there, with their texts and labels."""
        found = [(check, labelled(self.data, check, self.seen)) for check in CHECKS]
        return [(check, rows) for check, rows in found if rows]

    @cached_property
    def healthy(self) -> list[str]:
        """Civil comments under news from outside."""
        return [text for check, rows in self.outside if check.folder == NATURAL for text, label in rows if label == 0]

    @cached_property
    def digest(self) -> str:
        """Tells whether two sets of figures were measured on the same rows."""
        joined = "\0".join(self.test.texts).encode("utf-8", "surrogatepass")
        return hashlib.sha256(joined + self.test.labels.tobytes()).hexdigest()[:16]


def at_operating_points(rows: Rows, scores: Floats, healthy: Floats, thresholds: dict[str, float]) -> dict[str, Any]:
    """What is held and caught at the thresholds that training chose."""
    civil = people.civil(rows.test, scores, (rows.healthy, healthy), thresholds)
    swears = swear_words(rows.data)
    caught = test_split.held(scores, thresholds)
    false_holds = people.false_holds(civil)
    return {
        "thresholds": thresholds,
        "at_thresholds": test_split.at_thresholds(rows.test, scores, thresholds),
        "false_holds": false_holds,
        "identity_gap": people.identity_gap(false_holds),
        "topics": people.topics(civil),
        "no_swearing": people.without_swearing(rows.test, caught, swears) if swears else {},
    }


def figures_of(judge: Judge, manifest: dict[str, Any], rows: Rows, work: Path, say: Say) -> dict[str, Any]:
    """All figures of one scorer."""
    ask = partial(judges.matrix, work=work, say=say)
    score = partial(ask, judge)
    scores = score(rows.test.texts)
    say(f"{judge.name}: figures; where other libraries are new, some minutes for a baseline to be fitted")
    thresholds = manifest.get("operating_points", {}).get("thresholds", {})
    return {
        "scorer": judge.name,
        "scores": judge.key[:16],
        "rows": {"test": len(rows.test.texts), "digest": rows.digest},
        "attributes": test_split.by_attribute(rows.test, scores),
        "calibration": test_split.calibrations(rows.test, scores, manifest.get("calibrated_to", {})),
        "group_aucs": people.group_aucs(rows.test, scores),
        "outside": outside.checks(rows.outside, score, thresholds),
        "pairs": outside.in_order(rows.data, score, rows.seen),
        "perspective": outside.perspective(rows.data, score, rows.seen),
        "perspective_on_labels": outside.perspective_on_labels(rows.data, rows.test, scores),
        "own_sentences": outside.own_sentences(score),
        "peers": peers.compare(rows.table, scores, ask),
        "robustness": disguises(rows.test, score, thresholds),
        **at_operating_points(rows, scores, score(rows.healthy), thresholds),
    }


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise DataError(f"{path} is not JSON") from error
    return found


def _write(path: Path, figures: dict[str, Any]) -> None:
    text = json.dumps(figures, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def evaluate(name: str, options: argparse.Namespace, rows: Rows, say: Say) -> None:
    """Measure one scorer and write its figures and plots."""
    folder = options.artefact or ARTEFACTS / name
    judge = judges.of_scorer(name, folder)
    say(f"{judge.name}: {len(rows.test.texts)} test rows")
    figures = figures_of(judge, read_manifest(folder), rows, options.work, say)
    before = _read(folder / FIGURES)
    if options.without:
        other = _read(options.without)
        figures[WITHOUT] = {part: other[part] for part in _KEPT}
    elif WITHOUT in before and before["rows"] == figures["rows"]:
        figures[WITHOUT] = before[WITHOUT]
    _write(folder / FIGURES, figures)
    if not options.artefact:
        try:
            plots.draw(PLOTS / name, rows.test, judges.matrix(judge, rows.test.texts, options.work, say), figures)
        except ImportError:
            say("no plots: matplotlib is not installed")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.evaluate", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder per labelled set")
    parser.add_argument("--scorer", nargs="+", choices=SCORERS, default=list(SCORERS), help="default: all")
    parser.add_argument("--artefact", type=Path, help="another folder of the one scorer named; no card, no plots")
    parser.add_argument("--without", type=Path, help="figures.json of a fit without sets that lack a written licence")
    parser.add_argument("--work", type=Path, default=Path("build/evaluate"), help="scores are kept here")
    options = parser.parse_args(arguments)
    if (options.artefact or options.without) and len(options.scorer) != 1:
        parser.error("--artefact and --without need one --scorer")
    if options.without and not options.without.exists():
        parser.error(f"there is no {options.without}")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    options = _options(arguments)

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    try:
        rows = Rows(options.data, load_table(options.data, say=lambda line: None))
        for name in options.scorer:
            evaluate(name, options, rows, say)
        for name in [] if options.artefact else options.scorer:  # last, for a card may show other scorers' figures
            write_card(ARTEFACTS / name)
    except (ArtefactError, DataError, LicenceError, OSError) as error:
        say(f"error: {error}")
        return 1
    say("figures and cards written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
