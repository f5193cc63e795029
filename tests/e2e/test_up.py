"""`moderation up` as an operator meets it: starts, stops, restarts, and what happens when a part dies."""

import json
import os
import signal
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import func, select

from moderation.processes import lives
from moderation.store.session import Store
from moderation.store.tables import Comment, Decision
from tests.databases import until
from tests.services import ABUSE, Running, Unready, a_comment

Start = Callable[..., Running]


def decided(running: Running, external_id: str) -> str:
    """The comment's status once it is decided."""
    answer: dict[str, Any] = {}

    def done() -> bool:
        answer.update(running.call("GET", f"/v1/comments?external_id={external_id}")[1])
        return answer.get("status") not in (None, "pending")

    until(done, 60, f"the decision on {external_id}")
    return str(answer["status"])


def all_pids(running: Running) -> list[int]:
    return [pid for pids in running.parts().values() for pid in pids]


@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGTERM, signal.SIGTERM], [signal.SIGINT]])
def test_signals_stop_all(start: Start, signals: list[signal.Signals]) -> None:
    running = start()
    pids = all_pids(running)
    for number in signals:
        running.process.send_signal(number)
    assert running.process.wait(30) == 0
    until(lambda: not any(lives(pid) for pid in pids), what="the end of all parts")
    assert "Traceback" not in running.log.read_text()


def test_a_restart_goes_on_where_it_stopped(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "mine.txt").write_text("keep me")
    running = start()
    before = running.credentials
    credentials = folder / "credentials.json"
    assert stat.S_IMODE(credentials.stat().st_mode) == 0o600
    assert running.call("POST", "/v1/comments", a_comment("before", body=ABUSE))[0] == 202
    assert decided(running, "before") == "held"
    running.kill("worker", signal.SIGSTOP)  # one that does nothing any more: these comments stay pending
    for number in range(5):
        assert running.call("POST", "/v1/comments", a_comment(f"late{number}"))[0] == 202
    os.killpg(running.process.pid, signal.SIGKILL)
    running.process.wait(10)
    until(lambda: not any(lives(pid) for pid in all_pids(running)), what="the end of all parts")
    again = start()
    assert again.credentials | {"base_url": ""} == before | {"base_url": ""}
    assert again.credentials["base_url"] != before["base_url"]
    assert stat.S_IMODE(credentials.stat().st_mode) == 0o600
    for number in range(5):
        assert decided(again, f"late{number}") == "approved"
    assert again.call("GET", "/v1/comments?external_id=before")[1]["status"] == "held"
    assert again.token()
    assert (folder / "mine.txt").read_text() == "keep me"
    assert before["moderator"]["password"] not in running.log.read_text()  # its output was no terminal


def test_none_outlives_a_supervisor_killed_with_9(start: Start) -> None:
    running = start()
    pids = all_pids(running)
    assert len(pids) >= 5
    running.process.kill()
    until(lambda: not any(lives(pid) for pid in pids), what="the end of all parts")


@pytest.mark.parametrize("part", ["web", "worker", "redis"])
def test_a_dead_part_is_there_again(start: Start, part: str) -> None:
    running = start()
    old = running.parts()[part]
    running.kill(part, signal.SIGKILL)
    until(lambda: set(running.parts()[part]) - set(old), what=f"{part} to be started again")
    assert running.call("POST", "/v1/comments", a_comment("after"))[0] == 202
    assert decided(running, "after") == "approved"
    until(lambda: running.call("GET", "/readyz", key=None)[0] == 200, what="readyz")


def test_the_printed_line_works_when_pasted(start: Start) -> None:
    running = start("--demo")
    lines = running.log.read_text().splitlines()
    line = next(line for line in lines if line.startswith("curl "))
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    until(lambda: running.call("GET", f"/v1/comments/{made['id']}")[1]["status"] == "approved", what="the decision")


class WithoutRedis(Unready):
    """Never quite ready: it has all but Redis."""

    def __init__(self, folder: Path, env: dict[str, str] | None = None) -> None:
        super().__init__(folder, env=(env or {}) | {"MODERATION_REDIS_URL": "unix:///nowhere/redis.sock"})


@pytest.fixture
def without_redis(tmp_path: Path) -> Iterator[Running]:
    running = WithoutRedis(tmp_path / "data")
    yield running
    running.stop()


def test_with_redis_gone_comments_are_taken_and_decided(without_redis: Running) -> None:
    """Nothing listens there: the answer comes at once all the same, and the sweep decides."""
    running = without_redis
    for number in range(5):
        assert running.call("POST", "/v1/comments", a_comment(f"c{number}"))[0] == 202
    for number in range(5):
        assert decided(running, f"c{number}") == "approved"
    status, ready = running.call("GET", "/readyz", key=None)
    assert (status, ready["parts"]["redis"]) == (503, "does not answer")
    assert {state for part, state in ready["parts"].items() if part != "redis"} == {"ok"}
    assert running.call("GET", "/readyz?for=web", key=None)[0] == 200


def test_with_redis_hanging_comments_are_taken_and_decided(start: Start) -> None:
    running = start()
    running.kill("redis", signal.SIGSTOP)
    try:
        assert running.call("POST", "/v1/comments", a_comment("c"))[0] == 202
        assert decided(running, "c") == "approved"
        assert running.call("GET", "/readyz", key=None)[1]["parts"]["redis"] == "does not answer"
    finally:
        running.kill("redis", signal.SIGCONT)
    until(lambda: running.call("GET", "/readyz", key=None)[0] == 200, what="readyz")


def test_a_lost_ring_is_made_good(start: Start) -> None:
    """Redis forgets everything, its queue too; what was pending is decided all the same, once."""
    running = start()
    redis = Redis.from_url(f"unix://{running.folder / 'redis' / 'redis.sock'}")
    for number in range(20):
        running.call("POST", "/v1/comments", a_comment(f"c{number}"))
        redis.flushall()
    for number in range(20):
        assert decided(running, f"c{number}") == "approved"
    store = Store(f"sqlite:///{running.folder / 'moderation.sqlite3'}")
    with store.read() as session:
        assert session.scalar(select(func.count()).select_from(Decision)) == 20
        assert session.scalar(select(func.count()).select_from(Comment)) == 20
    store.close()


@pytest.mark.parametrize("name", ["my data?#%41", "größer", "d" * 120])
def test_a_folder_with_an_unusual_name(start: Start, tmp_path: Path, name: str) -> None:
    running = start(folder=tmp_path / name)
    running.call("POST", "/v1/comments", a_comment())
    assert decided(running, "c1") == "approved"
    running.stop()
    assert "ValueError" not in running.log.read_text()
    assert (tmp_path / name / "moderation.sqlite3").exists()
