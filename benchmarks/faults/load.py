"""The load: clients that post at a steady rate and post again what was not answered, and a reader of the feed.

A thread that fails keeps its error; `join` and `stop` raise it, so that no test is passed by a dead thread.
"""

import random
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from http.client import HTTPException
from itertools import count
from typing import Any

import requests

from tests.services import ABUSE, Running, a_comment

# Long enough to be worked on for a while.
LONG = "It was a long day at the river. The town waited. " * 400
_BODIES = [LONG, *["A fair point.", "Thank you!", ABUSE] * 6]


class Kept(threading.Thread, ABC):
    """A thread whose error is raised where it is waited for."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.error: BaseException | None = None

    def run(self) -> None:
        """Does the work."""
        try:
            self.work()
        except BaseException as error:
            self.error = error

    @abstractmethod
    def work(self) -> None:
        """What the thread is for."""

    def come_home(self, seconds: float) -> None:
        """Waits for its end, and raises what it died of."""
        self.join(seconds)
        if self.error is not None:
            raise AssertionError(f"{self.name} died") from self.error
        assert not self.is_alive(), f"{self.name} has not ended in {seconds} s"


class Clients:
    """`threads` clients with kept connections, together `rate` requests a second of one to eight comments."""

    def __init__(self, running: Running, chance: random.Random, rate: float, threads: int = 4) -> None:
        self.accepted: dict[str, str] = {}
        self.wrong: list[Any] = []
        self.refused: Counter[str] = Counter()
        self.running = running
        self.ending = threading.Event()
        self.pause = threads / rate
        self._clients = [_Client(self, number, random.Random(chance.random())) for number in range(threads)]
        for client in self._clients:
            client.start()

    def check(self) -> None:
        """Raises what a client died of."""
        for client in self._clients:
            if client.error is not None:
                raise AssertionError(f"{client.name} died") from client.error

    def join(self, seconds: float = 120.0) -> None:
        """Lets each client end once its last comments are taken."""
        self.ending.set()
        for client in self._clients:
            client.come_home(seconds)

    def post(self, session: requests.Session, comments: list[dict[str, Any]]) -> bool:
        """Whether the comments were taken; what is neither that nor a plain "not now" is kept in `wrong`."""
        one = len(comments) == 1
        path, body = ("", comments[0]) if one else ("/batch", {"comments": comments})
        try:
            answer = session.post(f"{self.running.base_url}/v1/comments{path}", json=body, timeout=60)
        except requests.RequestException as error:
            self.refused[type(error).__name__] += 1
            return False
        if answer.status_code == 503:
            self.refused[f"503 {answer.json()['code']}"] += 1
            return False
        results = [answer.json()] if one else answer.json().get("results", [])
        if answer.status_code not in (200, 202) or not results or any("id" not in result for result in results):
            self.wrong.append((answer.status_code, answer.text[:300]))
            return True
        self.accepted |= {result["external_id"]: result["id"] for result in results}
        return True

    def probe(self, number: int) -> str:
        """Posts one comment until it is taken; returns its id."""
        session, comment = self.session(), a_comment(f"probe-{number}")
        while not self.post(session, [comment]):
            time.sleep(0.02)
        return self.accepted[f"probe-{number}"]

    def session(self) -> requests.Session:
        """A connection of the site's."""
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {self.running.credentials['site_key']}"
        return session


class _Client(Kept):
    def __init__(self, clients: Clients, number: int, chance: random.Random) -> None:
        super().__init__(f"client {number}")
        self._clients, self._number, self._chance = clients, number, chance

    def work(self) -> None:
        session, numbers = self._clients.session(), count()
        while not self._clients.ending.wait(self._clients.pause * self._chance.uniform(0.5, 1.5)):
            comments = [
                a_comment(f"c{self._number}-{number}", body=f"{self._chance.choice(_BODIES)} {number}")
                for number, _ in zip(numbers, range(self._chance.choice([1, 1, 1, 4, 8])), strict=False)
            ]
            while not self._clients.post(session, comments):
                time.sleep(0.05)


class Reader(Kept):
    """Follows the feed by `next` while things fall over."""

    def __init__(self, running: Running) -> None:
        super().__init__("the reader of the feed")
        self.events: list[dict[str, Any]] = []
        self._ending = threading.Event()
        self._running = running
        self.start()

    def stop(self) -> None:
        """Reads what is left and ends."""
        self._ending.set()
        self.come_home(240)

    def work(self) -> None:
        """Reads on; a page that was cut off, or comes from a service that is down, is asked for again."""
        cursor, last = "", False
        while not last:
            asked_to_end = self._ending.is_set()
            try:
                status, page = self._running.call("GET", f"/v1/events?after={cursor}&limit=200")
            except (OSError, HTTPException, ValueError):  # no connection, or an answer that was cut off
                status, page = 0, {}
            assert status in (0, 200, 503), (status, page)
            if status == 200:
                self.events += page["events"]
                cursor = page["next"]
                last = asked_to_end and not page["events"]
            if not page.get("events"):
                self._ending.wait(0.05)
                time.sleep(0.02)
