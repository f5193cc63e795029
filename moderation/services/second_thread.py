"""One step at a time beside the calling thread: a batch is written while the next one is scored."""

import contextvars
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, Self, TypeVar

T = TypeVar("T")

# Seconds of Python in one thread until another one may go on. The scorer's library works without the interpreter's lock
# and comes back for it every few milliseconds; with the usual 5 ms it would wait longer than it works.
_TURN = 0.0005


class SecondThread(Generic[T]):
    """A thread of its own for one step at a time; it has ended when the `with` block is left, however that is left."""

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="second")
        self._step: Future[T] | None = None
        self._turn = sys.getswitchinterval()
        sys.setswitchinterval(_TURN)
        return self

    def __exit__(self, *_error: object) -> None:
        self._pool.shutdown()  # a step that has begun is brought to its end
        sys.setswitchinterval(self._turn)

    def begin(self, step: Callable[[], T]) -> None:
        """Begins a step; the one before must have been waited for."""
        self._step = self._pool.submit(contextvars.copy_context().run, step)

    @property
    def busy(self) -> bool:
        """Whether a step was begun and not yet waited for."""
        return self._step is not None

    def wait(self) -> T | None:
        """What the step under way returns; None where there is none. Raises what it raises."""
        step, self._step = self._step, None
        return step.result() if step else None
