"""A small closed-loop HTTP client: one thread, keep-alive connections, each sends its next request on an answer.

It speaks only to this machine. A client in Python takes cores away from the server, so that only ratios of
targets measured with the same client mean something.
"""

import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

CONNECTIONS = 16


@dataclass
class Load:
    """What one round brought: answers, seconds, and the time of each answer in milliseconds."""

    answers: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answers / self.seconds


def post(path: str, key: str, body: bytes) -> bytes:
    """The bytes of a POST of JSON."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def get(path: str) -> bytes:
    """The bytes of a GET."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


class _Connection:
    def __init__(self, port: int) -> None:
        self._port = port
        self._buffer = b""
        self.sent_at = 0.0
        self.open()

    def open(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self._port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, request: bytes) -> None:
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def answer(self) -> tuple[int, bool] | None:
        """(status, whether the connection stays open) of an answer that is complete; None before that."""
        piece = self.socket.recv(262_144)
        if not piece:
            raise ConnectionError("the server closed the connection inside an answer")
        self._buffer += piece
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return None
        lower = head.lower()
        _, found, length = lower.partition(b"content-length:")
        if not found:
            raise ConnectionError("an answer without a length")
        if len(body) < int(length.split(b"\r\n", 1)[0]):
            return None
        self._buffer = b""
        return int(head[9:12]), b"connection: close" not in lower


def load(port: int, request: Callable[[], bytes], expected: int, seconds: float) -> Load:
    """Loads the server for so long; every answer must have the expected status."""
    result, selector = Load(), selectors.DefaultSelector()
    connections = [_Connection(port) for _ in range(CONNECTIONS)]
    for connection in connections:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    began = time.perf_counter()
    for connection in connections:
        connection.send(request())
    busy = len(connections)
    while busy:
        for key, _ in selector.select(timeout=30):
            connection = key.data
            answer = connection.answer()
            if answer is None:
                continue
            now = time.perf_counter()
            status, stays = answer
            if status != expected:
                raise RuntimeError(f"the server answered {status} instead of {expected}")
            result.answers += 1
            result.latencies.append((now - connection.sent_at) * 1000)
            if now - began >= seconds:
                selector.unregister(connection.socket)
                busy -= 1
                continue
            if not stays:
                selector.unregister(connection.socket)
                connection.socket.close()
                connection.open()
                selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(request())
    result.seconds = time.perf_counter() - began
    for connection in connections:
        connection.socket.close()
    return result
