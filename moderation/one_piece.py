"""An answer that goes out in one piece: head and body by one call of the system, which the client reads at once.

For requests that are served by turns. Their answers are short and know their length, so that gunicorn's own way, which
takes each line of the head by itself and sends head and body apart, would cost as much as the answer itself.
"""

import re
import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from gunicorn import SERVER
from gunicorn.http import wsgi
from gunicorn.http.errors import InvalidResponseHeader
from gunicorn.util import http_date

from moderation.connection import Connection

# What lines of a head may hold (RFC 9110, 5.5): no way to end one early.
_LINES = re.compile(r"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+: [ \t\x21-\x7e\x80-\xff]*\r\n)*")


class _Begun:
    """What the app says before its body; gunicorn wants it made of its own arguments."""

    headers_sent = False

    def __init__(self, *_: Any) -> None:
        self.status = ""
        self.headers: list[tuple[str, str]] = []

    def start_response(self, status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
        """As WSGI has it, for apps that give all of the body back."""
        self.status, self.headers = status, headers


def answer(app: Any, request: Any, conn: Connection, stays: bool) -> bool:
    """Has the app answer a request; True when the connection stays open. Raises OSError when the client has gone.

    Raises InvalidResponseHeader for a head that would be read as something else.
    """
    begun, environ = wsgi.create(
        request, conn.sock, conn.client, conn.server, conn.cfg, response_class=_Begun
    )  # fmt: skip
    environ["wsgi.multithread"] = True
    parts = app(environ, begun.start_response)
    try:
        body = b"".join(parts)
    finally:
        parts.close()
    named = {name.lower(): value for name, value in begun.headers}
    stays = stays and not request.should_close() and "connection" not in named and "content-length" in named
    conn.sock.sendall(_head(begun.status, begun.headers, stays).encode("latin-1") + body)
    return stays


def _head(status: str, headers: Iterable[tuple[str, str]], stays: bool) -> str:
    given = [f"{name}: {value}\r\n" for name, value in headers if name.lower() != "connection"]
    lines = "".join(given)
    if lines.count("\n") != len(given) or not _LINES.fullmatch(lines):
        raise InvalidResponseHeader("an answer's")
    kept = "keep-alive" if stays else "close"
    own = f"Server: {SERVER}\r\nDate: {_date(int(time.time()))}\r\nConnection: {kept}\r\n"
    return f"HTTP/1.1 {status}\r\n{own}{lines}\r\n"


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return str(http_date(second))
