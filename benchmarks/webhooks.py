"""How many events a second reach a site's webhook? `python -m benchmarks.webhooks`

Real decisions on SQLite with synchronous=FULL, posted by what the worker runs; the receiver is a process of its own
that answers at once, or after so many milliseconds. Every event must have arrived.
"""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks.command import options, place
from benchmarks.decisions import comments_from
from benchmarks.hooks import receiving
from moderation.config import Settings
from moderation.services import deliveries, intake, sites
from moderation.store import schema
from moderation.store.session import now_ms
from workers import runtime

_DELAYS = (0, 20, 100)
_SUBMIT = 500


def measure(folder: Path, delay: int, rounds: int, comments: int) -> tuple[list[float], float]:
    """Events a second of each round, and milliseconds of this process's processor time for an event."""
    url, rates, busy = f"sqlite:///{folder / f'webhooks-{delay}.sqlite3'}", list[float](), 0.0
    settings = Settings(
        database_url=url, redis_url="redis://127.0.0.1:1/0", scorer="linear", webhook_allow_private=True
    )
    work = runtime.make(settings)
    schema.upgrade(work.store)
    with receiving(delay) as hooks:
        with work.store.write() as session:
            site, _ = sites.create_site(session, "bench")
            sites.set_webhook(session, site, hooks.url)
        for turn in range(1, rounds + 1):
            fresh = comments_from(turn * comments, comments)
            for start in range(0, comments, _SUBMIT):
                with work.store.write() as session:
                    intake.submit(session, site.id, fresh[start : start + _SUBMIT], now_ms())
            work.drain(until=lambda: False)
            began, busy = time.perf_counter(), busy - time.process_time()
            while hooks.seen()["events"] < turn * comments:
                deliveries.deliver_due(work.store, settings)
            rates.append(comments / (time.perf_counter() - began))
            busy += time.process_time()
        seen = hooks.seen()
        if seen["posts"] != turn * comments or seen["late"]:
            raise RuntimeError(f"{seen} of {turn * comments} events")
    work.store.close()
    return rates, busy * 1000 / (rounds * comments)


def main() -> None:
    """Prints the table."""
    chosen = options("webhooks", __doc__, rounds=3, comments=2000)
    print(f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores\n")
    print("| the receiver takes | events a second | processor ms an event |\n| --- | --- | --- |")
    for delay in _DELAYS:
        with place(chosen.folder) as folder:
            rates, busy = measure(folder, delay, chosen.rounds, chosen.comments)
        print(f"| {delay} ms | {median(rates):,.0f} ({min(rates):,.0f}-{max(rates):,.0f}) | {busy:.2f} |", flush=True)


if __name__ == "__main__":
    main()
