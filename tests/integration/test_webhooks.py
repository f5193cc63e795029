"""Events to a real HTTP receiver, on both databases. Time passes by moving what is due, never by waiting."""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event as happening
from sqlalchemy import func, select, text, update

from moderation.config import Settings
from moderation.domain.lifecycle import Outcome
from moderation.errors import Invalid
from moderation.scoring import Classifier
from moderation.services import deliveries, intake, outbox, review, sites, webhook_calls
from moderation.services.accounts import Person
from moderation.services.review import Act
from moderation.store.queries import insert_rows
from moderation.store.session import Store, new_id, now_ms
from moderation.store.tables import Delivery, Event, Site
from tests.databases import until
from tests.integration.receiver import Receiver
from tests.integration.receiver import receiver as receiver  # a fixture
from tests.integration.test_decide import drain, submit
from tests.services import ABUSE

GRACE = 3_600_000


def patient(seconds: float) -> Settings:
    """Waits so long for a receiver: for as long as a busy machine may take, unless it hangs on purpose."""
    return Settings(webhook_allow_private=True, webhook_timeout_seconds=seconds)


class Hooked:
    """A site with that receiver as its webhook, and what the worker does for it."""

    def __init__(self, store: Store, site: tuple[str, str], url: str, classifier: Classifier) -> None:
        self.store, self.site, self.classifier = store, site, classifier
        self.settings = patient(60)
        with store.write() as session:
            self.secret = sites.set_webhook(session, session.get_one(Site, site[0]), url) or ""

    def decide(self, *bodies: str, prefix: str = "c") -> list[str]:
        """Takes comments in and decides them; the events are released."""
        ids = submit(self.store, self.site, *bodies, prefix=prefix)
        drain(self.store, self.classifier)
        self.publish()
        return ids

    def publish(self, later_ms: int = 0) -> None:
        with self.store.write() as session:
            outbox.publish(session, now_ms() + later_ms)
        if later_ms:
            self.time_passes()

    def lease(self, many: int) -> int:
        """As a worker does that is killed then; returns of how many deliveries."""
        with webhook_calls.Lines(True, 60) as lines:
            piece = deliveries._Post(self.store, self.settings, lines).lease(self.site[0], many)
        return len(piece.events) if piece else 0

    def deliver(self) -> None:
        self.began = now_ms()
        deliveries.deliver_due(self.store, self.settings)

    def pauses(self) -> list[int]:
        """Seconds from the tries just made to the next ones."""
        made = range(self.began, now_ms() + 1)
        next_at = [d.next_at for d in self.deliveries() if d.next_at]
        return [pause for at in next_at for pause in deliveries.RETRIES if at - pause * 1000 in made]

    def deliveries(self) -> list[Delivery]:
        with self.store.read() as session:
            return list(
                session.scalars(select(Delivery).join(Event, Event.id == Delivery.event_id).order_by(Event.position))
            )

    def time_passes(self) -> None:
        """The next tries come due."""
        with self.store.write() as session:
            session.execute(update(Delivery).where(Delivery.next_at.is_not(None)).values(next_at=now_ms()))

    def rule(self, person: Person, id: str, action: str = "approve") -> None:
        with self.store.write() as session:
            review.act(session, person, [id], Act(action), now_ms(), GRACE)

    def undo(self, person: Person) -> None:
        with self.store.write() as session:
            review.undo(session, person, now_ms())


@pytest.fixture
def hooked(store: Store, site: tuple[str, str], receiver: Receiver, classifier: Classifier) -> Hooked:
    return Hooked(store, site, receiver.url, classifier)


def test_signed_and_in_the_form_of_standard_webhooks(hooked: Hooked, receiver: Receiver) -> None:
    hooked.decide("Fine.", ABUSE)
    hooked.deliver()
    events = receiver.events(hooked.secret)
    assert {(event["type"], event["data"]["status"]) for event in events} == {
        ("comment.approved", "approved"), ("comment.held", "held"),
    }  # fmt: skip
    with hooked.store.read() as session:
        feed = outbox.feed_page(session, hooked.site[0], "", 10)["events"]
    assert events == feed
    headers = receiver.got[0][0]
    assert headers["webhook-id"] == events[0]["id"]
    assert headers[""] == "/hook?a=1"
    assert headers["host"] == f"127.0.0.1:{receiver.port}"
    hooked.deliver()
    assert len(receiver.got) == 2
    assert [d.next_at for d in hooked.deliveries()] == [None, None]


@pytest.mark.parametrize("failure", [500, 302, 0, -1])
def test_tried_again_with_back_off_and_the_same_id(hooked: Hooked, receiver: Receiver, failure: int) -> None:
    hooked.decide("Fine.")
    receiver.answers = [failure] * 3
    pauses, hooked.settings = [], patient(0.5)
    for _ in range(3):
        hooked.deliver()
        pauses += hooked.pauses()
        hooked.time_passes()
    assert pauses == list(deliveries.RETRIES[:3])
    hooked.settings = patient(60)
    hooked.deliver()
    assert len(set(receiver.ids())) == 1
    assert len(receiver.ids()) == 4  # a redirect was not followed, or there were more
    (delivery,) = hooked.deliveries()
    assert (delivery.attempts, delivery.last_status, delivery.next_at) == (4, 204, None)


def test_given_up_at_the_end_but_kept_in_the_feed(hooked: Hooked, receiver: Receiver) -> None:
    hooked.decide("Fine.")
    receiver.answers = [500] * 100
    tries = len(deliveries.RETRIES) + 1
    for _ in range(tries):
        hooked.deliver()
        hooked.time_passes()
    hooked.deliver()
    assert len(receiver.got) == tries
    assert hooked.deliveries()[0].next_at is None
    with hooked.store.read() as session:
        assert len(outbox.feed_page(session, hooked.site[0], "", 10)["events"]) == 1


def test_events_of_a_comment_come_in_order_also_after_failures(
    hooked: Hooked, receiver: Receiver, person: Person
) -> None:
    ids = hooked.decide(*[f"{ABUSE} {n}" for n in range(30)])
    for id in ids:
        hooked.rule(person, id)
    hooked.publish(later_ms=2 * GRACE)
    hooked.undo(person)
    hooked.publish()
    receiver.answers = [204] * 20 + [500] + [204] * 20 + [500]
    for _ in range(3):
        hooked.deliver()
        hooked.decide("Later.", prefix=f"d{len(receiver.got)}-")  # due now, but it must wait for those before it
        came = len(receiver.got)
        hooked.deliver()
        assert len(receiver.got) in (came, came + 1)
        hooked.time_passes()
    hooked.deliver()
    assert [d.next_at for d in hooked.deliveries()] == [None] * 64
    first: dict[str, list[str]] = {}
    for event in receiver.events(hooked.secret):
        of_comment = first.setdefault(event["data"]["id"], [])
        if event["id"] not in of_comment:
            of_comment.append(event["id"])
    assert sum(map(len, first.values())) == 64
    assert all(of_comment == sorted(of_comment) for of_comment in first.values())


def test_a_receiver_that_is_down_hears_of_one_event_only(hooked: Hooked, receiver: Receiver) -> None:
    hooked.decide(*[f"Fine {n}." for n in range(30)])
    receiver.answers = [500]
    hooked.deliver()
    hooked.deliver()
    assert len(receiver.got) == 1
    hooked.time_passes()
    hooked.deliver()
    assert len(receiver.got) == 31


def test_connections_are_kept_and_opened_anew_when_the_receiver_closes_them(hooked: Hooked, receiver: Receiver) -> None:
    hooked.decide(*[f"Fine {n}." for n in range(60)])
    hooked.deliver()
    assert len(receiver.got) == 60
    assert receiver.connections <= 8
    receiver.answers = [-2] * 60
    hooked.decide(*[f"Fine {n}." for n in range(60)], prefix="d")
    hooked.deliver()
    assert len(set(receiver.ids())) == 120
    assert {d.attempts for d in hooked.deliveries()} == {1}


def test_one_that_fails_often_no_longer_holds_up_the_others(hooked: Hooked, receiver: Receiver) -> None:
    hooked.decide("First.")
    receiver.answers = [500] * 4
    for _ in range(4):
        hooked.deliver()
        hooked.time_passes()
    with hooked.store.write() as session:
        session.execute(update(Delivery).values(next_at=now_ms() + 600_000))
    hooked.decide("Second.", prefix="d")
    hooked.deliver()
    assert len(set(receiver.ids())) == 2


def test_what_another_worker_has_leased_is_left_alone(hooked: Hooked, receiver: Receiver) -> None:
    hooked.decide(*[f"Fine {n}." for n in range(30)])
    assert hooked.lease(20) == 20
    hooked.deliver()  # the rest must wait too, for the sake of the order
    assert receiver.got == []
    hooked.time_passes()
    hooked.deliver()
    assert sorted(receiver.ids()) == sorted(d.event_id for d in hooked.deliveries())


def test_a_worker_that_is_killed_in_the_middle_loses_nothing(
    hooked: Hooked, receiver: Receiver, database_url: str
) -> None:
    hooked.decide(*[f"Fine {n}." for n in range(60)])
    receiver.answers = [204] * 20 + [0] * 8
    program = (
        "from moderation.config import Settings; from moderation.services import deliveries;"
        "from moderation.store.session import Store;"
        f"deliveries.deliver_due(Store({database_url!r}), Settings(webhook_allow_private=True,"
        "                        webhook_timeout_seconds=300))"
    )
    with subprocess.Popen([sys.executable, "-P", "-c", program]) as process:
        until(lambda: len(receiver.got) == 28, 60, "calls that wait on all lines")
        process.kill()
    hooked.deliver()
    assert len(receiver.got) == 28  # what it had leased is out of reach for a while
    hooked.time_passes()
    hooked.deliver()
    assert set(receiver.ids()) == {d.event_id for d in hooked.deliveries()}
    assert {(d.attempts, d.next_at) for d in hooked.deliveries()} == {(1, None)}


def test_a_receiver_that_hangs_is_left_at_the_limit(hooked: Hooked, receiver: Receiver) -> None:
    hooked.decide("Fine.", "Fine too.")
    receiver.answers, hooked.settings = [-1], patient(0.5)
    hooked.deliver()
    assert len(receiver.got) == 1
    assert hooked.lease(20) == 0


def test_a_body_that_comes_for_ever_is_left_at_the_limit(hooked: Hooked, receiver: Receiver) -> None:
    hooked.decide("Fine.", "Fine too.")
    receiver.answers, hooked.settings = [-3], patient(3)
    hooked.deliver()
    assert len(receiver.got) == 2
    assert [delivery.last_status for delivery in hooked.deliveries()] == [200, 204]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "224.0.0.1", "localhost", "[::1]", "[::]", "[::ffff:127.0.0.1]",
        "[::ffff:a9fe:a9fe]", "[fe80::1]", "[fc00::1]", "[2002:7f00:1::]", "[64:ff9b::7f00:1]",
    ],
)  # fmt: skip
def test_private_addresses_are_refused(host: str) -> None:
    with pytest.raises((ValueError, OSError)):
        webhook_calls.resolve(f"http://{host}:8080/hook", allow_private=False, timeout=5)


@pytest.mark.parametrize("host", [f"{'a' * 64}.example", "a..example"])
def test_a_name_that_can_be_none_is_no_private_address(host: str) -> None:
    with pytest.raises(OSError, match="no host"):
        webhook_calls.resolve(f"https://{host}/hook", allow_private=False, timeout=5)


def test_a_public_address_is_called_as_it_was_checked() -> None:
    target = webhook_calls.resolve("https://8.8.8.8/hook", allow_private=False, timeout=5)
    assert (target.ip, target.port, target.tls) == ("8.8.8.8", 443, True)


def test_a_private_receiver_hears_nothing_unless_allowed(hooked: Hooked, receiver: Receiver) -> None:
    hooked.decide("Fine.")
    deliveries.deliver_due(hooked.store, Settings(webhook_allow_private=False))
    assert receiver.got == []
    assert hooked.deliveries()[0].last_error == "PrivateAddress"


@pytest.mark.parametrize("url", ["ftp://a.example/", "http://", "http://u:p@a.example/", "//a", "http://a:99999/"])
def test_what_is_no_web_address_is_refused(store: Store, site: tuple[str, str], url: str) -> None:
    with store.write() as session, pytest.raises(Invalid):
        sites.set_webhook(session, session.get_one(Site, site[0]), url)


def test_a_receiver_that_hangs_slows_no_other_site(hooked: Hooked, receiver: Receiver) -> None:
    hanging = Receiver()
    hanging.answers = [0] * 1_000
    with hooked.store.write() as session:
        theirs, key = sites.create_site(session, "other")
    other = Hooked(hooked.store, (theirs.id, key), hanging.url, hooked.classifier)
    other.decide(*(f"First {n}." for n in range(30)))
    hooked.decide(*(f"Fine {n}." for n in range(30)))
    hooked.settings = patient(300)
    at_work = threading.Thread(target=hooked.deliver, daemon=True)
    at_work.start()
    until(lambda: len(receiver.got) == 30 and hanging.got, what="all events of the site whose receiver answers")
    assert len(hanging.got) == 1  # one, until it has answered
    assert at_work.is_alive()
    hanging.close()
    at_work.join(60)
    assert not at_work.is_alive()


def test_a_name_server_that_is_silent_slows_no_other_site(
    hooked: Hooked, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, end, real = list[str](), threading.Event(), socket.getaddrinfo

    def silent(host: str, *rest: Any, **more: Any) -> list[Any]:
        if host != "silent.example":
            return real(host, *rest, **more)
        asked.append(host)
        end.wait()
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    with hooked.store.write() as session:
        theirs, key = sites.create_site(session, "other")
    other = Hooked(hooked.store, (theirs.id, key), "http://silent.example/hook", hooked.classifier)
    other.decide("First.", prefix="o")
    hooked.decide(*(f"Fine {n}." for n in range(30)))
    at_work = threading.Thread(target=hooked.deliver, daemon=True)
    at_work.start()
    try:
        at_work.join(60)
        assert not at_work.is_alive()
        assert len(receiver.got) == 30
        assert [d.last_error for d in hooked.deliveries() if d.site_id == theirs.id] == ["TimeoutError"]
        hooked.time_passes()
        hooked.deliver()
        assert asked == ["silent.example"]  # the second try waits for the same answer
    finally:
        end.set()


SILENT = """
import socket, threading
from moderation.services.webhook_calls import Lines
name_server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
name_server.bind(("127.0.0.1", 53))
with Lines(True, 0.5) as lines:
    for _ in range(2):
        print(lines.post("http://silent.example/hook", {}, b"{}").error)
print(b"silent" in name_server.recv(512), [thread.name for thread in threading.enumerate()].count("look-up"))
"""


@pytest.mark.namespaces
def test_the_systems_own_look_up_is_not_waited_for(place: Path) -> None:
    """glibc waits half a minute for a name server that says nothing; and the program ends without it, too."""
    (place / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:30 attempts:1\n")
    (place / "nsswitch.conf").write_text("hosts: files dns\n")
    prepared = " && ".join([
        "ip link set lo up", f"mount --bind {place}/resolv.conf /etc/resolv.conf",
        f"mount --bind {place}/nsswitch.conf /etc/nsswitch.conf", 'exec "$0" -c "$1"',
    ])  # fmt: skip
    command = ["unshare", "--net", "--mount", "sh", "-c", prepared, sys.executable, SILENT]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said == "TimeoutError\nTimeoutError\nTrue 1\n"


@pytest.fixture
def counted(store: Store) -> Iterator[Callable[[], int]]:
    """How many steps SQLite's machine has made, in hundreds, since the last call; on PostgreSQL 0 always."""
    steps = [0]

    def step() -> None:
        steps[0] += 1

    def connect(connection: Any, *_: Any) -> None:
        if store.sqlite:
            connection.set_progress_handler(step, 100)

    happening.listen(store.engine, "checkout", connect)

    def since() -> int:
        said, steps[0] = steps[0], 0
        return said

    yield since
    happening.remove(store.engine, "checkout", connect)


def test_what_waits_costs_nothing(hooked: Hooked, receiver: Receiver, counted: Callable[[], int]) -> None:
    """A look for what is due costs the same with ten thousand that wait behind one that failed as with ten."""
    hooked.decide("Fine.")
    costs = list[int]()
    for looks, many in enumerate((10, 10_000), 1):
        _wait_in_line(hooked, many)
        hooked.time_passes()
        receiver.answers = [500]
        hooked.deliver()  # one fails, the others wait for it
        assert len(receiver.got) == looks
        with hooked.store.write() as session:
            session.execute(text("ANALYZE"))
        counted()
        assert deliveries._plan(hooked.store, (), 16) == []
        costs.append(counted())
        with hooked.store.read() as session:
            assert not deliveries.due(session, now_ms())
    assert costs[1] <= 2 * costs[0] + 1


def _wait_in_line(hooked: Hooked, many: int) -> None:
    """So many more events of the same comment that are due."""
    with hooked.store.write() as session:
        first = session.scalars(select(Event).order_by(Event.position)).first()
        assert first
        last = session.scalar(select(func.max(Event.position))) or 0
        rows = [
            {"id": new_id(), "site_id": first.site_id, "comment_id": first.comment_id, "decision_id": None,
             "type": first.type, "occurred_at": 1, "release_at": 1, "position": last + n, "webhook": True, "data": {}}
            for n in range(1, many + 1)
        ]  # fmt: skip
        insert_rows(session, Event, rows)
        outbox._deliver(session, [(row["id"], first.site_id) for row in rows], now_ms())


def test_an_event_that_was_made_earlier_and_released_later_comes_later(hooked: Hooked, receiver: Receiver) -> None:
    """As a ruling that waits for its grace while the author edits; what is leased is one event at a time."""
    hooked.decide("Fine.")
    _wait_in_line(hooked, 3)
    with hooked.store.write() as session:
        ids = session.scalars(select(Event.id).order_by(Event.id)).all()
        for place, id in zip((204, 203, 202, 201), ids, strict=True):
            session.execute(update(Event).where(Event.id == id).values(position=place))
    assert hooked.lease(1) == 4
    hooked.time_passes()
    hooked.deliver()
    assert receiver.ids() == sorted(ids, reverse=True)


def test_a_ruling_undone_inside_the_grace_sends_nothing(hooked: Hooked, receiver: Receiver, person: Person) -> None:
    (id,) = hooked.decide(ABUSE)
    hooked.rule(person, id)
    hooked.publish()
    hooked.deliver()
    assert len(receiver.got) == 1  # held; the ruling waits
    hooked.undo(person)
    hooked.publish(later_ms=2 * GRACE)
    hooked.deliver()
    assert len(receiver.got) == 1


def test_a_ruling_undone_later_sends_what_it_reverses(hooked: Hooked, receiver: Receiver, person: Person) -> None:
    (id,) = hooked.decide(ABUSE)
    hooked.rule(person, id)
    hooked.publish(later_ms=2 * GRACE)
    hooked.deliver()
    hooked.undo(person)
    hooked.publish()
    hooked.deliver()
    events: list[dict[str, Any]] = receiver.events(hooked.secret)
    assert [event["type"] for event in events] == ["comment.held", "comment.approved", "comment.held"]
    assert [event["data"].get("reverses") for event in events] == [None, None, events[1]["id"]]


def test_what_the_site_decided_is_not_echoed(hooked: Hooked, receiver: Receiver) -> None:
    (id,) = hooked.decide("Fine.")
    with hooked.store.write() as session:
        intake.site_decision(session, hooked.site[0], id, Outcome.REJECT, "Eve", None, now_ms())
    hooked.publish()
    hooked.deliver()
    assert [event["type"] for event in receiver.events(hooked.secret)] == ["comment.approved"]
    with hooked.store.read() as session:
        assert len(outbox.feed_page(session, hooked.site[0], "", 10)["events"]) == 2
