"""Where the faults happen: a small disk in memory, and two network namespaces with a line between them. Needs root."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_DATABASE, _WORKER = "10.213.7.1", "10.213.7.2"
_NOBODY = "02:00:00:00:00:99"


def _do(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mounts so much memory here as a file system of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    _do("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "moderation-faults", str(folder))
    try:
        yield folder
    finally:
        _do("umount", "--lazy", str(folder))


@dataclass(frozen=True)
class Line:
    """The line between a database and a worker, each in a namespace of its own; unix sockets go past it."""

    database: str
    worker: str
    address: str = _DATABASE
    network: str = "10.213.7.0/30"

    def inside(self, namespace: str, *command: str) -> list[str]:
        """The command line that runs this there."""
        return ["ip", "netns", "exec", namespace, *command]

    def elsewhere(self, host: str) -> list[str]:
        """A worker's command line in its namespace, under another machine's name."""
        script = f'hostname {host} && exec "$0" "$@"'
        python = [sys.executable, "-P", "-m", "workers"]
        return self.inside(self.worker, "unshare", "--uts", "sh", "-c", script, *python)

    def unplug(self) -> None:
        """The line is down, and the machines see it."""
        _do("ip", "-n", self.database, "link", "set", "line", "down")

    def swallow(self) -> None:
        """The line is up and loses everything, both ways: nobody is told."""
        for namespace, peer in ((self.database, _WORKER), (self.worker, _DATABASE)):
            _do("ip", "-n", namespace, "neigh", "replace", peer, "lladdr", _NOBODY, "nud", "permanent", "dev", "line")

    def mend(self) -> None:
        """The line is as it was."""
        _do("ip", "-n", self.database, "link", "set", "line", "up")
        for namespace, peer in ((self.database, _WORKER), (self.worker, _DATABASE)):
            with suppress(subprocess.CalledProcessError):  # it was not swallowed
                _do("ip", "-n", namespace, "neigh", "del", peer, "dev", "line")


@contextmanager
def line() -> Iterator[Line]:
    """Makes both namespaces and the line, and takes them away."""
    made = Line(f"faults-db-{os.getpid()}", f"faults-worker-{os.getpid()}")
    ends = ((made.database, _DATABASE), (made.worker, _WORKER))
    try:
        for namespace, _ in ends:
            _do("ip", "netns", "add", namespace)
        _do("ip", "link", "add", "line", "netns", made.database, "type", "veth",
            "peer", "name", "line", "netns", made.worker)  # fmt: skip
        for namespace, address in ends:
            _do("ip", "-n", namespace, "link", "set", "lo", "up")
            _do("ip", "-n", namespace, "addr", "add", f"{address}/30", "dev", "line")
            _do("ip", "-n", namespace, "link", "set", "line", "up")
        yield made
    finally:
        for namespace, _ in ends:
            with suppress(subprocess.CalledProcessError):  # it was not made
                _do("ip", "netns", "del", namespace)
