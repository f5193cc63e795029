"""A site's webhook receiver: a real HTTP server in a thread, which answers as told and keeps what it got."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from standardwebhooks import Webhook


class Receiver:
    """Listens on 127.0.0.1. `answers` are the statuses to give, in order; after them 204.

    Status 0 means: no answer at all; -1: one that comes a byte at a time and never ends; -2: 204, and the connection,
    which was to stay, is closed; -3: 200, said to be the last answer here, with a body as slow as that of -1.
    """

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.closing = threading.Event()
        self.connections = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                receiver.connections += 1
                super().setup()

            def do_POST(self) -> None:  # (name given by http.server)
                receiver.answer(self)

            def log_message(self, *_: Any) -> None:
                return

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook?a=1"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Keeps the request and answers it."""
        body = request.rfile.read(int(request.headers["Content-Length"]))
        self.got.append(({name.lower(): value for name, value in request.headers.items()} | {"": request.path}, body))
        status = self.answers.pop(0) if self.answers else 204
        if status <= 0:
            request.close_connection = True
        if status == 0:
            self.closing.wait(60)
            return
        if status in (-1, -3):
            if status == -3:
                request.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9999\r\n\r\n")
            self._dribble(request)
            return
        request.send_response(204 if status == -2 else status)
        if 300 <= status < 400:
            request.send_header("Location", self.url)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def _dribble(self, request: BaseHTTPRequestHandler) -> None:
        try:
            while not self.closing.wait(0.05):
                request.wfile.write(b"H")
        except OSError:  # the caller has had enough
            return

    def ids(self) -> list[str]:
        """The event ids, in the order in which they came."""
        return [headers["webhook-id"] for headers, _ in self.got]

    def events(self, secret: str) -> list[dict[str, Any]]:
        """What was received, each checked by the library of Standard Webhooks."""
        return [Webhook(secret).verify(body, headers) for headers, body in self.got]

    def close(self) -> None:
        """Ends it."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of this test's own."""
    opened = Receiver()
    yield opened
    opened.close()
