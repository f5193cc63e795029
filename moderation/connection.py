"""A connection whose requests are collected before anybody serves them, and what gunicorn is given of it."""

import socket
from collections.abc import Callable
from typing import Any

from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn

from moderation.by_turns import by_turns
from moderation.inbox import Inbox

SEND_SECONDS = 30.0  # for a piece of an answer to be taken
RECEIVED_AT_ONCE = 64 * 1024  # bytes


class Unreader(SocketUnreader):  # type: ignore[misc]
    """Gives the parser one whole request, and never reads from the socket."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self._held = memoryview(b"")

    def hold(self, request: bytes) -> None:
        """From now on it gives this."""
        self._held = memoryview(request)

    def left(self) -> bool:
        """Whether the parser and the inbox disagree on where the request ended."""
        return bool(self._held or self.buf.getvalue())

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next bytes of the request; none at its end."""
        size = max(size_hint or 0, RECEIVED_AT_ONCE)
        piece, self._held = bytes(self._held[:size]), self._held[size:]
        return piece


class Socket(socket.socket):
    """Where a request is served by turns, nobody waits with it for a client that does not read."""

    wait_for_room: Callable[[], None]

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """All of it; by turns without blocking. Raises OSError when the client has gone."""
        if not by_turns():
            super().sendall(data, flags)
            return
        left = memoryview(data)
        while left:
            try:
                left = left[self.send(left, flags | socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                self.wait_for_room()


class Connection(TConn):  # type: ignore[misc]
    """`deadline` is when it is given up, unless a thread has it; `lingers` says that it was answered for the last
    time; `listed` that the poller knows it."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.inbox = Inbox()
        self.data_ready = True
        self.listed = self.lingers = False
        self.began = self.deadline = 0.0
        self.counted = 0  # bytes of it that stand in the sum of the large ones

    def init(self) -> None:
        """Called where it is served, with a whole request."""
        super().init()
        if not isinstance(self.parser.unreader, Unreader):
            self.parser.unreader = Unreader(self.sock)
        if not by_turns():
            self.sock.settimeout(SEND_SECONDS)
        if self.inbox.size:
            self.parser.unreader.hold(self.inbox.take())
