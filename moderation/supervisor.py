"""Keeps child processes alive: one that dies is started again, none outlives this process."""

import logging
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from moderation.processes import dying_with

log = logging.getLogger(__name__)

_BACK_OFF = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
# What a signal ended was no bad start, which waiting might mend: it is there again soon.
_AFTER_SIGNAL = 1.0
# A process that lived this long had started well: what ended it is not its start.
_CALM = 10.0


@dataclass
class Part:
    """One child: its command, and how it has fared. `fds` are open files that it inherits."""

    name: str
    command: Sequence[str]
    env: dict[str, str]
    fds: tuple[int, ...] = ()
    process: "subprocess.Popen[bytes] | None" = None
    deaths: int = 0
    started_at: float = 0.0
    start_after: float = field(default_factory=time.monotonic)

    def start(self) -> None:
        """Starts the process; it dies with this one."""
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.command, env=self.env, pass_fds=self.fds, stdin=subprocess.DEVNULL,
            preexec_fn=dying_with(os.getpid()), start_new_session=True,
        )  # fmt: skip

    def keep_alive(self) -> None:
        """Starts the process when there is none and its back-off is over. Never waits."""
        now = time.monotonic()
        if self.process is not None and (code := self.process.poll()) is not None:
            self.deaths = 1 if now - self.started_at > _CALM else self.deaths + 1
            pause = _BACK_OFF[min(self.deaths, len(_BACK_OFF)) - 1]
            self.start_after = now + (min(pause, _AFTER_SIGNAL) if code < 0 else pause)
            self.process = None
            log.warning("%s ended (%d), starts again", self.name, code)
        if self.process is None and now >= self.start_after:
            try:
                self.start()
            except (OSError, subprocess.SubprocessError) as error:  # no memory, no processes left: later, maybe
                self.deaths += 1
                self.start_after = now + _BACK_OFF[min(self.deaths, len(_BACK_OFF)) - 1]
                log.error("%s can't be started: %s", self.name, type(error).__name__)

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
