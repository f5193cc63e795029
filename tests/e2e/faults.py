"""What the fault tests need: clients that keep posting, a reader of the feed, and a hand that kills."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import func, select

from moderation.processes import lives
from moderation.store.session import Store
from moderation.store.tables import Comment
from tests.databases import until
from tests.services import ABUSE, Running, a_comment

# Long enough to be worked on for a while.
LONG = "It was a long day at the river. The town waited. " * 400


def a_burst(random: random.Random, total: int) -> list[list[dict[str, Any]]]:
    """Comments for so many external ids, in requests of one to eight."""
    comments = [
        a_comment(f"b{number}", body=random.choice([LONG, *["A fair point.", "Thank you!", ABUSE] * 4]) + f" {number}")
        for number in range(total)
    ]
    requests_to_make = []
    while comments:
        size = random.choice([1, 1, 1, 4, 8])
        requests_to_make.append(comments[:size])
        del comments[:size]
    return requests_to_make


class Clients:
    """Threads with kept connections that post a burst; one whose connection fails posts the same again.

    No more than `allow` comments are begun, so that a fault can be placed inside the burst.
    """

    def __init__(self, running: Running, burst: list[list[dict[str, Any]]], threads: int = 4) -> None:
        self.accepted: dict[str, str] = {}
        self.wrong: list[Any] = []
        self.retries = 0
        self._running = running
        self._burst = list(reversed(burst))
        self._begun = self._allowed = 0
        self._turn = threading.Condition()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def allow(self, comments: int) -> None:
        """Lets the clients go on to this number of comments."""
        with self._turn:
            self._allowed = comments
            self._turn.notify_all()

    def join(self, seconds: float) -> None:
        """Waits until all is posted."""
        until(lambda: not any(thread.is_alive() for thread in self._threads), seconds, "the clients")

    def _work(self) -> None:
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {self._running.credentials['site_key']}"
        while comments := self._next():
            while not self._post(session, comments):
                self.retries += 1
                threading.Event().wait(0.02)

    def _next(self) -> list[dict[str, Any]]:
        with self._turn:
            self._turn.wait_for(lambda: not self._burst or self._begun < self._allowed)
            if not self._burst:
                return []
            comments = self._burst.pop()
            self._begun += len(comments)
            return comments

    def _post(self, session: requests.Session, comments: list[dict[str, Any]]) -> bool:
        one = len(comments) == 1
        path, body = ("", comments[0]) if one else ("/batch", {"comments": comments})
        try:
            answer = session.post(f"{self._running.base_url}/v1/comments{path}", json=body, timeout=30)
        except requests.RequestException:
            return False
        if answer.status_code == 503:
            return False
        results = [answer.json()] if one else answer.json()["results"]
        if answer.status_code not in (200, 202) or any("id" not in result for result in results):
            self.wrong.append((answer.status_code, results))
        self.accepted |= {result["external_id"]: result["id"] for result in results if "id" in result}
        return True


class Reader:
    """Follows the feed by `next` while things fall over."""

    def __init__(self, running: Running) -> None:
        self.events: list[dict[str, Any]] = []
        self.end = threading.Event()
        self._running = running
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Reads what is left and ends."""
        self.end.set()
        self._thread.join(30)

    def _read(self) -> None:
        cursor, last = "", False
        while not last:
            asked_to_end = self.end.is_set()
            try:
                status, page = self._running.call("GET", f"/v1/events?after={cursor}&limit=50")
            except OSError:
                status, page = 0, {}
            if status == 200:
                self.events += page["events"]
                cursor = page["next"]
                last = asked_to_end and not page["events"]
            if not page.get("events"):
                self.end.wait(0.05)


@dataclass
class Killer:
    """Kills parts of a running service with -9, and counts what it did. All choices come from `random`."""

    running: Running
    store: Store
    random: random.Random
    kills: dict[str, int] = field(default_factory=dict)
    leased_rows: list[int] = field(default_factory=list)

    def kill(self, part: str) -> None:
        """Kills one process of this part, once there is one; of the worker while comments are leased to it."""
        victim = self._worker() if part == "worker" else self._any(part)
        self.kills[part] = self.kills.get(part, 0) + 1
        until(lambda: not lives(victim), 10, f"the end of {part}")

    def _any(self, part: str) -> int:
        until(lambda: self.running.parts()[part], 30, f"{part} to be there")
        victim = self.random.choice(self.running.parts()[part])
        _signal(victim, signal.SIGKILL)
        return victim

    def _worker(self) -> int:
        """Freezes the holder of a lease, reads which rows are its own, then kills it or one above it."""
        holder = self._holder()
        _signal(holder, signal.SIGSTOP)
        until(lambda: _state(holder) in "TZX", 5, "the holder to stand still")
        above = [pid for pid in _ancestors(holder) if pid in self.running.parts()["worker"]]
        victim = self.random.choice([holder, *above])
        leased = self._leased(holder)
        _signal(victim, signal.SIGKILL)
        if leased:
            self.leased_rows.append(leased)
        else:
            _signal(holder, signal.SIGCONT)
        return victim

    def _holder(self) -> int:
        query = select(Comment.lease_owner).where(Comment.status == "pending", Comment.lease_owner.is_not(None))
        end = time.monotonic() + 30
        while time.monotonic() < end:
            with self.store.read() as session:
                owners = set(session.scalars(query))
            for owner in owners:
                pid = int(str(owner).rpartition(":")[2])
                if pid in self.running.parts()["worker"] and lives(pid):
                    return pid
        raise AssertionError("no comment was ever leased")

    def _leased(self, pid: int) -> int:
        with self.store.read() as session:
            mine = Comment.lease_owner.endswith(f":{pid}")
            count = select(func.count()).select_from(Comment).where(Comment.status == "pending", mine)
            return int(session.scalar(count) or 0)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:  # it ended by itself, as a job's process does
        return


def _state(pid: int) -> str:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def _ancestors(pid: int) -> list[int]:
    found: list[int] = []
    while pid > 1:
        try:
            pid = int((Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            break
        found.append(pid)
    return found


def count(store: Store, condition: Callable[[], Any]) -> int:
    """How many comments fulfil it."""
    with store.read() as session:
        return int(session.scalar(select(func.count()).select_from(Comment).where(condition())) or 0)
