"""Plots as SVG files, the same bytes for the same figures; needs matplotlib, which the `evaluate` extra brings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from models.datasets import Table
from models.figures.metrics import Floats, enough, roc
from models.figures.people import RATIO
from models.figures.test_split import POOLS, pools
from models.scorer import ATTRIBUTES

_SETTINGS: dict[Any, Any] = {
    "svg.hashsalt": "figures",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.grid": True,
    "grid.alpha": 0.3,
}


def _figure(width: float, height: float) -> Any:
    """A figure without a display; raises ImportError without matplotlib."""
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    rcParams.update(_SETTINGS)
    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def reliability(folder: Path, calibrations: dict[str, dict[str, Any]]) -> None:
    """`reliability-<attribute>.svg`: share of positives against mean score, one line a pool, points by rows."""
    for attribute, found in calibrations.items():
        if not found:
            continue
        figure = _figure(4, 4.6)
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color="0.6", linestyle="--", linewidth=1)
        for pool, one in found.items():
            bins = one["bins"]
            line = f"{pool}, {one['prevalence']:.1%} positive: error {one['ece'][0]:.3f}"
            axes.plot([b["score"] for b in bins], [b["share"] for b in bins], marker="o", markersize=3, label=line)
        axes.set(xlabel="mean score", ylabel="share that raters call so", title=attribute, xlim=(0, 1), ylim=(0, 1))
        axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.12))
        _save(figure, folder / f"reliability-{attribute.lower()}.svg")


def rocs(folder: Path, table: Table, scores: Floats) -> None:
    """`roc-<pool>.svg`: one curve an attribute."""
    for number, (pool, inside) in enumerate((n, r) for n, r in pools(table).items() if n in POOLS):
        figure = _figure(4, 4)
        axes = figure.add_subplot()
        for i, attribute in enumerate(ATTRIBUTES):
            rows = inside & ~np.isnan(table.labels[:, i]) & ~np.isnan(scores[:, i])
            if enough(table.labels[rows, i]):
                axes.plot(*roc(table.labels[rows, i], scores[rows, i]), linewidth=1.2, label=attribute)
        axes.set(xlabel="false positive rate", ylabel="true positive rate", title=pool, xlim=(0, 1), ylim=(0, 1))
        if axes.lines:
            axes.legend(fontsize=7, loc="lower right")
            _save(figure, folder / f"roc-{('news', 'wikipedia', 'natural-sample')[number]}.svg")


def slices(folder: Path, false_holds: dict[str, dict[str, Any]]) -> None:
    """`slices.svg`: share of civil comments held by the group they mention, with intervals and the allowed line."""
    if not false_holds:
        return
    names = list(reversed(false_holds))
    held = np.array([false_holds[name]["held"] for name in names])
    figure = _figure(6, 0.22 * len(names) + 1)
    axes = figure.add_subplot()
    spread = [held[:, 0] - held[:, 1], held[:, 2] - held[:, 0]]
    axes.barh(range(len(names)), held[:, 0], xerr=np.maximum(spread, 0), height=0.6, color="0.6", ecolor="0.3")
    axes.axvline(false_holds["all"]["held"][0] * RATIO, color="firebrick", linewidth=1, linestyle="--")
    axes.set_yticks(range(len(names)), [f"{name} ({false_holds[name]['rows']})" for name in names])
    axes.set(xlabel="civil comments that would be held", xlim=(0, None))
    _save(figure, folder / "slices.svg")


def draw(folder: Path, table: Table, scores: Floats, figures: dict[str, Any]) -> None:
    """All plots of one scorer into `folder`; raises ImportError without matplotlib."""
    reliability(folder, figures["calibration"])
    rocs(folder, table, scores)
    slices(folder, figures.get("false_holds", {}))
