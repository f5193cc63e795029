"""Calls to a receiver: only to an address that was checked, over connections that are kept, within a time limit."""

import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from moderation.services.look_up import look_up

_CONNECT_SECONDS = 5.0
# How often calls are looked at whose time is over.
_WATCH_SECONDS = 0.05
_IDLE_AT_MOST = 64
# An answer longer than this is not read to its end; its connection is not kept.
_ANSWER = 64 * 1024
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True)
class Target:
    """Where a webhook goes: the address that was checked is the address that is called."""

    url: str
    host: str
    port: int
    ip: str
    tls: bool


@dataclass(frozen=True)
class Answer:
    """What the receiver said: an HTTP status, or the kind of error that kept us from one."""

    status: int | None
    error: str | None = None

    @property
    def taken(self) -> bool:
        """Whether the receiver has the event."""
        return self.status is not None and 200 <= self.status < 300


def resolve(url: str, allow_private: bool, timeout: float) -> Target:
    """Looks the host up once, for so many seconds at most. Raises ValueError for an address inside our own network,
    OSError when there is none (TimeoutError: no name server said anything)."""
    parts = urlsplit(url)
    tls = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if tls else 80)
    if not host:  # the site's webhook was taken away; an empty name would lead to ourselves
        raise OSError("no host")
    try:
        addresses = look_up(host, port, timeout)
    except UnicodeError:  # no name that DNS could know; it is a ValueError, and would be told as a private address
        raise OSError("no host") from None
    if not allow_private and any(not _is_public(address) for address in addresses):
        raise ValueError("private address")
    return Target(url, host, port, sorted(addresses, key=lambda a: (":" in a, a))[0], tls)


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        # An IPv4 address in the clothes of an IPv6 one; a gateway (NAT64) would take it to that host.
        nat64 = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None
        ip = ip.ipv4_mapped or ip.sixtofour or nat64 or ip
    return ip.is_global and not ip.is_multicast


def reach(url: str, allow_private: bool, timeout: float) -> str | None:
    """Connects (with TLS, where the address has it) and sends nothing; None, or the kind of error."""
    try:
        connection = _connection(resolve(url, allow_private, timeout), timeout)
        try:
            connection.connect()
        finally:
            connection.close()
    except ValueError:
        return "PrivateAddress"
    except (HTTPError, HTTPException, OSError) as error:
        return type(error).__name__
    return None


def _connection(target: Target, connect_timeout: float) -> HTTPConnection:
    if not target.tls:
        return HTTPConnection(target.ip, target.port, timeout=connect_timeout)
    return HTTPSConnection(
        target.ip, target.port, timeout=connect_timeout, server_hostname=target.host, assert_hostname=target.host
    )


class Lines:
    """Connections to receivers, each kept for the next call to the same URL until the block ends.

    A host is looked up and checked for each connection, never for each call: a kept connection leads where it led
    when it was checked, whatever a name server says meanwhile. `timeout` (seconds) limits a whole call, also to a
    receiver that answers a byte at a time.
    """

    def __init__(self, allow_private: bool, timeout: float) -> None:
        self._allow_private, self._timeout = allow_private, timeout
        self._idle: list[tuple[str, HTTPConnection]] = []
        self._limits: dict[HTTPConnection, tuple[float, socket.socket | None]] = {}
        self._lock = threading.Lock()
        self._end = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._watch, name="webhook limits", daemon=True).start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._end.set()
        while self._idle:
            self._idle.pop()[1].close()

    def post(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        """One POST; redirects are not followed. Never raises for what the network does."""
        end = time.monotonic() + self._timeout
        try:
            if kept := self._take(url):
                # A receiver may close it at any time; if nothing came back, the call is made anew.
                with suppress(ConnectionError):
                    return self._call(kept, url, (headers, body), end)
                if time.monotonic() >= end:
                    return Answer(None, "TimeoutError")
            patience = min(end - time.monotonic(), _CONNECT_SECONDS)
            connection = _connection(resolve(url, self._allow_private, patience), patience)
            return self._call(connection, url, (headers, body), end)
        except ValueError:
            return Answer(None, "PrivateAddress")
        except OSError as error:
            return Answer(None, type(error).__name__)

    def _call(self, connection: HTTPConnection, url: str, message: tuple[dict[str, str], bytes], end: float) -> Answer:
        """Raises ConnectionError for a connection that the other side closed before it said anything."""
        headers, body = message
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        status, keep = None, False
        try:
            with self._limited(connection, end):
                if connection.sock is None:
                    connection.connect()
                connection.timeout = self._timeout
                connection.request(
                    "POST", path, body=body, headers={**headers, "Host": parts.netloc}, preload_content=False
                )
                # Where the receiver says that it closes, the connection lets go of it before the body has come.
                self._limits[connection] = end, connection.sock
                answer = connection.getresponse()
                status = answer.status
                answer.read(_ANSWER, decode_content=False)
                keep = answer.closed
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            if status is None:
                connection.close()
                if isinstance(error, ConnectionError):
                    raise
                return Answer(None, type(error).__name__)
        self._give(url, connection, keep)
        return Answer(status)

    def _take(self, url: str) -> HTTPConnection | None:
        with self._lock:
            for place in range(len(self._idle) - 1, -1, -1):
                if self._idle[place][0] == url:
                    connection = self._idle.pop(place)[1]
                    if connection.is_connected:
                        return connection
                    connection.close()
        return None

    def _give(self, url: str, connection: HTTPConnection, keep: bool) -> None:
        with self._lock:
            if keep and connection.sock is not None and len(self._idle) < _IDLE_AT_MOST:
                self._idle.append((url, connection))
                return
        connection.close()

    @contextmanager
    def _limited(self, connection: HTTPConnection, end: float) -> Iterator[None]:
        self._limits[connection] = end, None
        try:
            yield
        finally:
            del self._limits[connection]

    def _watch(self) -> None:
        """A socket's own limit begins anew with each byte, so that somebody must look at the whole."""
        while not self._end.wait(_WATCH_SECONDS):
            for connection, (end, sock) in self._limits.copy().items():
                if time.monotonic() >= end and (called := sock or connection.sock):
                    with suppress(OSError):
                        socket.socket.shutdown(called, socket.SHUT_RDWR)
