"""`moderation web` against clients that are slow, huge or forged on purpose: it answers all others meanwhile."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from moderation.safe_headers import SAFE
from moderation.services import sites
from moderation.store import schema
from moderation.store.session import Store, new_id
from tests.databases import until
from tests.ports import free_port
from tests.services import a_comment, bearer

THREADS = 4
CLIENTS = 50
DEAF, DEAF_TO = 3 * THREADS, 1_000  # clients, answers; so many requests are less than the server receives at once


class Web:
    """`moderation web` by itself, with few threads, on SQLite."""

    def __init__(self, folder: Path) -> None:
        store = Store(f"sqlite:///{folder / 'db.sqlite3'}")
        schema.upgrade(store)
        with store.write() as session:
            _, self.key = sites.create_site(session, "test")
        store.close()
        self.port = free_port()
        self.log = folder / "web.log"
        env = os.environ | {
            "MODERATION_DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}", "MODERATION_SECRET_KEY": "k" * 32,
            "MODERATION_REDIS_URL": "redis://127.0.0.1:1/0", "MODERATION_WEB_THREADS": str(THREADS),
            "MODERATION_SCORER": "linear", "MODERATION_BASE_URL": "https://comments.example",
        }  # fmt: skip
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "moderation", "web", "--bind", f"127.0.0.1:{self.port}"], env=env,
                cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        until(self.lives, 150, "the web server")

    def lives(self) -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/healthz", timeout=30).status_code == 200
        except OSError:
            return False

    def refused(self) -> int:
        """How many comments it has answered with 401."""
        text = requests.get(f"http://127.0.0.1:{self.port}/metrics", timeout=30).text
        found = re.search(r'^moderation_http_requests_total.*"/v1/comments",status="401".* ([\d.]+)$', text, re.M)
        return int(float(found[1])) if found else 0

    def connect(self, data: bytes = b"") -> socket.socket:
        """A connection that has sent this so far."""
        opened = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        opened.sendall(data)
        return opened

    def say(self, data: bytes) -> bytes:
        """All that is answered to this, until the server ends the connection or says nothing more."""
        with self.connect(data) as opened:
            return all_of(opened)


def all_of(opened: socket.socket, seconds: float = 30) -> bytes:
    opened.settimeout(seconds)
    answer = b""
    try:
        while piece := opened.recv(65536):
            answer += piece
    except TimeoutError:
        pass
    return answer


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    running = Web(tmp_path_factory.mktemp("web"))
    yield running
    running.process.send_signal(signal.SIGTERM)
    running.process.wait(30)


HEAD = b"POST /v1/comments HTTP/1.1\r\nHost: a\r\n"
FORM = b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
ATTACKS: dict[str, Callable[[], tuple[bytes, bytes]]] = {
    "nothing": lambda: (b"", b""),
    "headers": lambda: (HEAD, b"X-a: b\r\n"),
    "a request line": lambda: (b"GET", b"x"),
    "a body": lambda: (FORM + b"Content-Length: 60000\r\n\r\nemail=", b"x"),
    "a large body": lambda: (FORM + b"Content-Length: 16000000\r\n\r\nemail=", b"x" * 3000),
    "chunks": lambda: (FORM + b"Transfer-Encoding: chunked\r\n\r\n5\r\nemail\r\n", b"1\r\nx\r\n"),
    "one request and part of another": lambda: (b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" + HEAD, b"X: y\r\n"),
    "a body announced": lambda: (FORM + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n", b"x"),
}


@pytest.mark.parametrize("kind", ATTACKS)
def test_fifty_slow_clients_hold_up_nobody(web: Web, kind: str) -> None:
    first, more = ATTACKS[kind]()
    slow = [web.connect(first) for _ in range(CLIENTS)]
    try:
        for n in range(5):
            comment = a_comment(f"{kind}{n}")
            answer = requests.post(
                f"http://127.0.0.1:{web.port}/v1/comments", json=comment, headers=bearer(web.key), timeout=30
            )
            assert answer.status_code == 202
            for one in slow:
                one.send(more)  # all are still connected, and go on
    finally:
        for one in slow:
            one.close()


def test_clients_that_never_read_hold_up_nobody(web: Web) -> None:
    """Each asks for more than the kernel keeps for one who does not read, so that the server has no room to answer."""
    asked = HEAD + b"Content-Length: 2\r\n\r\n{}"
    deaf = [socket.socket() for _ in range(DEAF)]
    for one in deaf:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)  # the kernel keeps some pieces, so these are small
        one.settimeout(60)
        one.connect(("127.0.0.1", web.port))
        one.sendall(asked * DEAF_TO)

    def no_room() -> bool:
        """Whoever can be answered is, while another's comment is taken in."""
        before = web.refused()
        answer = requests.post(
            f"http://127.0.0.1:{web.port}/v1/comments", json=a_comment(new_id()), headers=bearer(web.key), timeout=30
        )
        assert answer.status_code == 202
        return web.refused() == before < DEAF * DEAF_TO

    until(no_room, what="the server to wait for all of them")
    assert deaf[0].recv(65536).startswith(b"HTTP/1.1 401 ")  # its answers are there as soon as it reads
    for one in deaf:
        one.close()


def test_a_client_that_is_too_slow_is_told_and_let_go(web: Web) -> None:
    with web.connect(HEAD) as slow, web.connect() as silent:
        assert all_of(slow).startswith(b"HTTP/1.1 408 ")
        assert all_of(silent) == b""


def test_clients_that_never_close_hold_up_nobody(web: Web) -> None:
    """Each is answered and told that it is over; none of them hangs up."""
    slow = [web.connect(b"nonsense\r\n\r\n") for _ in range(CLIENTS)]
    for one in slow:
        assert one.recv(65536).startswith(b"HTTP/1.1 400 ")
        assert web.lives()
    for one in slow:
        one.close()


SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: b\r\n\r\n"
FORGED = {
    "both lengths": b"POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "both, the other way": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 40\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 36\r\n\r\n",
    "a length that is a list": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 36\r\n\r\n",
    "a length with a sign": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n",
    "a length before a space": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 36\r\n\r\n",
    "a coding in disguise": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked twice": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked of version 1.0": b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bare line feeds": b"GET / HTTP/1.1\nHost: a\n\n",
    "a bare line feed in a header": b"GET / HTTP/1.1\r\nHost: a\r\nX: y\nContent-Length: 36\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n Content-Length: 36\r\n\r\n",
    "a nul in a header": b"GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n",
    "a chunk without end": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcdeXX0\r\n\r\n",
    "a chunk's size with a sign": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+0\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("kind", FORGED)
def test_what_can_be_read_in_two_ways_is_refused_and_nothing_behind_it_is_read(web: Web, kind: str) -> None:
    answer = web.say(FORGED[kind] + SMUGGLED)
    assert answer.count(b"HTTP/1.1 ") == 1, answer
    assert answer.split(b" ", 2)[1] in (b"400", b"501"), answer
    assert b"Connection: close" in answer


def test_a_body_that_nobody_reads_is_no_request(web: Web) -> None:
    """What follows it on the connection is not mistaken for one."""
    inner = b"GET /readyz HTTP/1.1\r\nHost: b\r\n\r\n"
    for length in (17 * 1024 * 1024, len(inner)):
        head = b"POST /v1/comments HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % length
        answer = web.say(
            head + inner + (b"" if length > len(inner) else SMUGGLED.replace(b"b", b"b\r\nConnection: close"))
        )
        assert answer.startswith(b"HTTP/1.1 401 "), answer
        assert b'"parts"' not in answer  # of /readyz


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 9000 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 500 + b"\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 100_000, b"431"),
        (b"nonsense\r\n\r\n", b"400"),
    ],
)
def test_limits_are_answered_as_every_error_is(web: Web, request_: bytes, status: bytes) -> None:
    answer = web.say(request_)
    assert answer.split(b" ", 2)[1] == status
    head, _, body = answer.partition(b"\r\n\r\n")
    assert json.loads(body)["status"] == int(status)
    for name in (*SAFE, "Strict-Transport-Security"):
        assert name.encode() in head
    assert b"aaaa" not in body


def test_an_oversized_body_is_refused_and_the_answer_arrives(web: Web) -> None:
    for body in (b"x" * 17 * 1024 * 1024, iter([b"x" * 1024 * 1024] * 17)):
        answer = requests.post(
            f"http://127.0.0.1:{web.port}/v1/comments", data=body, timeout=60,
            headers=bearer(web.key) | {"Content-Type": "application/json"},
        )  # fmt: skip
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert web.lives()


def test_large_and_chunked_requests_that_are_good_are_taken(web: Web) -> None:
    comments = [a_comment(f"large{n}", "word " * 1900) for n in range(300)]
    whole = json.dumps({"comments": comments}).encode()
    pieces = iter([whole[n : n + 70_000] for n in range(0, len(whole), 70_000)])
    headers = bearer(web.key) | {"Content-Type": "application/json"}
    for body, more in ((whole, {}), (pieces, {}), (whole, {"Expect": "100-continue"})):
        answer = requests.post(
            f"http://127.0.0.1:{web.port}/v1/comments/batch", data=body, headers=headers | more, timeout=60
        )
        assert answer.status_code == 200
        assert len(answer.json()["results"]) == 300


def test_many_requests_on_one_connection_each_have_their_answer(web: Web) -> None:
    one = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    answer = web.say(one * 30 + one.replace(b"a\r", b"a\r\nConnection: close\r"))
    assert answer.count(b"HTTP/1.1 200 ") == 31


def test_more_connections_than_there_may_be_push_out_the_oldest(web: Web) -> None:
    idle = [web.connect(b"GET") for _ in range(1100)]
    try:
        assert web.lives()
        assert all_of(idle[0], 5) == b""
    finally:
        for one in idle:
            one.close()


def test_no_word_of_it_is_in_the_log(web: Web) -> None:
    log = web.log.read_text()
    assert "nonsense" not in log
    assert "127.0.0.1" not in log
    assert "Traceback" not in log
