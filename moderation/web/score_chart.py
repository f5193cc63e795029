"""The histogram as its page draws and says it: bars in units of the drawing, numbers and sentences for people."""

from dataclasses import dataclass
from math import ceil, floor

from babel.numbers import format_decimal
from flask_babel import gettext as _
from flask_babel import ngettext

from moderation.domain.shares import ENOUGH, Expected, Rulings
from moderation.services.histogram import Bin, Choice, Histogram
from moderation.web.words import locale, percent

# The drawing is one unit wide for each bin and HEIGHT high, and stretched to its place on the page.
HEIGHT = 100.0
# A bar that is so many times the next one is cut, for else the others could not be seen.
_TOWERS = 4.0


@dataclass(frozen=True)
class Bar:
    """One bin: its bar from the bottom, its share and interval from the top of theirs, in units of the drawing."""

    bin: Bin
    x: float
    top: float
    height: float
    cut: bool
    chosen: bool
    share: float
    best: float
    worst: float
    title: str


@dataclass(frozen=True)
class Drawing:
    """All bars; `most` is the count at the top of the scale, the others are places along it (None: not on it)."""

    bars: list[Bar]
    most: int
    low: float
    high: float
    limit: float | None
    labels: list[str]


def drawing(shown: Histogram, chosen: Choice | None) -> Drawing:
    """The bars of a histogram with a range on it."""
    counts = sorted(bin.waiting for bin in shown.bins)
    towers = counts[-2] and counts[-1] > _TOWERS * counts[-2]
    most = ceil(1.5 * counts[-2]) if towers else max(1, counts[-1])
    low, high = (chosen.low, chosen.high) if chosen else (0.0, 0.0)
    bars = []
    for n, bin in enumerate(shown.bins):
        height = round(HEIGHT * min(bin.waiting, most) / most, 2)
        best, worst = bin.rulings.interval
        inside = chosen is not None and bin.low < high and bin.high > low
        bars.append(Bar(
            bin, n, HEIGHT - height, height, bin.waiting > most, inside, _down(bin.rulings.share), _down(best),
            _down(worst), sentence(bin),
        ))  # fmt: skip
    limit = shown.limit
    return Drawing(
        bars, most, place(shown, low), place(shown, high), place(shown, limit) if limit is not None else None,
        [score(shown.up_to * part / 4) for part in range(5)],
    )  # fmt: skip


def place(shown: Histogram, at: float) -> float:
    """Where a score lies along the drawing; all that is above its scale lies in the last bin."""
    width = len(shown.bins)
    return width if at >= 1 else min(width * at / shown.up_to, width - 0.5)


def _down(share: float) -> float:
    return round(HEIGHT * (1 - share), 2)


def score(value: float) -> str:
    """A score: two digits, up to four where they are needed."""
    text = f"{value:.4f}".rstrip("0")
    return text + "0" * max(0, 2 - len(text.partition(".")[2]))


def count(number: float) -> str:
    """A number as the language writes it."""
    return str(format_decimal(round(number), locale=locale()))


def span(low: float, high: float) -> str:
    """A range of scores in words."""
    if high >= 1:
        return _("from %(low)s up", low=score(low))
    if low <= 0:
        return _("below %(high)s", high=score(high))
    return _("from %(low)s to below %(high)s", low=score(low), high=score(high))


def share(rulings: Rulings) -> str:
    """The measured share with its interval, or why there is none."""
    if not rulings.enough:
        return _("not enough yet")
    low, high = rulings.interval
    return _("%(share)s (%(low)s to %(high)s)", share=percent(rulings.share), low=percent(low), high=percent(high))


def sentence(bin: Bin) -> str:
    """One bin in words."""
    waiting = ngettext("%(count)s waits", "%(count)s wait", bin.waiting, count=count(bin.waiting))
    ruled = _("%(rejected)s of %(count)s were rejected: %(share)s", rejected=count(bin.rulings.rejected),
              count=count(bin.rulings.count), share=share(bin.rulings))  # fmt: skip
    return _("Score %(range)s: %(waiting)s; %(ruled)s", range=span(bin.low, bin.high), waiting=waiting, ruled=ruled)


def borders(bin: Bin) -> str:
    """A bin's range, short, for a table."""
    return _("%(low)s to %(high)s", low=score(bin.low), high=score(bin.high))


def errors(expected: Expected) -> str:
    """How many errors to expect, short."""
    if expected.unknown:
        return _("can't say")
    return about(expected) if expected.known else "0"


def about(expected: Expected) -> str:
    """The number of errors where it can be said, with its interval."""
    return _("about %(count)s (%(low)s to %(high)s)", count=count(expected.count),
             low=count(floor(expected.low)), high=count(ceil(expected.high)))  # fmt: skip


def why_not(expected: Expected) -> str:
    """Why part of it can't be said, as a sentence."""
    return ngettext(
        "%(count)s of them lies where fewer than %(enough)s comments were ruled on.",
        "%(count)s of them lie where fewer than %(enough)s comments were ruled on.",
        expected.unknown, count=count(expected.unknown), enough=ENOUGH,
    )  # fmt: skip


def rest(expected: Expected) -> str:
    """What can be said of the others, as a sentence; empty when there are none."""
    if not expected.known:
        return ""
    return ngettext(
        "Of the other one, %(about)s would be wrong.", "Of the other %(known)s, %(about)s would be wrong.",
        expected.known, known=count(expected.known), about=about(expected),
    )  # fmt: skip
