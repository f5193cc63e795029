"""A comment that kills whoever scores it is held in the end; those that were killed beside it are not."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import func, select, text, update

from models import Span
from moderation.scoring import Classifier
from moderation.services import decide, intake, leases, rescore
from moderation.services.intake import NewComment
from moderation.services.leases import ENOUGH, SUSPECT
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment, Decision
from workers.runtime import gone

Site = tuple[str, str]
DEADLY = "the text that this classifier dies of"


class Deadly:
    """Stands for a classifier that a text makes crash: the kernel ends its process, with no word to anybody."""

    name, version, attributes = "deadly", "1", ("INSULT",)

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        if any(DEADLY in text for text in texts):
            os.kill(os.getpid(), signal.SIGKILL)
        return [{"INSULT": 0.0} for _ in texts]

    def explain(self, text: str, attribute: str) -> list[Span]:
        return []


def submit(store: Store, site: Site, *bodies: str) -> list[str]:
    comments = [
        NewComment(f"c{n}", body, "plain", "Ann", "ann@example.org", None, None, "https://news.example/a")
        for n, body in enumerate(bodies)
    ]
    with store.write() as session:
        return [one.id for one in intake.submit(session, site[0], comments, now_ms())]


def in_a_process(store: Store, task: Callable[[str], object]) -> int:
    """Does it in a process of its own, as a job is done; gives back what it leaves when it dies. Returns its status."""
    if (pid := os.fork()) == 0:
        store.forget_connections()
        try:
            task(f"here:{os.getpid()}")
        finally:
            os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with store.write() as session:
        dead = [owner for owner in leases.lease_owners(session) if gone(owner, "here")]
        leases.give_back(session, dead)
    return status


def work(store: Store, owner: str) -> int:
    classifier = Classifier("deadly@1", Deadly())
    return decide.drain(store, classifier, owner, lease_ms=30_000, until=lambda: False, after_batch=lambda: None)


def deaths(store: Store) -> Counter[int]:
    """How many pending comments have so many deaths."""
    with store.read() as session:
        return Counter(session.scalars(select(Comment.deaths).where(Comment.status == "pending")))


def test_a_comment_that_kills_is_held_and_its_neighbours_are_decided(store: Store, site: Site) -> None:
    ids = submit(store, site, *(f"Fine {n}." for n in range(20)), DEADLY, *(f"Good {n}." for n in range(20)))
    store.engine.dispose()  # a fork must find no connection
    died = 0
    while in_a_process(store, lambda owner: work(store, owner)) == -signal.SIGKILL:
        died += 1
    assert died == ENOUGH
    with store.read() as session:
        found = {row.id: row.status for row in session.execute(select(Comment.id, Comment.status))}
        decided = Counter(session.scalars(select(Decision.comment_id)))
    assert [id for id in ids if found[id] == "held"] == [ids[20]]
    assert Counter(found.values()) == {"approved": 40, "held": 1}
    assert decided == Counter(ids)
    with store.write() as session:  # nor does anybody try it again by himself
        assert rescore.rescore(session, now_ms()) == 0
    with store.write() as session:  # a new text is another matter
        intake.edit(session, site[0], ids[20], "Fine after all.", now_ms())
    assert work(store, "here:1") == 1
    with store.read() as session:
        assert session.get_one(Comment, ids[20]).status == "approved"


@pytest.mark.parametrize("off", ["none", "hashjoin", "hashjoin, mergejoin, material, hashagg, sort"])
def test_no_more_are_taken_than_were_asked_for(store: Store, site: Site, off: str) -> None:
    """PostgreSQL may look for them once for each row that it changes, and then finds others each time."""
    submit(store, site, *(f"Fine {n}." for n in range(30)))
    with store.write() as session:
        session.execute(update(Comment).values(deaths=SUSPECT))
        if not store.sqlite:
            session.execute(text("ANALYZE comments"))
            for way in off.split(", ") if off != "none" else []:
                session.execute(text(f"SET LOCAL enable_{way} = off"))
        assert len(leases.lease(session, "here:1", now_ms(), 30_000)) == 1


def test_a_storm_of_kills_holds_nobody(store: Store, site: Site) -> None:
    ids = submit(store, site, *(f"Fine {n}." for n in range(30)))
    store.engine.dispose()

    def take_and_die(owner: str) -> None:
        with store.write() as session:
            leases.lease(session, owner, now_ms(), 30_000)
        os.kill(os.getpid(), signal.SIGKILL)

    for number in range(SUSPECT):
        assert deaths(store) == {number: 30}
        in_a_process(store, take_and_die)
    for _ in range(ENOUGH - SUSPECT - 1):  # from now on it can hit only one at a time
        in_a_process(store, take_and_die)
    assert deaths(store) == {SUSPECT: 29, ENOUGH - 1: 1}
    assert work(store, "here:1") == 30
    with store.read() as session:
        assert set(session.scalars(select(Comment.status))) == {"approved"}
        assert session.scalar(select(func.count()).select_from(Decision)) == len(ids)


def test_a_lease_that_ran_out_counts_as_well(store: Store, site: Site) -> None:
    """The holder's machine is gone, or it hangs: nobody can tell from here."""
    (id,) = submit(store, site, "Fine.")
    for number in range(3):
        with store.write() as session:
            (one,) = leases.lease(session, "elsewhere:1", now_ms(), 30_000)
            assert one.deaths == number
        with store.write() as session:
            session.execute(update(Comment).values(lease_until=1))
    assert work(store, "here:1") == 1
    with store.read() as session:
        assert (session.get_one(Comment, id).status, session.get_one(Comment, id).deaths) == ("approved", 3)
