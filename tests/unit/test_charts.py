"""The geometry of the plots."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.web.charts import HEIGHT, Chart, Series, top_of

values = st.lists(st.one_of(st.none(), st.integers(0, 10**7)), min_size=1, max_size=40)


def chart(*series: Series) -> Chart:
    labels = [str(n) for n in range(len(series[0].values))]
    return Chart("c", "Title", "Text", labels, series, top_of(series))


@given(values, st.integers(1, 3))
def test_bars_stand_on_the_ground_and_beside_each_other(numbers: list[int | None], count: int) -> None:
    drawn = chart(*[Series(str(n), numbers) for n in range(count)])
    bars = [bar for one in drawn.series for bar in drawn.bars(one)]
    assert len(bars) == count * sum(bool(number) for number in numbers)
    for bar in bars:
        assert bar.y + bar.height == pytest.approx(HEIGHT, abs=0.02)
        assert 0 <= bar.y <= HEIGHT
        assert 0 <= bar.x <= bar.x + bar.width <= drawn.width
    corners = sorted((bar.x, bar.x + bar.width) for bar in bars)
    assert all(right <= following + 0.02 for (_, right), (following, _) in pairwise(corners))


@given(values)
def test_lines_pass_over_what_is_missing(numbers: list[int | None]) -> None:
    drawn = chart(Series("a", numbers))
    points = [point for line in drawn.lines(drawn.series[0]) for point in line.split()]
    assert all(0 <= float(point.split(",")[1]) <= HEIGHT for point in points)
    stretches = "".join("x" if number is not None else " " for number in numbers).split()
    assert [len(line.split()) for line in drawn.lines(drawn.series[0])] == [max(2, len(one)) for one in stretches]


@given(st.lists(st.floats(0.001, 1e9), min_size=1))
def test_the_top_is_round_and_near(numbers: list[float]) -> None:
    top, most = top_of([Series("a", numbers)]), max(numbers)
    assert most <= top <= 2.5 * most * 1.0001
    assert f"{top:e}"[0] in "125"


def test_ticks_and_an_empty_chart() -> None:
    assert chart(Series("a", list(range(24)))).ticks == ["0", "11", "23"]
    assert chart(Series("a", [1])).ticks == ["0"]
    assert top_of([Series("a", [None, 0])]) == 1
