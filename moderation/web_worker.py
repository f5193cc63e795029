"""gunicorn's worker with threads, changed so that only whole requests reach a thread.

As it comes, a client that sends a byte now and then keeps a thread for as long as it likes, and one that never closes
its end keeps the loop that serves all others. Here that loop itself collects what comes in (inbox.py), within limits of
time and memory, and lingers over closed connections without waiting for any of them.
"""

import json
import selectors
import socket
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any

from gunicorn.http.errors import (
    ExpectationFailed,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)
from gunicorn.workers.gthread import ThreadWorker

from moderation import one_piece
from moderation.by_turns import ByTurns, Gate, by_turns
from moderation.connection import RECEIVED_AT_ONCE, SEND_SECONDS, Connection, Settled, Socket
from moderation.inbox import Inbox
from moderation.safe_headers import SAFE

HEAD_SECONDS = 10.0  # for a request to come in, and a second more for each piece of
PACE = 64 * 1024  # bytes
LINGER_SECONDS = 2.0
LARGE = 64 * 1024  # bytes from which on a request counts for
LARGE_TOGETHER = 96 * 1024 * 1024  # bytes in memory
_STOP_SECONDS = 2.0  # that a connection without a request stays open once the process is to end
_ASIDE = 2  # threads for what requests that are served by turns must not wait for in the loop

_STATUS = {LimitRequestLine: 414, LimitRequestHeaders: 431, UnsupportedTransferCoding: 501, ExpectationFailed: 417}
_CODES = {408: "timeout", 413: "too_large", 414: "too_large", 431: "too_large", 503: "unavailable"}


class Worker(ThreadWorker):  # type: ignore[misc]
    """What `moderation web` runs. `safe` are the headers of what the server answers by itself."""

    safe = SAFE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: dict[Connection, None] = {}  # those that no thread has, the longest waiting first
        self._full: dict[Socket, tuple[float, Gate]] = {}  # no room for an answer: until when it is waited for
        self._large = 0
        self._looked = 0.0

    def accept(self, listener: socket.socket) -> None:
        """A new connection; when there are too many, the one that has waited longest for its request goes."""
        try:
            plain, address = listener.accept()
        except OSError:  # it has gone again, or another process has it
            return
        sock = Socket(fileno=plain.detach())
        self.nr_conns += 1
        if self.nr_conns >= self.worker_connections and self._waiting:
            self._drop(next(iter(self._waiting)))
        conn = Connection(self._settled, sock, address, listener.getsockname())
        sock.wait_for_room = partial(self._wait_for_room, conn)
        self._begin(conn, HEAD_SECONDS)

    def init_process(self) -> None:
        """In the new process."""
        self._turns = ByTurns(partial(self.method_queue.defer, int), ThreadPoolExecutor(_ASIDE))
        self._settled = Settled(self.cfg)
        super().init_process()

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """One round of the loop."""
        super().wait_for_and_dispatch_events(0 if self._turns.due() else timeout)
        self._turns.serve()

    def enqueue_req(self, conn: Connection) -> None:
        """A comment that comes by itself is served here, by turns with others; all else by a thread."""
        if conn.inbox.size <= LARGE and _needs_no_thread(conn.inbox.head):
            self._turns.begin(partial(self._serve, conn))
        else:
            self._leave(conn)
            super().enqueue_req(conn)

    def _serve(self, conn: Connection) -> None:
        self._turns.later(partial(self._answered, conn, self.handle(conn)))

    def handle_request(self, req: Any, conn: Connection) -> bool:
        """Has the app answer it; says whether the connection stays open."""
        if not by_turns():
            return bool(super().handle_request(req, conn))
        return one_piece.answer(self.wsgi, req, conn, self.alive)

    def finish_request(self, conn: Connection, done: "Future[Any]") -> None:
        """A thread is done with it."""
        self._answered(conn, not done.cancelled() and done.exception() is None and done.result())

    def _answered(self, conn: Connection, again: bool) -> None:
        self._count(conn, 0)
        if again and not conn.inbox.cut and not conn.parser.unreader.left():
            self._begin(conn, float(self.cfg.keepalive) if self.alive else _STOP_SECONDS)
        else:
            self._linger(conn)

    def murder_pending(self) -> None:
        """Gives up those that were too slow; looks once a second, however often it is called."""
        now = time.monotonic()
        if now < self._looked + 1:
            return
        self._looked = now
        for conn in list(self._waiting):
            if not self.alive and not conn.inbox.size:
                conn.deadline = min(conn.deadline, now + _STOP_SECONDS)
            if conn.deadline > now:
                continue
            if conn.inbox.size and not conn.lingers:
                self._refuse(conn, 408)
            else:
                self._drop(conn)
        for sock, (until, _) in self._full.items():
            if until <= now:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)  # so it seems to have room, and the request ends

    def handle_error(self, _request: Any, sock: socket.socket, _address: Any, error: Exception) -> None:
        """What can't be read is answered as every error is, without a word of it."""
        ours = isinstance(error, (InvalidResponseHeader, InvalidResponseHeaderName))
        if isinstance(error, ParseException) and not ours:
            status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 400)
            self.log.warning("Invalid request")
        else:
            status = 500
            self.log.exception(error)
        with suppress(OSError):
            sock.sendall(_answer(status, self.safe))

    def _wait_for_room(self, conn: Connection) -> None:
        """By turns: goes on when something more can be sent."""
        self._unlist(conn)
        gate = Gate()
        self._full[conn.sock] = time.monotonic() + SEND_SECONDS, gate
        self.poller.register(conn.sock, selectors.EVENT_WRITE, self._has_room)
        gate.wait()

    def _has_room(self, sock: Socket) -> None:
        self.poller.unregister(sock)
        self._full.pop(sock)[1].open()

    def _begin(self, conn: Connection, seconds: float) -> None:
        """It waits for its next request, part of which may be here."""
        conn.sock.setblocking(False)
        conn.began = time.monotonic()
        conn.deadline = conn.began + seconds
        self._waiting[conn] = None
        if conn.inbox.size:
            self._look(conn)
        if conn in self._waiting and not conn.listed and not conn.lingers:
            self._readable(conn, conn.sock)

    def _readable(self, conn: Connection, _sock: socket.socket) -> None:
        if conn not in self._waiting:  # more comes while it is served: it is read afterwards
            self._unlist(conn)
            return
        try:
            data = conn.sock.recv(RECEIVED_AT_ONCE)
        except (BlockingIOError, InterruptedError):
            self._list(conn)
            return
        except OSError:
            data = b""
        if not data:
            self._drop(conn)
        elif conn.lingers:
            self._list(conn)  # what still comes is not looked at
        else:
            self._add(conn, data)

    def _add(self, conn: Connection, data: bytes) -> None:
        conn.inbox.add(data)
        self._count(conn, conn.inbox.size if conn.inbox.size > LARGE else 0)
        if conn.counted and self._large > LARGE_TOGETHER:
            self._refuse(conn, 503)
            return
        conn.deadline = conn.began + HEAD_SECONDS + conn.inbox.size / PACE
        self._look(conn)

    def _look(self, conn: Connection) -> None:
        if conn.inbox.whole():
            if conn.inbox.refused:
                self._refuse(conn, conn.inbox.refused)
            else:
                self._waiting.pop(conn, None)
                self.enqueue_req(conn)
            return
        if conn.inbox.expects():
            with suppress(OSError):
                conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._list(conn)

    def _refuse(self, conn: Connection, status: int) -> None:
        with suppress(OSError):
            conn.sock.send(_answer(status, self.safe))
        self._linger(conn)

    def _linger(self, conn: Connection) -> None:
        """No more is said; what the client still sends is let go, or the last answer would be lost with it."""
        conn.lingers, conn.deadline, conn.inbox = True, time.monotonic() + LINGER_SECONDS, Inbox()
        self._count(conn, 0)
        self._waiting[conn] = None
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(conn)
            return
        self._list(conn)

    def _list(self, conn: Connection) -> None:
        if not conn.listed:
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._readable, conn))
            conn.listed = True

    def _leave(self, conn: Connection) -> None:
        """A thread has it from now on, or nobody."""
        self._waiting.pop(conn, None)
        self._unlist(conn)

    def _unlist(self, conn: Connection) -> None:
        if conn.listed:
            with suppress(KeyError, ValueError, OSError):
                self.poller.unregister(conn.sock)
            conn.listed = False

    def _count(self, conn: Connection, size: int) -> None:
        self._large += size - conn.counted
        conn.counted = size

    def _drop(self, conn: Connection) -> None:
        self._leave(conn)
        self._count(conn, 0)
        self.nr_conns -= 1
        conn.close()


def _needs_no_thread(head: bytes) -> bool:
    """Whether this is answered as soon as it is stored; whoever prefers to wait for the decision needs a thread."""
    return head.startswith(b"POST /v1/comments HTTP/1.") and b"\r\nprefer:" not in head.lower()


def _answer(status: int, safe: Mapping[str, str]) -> bytes:
    """An error of the server's own, in the form of all errors."""
    phrase = HTTPStatus(status).phrase
    code = _CODES.get(status, "malformed" if status < 500 else "internal_error")
    body = json.dumps({"type": "about:blank", "title": code.replace("_", " "), "status": status, "code": code,
                       "detail": phrase}).encode()  # fmt: skip
    headers = {
        "Content-Type": "application/problem+json", "Content-Length": str(len(body)), "Connection": "close",
        **({"Retry-After": "5"} if status == 503 else {}), **safe,
    }  # fmt: skip
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
