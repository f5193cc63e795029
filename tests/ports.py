"""Ports for servers that must be told theirs before they start."""

import socket
from contextlib import suppress
from pathlib import Path
from secrets import choice

_FROM, _TO = 20_000, 65_536
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, and that the kernel gives to nobody who asks for any.

    One that the kernel has just given and taken back may be another process's a moment later.
    """
    low, high = (int(word) for word in _RANGE.read_text("ascii").split())
    ours = [port for port in range(_FROM, _TO) if not low <= port <= high]
    while True:
        with suppress(OSError), socket.create_server(("127.0.0.1", choice(ours) if ours else 0)) as taken:
            return int(taken.getsockname()[1])
