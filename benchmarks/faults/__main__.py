"""`python -m benchmarks.faults`: the whole programme, or a part of it; prints Markdown tables. Needs root."""

import argparse
import os
import platform
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks.faults.hands import KINDS
from benchmarks.faults.programme import Report, run

_OFTEN = 20
_SELDOM = 5


def main() -> None:
    """Runs it and prints what came out."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=20_220_906)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--rate", type=float, default=15.0, help="requests a second, of one to eight comments")
    parser.add_argument("--only", choices=list(KINDS), action="append", help="only this kind of fault")
    parser.add_argument("--times", type=int, help="each kind so often, instead of 20 and 5")
    options = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, {platform.system()}, "
          f"Python {platform.python_version()}, seed {options.seed}, {options.rate:g} requests a second")  # fmt: skip
    often = ("kill -9 of web", "kill -9 of a worker", "kill -9 of Redis")
    plan = {
        kind: options.times or (_OFTEN if kind in often else _SELDOM) for kind in options.only or KINDS
    }  # fmt: skip
    for database in options.database or ["sqlite", "postgresql"]:
        with tempfile.TemporaryDirectory(prefix="faults-") as name:
            Path(name).chmod(0o755)
            _print(database, run(Path(name), database, plan, seed=options.seed, rate=options.rate))


def _print(database: str, report: Report) -> None:
    print(f"\n{database}: {report.accepted:,} comments accepted, each decided once, one event each, the chain holds; "
          f"{sum(report.leased):,} were in the hands of a worker that was hit; the receiver that was down was tried "
          f"{report.tries} times; refused meanwhile: {dict(report.refused)}\n")  # fmt: skip
    print("| fault | times | taken again after s, median / worst | all decided after s | worker back after s |")
    print("| --- | --- | --- | --- | --- |")
    for kind in KINDS:
        if taken := report.taken.get(kind):
            print(f"| {kind} | {len(taken)} | {_spread(taken)} | {_spread(report.decided[kind])} "
                  f"| {_spread(report.back.get(kind, []))} |", flush=True)  # fmt: skip


def _spread(seconds: list[float]) -> str:
    return f"{median(seconds):.1f} / {max(seconds):.1f}" if seconds else "-"


if __name__ == "__main__":
    main()
