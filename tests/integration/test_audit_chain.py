"""The audit chain on both databases: what is sealed verifies, and what is tampered with is found and named."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from moderation.cli import main
from moderation.domain import chain
from moderation.domain.chain import BEGINNING, Head
from moderation.services import audit_chain
from moderation.services.audit import audit_row, record_audit
from moderation.services.audit_chain import Verified
from moderation.store.audit import AuditChain, AuditEvent
from moderation.store.session import Store, new_id, now_ms
from tests.databases import until

SECRET = "s" * 32
KEYS = chain.keys(SECRET)


def happen(store: Store, count: int = 1, action: str = "comment.received") -> None:
    """So many audit events are committed."""
    with store.write() as session:
        for n in range(count):
            record_audit(session, action, site_id="s" * 32, subject_id=new_id(), actor=f"ann-{n % 3}",
                         data={"reason": "insult", "number": n, "share": 0.5, "word": "é"})  # fmt: skip


def seal(store: Store, keys: list[bytes] = KEYS) -> None:
    assert audit_chain.seal_waiting(store, keys, until=lambda: False) is False


def verify(store: Store, keys: list[bytes] = KEYS, start: Head = BEGINNING, expect: Head | None = None) -> Verified:
    return audit_chain.verify(store, keys, start, expect)


def holds(store: Store, keys: list[bytes] = KEYS) -> Verified:
    found = verify(store, keys)
    assert found.broken is None, found.broken
    return found


@pytest.fixture
def sealed(store: Store) -> Store:
    """A store with ten sealed events."""
    happen(store, 10)
    seal(store)
    return store


def at(session: Session, place: int) -> AuditEvent:
    return session.scalars(select(AuditEvent).where(AuditEvent.place == place)).one()


def test_places_run_from_one_and_the_chain_holds(sealed: Store) -> None:
    happen(sealed, 3)
    found = holds(sealed)
    assert (found.links, found.head.place, found.unsealed, found.erased) == (10, 10, 3, 0)
    seal(sealed)
    found = holds(sealed)
    assert (found.links, found.head.place, found.unsealed) == (13, 13, 0)
    with sealed.read() as session:
        events = session.scalars(select(AuditEvent).order_by(AuditEvent.place)).all()
        assert [event.place for event in events] == list(range(1, 14))
        state = audit_chain.state(session)
        assert (state.place, state.broken, state.oldest_unsealed, state.verified_place) == (13, None, None, 13)


def test_an_empty_trail_holds(store: Store) -> None:
    found = holds(store)
    assert (found.links, found.head) == (0, BEGINNING)


def test_what_commits_late_is_sealed_behind_what_is_there(store: Store) -> None:
    early = audit_row("comment.received", site_id=None, subject_id=None, actor=None, at=now_ms())
    happen(store, 3)
    seal(store)
    with store.write() as session:
        session.execute(insert(AuditEvent), [early])
    seal(store)
    holds(store)
    with store.read() as session:
        assert at(session, 4).id == early["id"] < at(session, 1).id


def _swap(session: Session, whole: bool) -> None:
    """Two events change places, the seals with them or not."""
    one, other = at(session, 4), at(session, 5)
    one.place = None
    session.flush()
    other.place = 4
    session.flush()
    one.place = 5
    if not whole:
        one.seal, other.seal = other.seal, one.seal


def _insert(session: Session) -> None:
    """An event is put in between, as well as one can without the key: places and seals are made anew from there."""
    rows = session.scalars(select(AuditEvent).where(AuditEvent.place >= 5).order_by(AuditEvent.place.desc())).all()
    for row in rows:
        row.place = (row.place or 0) + 1
        session.flush()
    planted = AuditEvent(**audit_row("comment.approved", site_id="s" * 32, subject_id="x", actor="ann", at=now_ms()))
    planted.place, planted.digest = 5, chain.digest(b"guessed", chain.Said("", None, 0, None, "", None, {}))
    session.add(planted)
    session.flush()
    _reseal(session, 5)


def _reseal(session: Session, place: int) -> None:
    """Seals and head as they would be, from this place on; whoever does this has no key."""
    last = at(session, place - 1).seal or "" if place > 1 else ""
    rows = session.scalars(select(AuditEvent).where(AuditEvent.place >= place).order_by(AuditEvent.place)).all()
    for row in rows:
        last = row.seal = chain.seal(last, row.place or 0, row.digest or "")
    head = session.get_one(AuditChain, 1)
    head.place, head.seal = place + len(rows) - 1, last


def _remove_whole(session: Session) -> None:
    """An event is gone, and those behind it are moved up and sealed anew."""
    session.delete(at(session, 5))
    session.flush()
    for place in range(6, 11):
        at(session, place).place = place - 1
        session.flush()
    _reseal(session, 5)


def _sql(statement: str) -> Callable[[Session], object]:
    return lambda session: session.execute(text(statement))


TAMPERING: dict[str, tuple[Callable[[Session], object], int, str]] = {
    "data": (lambda session: setattr(at(session, 4), "data", {"reason": "spam"}), 4, "changed"),
    "actor": (_sql("UPDATE audit_events SET actor = 'bob' WHERE place = 4"), 4, "changed"),
    "no actor": (_sql("UPDATE audit_events SET actor = NULL WHERE place = 4"), 4, "changed"),
    "at": (_sql("UPDATE audit_events SET at = at + 1 WHERE place = 1"), 1, "changed"),
    "action": (_sql("UPDATE audit_events SET action = 'comment.edited' WHERE place = 10"), 10, "changed"),
    "subject": (_sql("UPDATE audit_events SET subject_id = 'c' WHERE place = 4"), 4, "changed"),
    "site": (_sql("UPDATE audit_events SET site_id = 't' WHERE place = 4"), 4, "changed"),
    "id": (_sql("UPDATE audit_events SET id = 'x' WHERE place = 4"), 4, "changed"),
    "digest": (_sql("UPDATE audit_events SET digest = 'd' WHERE place = 4"), 4, "changed"),
    "seal": (_sql("UPDATE audit_events SET seal = 'd' WHERE place = 4"), 4, "its seal"),
    "deleted": (_sql("DELETE FROM audit_events WHERE place = 4"), 4, "missing"),
    "first deleted": (_sql("DELETE FROM audit_events WHERE place = 1"), 1, "missing"),
    "unsealed": (_sql("UPDATE audit_events SET place = NULL WHERE place = 4"), 4, "missing"),
    "removed whole": (_remove_whole, 9, "signature"),
    "swapped": (lambda session: _swap(session, False), 4, "its seal"),
    "swapped with seals": (lambda session: _swap(session, True), 4, "its seal"),
    "put in": (_insert, 5, "changed"),
    "added at the end": (_sql("UPDATE audit_chain SET place = 9"), 11, "its head is at place 9"),
    "tail": (_sql("DELETE FROM audit_events WHERE place > 7"), 8, "cut off"),
    "all": (_sql("DELETE FROM audit_events"), 1, "cut off"),
    "called erased": (_sql("UPDATE audit_events SET actor = 'bob', erased_at = 1 WHERE place = 4"), 10, "erasure"),
    "head": (_sql("UPDATE audit_chain SET mac = ''"), 10, "signature"),
    "no head": (_sql("DELETE FROM audit_chain"), 11, "its head is at place 0"),
}


@pytest.mark.parametrize("kind", TAMPERING)
def test_tampering_is_found_and_named(sealed: Store, kind: str) -> None:
    tamper, place, says = TAMPERING[kind]
    with sealed.write() as session:
        tamper(session)
    broken = verify(sealed).broken
    assert broken is not None
    assert (broken.place, says in broken.what) == (place, True), broken
    with sealed.read() as session:
        assert audit_chain.state(session).broken == str(broken)


@pytest.mark.parametrize("kind", ["tail", "all", "head", "no head", "unsealed", "removed whole"])
def test_the_sealer_does_not_cover_it_up(sealed: Store, kind: str) -> None:
    with sealed.write() as session:
        TAMPERING[kind][0](session)
    for _ in range(2):
        happen(sealed, 5)
        seal(sealed)
    assert verify(sealed).broken is not None
    with sealed.read() as session:
        assert audit_chain.state(session).oldest_unsealed is None


def test_a_tail_cut_with_its_signed_head_is_found_by_a_head_kept_elsewhere(sealed: Store) -> None:
    with sealed.read() as session:
        old = session.get_one(AuditChain, 1)
    happen(sealed, 5)
    seal(sealed)
    kept = holds(sealed).head
    with sealed.write() as session:
        session.execute(text("DELETE FROM audit_events WHERE place > 10"))
        session.merge(old)
    assert verify(sealed).broken is None  # within the database nothing is wrong
    broken = verify(sealed, expect=kept).broken
    assert broken is not None
    assert (broken.place, "cut off" in broken.what) == (15, True)
    happen(sealed, 9)
    seal(sealed)
    broken = verify(sealed, expect=kept).broken
    assert broken is not None
    assert (broken.place, "made anew" in broken.what) == (15, True)


def test_a_chain_made_anew_with_the_key_is_found_by_a_head_kept_elsewhere(sealed: Store) -> None:
    kept = holds(sealed).head
    with sealed.write() as session:
        session.execute(text("UPDATE audit_events SET place = NULL"))
        session.execute(text("UPDATE audit_chain SET place = 0, seal = '', mac = ''"))
        session.execute(text("UPDATE audit_events SET actor = 'bob' WHERE actor = 'ann-1'"))
    seal(sealed)
    assert holds(sealed).head.place == 10
    for found in (verify(sealed, expect=kept), verify(sealed, start=kept)):
        assert found.broken is not None
        assert (found.broken.place, "made anew" in found.broken.what) == (10, True)


def test_a_walk_from_a_kept_head_sees_only_what_came_after(sealed: Store) -> None:
    kept = holds(sealed).head
    happen(sealed, 4)
    seal(sealed)
    with sealed.write() as session:
        session.execute(text("UPDATE audit_events SET actor = 'bob' WHERE place = 3"))
    found = verify(sealed, start=kept, expect=kept)
    assert (found.broken, found.links, found.head.place) == (None, 4, 14)
    with sealed.write() as session:
        session.execute(text("UPDATE audit_events SET actor = 'bob' WHERE place = 12"))
    assert verify(sealed, start=kept).broken is not None


def test_an_erased_event_keeps_its_place(sealed: Store) -> None:
    with sealed.write() as session:
        ids = [at(session, place).id for place in (2, 3)]
        assert audit_chain.erase(session, ids, "ann", now_ms()) == 2
        assert audit_chain.erase(session, ids, "ann", now_ms()) == 0  # once is enough
    assert holds(sealed).erased == 2
    seal(sealed)
    found = holds(sealed)
    assert (found.erased, found.links) == (2, 11)
    with sealed.read() as session:
        event = at(session, 2)
        assert (event.actor, event.subject_id, event.data) == (None, None, {})
        assert at(session, 11).data == {"count": 2}


def test_what_was_erased_before_it_was_sealed_is_sealed_as_it_is(store: Store) -> None:
    happen(store, 2)
    with store.write() as session:
        audit_chain.erase(session, session.scalars(select(AuditEvent.id)).all(), None, now_ms())
    seal(store)
    assert holds(store).erased == 2


def test_a_new_secret_key_goes_on_where_the_former_one_ended(sealed: Store) -> None:
    both = chain.keys("n" * 32, SECRET)
    happen(sealed, 3)
    seal(sealed, both)
    assert holds(sealed, both).links == 13
    third = chain.keys("t" * 32, f"{'n' * 32} {SECRET}")
    happen(sealed, 3)
    seal(sealed, third)
    assert holds(sealed, third).links == 16
    broken = verify(sealed, chain.keys("t" * 32)).broken
    assert broken is not None
    assert "secret key" in broken.what


def test_a_former_key_seals_nothing_after_the_new_one_has_begun(sealed: Store) -> None:
    both = chain.keys("n" * 32, SECRET)
    happen(sealed, 1)
    seal(sealed, both)
    happen(sealed, 1)
    seal(sealed)  # by somebody who has the former key
    broken = verify(sealed, both).broken
    assert broken is not None
    assert (broken.place, "secret key" in broken.what) == (12, True)


def test_a_former_key_signs_no_head_of_the_new_ones_chain(sealed: Store) -> None:
    both = chain.keys("n" * 32, SECRET)
    happen(sealed, 2)
    seal(sealed, both)
    with sealed.write() as session:
        session.execute(text("DELETE FROM audit_events WHERE place = 12"))
        head = session.get_one(AuditChain, 1)
        head.place, head.seal = 11, at(session, 11).seal or ""
        head.mac = chain.signature(KEYS[0], Head(head.place, head.seal))
    broken = verify(sealed, both).broken
    assert broken is not None
    assert (broken.place, "signature" in broken.what) == (11, True)


def test_a_key_that_was_lost_shows_and_one_can_go_on_from_there(sealed: Store) -> None:
    lost = chain.keys("n" * 32)
    happen(sealed, 1)
    seal(sealed, lost)
    with sealed.read() as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == chain.BROKEN)).one()
        assert event.data == {"left": 10, "found": 10}
        start = Head(event.place or 0, event.seal or "")
    assert verify(sealed, lost).broken is not None
    happen(sealed, 4)
    seal(sealed, lost)
    assert verify(sealed, lost, start=start).broken is None


def test_random_events_sealed_at_random_moments(store: Store) -> None:
    chance = random.Random(5)
    committed = 0
    for _ in range(60):
        if chance.random() < 0.7:
            number = chance.choice([1, 2, 7, 40])
            happen(store, number)
            committed += number
        if chance.random() < 0.5:
            with store.write() as session:
                audit_chain.seal_batch(session, KEYS, now_ms(), chance.choice([1, 3, 25]))
        if chance.random() < 0.1:
            found = holds(store)
            assert found.links + found.unsealed == committed
    seal(store)
    assert holds(store).links == committed


def test_a_backlog_is_sealed_in_bounded_bouts(store: Store) -> None:
    happen(store, 1200)
    assert audit_chain.seal_waiting(store, KEYS, until=lambda: True) is True
    assert holds(store).links == 500
    seal(store)
    assert holds(store).links == 1200


def test_two_sealers_and_writers_at_once(database_url: str, store: Store) -> None:
    other = Store(database_url, pool_size=5)
    done = threading.Event()
    failures: list[BaseException] = []

    def run(task: Callable[[], object]) -> None:
        try:
            while not done.is_set():
                task()
        except BaseException as error:
            failures.append(error)

    def written() -> int:
        with store.read() as session:
            return session.scalar(select(func.count()).select_from(AuditEvent)) or 0

    tasks = [partial(happen, store, 3), partial(happen, other, 2), partial(seal, store), partial(seal, other)]
    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    until(lambda: written() > 400 or failures, what="events")
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    seal(store)
    found = holds(store)
    assert (found.links, found.unsealed) == (written(), 0)
    other.close()


_ENDLESS = """
import sys
from moderation.domain import chain
from moderation.services import audit_chain
from moderation.store.session import Store, now_ms
store = Store(sys.argv[1], pool_size=1)
print("ready", flush=True)
while True:
    with store.write() as session:
        audit_chain.seal_batch(session, chain.keys(sys.argv[2]), now_ms(), 7)
"""


def test_a_sealer_killed_in_between_leaves_a_chain_that_holds(database_url: str, store: Store) -> None:
    happen(store, 3000)
    for reached in (300, 900):
        command = [sys.executable, "-c", _ENDLESS, database_url, SECRET]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
        try:
            until(lambda reached=reached: holds(store).links > reached, 60, "sealed events")  # type: ignore[misc]
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
        found = holds(store)
        assert found.links + found.unsealed == 3000
    seal(store)
    assert holds(store).links == 3000


@pytest.fixture
def run(database_url: str) -> Iterator[Callable[..., Result]]:
    def invoke(*arguments: str, env: dict[str, str] | None = None) -> Result:
        default = {"MODERATION_DATABASE_URL": database_url, "MODERATION_SECRET_KEY": SECRET}
        return CliRunner().invoke(main, ["audit", "verify", *arguments], env=default if env is None else env)

    return invoke


def test_the_command_says_that_it_holds_and_where_it_does_not(sealed: Store, run: Callable[..., Result]) -> None:
    happen(sealed, 2)
    answer = run()
    assert answer.exit_code == 0
    assert answer.output == (
        "The audit chain holds: 10 events up to place 10, 0 of them erased; 2 not sealed yet.\n"
    )  # fmt: skip
    head = run("--head").stdout.strip()
    assert Head(10, head.partition(":")[2]) == holds(sealed).head
    assert run("--expect", head).exit_code == 0
    assert "0 events up to place 10" in run("--from", head).output
    with sealed.write() as session:
        event = at(session, 6).id
        session.execute(text("UPDATE audit_events SET actor = 'bob' WHERE place = 6"))
    answer = run()
    assert answer.exit_code == 1
    assert answer.stderr.startswith(f"The audit chain is broken at place 6 (event {event}): what it says was changed")
    assert answer.stdout == ""
    with sealed.write() as session:
        session.execute(text("DELETE FROM audit_events WHERE place > 3"))
    assert "cut off" in run("--expect", head).stderr


def test_a_head_that_is_none_is_refused(run: Callable[..., Result]) -> None:
    for wrong in ("1", "1:x", ":", f"x:{'0' * 64}", f"-1:{'0' * 64}"):
        assert run("--expect", wrong).exit_code == 2


def test_the_command_finds_the_installation_of_up(store: Store, database_url: str, tmp_path: Path,
                                                   run: Callable[..., Result]) -> None:  # fmt: skip
    happen(store, 4)
    seal(store)
    assert "no secret_key" in run("--data", str(tmp_path), env={"MODERATION_DATABASE_URL": database_url}).stderr
    (tmp_path / "secret_key").write_text(SECRET + "\n")
    named = {} if database_url.startswith("sqlite") else {"MODERATION_DATABASE_URL": database_url}
    answer = run("--data", str(tmp_path), env=named)
    assert "4 events" in answer.output, answer.output
    missing = run("--data", str(tmp_path / "none"), env={})
    assert missing.exit_code == 1
    assert "there is no database" in missing.stderr


def test_the_digest_covers_everything_and_does_not_depend_on_the_order_of_keys() -> None:
    said = chain.Said("i", "s", 1, "a", "x", "c", {"a": 1, "b": [1, "é"]})
    same = said._replace(data=json.loads('{"b": [1, "é"], "a": 1}'))
    assert chain.digest(KEYS[0], said) == chain.digest(KEYS[0], same)
    others = [said._replace(**{name: None}) for name in said._fields]
    assert len({chain.digest(KEYS[0], one) for one in [said, *others]}) == len(others) + 1
