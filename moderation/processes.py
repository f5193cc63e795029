"""Small facts about processes that web, worker and supervisor share."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_M_ARENA_MAX = -8
_ARENAS = 2

if sys.platform == "linux":
    _libc: ctypes.CDLL | None = ctypes.CDLL(None)
else:
    _libc = None


def die_with_parent(parent: int | None = None) -> None:
    """From now on the kernel kills this process when its parent ends, however it ends (Linux only).

    `parent` is the expected parent's pid: a parent that died before this call is noticed too.
    """
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:
        os._exit(1)


def share_memory() -> None:
    """Threads to come share two of glibc's heaps. By default each has one of its own, which keeps what its largest
    request ever needed: with 16 of them the process grows for hours until each thread has met such a request."""
    if _libc is not None and hasattr(_libc, "mallopt"):  # musl has one heap anyway
        _libc.mallopt(_M_ARENA_MAX, _ARENAS)


def lives(pid: int) -> bool:
    """Whether this process of our machine still works: one that waits for its parent to notice its end does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[0] != "Z"
    except OSError:  # gone meanwhile, or no Linux
        return sys.platform != "linux"


def dying_with(parent: int) -> Callable[[], None]:
    """`die_with_parent` for subprocess.Popen(preexec_fn=...)."""
    return lambda: die_with_parent(parent)


def announce(ready: int) -> None:
    """Writes to a supervisor's pipe that this process can work; one that is not there any more is no fault."""
    with suppress(OSError):
        os.write(ready, b".")
