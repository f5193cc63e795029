"""The dashboard's arithmetic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.domain import figures


@given(st.lists(st.integers(0, 10**10), min_size=1))
def test_percentiles_split_the_values(values: list[int]) -> None:
    middle, high = figures.median(values), figures.p90(values)
    assert middle is not None
    assert high is not None
    assert sum(value <= high for value in values) >= 0.9 * len(values)
    assert sum(value < high for value in values) < 0.9 * len(values)
    assert min(values) <= middle <= high or middle == pytest.approx(high, abs=1)


def test_nothing_has_no_percentiles() -> None:
    assert figures.median([]) is None
    assert figures.p90([]) is None


def deeds(*times: int) -> list[tuple[int, str]]:
    return [(at, str(n)) for n, at in enumerate(times)]


def test_a_long_pause_begins_a_session() -> None:
    first = [0, 2_000, 4_000, 6_000, 8_000, 10_000]
    second = [10_000 + figures.PAUSE_MS + 1 + n * 7_000 for n in range(6)]
    assert figures.session_medians(deeds(*first, *second)) == [2_000, 7_000]
    joined = [10_000 + figures.PAUSE_MS + n * 7_000 for n in range(6)]
    assert figures.session_medians(deeds(*first, *joined)) == [7_000]


def test_a_short_session_tells_nothing() -> None:
    assert figures.session_medians(deeds(0, 1, 2, 3, 4)) == []
    assert figures.session_medians([]) == []


def test_a_batch_is_one_deed() -> None:
    batch = [(0, "a")] * 500
    assert figures.session_medians([*batch, *[(n * 3_000, f"b{n}") for n in range(1, 6)]]) == [3_000]
