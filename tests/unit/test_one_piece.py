"""An answer in one piece: what stands on the wire, when the connection stays open, and what is never sent."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, Response, request
from gunicorn.config import Config
from gunicorn.http.errors import InvalidResponseHeader
from werkzeug.wsgi import ClosingIterator

from moderation import one_piece
from moderation.connection import Connection, Settled, Socket

POST = b"POST /v1/comments HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"


def app_that(view: Callable[[], Any]) -> Flask:
    app = Flask("pieces")
    app.add_url_rule("/v1/comments", "submit", view, methods=["POST"])
    return app


@pytest.fixture
def pair() -> Iterator[tuple[Connection, socket.socket]]:
    server, client = socket.socketpair()
    cfg: Any = Settled(Config())
    connection = Connection(cfg, Socket(fileno=server.detach()), ("127.0.0.1", 5), ("127.0.0.1", 80))
    yield connection, client
    connection.close()
    client.close()


def answered(connection: Connection, app: Any, head: bytes = POST, *, stays: bool = True) -> bool:
    connection.inbox.add(head + b"\r\n{}")
    assert connection.inbox.whole()
    connection.init()
    return one_piece.answer(app, next(connection.parser), connection, stays)


def test_head_and_body_come_together(pair: tuple[Connection, socket.socket]) -> None:
    connection, client = pair
    app = app_that(lambda: (f"{request.get_data().decode()} from {request.host}", 202, {"X-Own": "é"}))
    for _ in range(2):  # on the same connection
        assert answered(connection, app)
        head, _, body = client.recv(65536).partition(b"\r\n\r\n")
        assert body == b"{} from a"
        lines = head.split(b"\r\n")
        assert lines[0] == b"HTTP/1.1 202 ACCEPTED"
        assert b"Connection: keep-alive" in lines
        assert b"Content-Length: 9" in lines
        assert "X-Own: é".encode("latin-1") in lines
        assert sum(line.startswith(b"Date: ") for line in lines) == 1


@pytest.mark.parametrize(
    ("head", "headers", "stays"),
    [
        (POST, {}, False),  # the process is to end
        (POST + b"Connection: close\r\n", {}, True),
        (POST.replace(b"HTTP/1.1", b"HTTP/1.0"), {}, True),
        (POST, {"Connection": "close"}, True),
    ],
)
def test_a_connection_that_closes_is_told_so(
    pair: tuple[Connection, socket.socket], head: bytes, headers: dict[str, str], stays: bool
) -> None:
    connection, client = pair
    assert not answered(connection, app_that(lambda: Response("no", 413, headers)), head, stays=stays)
    said = client.recv(65536)
    assert said.count(b"Connection: ") == 1
    assert b"\r\nConnection: close\r\n" in said


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "a\nb", "a\0", "\u20ac"])
def test_a_head_that_would_be_read_as_something_else_is_not_sent(
    pair: tuple[Connection, socket.socket], value: str
) -> None:
    connection, client = pair

    def app(_environ: Any, start_response: Any) -> ClosingIterator:  # a framework that does not check
        start_response("200 OK", [("X-Own", value), ("Content-Length", "3")])
        return ClosingIterator([b"yes"])

    with pytest.raises(InvalidResponseHeader):
        answered(connection, app)
    client.setblocking(False)
    with pytest.raises(BlockingIOError):
        client.recv(1)
