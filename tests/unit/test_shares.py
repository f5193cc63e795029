"""Shares and what they let one expect: against published values, and what must hold for any numbers."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.domain.shares import ENOUGH, Rulings, expected_rejections, wilson


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [
        # Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17 (1998), table I
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_against_published_values(hits: int, count: int, low: float, high: float) -> None:
    assert wilson(hits, count) == pytest.approx((low, high), abs=0.00006)


def test_wilson_without_a_try_says_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@given(count=st.integers(1, 100_000), data=st.data())
def test_wilson_holds_the_share_and_mirrors(count: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, count))
    low, high = wilson(hits, count)
    assert 0 <= low <= hits / count <= high <= 1
    assert wilson(count - hits, count) == pytest.approx((1 - high, 1 - low))


rulings = st.builds(Rulings, st.integers(0, 500), st.integers(0, 500))
bins = st.lists(st.tuples(st.integers(0, 5_000), rulings), max_size=20)


@given(bins)
def test_expected_errors_lie_within_their_bounds(some: list[tuple[int, Rulings]]) -> None:
    found = expected_rejections(some)
    assert found.known + found.unknown == sum(waiting for waiting, _ in some)
    assert found.unknown == sum(waiting for waiting, ruled in some if ruled.count < ENOUGH)
    assert 0 <= found.low <= found.count + 1e-9
    assert found.count - 1e-9 <= found.high <= found.known


@given(bins, st.tuples(st.integers(0, 5_000), rulings))
def test_a_wider_range_never_has_fewer_errors(some: list[tuple[int, Rulings]], more: tuple[int, Rulings]) -> None:
    narrow, wide = expected_rejections(some), expected_rejections([*some, more])
    assert wide.count >= narrow.count
    assert wide.high >= narrow.high - 1e-9
    assert (wide.known, wide.unknown) >= (narrow.known, narrow.unknown)


@given(bins)
def test_what_is_wrong_to_approve_is_right_to_reject(some: list[tuple[int, Rulings]]) -> None:
    approved = expected_rejections(some)
    rejected = expected_rejections([(waiting, ruled.turned) for waiting, ruled in some])
    assert approved.count + rejected.count == pytest.approx(approved.known)


@given(st.integers(1, 5_000), st.integers(0, 40), st.integers(0, 40))
def test_more_rulings_of_the_same_share_make_it_surer(waiting: int, approved: int, rejected: int) -> None:
    few = expected_rejections([(waiting, Rulings(approved + 20, rejected + 20))])
    many = expected_rejections([(waiting, Rulings(10 * (approved + 20), 10 * (rejected + 20)))])
    assert many.high - many.low <= few.high - few.low + 1e-9


def test_the_interval_holds_about_95_of_100_times() -> None:
    """Sites are drawn, ruled on and then decided as a whole; the interval should hold what comes of it."""
    draw = random.Random(13)
    held, times = 0, 2_000
    for _ in range(times):
        steepness, some, wrong = draw.uniform(0.02, 0.9), [], 0
        number = draw.randint(1, 8)
        for n in range(1, number + 1):
            true = steepness * n / number
            ruled, waiting = draw.choice([30, 40, 80, 300]), draw.choice([3, 10, 50, 200])
            rejected = sum(draw.random() < true for _ in range(ruled))
            some.append((waiting, Rulings(ruled - rejected, rejected)))
            wrong += sum(draw.random() < true for _ in range(waiting))
        found = expected_rejections(some)
        held += math.floor(found.low) <= wrong <= math.ceil(found.high)
    assert 0.93 < held / times < 0.99
