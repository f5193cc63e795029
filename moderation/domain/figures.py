"""Arithmetic of the dashboard: medians, and what a moderator's rulings tell about time. Pure; times in milliseconds."""

from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from math import ceil
from statistics import median as middle

# A longer pause between two decisions ends a session; a session of fewer steps tells nothing.
PAUSE_MS = 600_000
FEWEST_STEPS = 5
# A figure of fewer people would be a figure about one of them.
FEWEST_PEOPLE = 3


def median(values: Sequence[int]) -> int | None:
    """The middle one, or the middle of the two; None of nothing."""
    return round(middle(values)) if values else None


def p90(values: Sequence[int]) -> int | None:
    """The smallest value that nine of ten do not exceed; None of nothing."""
    return sorted(values)[ceil(0.9 * len(values)) - 1] if values else None


def session_medians(deeds: Iterable[tuple[int, str]]) -> list[int]:
    """Of each session the median time per decision, from (time, batch) of one person in the order of time.

    Decisions of one batch are one deed.
    """
    times = [next(group)[0] for _, group in groupby(deeds, key=lambda deed: deed[1])]
    sessions: list[list[int]] = [[]]
    for before, after in pairwise(times):
        if after - before > PAUSE_MS:
            sessions.append([])
        else:
            sessions[-1].append(after - before)
    return [round(middle(steps)) for steps in sessions if len(steps) >= FEWEST_STEPS]
