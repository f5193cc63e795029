"""Small facts about processes that web, worker and supervisor share."""

import ctypes
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

_PR_SET_PDEATHSIG = 1

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


class PrivateFormatter(logging.Formatter):
    """Log lines without the texts of exceptions: these quote what the failing code had in hand."""

    def formatException(self, ei: object) -> str:  # noqa: N802 (name given by logging)
        kind, _, trace = ei if isinstance(ei, tuple) else sys.exc_info()
        frames = "".join(traceback.format_tb(trace)).rstrip()
        return f"{frames}\n{getattr(kind, '__name__', kind)}"


def _log_uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """In place of Python's own report, which ends with the exception's text."""
    if not issubclass(kind, KeyboardInterrupt):
        logging.getLogger("moderation").critical("fault", exc_info=(kind, error or kind(), trace))


def log_to_stderr() -> None:
    """One handler for all processes: time, level, logger, message."""
    handler = logging.StreamHandler()
    handler.setFormatter(PrivateFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    sys.excepthook = lambda kind, error, trace: _log_uncaught(kind, error, trace)
    threading.excepthook = lambda args: _log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    for chatty in ("alembic", "rq", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
