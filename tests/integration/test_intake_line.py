"""Many requests at once, kept together: each gets its own answer, and nobody pays for another's mistake."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from moderation.services import intake, sites
from moderation.services.intake import NewComment, Submitted
from moderation.services.intake_line import IntakeLine
from moderation.store.audit import AuditEvent
from moderation.store.session import Store
from moderation.store.tables import Article, Comment
from tests.databases import until

Site = tuple[str, str]


class Ending(BaseException):
    """What a thread meets that is told to end."""


def new(external_id: str, body: str = "Fine.", url: str = "https://news.example/a", title: str = "A") -> NewComment:
    return NewComment(
        external_id=external_id, body=body, format="plain", author_name="Ann", author_email="ann@example.org",
        author_url=None, author_id=None, article_url=url, article_title=title,
    )  # fmt: skip


class Rung:
    """A bell that counts."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


@pytest.fixture
def rung() -> Rung:
    return Rung()


@pytest.fixture
def line(store: Store, rung: Rung) -> IntakeLine:
    return IntakeLine(store, rung, "k" * 32)


@pytest.fixture
def transactions(store: Store) -> Iterator[list[int]]:
    """One entry for each transaction that was committed."""
    seen: list[int] = []

    def note(_connection: Any) -> None:
        seen.append(1)

    event.listen(store.engine, "commit", note)
    yield seen
    event.remove(store.engine, "commit", note)


def at_once(store: Store, line: IntakeLine, work: list[Callable[[], Any]]) -> list[Any]:
    """What each gives or raises. Nothing can be written before all are in the line: the first alone, then the rest."""
    results: list[Any] = [None] * len(work)

    def run(place: int) -> None:
        try:
            results[place] = work[place]()
        except BaseException as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(work))]
    with store.write() as session:
        if not store.sqlite:
            session.execute(text("LOCK TABLE comments, sites IN EXCLUSIVE MODE"))
        threads[0].start()
        until(lambda: line._writer and line._waiting.empty(), what="the first to be taken")
        for thread in threads[1:]:
            thread.start()
        until(lambda: line._waiting.qsize() == len(work) - 1, what="all to wait")
    for thread in threads:
        thread.join(60)
    return results


def kept(store: Store) -> list[str]:
    with store.read() as session:
        return list(session.scalars(select(Comment.external_id).order_by(Comment.external_id)))


def test_all_are_kept_in_few_transactions(
    store: Store, site: Site, line: IntakeLine, rung: Rung, transactions: list[int]
) -> None:
    work = [lambda n=n: line.submit(site[0], [new(f"c{n:02}a"), new(f"c{n:02}b")]) for n in range(24)]
    results = at_once(store, line, work)
    assert len(transactions) <= 1 + 2  # the one that held them up, the first's, and that of all others
    for n, answers in enumerate(results):
        assert [(one.external_id, one.created, one.conflict) for one in answers] == [
            (f"c{n:02}a", True, False), (f"c{n:02}b", True, False),
        ]  # fmt: skip
    assert kept(store) == sorted(f"c{n:02}{half}" for n in range(24) for half in "ab")
    with store.read() as session:
        ids = {row.external_id: row.id for row in session.execute(select(Comment.external_id, Comment.id))}
        assert {one.external_id: one.id for answers in results for one in answers} == ids
        assert session.scalar(select(func.count()).where(AuditEvent.action == "comment.received")) == 48
    assert rung.times == 2


def test_the_same_comment_from_many_is_one(store: Store, site: Site, line: IntakeLine) -> None:
    work = [lambda: line.submit(site[0], [new("same")])] * 12 + [
        lambda: line.submit(site[0], [new("same", "Other.")])
    ] * 4
    answers = [one for result in at_once(store, line, work) for one in result]
    assert Counter(one.created for one in answers) == {True: 1, False: 15}
    assert len({one.id for one in answers}) == 1
    with store.read() as session:
        (body,) = session.scalars(select(Comment.body))
    assert Counter(one.conflict for one in answers) == (
        {True: 4, False: 12} if body == "Fine." else {True: 12, False: 4}
    )


def test_two_sites_may_use_the_same_id(store: Store, site: Site, line: IntakeLine) -> None:
    with store.write() as session:
        other, _ = sites.create_site(session, "other")
    work = [lambda: line.submit(site[0], [new("x")]), lambda: line.submit(other.id, [new("x")])] * 5
    answers = [one for result in at_once(store, line, work) for one in result]
    assert Counter(one.created for one in answers) == {True: 2, False: 8}
    assert not any(one.conflict for one in answers)


def test_what_cannot_be_kept_harms_nobody_else(store: Store, site: Site, line: IntakeLine) -> None:
    work: list[Callable[[], Any]] = [lambda n=n: line.submit(site[0], [new(f"c{n}")]) for n in range(6)]
    work.insert(3, lambda: line.submit("0" * 32, [new("lost")]))  # there is no such site
    results = at_once(store, line, work)
    assert isinstance(results.pop(3), IntegrityError)
    assert all(one.created for result in results for one in result)
    assert kept(store) == [f"c{n}" for n in range(6)]


def test_an_article_that_was_not_kept_after_all_is_tried_again(
    store: Store, site: Site, line: IntakeLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    line.submit(site[0], [new("c1", title="First")])
    line.submit(site[0], [new("c2", title="Second")])
    with store.read() as session:
        assert session.scalars(select(Article.title)).all() == ["Second"]
    with store.write() as session:  # as another process may do it
        session.get_one(Article, intake.article_id(site[0], "https://news.example/a")).title = "Third"
    monkeypatch.setattr("moderation.services.intake_line._ARTICLE_SECONDS", 0.0)
    line._articles = type(line._articles)()
    line.submit(site[0], [new("c3", title="Second")])
    with store.read() as session:
        assert session.scalars(select(Article.title)).all() == ["Second"]


@pytest.mark.parametrize("error", [OperationalError("", {}, Exception()), Ending()])
def test_everybody_hears_when_it_goes_wrong_and_the_next_go_on(
    store: Store, site: Site, line: IntakeLine, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    real, broken = intake.submit, threading.Event()
    broken.set()

    def submit(*args: Any, **more: Any) -> list[Submitted]:
        answers = real(*args, **more)
        if broken.is_set():
            raise error
        return answers

    monkeypatch.setattr(intake, "submit", submit)
    results = at_once(store, line, [lambda n=n: line.submit(site[0], [new(f"c{n}")]) for n in range(8)])
    assert {type(result) for result in results} == {type(error)}
    assert kept(store) == []
    broken.clear()
    assert line.submit(site[0], [new("after")])[0].created
    assert kept(store) == ["after"]


def test_whatever_is_kept_is_rung_for_afterwards(site: Site, store: Store) -> None:
    """However close together: the last ring comes after the last comment."""
    seen: list[int] = []

    def ring() -> None:
        with store.read() as session:
            seen.append(session.scalar(select(func.count()).select_from(Comment)) or 0)

    line = IntakeLine(store, ring, "k" * 32)
    for n in range(20):
        line.submit(site[0], [new(str(n))])
    until(lambda: seen and seen[-1] == 20, 30, "a ring for the last one")
    assert len(seen) <= 20
