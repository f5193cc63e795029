"""How soon is a Perspective call answered at 20 a second, alone and while the worker drains a burst beside it?"""

import json
import os
import sqlite3
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from threading import local
from typing import Any
from urllib.parse import urlsplit

from benchmarks.texts import texts
from moderation.processes import dying_with

RATE = 20  # calls a second, as many as 20 callers that wait for nothing else
_BURST = 500
_own = local()


@dataclass(frozen=True)
class Phase:
    """Times of the answers in milliseconds, counted from when each call was due, and how many comments were pending
    beside them at the first and at the last call."""

    name: str
    latencies: list[float]
    pending: tuple[int, int] = (0, 0)


def measure(folder: Path, seconds: float, port: int) -> list[Phase]:
    """Both phases against `moderation up` as it ships: the default scorer, SQLite, its own Valkey, one web process."""
    command = [sys.executable, "-P", "-m", "moderation", "up", "--port", str(port), "--data", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               preexec_fn=dying_with(os.getpid()))  # fmt: skip
    try:
        base = f"http://127.0.0.1:{port}"
        _ready(base, process)
        key = json.loads((folder / "credentials.json").read_text("utf-8"))["site_key"]
        bodies = [_analyze(text) for text in islice(texts(), round(seconds * RATE))]
        _call(base, key, bodies[0])
        quiet = Phase("alone", _calls(base, key, bodies))
        burst = [_comment(n, text) for n, text in enumerate(islice(texts(), round(seconds * 1000)))]
        for begin in range(0, len(burst), _BURST):
            _post(f"{base}/v1/comments/batch", key, {"comments": burst[begin : begin + _BURST]})
        before = _pending(folder)
        busy = _calls(base, key, bodies)
        return [quiet, Phase("while the worker drains", busy, (before, _pending(folder)))]
    finally:
        process.terminate()
        process.wait(30)


def _pending(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "moderation.sqlite3")) as database:
        return int(database.execute("SELECT count(*) FROM comments WHERE status = 'pending'").fetchone()[0])


def _analyze(text: str) -> bytes:
    """What Coral sends."""
    return json.dumps({
        "comment": {"text": text}, "doNotStore": True, "requestedAttributes": {"TOXICITY": {}}, "languages": ["en"],
    }).encode()  # fmt: skip


def _comment(n: int, text: str) -> dict[str, Any]:
    return {"external_id": f"burst-{n}", "body": text, "author": {"name": "Ann", "email": "ann@example.org"},
            "article": {"url": "https://news.example/burst"}}  # fmt: skip


def _calls(base: str, key: str, bodies: list[bytes]) -> list[float]:
    """Sends each body when its time has come, whether or not the ones before were answered."""
    begin = time.perf_counter() + 0.1

    def one(n: int) -> float:
        due = begin + n / RATE
        time.sleep(max(0.0, due - time.perf_counter()))
        _call(base, key, bodies[n])
        return (time.perf_counter() - due) * 1000

    with ThreadPoolExecutor(RATE) as pool:
        return list(pool.map(one, range(len(bodies))))


def _call(base: str, key: str, body: bytes) -> None:
    if not hasattr(_own, "connection"):
        _own.connection = HTTPConnection(urlsplit(base).netloc, timeout=30)
    _own.connection.request("POST", f"/v1alpha1/comments:analyze?key={key}", body, {"Content-Type": "application/json"})
    answer = _own.connection.getresponse()
    found = json.loads(answer.read())
    if answer.status != 200 or "attributeScores" not in found:
        raise RuntimeError(f"analyze answered {answer.status}")


def _post(url: str, key: str, body: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers), timeout=60):
        pass


def _ready(base: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(f"{base}/readyz", timeout=2).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{base} is not ready")
