"""The outbox: a reader that follows the feed misses nothing, whoever publishes and whatever commits late."""

import threading
from collections.abc import Callable

from sqlalchemy import select

from moderation.scoring import Classifier
from moderation.services import intake, leases, outbox, review
from moderation.services.accounts import Person
from moderation.services.record import withdrawn_event
from moderation.services.review import Act
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment, Event, Feed
from tests.databases import until
from tests.integration.test_decide import decide_batch, drain, lease, submit

Site = tuple[str, str]


def publish(store: Store) -> None:
    with store.write() as session:
        outbox.publish(session, now_ms())


def decide_and_publish(store: Store, classifier: Classifier) -> None:
    drain(store, classifier)
    publish(store)


def in_thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


class Reader:
    """Follows `next`, as a site does."""

    def __init__(self, store: Store, site: Site) -> None:
        self.ids: list[str] = []
        self._store, self._site, self._cursor = store, site[0], ""

    def read(self) -> int:
        with self._store.read() as session:
            page = outbox.feed_page(session, self._site, self._cursor, 7)
        self.ids += [event["id"] for event in page["events"]]
        self._cursor = page["next"]
        return len(page["events"])

    def read_all(self) -> None:
        while self.read():
            pass


def test_two_publishers_and_many_writers_leave_no_gap(store: Store, site: Site, classifier: Classifier) -> None:
    """Two workers decide and publish at once while a reader follows; it sees every event once, in order."""
    for prefix in "ab":
        submit(store, site, *[f"Fine {n}." for n in range(120)], prefix=prefix)
    reader, done = Reader(store, site), threading.Event()

    def work(owner: str) -> None:
        while leased := _few(store, owner):
            decide_batch(store, classifier, owner, leased)
            publish(store)

    def follow() -> None:
        while not done.is_set():
            reader.read()

    following = in_thread(follow)
    for thread in [in_thread(lambda owner=f"w{n}:{n}": work(owner)) for n in range(3)]:
        thread.join(60)
    publish(store)
    done.set()
    following.join(30)
    reader.read_all()
    with store.read() as session:
        events = session.execute(select(Event.id, Event.position).order_by(Event.position)).all()
        last = session.get_one(Feed, 1).last_position
    assert len(events) == 240
    assert [position for _, position in events] == list(range(1, last + 1))
    assert reader.ids == [id for id, _ in events]


def _few(store: Store, owner: str) -> list[leases.Leased]:
    with store.write() as session:
        return leases.lease(session, owner, now_ms(), 30_000, limit=11)


def test_what_commits_late_comes_later_in_the_feed(store: Store, site: Site, classifier: Classifier) -> None:
    """An event that is older but committed after others were read is not lost behind the cursor."""
    late, early = submit(store, site, "Late.", "Early.")
    reader = Reader(store, site)
    written, go_on = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with store.write() as session:
            session.add(Event(**withdrawn_event(session.get_one(Comment, late), now_ms() - 60_000)))
            session.flush()
            written.set()
            go_on.wait(30)

    slow = in_thread(write_slowly)
    assert written.wait(30)
    other = in_thread(lambda: decide_and_publish(store, classifier))
    if not store.sqlite:  # there the second writer waits for the first; either way nothing is lost
        other.join(30)
        reader.read_all()
        assert len(reader.ids) == 1  # the late one's row is not free for a worker before its commit
    go_on.set()
    slow.join(30)
    other.join(30)
    decide_and_publish(store, classifier)
    reader.read_all()
    with store.read() as session:
        by_age = session.scalars(select(Event.id).order_by(Event.occurred_at)).all()
    assert sorted(reader.ids) == sorted(by_age)
    assert len(set(reader.ids)) == 3
    assert early != late


def test_an_undo_and_a_publisher_at_the_same_moment(
    store: Store, site: Site, person: Person, classifier: Classifier
) -> None:
    """An event that is just being taken back is neither released nor does it stop the publisher."""
    first, second = submit(store, site, "One.", "Two.")
    drain(store, classifier)
    publish(store)
    for id in (first, second):
        with store.write() as session:
            review.act(session, person, [id], Act("reject", None, "spam"), now_ms(), 0)
    undone, go_on = threading.Event(), threading.Event()

    def undo_slowly() -> None:
        with store.write() as session:
            review.undo(session, person, now_ms())
            undone.set()
            go_on.wait(30)

    slow = in_thread(undo_slowly)
    assert undone.wait(30)
    failed: list[BaseException] = []

    def publish_beside() -> None:
        try:
            publish(store)
        except BaseException as error:
            failed.append(error)

    beside = in_thread(publish_beside)
    if not store.sqlite:
        until(lambda: not beside.is_alive(), what="the publisher")
    go_on.set()
    slow.join(30)
    beside.join(30)
    publish(store)
    assert failed == []
    reader = Reader(store, site)
    reader.read_all()
    with store.read() as session:
        kinds = session.execute(select(Event.comment_id, Event.type).order_by(Event.position)).all()
    assert len(reader.ids) == len(kinds) == 3
    assert [tuple(kind) for kind in kinds[2:]] == [(first, "comment.rejected")]


def test_a_cursor_stays_on_an_empty_page(store: Store, site: Site, classifier: Classifier) -> None:
    submit(store, site, "One.")
    with store.read() as session:
        assert outbox.feed_page(session, site[0], "", 10) == {"events": [], "next": "0"}
    drain(store, classifier)
    assert lease(store) == []
    publish(store)
    with store.read() as session:
        page = outbox.feed_page(session, site[0], "0", 10)
        assert outbox.feed_page(session, site[0], page["next"], 10) == {"events": [], "next": page["next"]}


def test_an_imported_comment_has_no_event(store: Store, site: Site, classifier: Classifier) -> None:
    old = intake.NewComment(
        "old", "Fine.", "plain", "Ann", "ann@example.org", None, None, "https://news.example/a",
        imported_status="approved",
    )  # fmt: skip
    with store.write() as session:
        intake.submit(session, site[0], [old], now_ms())
    assert drain(store, classifier) == 1
    with store.read() as session:
        assert session.scalars(select(Event.id)).all() == []
