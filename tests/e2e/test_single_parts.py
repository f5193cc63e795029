"""The parts started singly, with the commands of docker-compose.yml: migrate, web, worker."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests import commands
from tests.databases import until
from tests.ports import free_port
from tests.services import a_comment, bearer


def _program(command: tuple[str, ...]) -> list[str]:
    assert command[0] == "moderation"
    return [str(Path(sys.executable).with_name("moderation")), *command[1:]]


@contextmanager
def _running(command: tuple[str, ...], env: dict[str, str], folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with open(folder / f"{command[1]}.log", "wb") as log:
        process = subprocess.Popen(
            _program(command), env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(90)


def _call(url: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"} | (headers or {}))
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.status, json.loads(answer.read())


def children(pid: int) -> set[int]:
    """Pids of the processes that this one has started (Linux)."""
    return {int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def _text(at: int | str) -> str:
    """/metrics of a port of this machine, or of HOST:PORT; empty while nobody answers there."""
    try:
        with urllib.request.urlopen(
            f"http://{at if isinstance(at, str) else f'127.0.0.1:{at}'}/metrics", timeout=30
        ) as got:
            return str(got.read(), "utf-8")
    except OSError:
        return ""


def test_migrate_web_and_worker_make_a_service(database_url: str, redis_url: str, tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("MODERATION_")} | {
        "MODERATION_DATABASE_URL": database_url,
        "MODERATION_REDIS_URL": redis_url,
        "MODERATION_SECRET_KEY": "k" * 32,
        "MODERATION_METRICS_PORT": str(counts := free_port()),
    }
    subprocess.run(_program(commands.UPGRADE), env=env, cwd=tmp_path, check=True, timeout=60)
    created = subprocess.run(
        _program(("moderation", "site", "create", "news")), env=env, cwd=tmp_path, check=True, capture_output=True
    )
    key = json.loads(created.stdout)["site_key"]
    address = f"127.0.0.1:{free_port()}"

    def ready() -> bool:
        try:
            return _call(f"http://{address}/readyz")[0] == 200
        except OSError:
            return False

    def approved(name: str) -> None:
        """Takes a comment in, and has it decided."""
        comments = f"http://{address}/v1/comments"
        assert _call(comments, a_comment(name), bearer(key))[0] == 202
        found = f"{comments}?external_id={name}"
        until(lambda: _call(found, headers=bearer(key))[1]["status"] == "approved", what=f"the decision on {name}")

    with _running(commands.web(address), env, tmp_path) as web, _running(commands.WORKER, env, tmp_path) as worker:
        until(ready, 60, "readyz")
        approved("c1")
        until(lambda: 'decisions_total{action="approve",source="policy"} 1.0' in _text(counts), what="the count")
        assert 'accepted_total{way="api"} 1.0' in _text(address)
        before = {one: children(one.pid) for one in (web, worker)}
        for one in before:
            one.send_signal(signal.SIGHUP)
        until(
            lambda: all(children(one.pid) and not children(one.pid) & old for one, old in before.items()),
            60,
            "new ones",
        )
        approved("c2")
    assert (web.returncode, worker.returncode) == (0, 0)
