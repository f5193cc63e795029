"""SIGHUP: new processes take over one after the other, and no client that keeps posting notices."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from moderation.processes import lives
from tests.databases import until
from tests.services import Running, a_comment

pytestmark = pytest.mark.timeout(900)  # ten starts of a service, one after the other

Start = Callable[..., Running]


class Clients:
    """Threads that post without a pause: on kept connections, on a new one each time, and waiting for the decision."""

    def __init__(self, running: Running) -> None:
        self.accepted: list[str] = []
        self.wrong: list[Any] = []
        self._url = f"{running.base_url}/v1/comments"
        self._key = {"Authorization": f"Bearer {running.credentials['site_key']}"}
        self._end = threading.Event()
        kinds: list[tuple[str, bool, dict[str, str]]] = [
            ("kept", True, {}), ("new", False, {}), ("waits", True, {"Prefer": "wait=3"}), ("kept2", True, {}),
        ]  # fmt: skip
        self._threads = [threading.Thread(target=self._post, args=kind, daemon=True) for kind in kinds]
        for thread in self._threads:
            thread.start()

    def _post(self, name: str, kept: bool, headers: dict[str, str]) -> None:
        session, number = requests.Session(), 0
        while not self._end.is_set():
            number += 1
            session = session if kept else requests.Session()
            body = a_comment(f"{name}-{number}")
            try:
                answer = session.post(self._url, json=body, headers=self._key | headers, timeout=60)
            except requests.RequestException as error:
                self.wrong.append((name, number, repr(error)))
                continue
            if answer.status_code not in (200, 202):
                self.wrong.append((name, number, answer.status_code))
            self.accepted.append(body["external_id"])
            self._end.wait(0.02)

    def stop(self) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(60)


def top(running: Running) -> dict[str, int]:
    """The oldest process of each part: the one that the supervisor started."""
    return {part: min(pids) for part, pids in running.parts().items() if pids}


def reload(running: Running) -> None:
    """Asks for it, and waits until only new processes are there."""
    before = running.parts()
    old = {pid for part in ("web", "worker") for pid in before[part]}
    running.process.send_signal(signal.SIGHUP)
    until(lambda: not any(lives(pid) for pid in old), 120, "the old processes to end")
    until(lambda: all(running.parts().values()), what="the new ones")
    assert running.parts()["redis"] == before["redis"]


def test_clients_notice_nothing_of_three_reloads_and_settings_are_new(start: Start, tmp_path: Path) -> None:
    settings = tmp_path / "settings"
    settings.write_text("MODERATION_SCORER=linear\n")
    running = start(env={"MODERATION_SETTINGS_FILE": str(settings)})
    clients = Clients(running)
    for number in range(3):
        seen = len(clients.accepted)
        until(lambda seen=seen: len(clients.accepted) > seen + 40, 60, "posts")  # type: ignore[misc]
        if number == 2:
            settings.write_text("MODERATION_SCORER=linear\nMODERATION_METRICS_TOKEN=new-token\n")
        reload(running)
    clients.stop()
    assert clients.wrong == []
    assert len(clients.accepted) > 120
    assert requests.get(f"{running.base_url}/metrics").status_code == 401
    token = {"Authorization": "Bearer new-token"}

    def counts() -> str:
        return requests.get(f"{running.base_url}/metrics", headers=token).text

    # Each accept was counted once, by whichever process; so was each decision, in the worker's own.
    assert f'moderation_comments_accepted_total{{way="api"}} {len(set(clients.accepted))}.0' in counts()
    decided = f'moderation_decisions_total{{action="approve",source="policy"}} {len(set(clients.accepted))}.0'
    until(lambda: decided in counts(), 60, "all to be decided once")


def test_a_reload_that_can_not_work_leaves_all_as_it_was(start: Start, tmp_path: Path) -> None:
    settings = tmp_path / "settings"
    settings.write_text("MODERATION_SCORER=linear\n")
    running = start(env={"MODERATION_SETTINGS_FILE": str(settings)})
    before = top(running)
    settings.write_text("MODERATION_WEB_THREADS=none\n")
    running.process.send_signal(signal.SIGHUP)
    until(lambda: "the old one goes on" in running.log.read_text(), 60, "its refusal")
    assert "MODERATION_WEB_THREADS" in running.log.read_text()
    assert top(running) == before
    assert running.call("POST", "/v1/comments", a_comment())[0] == 202
    os.kill(before["web"], 0)
