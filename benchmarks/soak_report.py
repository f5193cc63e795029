"""What a soak saw, as a table and as lines that say what held."""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.processes import Watched, slope
from benchmarks.soak_load import Poster, Soaked

# A process is called flat if it grew by less than this share of itself in the minutes that were measured.
_FLAT = 0.01


@dataclass
class Seen:
    """Posts that were `wanted`, who posted and ruled, and what was seen every 5 s of processes and of what waited."""

    wanted: float
    load: list[Soaked]
    processes: dict[int, Watched] = field(default_factory=dict)
    waiting: list[tuple[int, float]] = field(default_factory=list)
    undelivered: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Ending:
    """How it ended: seconds until nothing was under way, comments still pending, events, and who had them."""

    seconds: float
    pending: int
    events: int
    read: int
    hooks: dict[str, int]
    again: int


def report(seen: Seen, ending: Ending, log: Path, warm_up: float) -> bool:
    """Prints all of it; whether everything held."""
    grown = _processes(seen.processes, warm_up)
    answered: Counter[str] = Counter()
    for one in seen.load:
        answered[one.name.split()[0]] += one.done
    most, oldest = (max(values) for values in zip(*seen.waiting, strict=True))
    print(f"\nanswered: {dict(answered)}; at most {most} comments waited, the oldest {oldest:.1f} s, and "
          f"{max(seen.undelivered)} events were not delivered yet")  # fmt: skip
    verdicts = list(_verdicts(seen, ending, log, grown))
    for held, words in verdicts:
        print(f"{'yes' if held else 'NO '}  {words}")
    return all(held for held, _ in verdicts)


def _processes(processes: dict[int, Watched], warm_up: float) -> dict[str, float]:
    """Prints a line for each process that was there all the time; how much each grew by its slope, as a share."""
    whole = max(len(one.samples) for one in processes.values())
    lasting = {pid: one for pid, one in processes.items() if len(one.samples) >= whole - 1}
    print("\n| process | resident MB, first / last | own share MB, last | slope, MB an hour ± standard error | threads "
          "| files |\n| --- | --- | --- | --- | --- | --- |")  # fmt: skip
    grown = {}
    for pid, one in sorted(lasting.items()):
        after = [sample for sample in one.samples if sample.at >= warm_up]
        first, last = after[0], after[-1]
        rise, error = slope([(sample.at, sample.resident / 1e6) for sample in after])
        grown[f"{one.name} {pid}"] = rise * (last.at - first.at) / (first.resident / 1e6)
        print(f"| {one.name} {pid} | {first.resident / 1e6:.1f} / {last.resident / 1e6:.1f} | {last.share / 1e6:.1f} "
              f"| {rise * 3600:+.1f} ± {error * 3600:.1f} | {first.threads} / {last.threads} "
              f"| {first.files} / {last.files} |")  # fmt: skip
    print(f"\n{len(processes) - len(lasting)} short-lived processes were seen beside them")
    return grown


def _verdicts(seen: Seen, ending: Ending, log: Path, grown: dict[str, float]) -> list[tuple[bool, str]]:
    posters = [one for one in seen.load if isinstance(one, Poster)]
    posted = sum(one.done for one in posters)
    latest = max(poster.latest for poster in posters)
    log_lines = log.read_text(errors="replace").splitlines()
    lines = [line[:200] for line in log_lines if re.search(r" (ERROR|CRITICAL) |Traceback", line)]
    hooks, name = ending.hooks, max(grown, key=lambda name: grown[name])
    return [
        (posted >= 0.99 * seen.wanted,
         f"posted as wanted: {posted} of {seen.wanted:.0f}, a post at most {latest:.1f} s late"),
        (not Soaked.errors, f"no error in an answer: {dict(Soaked.errors) or 'none'}"),
        (not lines, f"no error in the log: {len(lines)} lines {lines[:3] or ''}"),
        (not ending.pending, f"all decided, {ending.seconds:.1f} s after the last post: {ending.pending} left"),
        (ending.read == ending.events, f"all in the feed: {ending.read} read of {ending.events} events"),
        (hooks["events"] == ending.events,
         f"all by webhook: {hooks['events']} received of {ending.events}, {hooks['posts'] - hooks['events']} of them "
         f"again, {ending.again} not at the first try, over {hooks['connections']} connections"),
        (not hooks["late"], f"each comment's in order: {hooks['late']} came after a later one"),
        (grown[name] < _FLAT, f"memory flat: {name} grew most, by {grown[name]:+.2%} in the minutes measured"),
    ]  # fmt: skip
