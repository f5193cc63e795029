"""Short requests that one loop serves by turns: while one waits for the disk, the next is served.

Sixteen threads that wait for the same disk flush take the interpreter from one another some sixteen times a request.
Here each request is a greenlet of the loop's own thread. It must not block there: what it waits for is a `Gate`, and
what may take long is done `aside`.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from greenlet import getcurrent, greenlet

Result = TypeVar("Result")


class ByTurns:
    """The requests of one loop, which calls `serve` whenever it has looked at all else. `wake` ends its sleep, from any
    thread; `threads` do what is done aside."""

    def __init__(self, wake: Callable[[], object], threads: Executor) -> None:
        self._wake = wake
        self.threads = threads
        self._ready: deque[Callable[[], object]] = deque()
        self._woken = False

    def begin(self, work: Callable[[], object]) -> None:
        """From the loop: has its first turn at the next `serve`."""
        self._ready.append(greenlet(work).switch)

    def later(self, work: Callable[[], object]) -> None:
        """From a turn: is done at the next `serve`, and must not wait for anything."""
        self._ready.append(work)

    def ready(self, turn: Callable[[], object]) -> None:
        """From any thread: what has waited may have its turn."""
        self._ready.append(turn)
        if not self._woken:
            self._woken = True
            self._wake()

    def due(self) -> bool:
        """Whether somebody is ready, so that the loop must not sleep."""
        return bool(self._ready)

    def serve(self) -> None:
        """A turn for everybody who is ready by now."""
        self._woken, _here.turns = False, self
        try:
            for _ in range(len(self._ready)):
                self._ready.popleft()()
        finally:
            _here.turns = None


class _Here(threading.local):
    turns: ByTurns | None = None


_here = _Here()


class Gate:
    """Opens once. Whoever made it may wait for that, once: by turns, or as a thread."""

    def __init__(self) -> None:
        self._turns = _here.turns
        self._who = getcurrent()
        self._lock = threading.Lock()
        self._lock.acquire()

    def wait(self) -> None:
        """Returns as soon as it is open."""
        if self._turns is None:
            self._lock.acquire()
        elif self._who.parent is not None:
            self._who.parent.switch()

    def open(self) -> None:
        """Lets whoever waits go on. From any thread."""
        if self._turns is None:
            self._lock.release()
        else:
            self._turns.ready(self._who.switch)


def by_turns() -> bool:
    """Whether the caller is served by turns, and must not block."""
    return _here.turns is not None


def aside(work: Callable[[], Result]) -> Result:
    """Does what may block: in another thread where the caller is served by turns, else at once."""
    if _here.turns is None:
        return work()
    gate = Gate()
    done = _here.turns.threads.submit(work)
    done.add_done_callback(lambda _: gate.open())
    gate.wait()
    return done.result()
