"""A small, seeded slice of `python -m benchmarks.faults`: nothing is lost or doubled by any kind of fault."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.faults.programme import run

pytestmark = pytest.mark.timeout(1200)  # each fault has three minutes, which a busy machine may need

SEED = 20_220_906
# Comments of a worker that was cut off are free after this; the default would make the test wait for half a minute.
ENV = {"MODERATION_LEASE_SECONDS": "5"}
KILLS = (
    "kill -9 of web",
    "kill -9 of a worker",
    "kill -9 of a worker",
    "kill -9 of Redis",
    "Redis flushed",
    "Redis hangs",
)
OF_POSTGRESQL = ("kill -9 of PostgreSQL", "kill -9 of a PostgreSQL process")
OF_THE_PLACE = ("disk full", "network cut, noticed", "network cut, silent")
postgresql, namespaces = pytest.mark.postgresql, pytest.mark.namespaces


@pytest.mark.parametrize(("database", "faults"), [
    pytest.param("sqlite", KILLS, id="sqlite"),
    pytest.param("sqlite", OF_THE_PLACE[:1], id="sqlite, disk full", marks=namespaces),
    pytest.param("postgresql", KILLS + OF_POSTGRESQL, id="postgresql", marks=postgresql),
    pytest.param("postgresql", OF_THE_PLACE, id="postgresql, disk and network", marks=[postgresql, namespaces]),
])  # fmt: skip
def test_nothing_is_lost_or_doubled(database: str, faults: Sequence[str], place: Path) -> None:
    plan = {kind: faults.count(kind) for kind in faults}
    report = run(place, database, plan, seed=SEED, rate=15.0, env=ENV)
    assert {name: len(times) for name, times in report.decided.items()} == plan
    assert report.accepted > 20
    assert bool(report.leased) == any("worker" in kind or "network" in kind for kind in faults)
    assert report.tries >= 1
