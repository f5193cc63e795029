"""Log lines of all processes: as text for a person, or one JSON object a line for a machine; private in both.

A line says time, level, logger, message, and what it is about: ids, route, status. Never the text of an exception,
which quotes what the failing code had in hand, and of `extra` only the fields that are listed here.
"""

import json
import logging
import sys
import threading
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

# What a line may say besides its message: ids, numbers and names of our own.
FIELDS = (
    "request_id", "comment_id", "comment_ids", "event_id", "method", "route", "status", "ms", "job", "part",
)  # fmt: skip

_about: ContextVar[dict[str, Any] | None] = ContextVar("about", default=None)
_form = ["text"]


def begin(**fields: Any) -> None:
    """From now on every line of this thread is about this: a request, a job. Without fields: about nothing."""
    _about.set(dict(fields))


def note(**fields: Any) -> None:
    """Adds to what this thread's lines are about."""
    _about.set((_about.get() or {}) | fields)


class PrivateFormatter(logging.Formatter):
    """Text without the texts of exceptions; ids at the end of the line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (name given by logging)
        line = super().formatMessage(record)
        ids = [f"{name}={_short(value)}" for name, value in _fields(record).items() if name.endswith(("_id", "_ids"))]
        return f"{line} [{' '.join(ids)}]" if ids else line

    def formatException(self, ei: object) -> str:  # noqa: N802 (name given by logging)
        kind, _, trace = ei if isinstance(ei, tuple) else sys.exc_info()
        frames = "".join(traceback.format_tb(trace)).rstrip()
        return f"{frames}\n{getattr(kind, '__name__', kind)}"


class JsonFormatter(logging.Formatter):
    """One JSON object: time (UTC), level, logger, message, what the line is about; of an exception kind and places."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage(),
        } | _fields(record)  # fmt: skip
        if record.exc_info:
            kind, _, trace = record.exc_info
            said["exception"] = getattr(kind, "__name__", str(kind))
            said["frames"] = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(trace)]
        return json.dumps(said, ensure_ascii=False)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """What the line itself says it is about, then what its thread is about; the names of FIELDS only."""
    found = (_about.get() or {}) | {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
    return {name: found[name] for name in FIELDS if name in found}


def _short(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def formatter() -> logging.Formatter:
    """The formatter of this process."""
    return JsonFormatter() if _form[0] == "json" else PrivateFormatter()


def log_to_stderr(form: str = "text") -> None:
    """One handler for all loggers of this process: `text` or `json`."""
    _form[:] = [form]
    handler = logging.StreamHandler()
    handler.setFormatter(formatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    keep_faults_private()
    for chatty in ("alembic", "rq", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def keep_faults_private() -> None:
    """From now on what nobody catches is told by kind and place: its text may quote an address with its password."""
    sys.excepthook = lambda kind, error, trace: _log_uncaught(kind, error, trace)
    threading.excepthook = lambda args: _log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def last_words(message: str) -> bool:
    """Logs why this process can't go on, where lines are JSON. False: they are text, and the caller says it plainly."""
    if _form[0] == "json":
        logging.getLogger("moderation").critical("%s", message)
    return _form[0] == "json"


def _log_uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """In place of Python's own report, which ends with the exception's text."""
    if not logging.getLogger().handlers:  # Python's last resort would tell the text
        log_to_stderr(_form[0])
    if not issubclass(kind, KeyboardInterrupt):
        logging.getLogger("moderation").critical("fault", exc_info=(kind, error or kind(), trace))
