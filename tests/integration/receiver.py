"""A site's webhook receiver: a real HTTP server in a thread, which answers as told and keeps what it got."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from standardwebhooks import Webhook


class Receiver:
    """Listens on 127.0.0.1. `answers` are the statuses to give, in order; after them 204.

    Status 0 means: no answer at all; -1: one that comes a byte at a time and never ends.
    """

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.closing = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # (name given by http.server)
                receiver.answer(self)

            def log_message(self, *_: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook?a=1"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Keeps the request and answers it."""
        body = request.rfile.read(int(request.headers["Content-Length"]))
        self.got.append(({name.lower(): value for name, value in request.headers.items()} | {"": request.path}, body))
        status = self.answers.pop(0) if self.answers else 204
        if status == 0:
            self.closing.wait(60)
            return
        if status == -1:
            self._dribble(request)
            return
        request.send_response(status)
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
