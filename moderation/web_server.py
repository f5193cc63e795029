"""`moderation web`: the app on gunicorn, threads in few processes."""

import atexit
import logging
import os
from pathlib import Path
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from moderation import metrics
from moderation.app import create_app
from moderation.config import Settings
from moderation.logs import formatter
from moderation.processes import announce, die_with_parent, share_memory
from moderation.safe_headers import safe
from moderation.web_worker import Worker


class _PrivateLog(Logger):  # type: ignore[misc]
    """gunicorn's messages without what a request held: its address, its lines, the texts of exceptions."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(formatter())

    def warning(self, msg: object, *args: Any, **kwargs: Any) -> None:
        if str(msg).startswith("Invalid request"):
            msg, args = "a request that can't be read", ()
        super().warning(msg, *args, **kwargs)

    def exception(self, msg: object, *_args: Any, **kwargs: Any) -> None:
        super().exception(type(msg).__name__ if isinstance(msg, BaseException) else "fault outside the app", **kwargs)


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, app: Flask, settings: Settings, bind: str, ready: int | None) -> None:
        self._app = app
        self._settings = settings
        self._bind = bind
        self._ready = ready
        self._counts = Path(settings.metrics_folder) if settings.metrics_folder else metrics.own_folder()
        super().__init__()

    def load_config(self) -> None:
        options: dict[str, Any] = {
            "bind": self._bind, "worker_class": self._worker(), "workers": self._settings.web_processes,
            "threads": self._settings.web_threads, "timeout": 60, "graceful_timeout": 12, "keepalive": 5,
            "backlog": 1024, "post_fork": self._post_fork,
            "post_worker_init": self._announce, "worker_exit": _exit, "control_socket_disable": True,
            "worker_tmp_dir": _memory(), "limit_request_line": 4094, "loglevel": "warning", "logger_class": _PrivateLog,
        }  # fmt: skip
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._app

    def _worker(self) -> type[Worker]:
        return type("Worker", (Worker,), {"safe": safe(self._settings.https)})

    def _announce(self, _worker: Any) -> None:
        """Lets the supervisor know, once, that requests are taken."""
        if self._ready is not None:
            announce(self._ready)

    def _post_fork(self, _server: Any, worker: Any) -> None:
        die_with_parent(worker.ppid)
        metrics.begin(self._counts, "web")
        # Streams end when the process is told to: browsers that only listen must not hold up a stop.
        self._app.extensions["live"].alive = lambda: worker.alive


def _exit(_server: Any, worker: Any) -> None:
    """Ends a forked process past the libraries' own endings: the classifier's would look for threads of the parent's
    that the child does not have, and abort."""
    if worker.booted:
        atexit._run_exitfuncs()
        logging.shutdown()
        os._exit(0)


def _memory() -> str | None:
    folder = "/dev/shm"  # nosec B108 # noqa: S108 (a heartbeat file there never waits for a disk)
    return folder if os.access(folder, os.W_OK) else None


def serve(settings: Settings, bind: str, ready: int | None = None) -> None:
    """Serves until SIGTERM. `bind` is HOST:PORT, or fd://N for a socket that is open already.

    Where `ready` is given, a byte goes there once requests are taken.

    Raises SetupError for settings that the app can't work with, before anything is forked.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # its threads would not survive the fork
    share_memory()
    app = create_app(settings)
    app.extensions["moderation"].classifier()  # once, before the fork; the drop-in interfaces answer within it
    _Server(app, settings, bind, ready).run()
