"""The scorer in a process of its own: a batch is scored while the one before is written.

In one process both need the interpreter, and a slow scorer waits for it longer than it works.
"""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import NoReturn

from models import Scorer, Span
from moderation.processes import die_with_parent
from moderation.scoring import Classifier, ScorerDied

# A process pays where a batch like the first one takes a good part of the time of writing it.
_MANY, _SECONDS_EACH = 128, 0.0001


@contextmanager
def beside(classifier: Classifier) -> Iterator[Classifier]:
    """The same classifier for one drain, to be entered where no other thread runs.

    Raises RuntimeError when the scorer's process died; `ScorerDied` tells the drain so.
    """
    if classifier.scorer is None:
        yield classifier
        return
    scorer = _Beside(classifier.scorer)
    try:
        yield replace(classifier, scorer=scorer)
    except ScorerDied as died:
        raise RuntimeError("the scorer's process has died") from died
    finally:
        scorer.end()


class _Beside:
    """See `models.Scorer`. The first batch is scored here, and tells whether the next ones are scored elsewhere."""

    def __init__(self, scorer: Scorer) -> None:
        self.name, self.version, self.attributes = scorer.name, scorer.version, scorer.attributes
        self._scorer = scorer
        self._asked = False
        self._pid = 0
        self._line: Connection | None = None

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """See `models.Scorer.score`."""
        if self._line:
            return self._elsewhere(self._line, texts)
        began = time.perf_counter()
        scored = self._scorer.score(texts)
        if not self._asked:
            self._asked = True
            if len(texts) >= _MANY and time.perf_counter() - began > _SECONDS_EACH * len(texts):
                self._begin()
        return scored

    def explain(self, text: str, attribute: str) -> list[Span]:
        """See `models.Scorer.explain`."""
        return self._scorer.explain(text, attribute)

    def end(self) -> None:
        """Nobody waits for it any more."""
        if self._line:
            self._line.close()
            self._line = None
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)

    def _begin(self) -> None:
        parent, (here, there) = os.getpid(), Pipe()
        with suppress(OSError):  # no room for one more process: then here, as before
            if (pid := os.fork()) == 0:
                here.close()
                _serve(there, self._scorer, parent)
            self._pid, self._line = pid, here
        there.close()

    def _elsewhere(self, line: Connection, texts: Sequence[str]) -> list[dict[str, float]]:
        try:
            line.send(texts)
            answer = line.recv()
        except (EOFError, OSError) as error:
            raise ScorerDied from error
        if isinstance(answer, str):
            raise RuntimeError(answer)
        scored: list[dict[str, float]] = answer
        return scored


def _serve(line: Connection, scorer: Scorer, parent: int) -> NoReturn:
    """Scores what comes until nothing comes any more. Touches nothing else that the parent has open."""
    try:
        die_with_parent(parent)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # the parent settles when it is over
        while True:
            texts = line.recv()
            try:
                line.send(scorer.score(texts))
            except Exception as error:  # whatever a scorer raises; its text may quote a comment
                line.send(type(error).__name__)
    finally:
        os._exit(0)
