"""`python -m benchmarks`: measures, prints Markdown tables. It takes about two minutes."""

import argparse
import os
import platform
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles

from benchmarks import accepts, decisions, drop_in, scorer
from benchmarks.accepts import free_port
from benchmarks.client import CONNECTIONS, Load
from moderation.services.leases import BATCH as DECIDE_BATCH


def main() -> None:
    """Runs the questions and prints what came out."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds for each target (default 5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a round of HTTP (default 2)")
    parser.add_argument("--comments", type=int, default=4096, help="comments decided in a round (default 4096)")
    parser.add_argument("--folder", type=Path, default=Path("var"), help="where the databases go (default ./var)")
    parser.add_argument("--data", type=Path, help="labelled sets: measure the scorers on them, and nothing else")
    options = parser.parse_args()
    if options.data:
        print(_machine(), "\n")
        _print_scorers(scorer.measure(options.data, max(options.rounds, 7)))
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    print(_machine(), "\n")
    with tempfile.TemporaryDirectory(prefix="bench-", dir=options.folder.absolute()) as name:
        print_accepts(accepts.measure(Path(name), options.rounds, options.seconds))
        print()
        _print_decisions(decisions.measure(Path(name), options.rounds, options.comments))
        print()
        _print_drop_in(drop_in.measure(Path(name) / "up", options.seconds * options.rounds, free_port()))


def _machine() -> str:
    packages = ["flask", "gunicorn", "sqlalchemy"]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, {platform.system()}, "
        f"Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in packages)
    )


def print_accepts(results: dict[tuple[str, int], list[Load]]) -> None:
    """The table of `accepts.measure`."""
    print(f"{CONNECTIONS} connections; medians of the rounds, range in brackets\n")
    print("| target | requests/s | comments/s | p50 / p99 ms | x hello of the same round |")
    print("| --- | --- | --- | --- | --- |")
    hello = results[accepts.HELLO, 0]
    for (name, comments), loads in results.items():
        cuts = quantiles(sorted(value for one in loads for value in one.latencies), n=100)
        print(
            f"| {name}{f', {comments} a request' if comments else ''} | {_spread([one.rate for one in loads])} "
            f"| {f'{median(one.rate for one in loads) * comments:,.0f}' if comments else '-'} "
            f"| {cuts[49]:.1f} / {cuts[98]:.0f} "
            f"| {_spread([one.rate / other.rate for one, other in zip(loads, hello, strict=True)], 2)} |"
        )


def _print_decisions(rounds: Sequence[decisions.Round]) -> None:
    print(f"{rounds[-1].held:.0%} of the comments are held\n")
    print("| | comments/s |")
    print("| --- | --- |")
    print(f"| decided (lease, score, policy, write, publish) | {_spread([one.decided for one in rounds])} |")
    print(f"| scored only, batches of {DECIDE_BATCH} | {_spread([one.scored for one in rounds])} |")
    print(f"| decided x scored | {_spread([one.decided / one.scored for one in rounds], 2)} |")


def _print_drop_in(phases: Sequence[drop_in.Phase]) -> None:
    print(f"{drop_in.RATE} calls of analyze a second\n")
    print("| | calls | p50 / p95 / p99 ms | slowest ms |")
    print("| --- | --- | --- | --- |")
    for phase in phases:
        cuts = quantiles(phase.latencies, n=100)
        begin, end = phase.pending
        beside = f" ({begin:,} to {end:,} pending)" if begin else ""
        print(
            f"| {phase.name}{beside} | {len(phase.latencies)} "
            f"| {cuts[49]:.1f} / {cuts[94]:.1f} / {cuts[98]:.1f} | {max(phase.latencies):.0f} |"
        )


def _print_scorers(times: dict[str, dict[str, list[float]]]) -> None:
    print("| scorer | batches of 256: us a comment | x scikit-learn | one at a time: us | x scikit-learn |")
    print("| --- | --- | --- | --- | --- |")
    for name in times["batch"]:
        cells = []
        for found in times.values():
            base = found["scikit-learn"]
            cells.append(_spread([second * 1e6 for second in found[name]], 1))
            cells.append(_spread([ours / other for ours, other in zip(base, found[name], strict=True)], 1))
        print(f"| {name} | {' | '.join(cells)} |")


def _spread(values: Sequence[float], digits: int = 0) -> str:
    low, middle, high = (f"{value:,.{digits}f}" for value in (min(values), median(values), max(values)))
    return f"{middle} ({low}-{high})"


if __name__ == "__main__":
    main()
