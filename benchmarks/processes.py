"""What processes hold over time: memory, threads, open files; and whether it grows (Linux)."""

import os
import time
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from statistics import fmean

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Sample:
    """One look at one process: seconds since the beginning, bytes resident, bytes of its share, threads, files."""

    at: float
    resident: int
    share: int
    threads: int
    files: int


@dataclass
class Watched:
    """One process: what it is, and what was seen of it."""

    name: str
    samples: list[Sample] = field(default_factory=list)


def look(root: int, began: float, known: dict[int, Watched]) -> None:
    """Adds a sample of each process below `root`, and of itself."""
    for pid, command in _below(root).items():
        try:
            sample = _sample(pid, time.monotonic() - began)
        except OSError:  # it ended meanwhile
            continue
        known.setdefault(pid, Watched(_name(command, pid == root))).samples.append(sample)


def _name(command: str, root: bool) -> str:
    if root:
        return "up"
    for words, name in (("moderation web", "web"), ("-m workers", "worker"), ("-server", "Valkey")):
        if words in command:
            return name
    return command.split(" ", 1)[0].rpartition("/")[2]


def _below(root: int) -> dict[int, str]:
    """Pid -> command line."""
    found, waiting = {}, [root]
    while waiting:
        pid = waiting.pop()
        folder = Path("/proc") / str(pid)
        try:
            found[pid] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            for task in (folder / "task").iterdir():
                waiting += [int(word) for word in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def _sample(pid: int, at: float) -> Sample:
    folder = Path("/proc") / str(pid)
    resident = int((folder / "statm").read_text().split()[1]) * _PAGE
    rollup = dict(
        line.split(":", 1) for line in (folder / "smaps_rollup").read_text().splitlines()[1:] if ":" in line
    )  # fmt: skip
    share = int(rollup["Pss"].split()[0]) * 1024
    return Sample(at, resident, share, len(list((folder / "task").iterdir())), len(list((folder / "fd").iterdir())))


def slope(points: list[tuple[float, float]]) -> tuple[float, float]:
    """Least squares: units a second, and its standard error, as if the points were independent."""
    times, values = [point[0] for point in points], [point[1] for point in points]
    middle, level = fmean(times), fmean(values)
    spread = sum((time - middle) ** 2 for time in times)
    rise = sum((time - middle) * (value - level) for time, value in points) / spread
    left = sum((value - level - rise * (time - middle)) ** 2 for time, value in points)
    return rise, sqrt(left / (len(points) - 2) / spread)
