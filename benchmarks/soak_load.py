"""Who keeps the service busy in a soak: posters, moderators, and browsers that listen."""

import re
import threading
import time
from abc import abstractmethod
from collections import Counter
from typing import Any

import requests

from benchmarks.faults.load import Kept
from benchmarks.texts import texts
from tests.services import Running, a_comment

_ACTIONS = ({"action": "approve"}, {"action": "reject", "reason": "off_topic"})
_POSTERS, _MODERATORS, _STREAMS = 16, 2, 2


class Soaked(Kept):
    """One thread of the load, with what it did.

    `errors` counts what was not answered as wanted, by kind, and `done` what was; `latest` is how late a turn began at
    most (seconds).
    """

    ending = threading.Event()
    errors: Counter[str] = Counter()

    def __init__(self, name: str, running: Running, pause: float) -> None:
        super().__init__(name)
        self.running, self.pause, self.done, self.latest = running, pause, 0, 0.0
        self.session = requests.Session()
        self.start()

    def work(self) -> None:
        """Does its turn again and again, each when its time has come by the clock: what came late is made up for."""
        due = time.monotonic()
        while not self.ending.wait(max(0.0, due - time.monotonic())):
            self.latest = max(self.latest, time.monotonic() - due if self.pause else 0.0)
            due += self.pause
            self.turn()

    @abstractmethod
    def turn(self) -> None:
        """What is done each time."""

    def ask(self, method: str, path: str, good: tuple[int, ...], **more: Any) -> Any:
        """The JSON of an answer; any other status than the `good` ones is counted."""
        try:
            answer = self.session.request(method, f"{self.running.base_url}{path}", timeout=30, **more)
        except requests.RequestException as error:
            self.errors[f"{self.name.split()[0]}: {type(error).__name__}"] += 1
            return None
        if answer.status_code not in good:
            self.errors[f"{self.name.split()[0]}: {answer.status_code}"] += 1
            return None
        self.done += 1
        return answer.json() if answer.content and "json" in answer.headers["Content-Type"] else None


class Poster(Soaked):
    """Posts one comment a turn."""

    bodies = enumerate(texts())
    one_at_a_time = threading.Lock()

    def work(self) -> None:
        self.session.headers["Authorization"] = f"Bearer {self.running.credentials['site_key']}"
        super().work()

    def turn(self) -> None:
        with self.one_at_a_time:
            number, body = next(self.bodies)
        author = {"name": f"Reader {number % 2000}", "email": f"reader{number % 2000}@example.org"}
        article = {"url": f"https://news.example/{number % 50}", "title": "An article"}
        comment = a_comment(f"s{number}", body, author=author, article=article)
        self.ask("POST", "/v1/comments", (202,), json=comment)


class Moderator(Soaked):
    """Lists what is held and rules on the first of it; a colleague may have been faster."""

    def work(self) -> None:
        self.session.headers["Authorization"] = f"Bearer {self.running.token()}"
        super().work()

    def turn(self) -> None:
        page = self.ask("GET", "/v1/review/items?sort=oldest", (200,))
        for item in (page or {}).get("items", [])[:3]:
            self.ask("POST", f"/v1/review/items/{item['id']}/actions", (200, 409),
                     json={"version": item["version"]} | _ACTIONS[self.done % 2])  # fmt: skip


class Stream(Soaked):
    """Keeps a stream of the desk open and reads what it says."""

    def turn(self) -> None:
        if not self.session.cookies:
            form = self.session.get(f"{self.running.base_url}/login", timeout=30).text
            found = re.search(r'name="csrf_token" value="([^"]+)"', form)
            who = self.running.credentials["moderator"] | {"csrf_token": found.group(1) if found else ""}
            self.ask("POST", "/login", (200,), data=who)
        try:
            with self.session.get(f"{self.running.base_url}/review/live", stream=True, timeout=60) as answer:
                if answer.status_code != 200:
                    self.errors[f"stream: {answer.status_code}"] += 1
                    return
                for line in answer.iter_lines():
                    self.done += line.startswith(b"data:")
                    if self.ending.is_set():
                        return
        except requests.RequestException as error:
            self.errors[f"stream: {type(error).__name__}"] += 1


def posters(running: Running, rate: float | None) -> list[Soaked]:
    """Together `rate` comments a second; None: each posts again as soon as it was answered."""
    return [Poster(f"poster {n}", running, _POSTERS / rate if rate else 0.0) for n in range(_POSTERS)]


def others(running: Running) -> list[Soaked]:
    """Moderators and streams."""
    moderators: list[Soaked] = [Moderator(f"moderator {n}", running, 1.0) for n in range(_MODERATORS)]
    return moderators + [Stream(f"stream {n}", running, 1.0) for n in range(_STREAMS)]


def end(load: list[Soaked]) -> None:
    """Lets each finish its turn; raises what one died of."""
    Soaked.ending.set()
    for one in load:
        one.come_home(90)
    Soaked.ending.clear()
