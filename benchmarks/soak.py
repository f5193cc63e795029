"""Does the service stay as it is for hours? `python -m benchmarks.soak --minutes 10`

`moderation up` as it ships. First clients post as fast as they can: what is taken, decided and delivered is the limit.
Then half of that, by the clock: posts, a reader of the feed, moderators who rule over HTTP, open streams of the desk, a
webhook's receiver. Each process's memory is looked at every 5 s; after a warm-up the slope is taken. Every answer that
is not what was wanted counts as an error, and so does every ERROR in the log. The last lines say what held; exit code 1
if anything did not.
"""

import argparse
import os
import platform
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select

from benchmarks import soak_load
from benchmarks.faults.load import Reader
from benchmarks.hooks import Hooks, receiving
from benchmarks.processes import look
from benchmarks.soak_load import Soaked
from benchmarks.soak_report import Ending, Seen, report
from moderation.services import sites
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment, Delivery, Event, Site
from tests.databases import until
from tests.services import Running

_EVERY = 5.0
_CALIBRATION = 20.0
_END_SECONDS = 120


def pending(store: Store) -> tuple[int, float]:
    """How many comments wait, and how long the oldest of them does (seconds)."""
    with store.read() as session:
        waiting = Comment.status == "pending"
        number, oldest = session.execute(select(func.count(), func.min(Comment.received_at)).where(waiting)).one()
    return int(number), (now_ms() - oldest) / 1000 if oldest else 0.0


def undelivered(store: Store) -> int:
    """Events without a place in the feed, and webhooks that are to be delivered."""
    with store.read() as session:
        unreleased = session.scalar(select(func.count()).select_from(Event).where(Event.position.is_(None)))
        waiting = session.scalar(select(func.count()).select_from(Delivery).where(Delivery.next_at.is_not(None)))
        return int(unreleased or 0) + int(waiting or 0)


def calibrate(running: Running, store: Store) -> float:
    """Comments a second that are taken, decided and delivered when clients post as fast as they can."""
    began = time.monotonic()
    posters = soak_load.posters(running, None)
    Soaked.ending.wait(_CALIBRATION)
    soak_load.end(posters)
    until(lambda: pending(store)[0] == 0 and undelivered(store) == 0, 600, "all to be decided and delivered")
    return sum(poster.done for poster in posters) / (time.monotonic() - began)


def soak(running: Running, store: Store, rate: float, seconds: float) -> Seen:
    """Loads it for so long and looks at it."""
    began = time.monotonic()
    seen = Seen(rate * seconds, soak_load.posters(running, rate) + soak_load.others(running))
    while time.monotonic() - began < seconds:
        look(running.process.pid, began, seen.processes)
        seen.waiting.append(pending(store))
        seen.undelivered.append(undelivered(store))
        time.sleep(min(_EVERY, max(0.0, began + seconds - time.monotonic())))
    soak_load.end(seen.load)
    return seen


def finish(store: Store, reader: Reader, hooks: Hooks) -> Ending:
    """Waits for what is under way; what is not there after two minutes is missing."""
    began = time.monotonic()
    while time.monotonic() < began + _END_SECONDS and (pending(store)[0] or undelivered(store)):
        time.sleep(0.1)
    seconds = time.monotonic() - began
    reader.stop()
    with store.read() as session:
        events = session.scalar(select(func.count()).select_from(Event)) or 0
        again = session.scalar(select(func.count()).select_from(Delivery).where(Delivery.attempts > 1)) or 0
    return Ending(seconds, pending(store)[0], int(events), len(reader.events), hooks.seen(), int(again))


def main() -> None:
    """Runs it and prints what came out."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rate", type=float, help="comments a second; half of the measured limit, if not given")
    parser.add_argument("--warm-up", type=float, default=120.0, help="seconds that the slope leaves out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as name, receiving() as hooks:
        running = Running(Path(name) / "data", env={"MODERATION_WEBHOOK_ALLOW_PRIVATE": "1"})
        store = Store(f"sqlite:///{running.folder / 'moderation.sqlite3'}")
        try:
            with store.write() as session:
                sites.set_webhook(session, session.get_one(Site, running.credentials["site_id"]), hooks.url)
            reader = Reader(running)
            limit = 0.0 if options.rate else calibrate(running, store)
            rate = options.rate or limit / 2
            print(f"errors while the limit was measured: {dict(Soaked.errors) or 'none'}")
            Soaked.errors.clear()
            print(f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, Linux, "
                  f"Python {platform.python_version()}: {rate:.0f} comments a second for {options.minutes:g} minutes"
                  + (f", half of the {limit:.0f} that it took, decided and delivered" if limit else ""),
                  flush=True)  # fmt: skip
            seen = soak(running, store, rate, options.minutes * 60)
            good = report(seen, finish(store, reader, hooks), running.log, options.warm_up)
        finally:
            store.close()
            if running.process.poll() is None:
                os.killpg(running.process.pid, signal.SIGKILL)
            running.process.wait()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
