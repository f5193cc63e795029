"""Events to a real HTTP receiver, on both databases. Time passes by moving what is due, never by waiting."""

import time
from typing import Any

import pytest
from sqlalchemy import select, update

from moderation.config import Settings
from moderation.domain.lifecycle import Outcome
from moderation.errors import Invalid
from moderation.scoring import Classifier
from moderation.services import intake, outbox, review, sites, webhooks
from moderation.services.accounts import Person
from moderation.services.review import Act
from moderation.store.session import Store, now_ms
from moderation.store.tables import Delivery, Event, Site
from tests.integration.receiver import Receiver
from tests.integration.receiver import receiver as receiver  # a fixture
from tests.integration.test_decide import drain, submit
from tests.services import ABUSE

GRACE = 60_000


class Hooked:
    """A site with that receiver as its webhook, and what the worker does for it."""

    def __init__(self, store: Store, site: tuple[str, str], url: str, classifier: Classifier) -> None:
        self.store, self.site, self.classifier = store, site, classifier
        self.settings = Settings(webhook_allow_private=True, webhook_timeout_seconds=0.5)
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

    def deliver(self) -> None:
        webhooks.deliver_due(self.store, self.settings)

    def deliveries(self) -> list[Delivery]:
        with self.store.read() as session:
            return list(
                session.scalars(select(Delivery).join(Event, Event.id == Delivery.event_id).order_by(Event.position))
            )

    def time_passes(self) -> list[int]:
        """The next tries come due; returns in how many seconds they would have."""
        waiting = [d for d in self.deliveries() if d.next_at and d.next_at > now_ms()]
        with self.store.write() as session:
            session.execute(update(Delivery).where(Delivery.next_at.is_not(None)).values(next_at=now_ms()))
        return [round(((d.next_at or 0) - now_ms()) / 1000) for d in waiting]

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
    pauses = []
    for _ in range(3):
        hooked.deliver()
        pauses += hooked.time_passes()
    assert pauses == list(webhooks.RETRIES[:3])
    hooked.deliver()
    assert len(set(receiver.ids())) == 1
    assert len(receiver.ids()) == 4  # a redirect was not followed, or there were more
    (delivery,) = hooked.deliveries()
    assert (delivery.attempts, delivery.last_status, delivery.next_at) == (4, 204, None)


def test_given_up_at_the_end_but_kept_in_the_feed(hooked: Hooked, receiver: Receiver) -> None:
    hooked.decide("Fine.")
    receiver.answers = [500] * 100
    tries = len(webhooks.RETRIES) + 1
    for _ in range(tries):
        hooked.deliver()
        hooked.time_passes()
    hooked.deliver()
    assert len(receiver.got) == tries
    assert hooked.deliveries()[0].next_at is None
    with hooked.store.read() as session:
        assert len(outbox.feed_page(session, hooked.site[0], "", 10)["events"]) == 1


def test_in_the_order_of_the_feed_also_after_failures(hooked: Hooked, receiver: Receiver) -> None:
    hooked.decide(*[f"Fine {n}." for n in range(30)])
    receiver.answers = [204] * 3 + [500]
    hooked.deliver()
    assert len(receiver.got) == 4
    hooked.decide("Later.", prefix="d")  # due now, but it must wait for those before it
    hooked.deliver()
    assert len(receiver.got) == 4
    hooked.time_passes()
    hooked.deliver()
    ids = receiver.ids()
    assert ids[3] == ids[4]
    assert ids[:4] + ids[5:] == [d.event_id for d in hooked.deliveries()]


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


def test_what_another_worker_has_taken_is_left_alone(hooked: Hooked, receiver: Receiver) -> None:
    hooked.decide(*[f"Fine {n}." for n in range(30)])
    taken = webhooks._take(hooked.store, 30_000)
    assert 0 < len(taken) < 30
    hooked.deliver()  # the rest must wait too, for the sake of the order
    assert receiver.got == []
    hooked.time_passes()
    hooked.deliver()
    assert receiver.ids() == [d.event_id for d in hooked.deliveries()]


def test_a_receiver_that_hangs_costs_no_more_than_the_limit(hooked: Hooked, receiver: Receiver) -> None:
    hooked.decide("Fine.", "Fine too.")
    receiver.answers = [-1]
    began = time.monotonic()
    hooked.deliver()
    assert time.monotonic() - began < 10
    assert len(receiver.got) == 1
    # No transaction and no comment is held meanwhile: decisions go on while a delivery is under way.
    assert len(webhooks._take(hooked.store, 30_000)) == 0
    assert hooked.decide("Another.", prefix="d")


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
        webhooks.resolve(f"http://{host}:8080/hook", allow_private=False)


def test_a_public_address_is_called_as_it_was_checked() -> None:
    target = webhooks.resolve("https://8.8.8.8/hook", allow_private=False)
    assert (target.ip, target.port, target.tls) == ("8.8.8.8", 443, True)


def test_a_private_receiver_hears_nothing_unless_allowed(hooked: Hooked, receiver: Receiver) -> None:
    hooked.decide("Fine.")
    webhooks.deliver_due(hooked.store, Settings(webhook_allow_private=False))
    assert receiver.got == []
    assert hooked.deliveries()[0].last_error == "PrivateAddress"


@pytest.mark.parametrize("url", ["ftp://a.example/", "http://", "http://u:p@a.example/", "//a", "http://a:99999/"])
def test_what_is_no_web_address_is_refused(store: Store, site: tuple[str, str], url: str) -> None:
    with store.write() as session, pytest.raises(Invalid):
        sites.set_webhook(session, session.get_one(Site, site[0]), url)


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
