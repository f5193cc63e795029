"""A slow scorer gets a process of its own for the drain; nothing is left of it, and its death is the worker's."""

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress

import pytest
from sqlalchemy import select, update

from models import Span
from moderation.processes import lives
from moderation.scoring import Classifier
from moderation.services import decide, leases
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment, Decision
from tests.integration.test_deadly import DEADLY, deaths, in_a_process, submit
from workers.scorer_beside import beside

Site = tuple[str, str]
MANY = 200


class Tells:
    """Says in which process it scores: that is all that it is for."""

    name, version, attributes = "tells", "1", ("INSULT",)

    def __init__(self, seconds_each: float = 0.0) -> None:
        self._seconds_each = seconds_each

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        if any(DEADLY in text for text in texts):
            os.kill(os.getpid(), signal.SIGKILL)
        if any("fail" in text for text in texts):
            raise ValueError(f"of {texts}")
        end = time.perf_counter() + self._seconds_each * len(texts)
        while time.perf_counter() < end:  # as busy as a scorer is
            pass
        return [{"INSULT": os.getpid() / 1e9} for _ in texts]

    def explain(self, text: str, attribute: str) -> list[Span]:
        return [Span(0, 1, 1.0)]


def process(classifier: Classifier, texts: Sequence[str]) -> int:
    """The process that scores these texts."""
    (pid,) = {round(scores["INSULT"] * 1e9) for scores in scores_of(classifier, texts)}
    return pid


def scores_of(classifier: Classifier, texts: Sequence[str]) -> list[dict[str, float]]:
    assert classifier.scorer
    return classifier.scorer.score(texts)


@pytest.fixture
def slow() -> Classifier:
    return Classifier("tells@1", Tells(0.001))


def test_after_a_large_slow_batch_another_process_scores_until_the_end(slow: Classifier) -> None:
    texts = [f"Text {n}." for n in range(MANY)]
    with beside(slow) as classifier:
        assert process(classifier, texts) == os.getpid()
        other = process(classifier, texts)
        assert other != os.getpid()
        assert process(classifier, texts[:1]) == other
        assert classifier.explain("Text", "INSULT") == slow.explain("Text", "INSULT") != ()
    assert not lives(other)
    assert process(slow, texts) == os.getpid()


def test_a_quick_scorer_stays_and_so_does_one_with_little_to_do(slow: Classifier) -> None:
    for one, many in ((Classifier("tells@1", Tells()), MANY), (slow, 2)):
        with beside(one) as classifier:
            for _ in range(3):
                assert process(classifier, ["Fine."] * many) == os.getpid()


def test_without_a_scorer_there_is_nothing_to_put_beside() -> None:
    broken = Classifier("tells", None, "broken")
    with beside(broken) as classifier:
        assert classifier is broken


def test_what_the_scorer_raises_there_is_raised_here_without_the_text(slow: Classifier) -> None:
    with beside(slow) as classifier:
        process(classifier, ["Fine."] * MANY)
        with pytest.raises(RuntimeError, match=r"^ValueError$"):
            scores_of(classifier, ["a secret to fail with"])
        assert process(classifier, ["Fine."]) != os.getpid()


def test_the_other_process_ends_with_this_one(slow: Classifier) -> None:
    read, write = os.pipe()
    if (pid := os.fork()) == 0:
        with suppress(BaseException), beside(slow) as classifier:
            process(classifier, ["Fine."] * MANY)
            os.write(write, str(process(classifier, ["Fine."])).encode())
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(0)
    assert int(os.read(read, 20)) != pid
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    os.close(write)
    assert os.read(read, 1) == b""  # the last process that holds the other end is gone


def test_a_comment_that_kills_the_other_process_counts_as_the_workers_death(
    store: Store, site: Site, slow: Classifier
) -> None:
    """What was being written is written; what was in hand beside it is suspect, and decided in the end, all of it."""
    ids = submit(store, site, *(f"Fine {n}." for n in range(2 * leases.BATCH)), DEADLY, "Good.")
    with store.write() as session:  # these two came last, so that they are not in the first batch, which is scored here
        session.execute(update(Comment).where(Comment.id.in_(ids[-2:])).values(received_at=now_ms() + 1))

    store.engine.dispose()  # a fork must find no connection

    def work(owner: str) -> None:
        with pytest.raises(RuntimeError, match="the scorer's process has died"), beside(slow) as classifier:
            decide.drain(store, classifier, owner, lease_ms=30_000, until=lambda: False, after_batch=lambda: None)
        os._exit(7)

    assert in_a_process(store, work) == 7
    assert deaths(store) == {1: 2}
    while in_a_process(store, work) == -signal.SIGKILL:
        pass
    with store.read() as session:
        statuses = {row.id: row.status for row in session.execute(select(Comment.id, Comment.status))}
        decided = session.scalars(select(Decision.comment_id)).all()
    assert [id for id in ids if statuses[id] != "approved"] == [ids[-2]]
    assert sorted(decided) == sorted(ids)
