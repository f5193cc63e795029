"""The servers that are measured: `python -m benchmarks.servers gunicorn|granian service|hello PORT`.

granian is no part of the product: it is measured, where it is installed, to see what another server would bring.
"""

import importlib.util
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

from moderation import embedded, web_server
from moderation.app import create_app
from moderation.config import load_settings
from moderation.processes import dying_with

HAS_GRANIAN = importlib.util.find_spec("granian") is not None


def hello() -> Flask:
    """The least that Flask can answer."""
    app = Flask("hello")
    app.add_url_rule("/hello", "hello", lambda: {"status": "ok"})
    return app


def service() -> Flask:
    """The service."""
    return create_app(load_settings())


def run(server: str, app: str, port: int) -> None:
    """Serves until it is told to stop, with the product's own number of threads and processes."""
    settings = load_settings()
    if server == "gunicorn":
        # hello runs on the very options of `moderation web`: only the app is another one.
        web_server.create_app = lambda _settings: hello()  # type: ignore[attr-defined]
        web_server.serve(settings, f"127.0.0.1:{port}")
    else:
        from granian import Granian

        Granian(
            f"benchmarks.servers:{app}", factory=True, interface="wsgi", address="127.0.0.1", port=port,
            workers=settings.web_processes, blocking_threads=settings.web_threads, http="1", log_access=False,
            log_level="warning", websockets=False,
        ).serve()  # fmt: skip


@contextmanager
def started(server: str, app: str, port: int, env: dict[str, str]) -> Iterator[None]:
    """One server as a child process, ready to answer; it ends with the block."""
    command = [sys.executable, "-P", "-m", "moderation", "web", "--bind", f"127.0.0.1:{port}"]
    if (server, app) != ("gunicorn", "service"):
        command = [sys.executable, "-m", "benchmarks.servers", server, app, str(port)]
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


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], int(sys.argv[3]))
