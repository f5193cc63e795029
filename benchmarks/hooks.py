"""A webhook's receiver as a process of its own, fast enough to be no limit: `python -m benchmarks.hooks [DELAY_MS]`.

It prints its port, takes every POST with 204 after the delay, and answers each GET with what it has seen as JSON.
"""

import asyncio
import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
_ID = re.compile(rb"\r\nwebhook-id: *([0-9a-f]+)", re.I)


class _Seen:
    """Events by id, and the last one of each comment: ids are in the order of time, so a smaller one came late."""

    def __init__(self) -> None:
        self.posts = self.connections = self.late = 0
        self.ids: set[bytes] = set()
        self.last: dict[str, bytes] = {}

    def note(self, id: bytes, body: bytes) -> None:
        self.posts += 1
        if id in self.ids:
            return
        self.ids.add(id)
        comment = json.loads(body)["data"]["id"]
        self.late += id < self.last.get(comment, b"")
        self.last[comment] = max(id, self.last.get(comment, b""))

    def answer(self) -> bytes:
        told = {"posts": self.posts, "events": len(self.ids), "late": self.late, "connections": self.connections}
        body = json.dumps(told).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


class _Connection(asyncio.Protocol):
    def __init__(self, seen: _Seen, delay: float) -> None:
        self._seen, self._delay, self._buffer = seen, delay, b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._seen.connections += 1

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        size = int(length.group(1)) if length else 0
        if not end or len(rest) < size:
            return
        self._buffer = rest[size:]
        if head.startswith(b"GET"):
            self._transport.write(self._seen.answer())
            return
        id = _ID.search(head)
        self._seen.note(id.group(1) if id else b"", rest[:size])
        asyncio.get_running_loop().call_later(self._delay, self._transport.write, b"HTTP/1.1 204 No Content\r\n\r\n")


async def _serve(delay: float) -> None:
    seen = _Seen()
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(seen, delay), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Hooks:
    """The receiver at work: its `url`, and what it has `seen`."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/hook"

    def seen(self) -> dict[str, int]:
        """posts; events (each once); late (after a newer one of the same comment); connections."""
        with urllib.request.urlopen(self.url, timeout=30) as answer:
            told: dict[str, int] = json.loads(answer.read())
            return told


@contextmanager
def receiving(delay_ms: float = 0.0) -> Iterator[Hooks]:
    """Runs it for the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.hooks", str(delay_ms)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield Hooks(int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]) / 1000 if len(sys.argv) > 1 else 0.0))
