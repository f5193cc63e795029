"""Shares measured on few rulings, with their uncertainty, and what they let one expect of the comments that wait. Pure.

Intervals hold 95 %. That of a share is Wilson's; docs/decisions/0013-batch-by-score.md says why, and how they add up.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

_Z = 1.959964

# Below this many rulings a share says more about chance than about the comments.
ENOUGH = 30


@dataclass(frozen=True)
class Rulings:
    """What people made of the comments in one bin of scores: two counts."""

    approved: int = 0
    rejected: int = 0

    @property
    def count(self) -> int:
        """All of them."""
        return self.approved + self.rejected

    @property
    def enough(self) -> bool:
        """Whether a share may be told."""
        return self.count >= ENOUGH

    @property
    def turned(self) -> "Rulings":
        """The same with approved and rejected the other way round."""
        return Rulings(self.rejected, self.approved)

    @property
    def share(self) -> float:
        """Rejected of all, 0..1; 0 when there are none."""
        return self.rejected / self.count if self.count else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval of the share."""
        return wilson(self.rejected, self.count)


@dataclass(frozen=True)
class Expected:
    """How many of `known` comments would be ruled otherwise by people: about `count`, from `low` to `high`.

    `unknown` more lie where too little was ruled on to say.
    """

    known: int
    unknown: int
    count: float
    low: float
    high: float


def wilson(hits: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share that was hit `hits` times of `count`; (0, 1) when nothing was tried."""
    if not count:
        return 0.0, 1.0
    share, z2 = hits / count, _Z * _Z
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    reach = _Z / (1 + z2 / count) * sqrt(share * (1 - share) / count + z2 / (4 * count * count))
    # The ends are exact where the formula only comes near them.
    return (0.0 if hits == 0 else max(0.0, middle - reach)), (1.0 if hits == count else min(1.0, middle + reach))


def expected_rejections(bins: Iterable[tuple[int, Rulings]]) -> Expected:
    """What people would reject of the comments that wait, given as (how many wait, what was ruled there) for each bin.

    The bins' distances from share to bound add up as squares, for the bins err independently of each other; to each
    comes the chance in which comments happen to wait, at that bound.
    """
    known = unknown = 0
    count = below = above = 0.0
    for waiting, rulings in bins:
        if not rulings.enough:
            unknown += waiting
            continue
        low, high = rulings.interval
        known += waiting
        count += waiting * rulings.share
        below += (waiting * (rulings.share - low)) ** 2 + _Z * _Z * waiting * low * (1 - low)
        above += (waiting * (high - rulings.share)) ** 2 + _Z * _Z * waiting * high * (1 - high)
    return Expected(known, unknown, count, max(0.0, count - sqrt(below)), min(known, count + sqrt(above)))
