"""kill -9 of every part inside a burst: what got a 202 is decided exactly once, and all comes back by itself."""

import random
from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy import select

from moderation.store.session import Store
from moderation.store.tables import Comment, Decision, Event
from tests.databases import PostgreSQL, until
from tests.e2e.faults import Clients, Killer, Reader, a_burst, count
from tests.services import Running

TOTAL = 1_000
KILLS = ["worker"] * 10 + ["redis"] * 6 + ["web"] * 6
SEED = 20_220_906


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_a_burst_survives_kills(kind: str, start: Callable[..., Running], request: pytest.FixtureRequest) -> None:
    env: dict[str, str] = {}
    if kind == "postgresql":
        server: PostgreSQL = request.getfixturevalue("postgresql")
        env["MODERATION_DATABASE_URL"] = server.new_database()
    running = start(env=env)
    store = Store(env.get("MODERATION_DATABASE_URL", f"sqlite:///{running.folder / 'moderation.sqlite3'}"))
    chance = random.Random(f"{SEED} {kind}")
    clients, reader = Clients(running, a_burst(chance, TOTAL)), Reader(running)
    killer = Killer(running, store, chance)
    order = chance.sample(KILLS, len(KILLS))
    piece = TOTAL // (len(order) + 1)
    for number, part in enumerate(order):
        clients.allow((number + 1) * piece)
        moment = number * piece + chance.randrange(piece // 2)
        until(lambda moment=moment: len(clients.accepted) >= moment, 30, f"comment {moment}")
        killer.kill(part)
    clients.allow(TOTAL)
    clients.join(60)
    until(lambda: count(store, lambda: Comment.status == "pending") == 0, 60, "all to be decided")
    until(lambda: running.call("GET", "/readyz", key=None)[0] == 200, 30, "readyz")
    until(lambda: all(running.parts().values()), 30, "all parts")
    until(lambda: not waiting(store), 30, "all events to be released")
    reader.stop()
    print(f"{kind}: {killer.kills}, leased at worker kills {killer.leased_rows}, retries {clients.retries}")
    assert clients.wrong == []
    assert sum(killer.kills.values()) >= 20
    assert len(killer.leased_rows) >= 5
    assert_decided_once(store, clients.accepted, [event["id"] for event in reader.events])
    store.close()


def waiting(store: Store) -> bool:
    """Whether events are not in the feed yet."""
    with store.read() as session:
        return session.scalar(select(Event.id).where(Event.position.is_(None)).limit(1)) is not None


def assert_decided_once(store: Store, accepted: dict[str, str], read: list[str]) -> None:
    """Each accepted comment has one decision, each decision one event, and the reader saw each event once."""
    with store.read() as session:
        comments = {row.external_id: row.id for row in session.execute(select(Comment.external_id, Comment.id))}
        decisions = session.execute(select(Decision.id, Decision.comment_id, Decision.revision, Decision.source)).all()
        events = session.execute(select(Event.id, Event.decision_id, Event.position).order_by(Event.position)).all()
    assert len(accepted) == TOTAL
    assert comments == accepted
    assert {decision.source for decision in decisions} == {"policy"}
    assert Counter(decision.comment_id for decision in decisions) == Counter(comments.values())
    assert Counter(event.decision_id for event in events) == Counter(decision.id for decision in decisions)
    assert read == [event.id for event in events]
