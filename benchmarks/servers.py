"""The servers that are measured: the service as it ships, and a bare Flask hello on plain gunicorn with threads."""

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from redis import Redis
from redis.exceptions import RedisError

from moderation import embedded
from moderation.config import load_settings
from moderation.processes import dying_with


def hello() -> Flask:
    """The least that Flask can answer."""
    app = Flask("hello")
    app.add_url_rule("/hello", "hello", lambda: {"status": "ok"})
    return app


@contextmanager
def started(app: str, port: int, env: dict[str, str]) -> Iterator[None]:
    """`service` or `hello` as a child process, ready to answer; it ends with the block."""
    command = [sys.executable, "-P", "-m", "moderation", "web", "--bind", f"127.0.0.1:{port}"]
    if app == "hello":
        command = [sys.executable, "-m", "gunicorn", "benchmarks.servers:hello()", "--bind", f"127.0.0.1:{port}",
                   "--worker-class", "gthread", "--threads", str(load_settings().web_threads)]  # fmt: skip
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env=env, stdout=quiet, stderr=quiet, preexec_fn=dying_with(os.getpid()))
    try:
        _wait(f"http://127.0.0.1:{port}" + ("/hello" if app == "hello" else "/healthz"), process)
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{url} does not answer")


@contextmanager
def redis() -> Iterator[str]:
    """A private Valkey or Redis, as `moderation up` starts it; gives its address."""
    with tempfile.TemporaryDirectory(prefix="bench-redis-") as name:
        folder = Path(name)
        path = embedded.socket_path(folder)
        command = embedded.command(embedded.find_server(), folder, path)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=dying_with(os.getpid()))
        try:
            _wait_for_redis(f"unix://{path}")
            yield f"unix://{path}"
        finally:
            process.terminate()
            process.wait(10)


def _wait_for_redis(url: str) -> None:
    end = time.monotonic() + 10
    while True:
        try:
            Redis.from_url(url).ping()
            return
        except RedisError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
