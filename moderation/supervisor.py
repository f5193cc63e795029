"""Keeps child processes alive: one that dies is started again, none outlives this process."""

import logging
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from moderation.errors import SetupError
from moderation.processes import dying_with

log = logging.getLogger(__name__)

_BACK_OFF = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
# What a signal ended was no bad start, which waiting might mend: it is there again soon.
_AFTER_SIGNAL = 1.0
# A process that lived this long had started well: what ended it is not its start.
_CALM = 10.0
_TICK = 0.1
# How long a new process may take until it can work, and the old one to finish what it has in hand.
_START_SECONDS, _END_SECONDS = 90.0, 20.0
_STOP_SECONDS = 13.0


def python(*module_and_arguments: str) -> list[str]:
    """A command line of this same Python for a module of ours."""
    # -P: a folder named models in the present directory must not take the place of ours.
    return [sys.executable, "-P", "-m", *module_and_arguments]


@dataclass
class Part:
    """One child: its command, and how it has fared. `fds` are open files that it inherits.

    One that `announces` takes `--ready FD`, and writes a byte there when it can work.
    """

    name: str
    command: Sequence[str]
    env: dict[str, str]
    fds: tuple[int, ...] = ()
    announces: bool = False
    process: "subprocess.Popen[bytes] | None" = None
    deaths: int = 0
    started_at: float = 0.0
    start_after: float = field(default_factory=time.monotonic)
    ready: int | None = None

    def start(self) -> None:
        """Starts the process; it dies with this one."""
        self.started_at = time.monotonic()
        command, fds = list(self.command), self.fds
        self.hang_up()
        self.ready, told = os.pipe()
        if self.announces:
            command, fds = [*command, "--ready", str(told)], (*fds, told)
        try:
            self.process = subprocess.Popen(
                command, env=self.env, pass_fds=fds, stdin=subprocess.DEVNULL,
                preexec_fn=dying_with(os.getpid()), start_new_session=True,
            )  # fmt: skip
        finally:
            os.close(told)

    def is_ready(self) -> bool:
        """Whether the process has announced that it can work."""
        if self.ready is None or not select.select([self.ready], [], [], 0)[0]:
            return False
        return os.read(self.ready, 1) != b""

    def hang_up(self) -> None:
        """Listens to its announcement no more."""
        if self.ready is not None:
            os.close(self.ready)
            self.ready = None

    def keep_alive(self) -> None:
        """Starts the process when there is none and its back-off is over. Never waits."""
        now = time.monotonic()
        if self.process is not None and (code := self.process.poll()) is not None:
            self.deaths = 1 if now - self.started_at > _CALM else self.deaths + 1
            pause = _BACK_OFF[min(self.deaths, len(_BACK_OFF)) - 1]
            self.start_after = now + (min(pause, _AFTER_SIGNAL) if code < 0 else pause)
            self.process = None
            log.warning("%s ended (%d), starts again", self.name, code, extra={"part": self.name})
        if self.process is None and now >= self.start_after:
            try:
                self.start()
            except (OSError, subprocess.SubprocessError) as error:  # no memory, no processes left: later, maybe
                self.deaths += 1
                self.start_after = now + _BACK_OFF[min(self.deaths, len(_BACK_OFF)) - 1]
                log.error("%s can't be started: %s", self.name, type(error).__name__, extra={"part": self.name})

    def ask_to_end(self) -> None:
        """Tells the process to finish what it has in hand and end."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def end(self, deadline: float) -> None:
        """Waits until the process is gone; past the deadline (monotonic) it is killed with all that it started."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def stop(parts: Sequence[Part], patience: float) -> None:
    """Ends these parts side by side, within `patience` seconds."""
    deadline = time.monotonic() + patience
    for part in parts:
        part.ask_to_end()
    for part in parts:
        part.end(deadline)


def listen(host: str, port: int) -> socket.socket:
    """A web socket. It is opened by the supervisor, so that requests wait in it while the web process is another one.

    Raises SetupError when that can't be done.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(1024)
    except (OSError, OverflowError) as error:
        raise SetupError(f"port {port} on {host} can't be used: {getattr(error, 'strerror', None) or error}") from None
    return listening


@dataclass
class Signals:
    """What this process was told: to end, to reload. Flags, no exceptions: a second signal breaks nothing off."""

    end: bool = False
    reload: bool = False

    def heed(self) -> None:
        """From now on SIGTERM and SIGINT end, SIGHUP reloads; but where a terminal is, it says that this was closed."""
        terminal = sys.stdin is not None and sys.stdin.isatty()
        for number in (signal.SIGTERM, signal.SIGINT, *((signal.SIGHUP,) if terminal else ())):
            signal.signal(number, lambda _number, _frame: setattr(self, "end", True))
        if not terminal:
            signal.signal(signal.SIGHUP, lambda _number, _frame: setattr(self, "reload", True))


def reload(part: Part, signals: Signals, tick: Callable[[], None]) -> bool:
    """Starts another process of this part, and ends the old one once the new one can work; the old one stays when it
    can't. `tick` looks after the other parts meanwhile."""
    new = replace(part, process=None, ready=None, deaths=0)
    new.start()
    if not _comes_up(new, signals, tick):
        stop([new], 2.0)
        new.hang_up()
        log.error("%s: the new process did not get ready; the old one goes on", part.name, extra={"part": part.name})
        return False
    old = replace(part)
    part.process, part.ready, part.started_at, part.deaths = new.process, new.ready, new.started_at, 0
    old.ask_to_end()
    end = time.monotonic() + _END_SECONDS
    while old.process is not None and old.process.poll() is None and time.monotonic() < end:
        tick()
        time.sleep(_TICK)
    old.end(end)
    old.hang_up()
    log.info("%s: a new process has taken over", part.name, extra={"part": part.name})
    return True


def _comes_up(new: Part, signals: Signals, tick: Callable[[], None]) -> bool:
    end = time.monotonic() + _START_SECONDS
    while not new.is_ready():
        gone = new.process is None or new.process.poll() is not None
        if gone or signals.end or time.monotonic() > end:
            return False
        tick()
        time.sleep(_TICK)
    return True


def run_one(part: Part) -> int:
    """Runs one part alone until it ends, or this process is told to end; SIGHUP reloads it. Returns its exit status."""
    signals = Signals()
    signals.heed()
    part.start()
    while not signals.end:
        if signals.reload:
            signals.reload = False
            reload(part, signals, lambda: None)
        if part.process is None or part.process.poll() is not None:
            break
        time.sleep(_TICK)
    stop([part], _STOP_SECONDS)
    status = part.process.returncode if part.process else 1
    return status if status >= 0 else 128 - status
