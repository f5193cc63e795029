"""Small plots as SVG: bars side by side and lines over equal steps. Only geometry is made here; _charts.html draws it.

The plot is stretched to its place, so texts stand beside it in HTML. Shapes differ without colour, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

HEIGHT = 100
STEP = 12  # of one label, in units of the plot
_GAP = 2


@dataclass(frozen=True)
class Series:
    """Values, one a label (None: there is none); `mark` is the class that draws them, `solid` or `hollow`."""

    name: str
    values: Sequence[float | None]
    mark: str = "solid"


@dataclass(frozen=True)
class Shape:
    """A bar: its corner and size; `title` is what a pointer is told."""

    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True)
class Chart:
    """One or more series over the same labels. `id` is unique in the page; `top` is the value at the upper edge."""

    id: str
    title: str
    text: str
    labels: Sequence[str]
    series: Sequence[Series]
    top: float

    @property
    def width(self) -> int:
        """Of the whole plot."""
        return STEP * max(1, len(self.labels))

    def bars(self, series: Series) -> list[Shape]:
        """The bars of one series; those of the others stand beside them."""
        place, width = self.series.index(series), (STEP - _GAP) / len(self.series)
        return [
            Shape(round(n * STEP + _GAP / 2 + place * width, 2), round(HEIGHT - height, 2), round(width, 2),
                  round(height, 2), f"{label}: {series.name} {value:g}")
            for n, (label, value) in enumerate(zip(self.labels, series.values, strict=True))
            if value and (height := HEIGHT * value / self.top)
        ]  # fmt: skip

    def lines(self, series: Series) -> list[str]:
        """Points of each unbroken stretch of a series; one that is alone becomes a short line."""
        stretches: list[list[tuple[float, float]]] = [[]]
        for n, value in enumerate(series.values):
            if value is None:
                stretches.append([])
            else:
                stretches[-1].append(((n + 0.5) * STEP, HEIGHT - HEIGHT * value / self.top))
        return [
            " ".join(f"{x:g},{round(y, 2):g}" for x, y in (stretch if len(stretch) > 1 else _widened(*stretch[0])))
            for stretch in stretches
            if stretch
        ]

    @property
    def ticks(self) -> list[str]:
        """The labels that have room below: the first, the middle and the last."""
        last = len(self.labels) - 1
        return [self.labels[n] for n in sorted({0, last // 2, last})] if self.labels else []


def _widened(x: float, y: float) -> list[tuple[float, float]]:
    return [(x - STEP / 4, y), (x + STEP / 4, y)]


def top_of(series: Sequence[Series]) -> float:
    """A round number that no value exceeds: 1, 2 or 5 and noughts; 1 where there is nothing."""
    most = max((value for one in series for value in one.values if value), default=1)
    size = 10.0 ** floor(log10(most))
    return next(factor * size for factor in (1, 2, 5, 10) if factor * size >= most)
