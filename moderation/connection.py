"""A connection whose requests are collected before anybody serves them, and what gunicorn is given of it."""

import socket
from collections.abc import Callable
from typing import Any

from gunicorn.http import unreader
from gunicorn.workers.gthread import TConn

from moderation.by_turns import by_turns
from moderation.inbox import Inbox

SEND_SECONDS = 30.0  # for a piece of an answer to be taken
RECEIVED_AT_ONCE = 64 * 1024  # bytes


class Unreader(unreader.Unreader):  # type: ignore[misc]
    """Gives the parser one whole request, and knows of no socket."""

    def __init__(self) -> None:
        super().__init__()
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

    def setblocking(self, flag: bool) -> None:
        """By turns it stays as it is. Only a change is worth a call of the system, at which a thread loses its turn."""
        if flag != self.getblocking() and not by_turns():
            super().setblocking(flag)

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


class Settled:
    """gunicorn's settings as they are once it serves; twenty of them are looked up for each request, the long way."""

    def __init__(self, cfg: Any) -> None:
        self._cfg = cfg

    def __getattr__(self, name: str) -> Any:
        """The setting; from then on it is an attribute."""
        value = getattr(self._cfg, name)
        setattr(self, name, value)
        return value


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
            self.parser.unreader = Unreader()
        if not by_turns():
            self.sock.settimeout(SEND_SECONDS)
        if self.inbox.size:
            self.parser.unreader.hold(self.inbox.take())
