"""A webhook receiver that hangs holds up no decision, with Redis and without it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from moderation.services import sites
from moderation.store.session import Store
from moderation.store.tables import Site
from tests.databases import until
from tests.e2e.test_up import WithoutRedis, decided
from tests.integration.receiver import Receiver
from tests.integration.receiver import receiver as receiver  # a fixture
from tests.services import Running, a_comment

# Far longer than the test waits for a decision.
ENV = {"MODERATION_WEBHOOK_ALLOW_PRIVATE": "1", "MODERATION_WEBHOOK_TIMEOUT_SECONDS": "120"}


@pytest.fixture(params=["with Redis", "without Redis"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    kind = Running if request.param == "with Redis" else WithoutRedis
    started = kind(tmp_path / "data", env=ENV)
    yield started
    started.stop()


def test_decisions_go_on_while_a_receiver_hangs(running: Running, receiver: Receiver) -> None:
    receiver.answers = [0] * 10
    store = Store(f"sqlite:///{running.folder / 'moderation.sqlite3'}")
    with store.write() as session:
        sites.set_webhook(session, session.get_one(Site, running.credentials["site_id"]), receiver.url)
    store.close()
    running.call("POST", "/v1/comments", a_comment("first"))
    until(lambda: receiver.got, 60, "the first webhook, which is never answered")
    for number in range(5):
        running.call("POST", "/v1/comments", a_comment(f"c{number}"))
    for number in range(5):
        assert decided(running, f"c{number}") == "approved"
    until(lambda: len(running.call("GET", "/v1/events")[1]["events"]) == 6, what="the feed")
    assert len(receiver.got) == 1
