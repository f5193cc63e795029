"""A batch is written while the next one is scored: what a stop, a failure or a deadly comment does then."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from sqlalchemy import event, func, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from moderation.scoring import Classifier
from moderation.services import decide, leases, outbox
from moderation.services.leases import BATCH
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment, Decision, Delivery, Event, Feed
from moderation.store.tables import Site as SiteRow
from tests.integration.test_decide import Broken, Site, drain, submit

MANY = 2 * BATCH + 10


class Watching(Broken):
    """A scorer that does something each time before it scores; `call` counts from 1."""

    def __init__(self, before: Callable[[int], None]) -> None:
        super().__init__()
        self._before = before

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        scores = super().score(texts)
        self._before(len(self.asked))
        return scores


def watching(before: Callable[[int], None]) -> Classifier:
    return Classifier("watching@1", Watching(before))


def state(store: Store) -> tuple[int, int, int]:
    """How many comments are decided, are leased, have seen a holder die."""
    with store.read() as session:
        count = select(func.count()).select_from(Comment)
        return (
            session.scalar(count.where(Comment.status != "pending")) or 0,
            session.scalar(count.where(Comment.lease_owner.is_not(None))) or 0,
            session.scalar(count.where(Comment.deaths > 0)) or 0,
        )


def each_once(store: Store, comments: int) -> None:
    """Every comment has one decision and one event, and the feed has no gap."""
    with store.read() as session:
        for table in (Decision, Event):
            assert session.scalar(select(func.count(func.distinct(table.comment_id)))) == comments
            assert session.scalar(select(func.count()).select_from(table)) == comments
        places = session.scalars(select(Event.position).order_by(Event.position)).all()
        assert list(places) == list(range(1, comments + 1))
        assert session.scalar(select(Feed.last_position)) == comments


def test_a_batch_is_written_while_the_next_one_is_scored(store: Store, site: Site) -> None:
    submit(store, site, *(f"Fine {n}." for n in range(MANY)))
    written, seen = threading.Event(), []

    def before(call: int) -> None:
        if call == 2:
            assert written.wait(60), "the first batch waits for the second one to be scored"
            seen.append(state(store))

    decided = decide.drain(
        store, watching(before), "test:1", lease_ms=30_000, until=lambda: False, after_batch=written.set
    )
    # One is decided; one is being scored and one was leased when the first was written.
    assert (decided, seen) == (MANY, [(BATCH, MANY - BATCH, 0)])
    each_once(store, MANY)


def test_a_stop_lets_what_is_written_end_and_gives_back_the_rest(store: Store, site: Site) -> None:
    submit(store, site, *(f"Fine {n}." for n in range(MANY)))

    def stop(call: int) -> None:
        if call == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drain(store, watching(stop))
    assert state(store) == (BATCH, 0, 0)
    assert drain(store, watching(lambda call: None)) == MANY - BATCH
    each_once(store, MANY)


@contextmanager
def failing(at: int) -> Iterator[None]:
    """The database fails as this commit of decisions is about to be made."""
    commits = []

    def fail(session: Session) -> None:
        if session.info.get("decided"):
            commits.append(1)
            if len(commits) == at:
                raise OperationalError("COMMIT", {}, Exception("the server is gone"))

    event.listen(Session, "before_commit", fail)
    try:
        yield
    finally:
        event.remove(Session, "before_commit", fail)


@pytest.mark.parametrize("at", [1, 2])
def test_a_batch_whose_write_fails_is_decided_later_once(store: Store, site: Site, at: int) -> None:
    submit(store, site, *(f"Fine {n}." for n in range(MANY)))
    with failing(at), pytest.raises(OperationalError):
        drain(store, watching(lambda call: None))
    assert state(store) == ((at - 1) * BATCH, 0, 0)  # nothing is held against what was in hand
    assert drain(store, watching(lambda call: None)) == MANY - (at - 1) * BATCH
    each_once(store, MANY)


def test_a_comment_that_may_kill_is_in_hand_alone(store: Store, site: Site) -> None:
    ids = submit(store, site, *(f"Fine {n}." for n in range(MANY)))
    with store.write() as session:
        session.execute(update(Comment).where(Comment.id == ids[BATCH]).values(deaths=leases.SUSPECT, received_at=1))
    held: list[tuple[int, int, int]] = []
    scorer = Watching(lambda call: held.append(state(store)))
    assert drain(store, Classifier("watching@1", scorer)) == MANY
    assert scorer.asked[0] == 1
    assert held[0] == (0, 1, 1)
    assert all(leased > 1 for _, leased, _ in held[1:])


def test_events_of_a_drain_go_out_with_it_but_behind_what_waits(store: Store, site: Site) -> None:
    with store.write() as session:
        session.execute(update(SiteRow).values(webhook_url="https://hook.example"))
    first = submit(store, site, "Fine.", "Fine too.")
    assert drain(store, watching(lambda call: None)) == 2
    with store.write() as session:
        assert not outbox.waiting(session, now_ms())
        assert set(session.scalars(select(Delivery.event_id))) == set(session.scalars(select(Event.id)))
        waits = session.scalars(select(Event).where(Event.comment_id == first[0])).one()
        session.add(Event(
            id="0" * 32, site_id=waits.site_id, comment_id=waits.comment_id, decision_id=None, type="comment.withdrawn",
            occurred_at=1, release_at=1, position=None, webhook=True, data={},
        ))  # fmt: skip
    (last,) = submit(store, site, "A third one.", prefix="d")
    assert drain(store, watching(lambda call: None)) == 1
    with store.write() as session:
        assert outbox.waiting(session, now_ms())
        assert outbox.publish(session, now_ms()) == 2
    with store.read() as session:
        in_order = session.scalars(select(Event.comment_id).order_by(Event.position)).all()
    assert list(in_order[2:]) == [first[0], last]
