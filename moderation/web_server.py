"""`moderation web`: the app on gunicorn, threads in few processes."""

import atexit
import logging
import os
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from moderation.app import create_app
from moderation.config import Settings
from moderation.processes import PrivateFormatter, die_with_parent


class _PrivateLog(Logger):  # type: ignore[misc]
    """gunicorn's messages without what a request held: its address, its lines, the texts of exceptions."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(PrivateFormatter(self.error_fmt, self.datefmt))

    def warning(self, msg: object, *args: Any, **kwargs: Any) -> None:
        if str(msg).startswith("Invalid request"):
            msg, args = "a request that can't be read", ()
        super().warning(msg, *args, **kwargs)

    def exception(self, msg: object, *_args: Any, **kwargs: Any) -> None:
        super().exception(type(msg).__name__ if isinstance(msg, BaseException) else "fault outside the app", **kwargs)


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, app: Flask, settings: Settings, bind: str) -> None:
        self._app = app
        self._settings = settings
        self._bind = bind
        super().__init__()

    def load_config(self) -> None:
        options: dict[str, Any] = {
            "bind": self._bind, "worker_class": "gthread", "workers": self._settings.web_processes,
            "threads": self._settings.web_threads, "timeout": 60, "graceful_timeout": 5, "keepalive": 5,
            "backlog": 1024, "post_fork": _post_fork, "worker_exit": _exit, "control_socket_disable": True,
            "worker_tmp_dir": _memory(), "limit_request_line": 4094, "loglevel": "warning", "logger_class": _PrivateLog,
        }  # fmt: skip
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._app


def _post_fork(_server: Any, worker: Any) -> None:
    die_with_parent(worker.ppid)


def _exit(_server: Any, worker: Any) -> None:
    """Ends a forked process past the libraries' own endings: the classifier's would look for threads of the parent's
    that the child does not have, and abort."""
    if worker.booted:
        atexit._run_exitfuncs()
        logging.shutdown()
        os._exit(0)


def _memory() -> str | None:
    folder = "/dev/shm"  # noqa: S108 (a heartbeat file there never waits for a disk)
    return folder if os.access(folder, os.W_OK) else None


def serve(settings: Settings, bind: str) -> None:
    """Serves until SIGTERM. `bind` is HOST:PORT, or fd://N for a socket that is open already.

    Raises SetupError for settings that the app can't work with, before anything is forked.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # its threads would not survive the fork
    app = create_app(settings)
    app.extensions["moderation"].classifier()  # once, before the fork; the drop-in interfaces answer within it
    _Server(app, settings, bind).run()
