"""The queue against a plain one: every order, every filter, pages both ways, counts, and while others decide."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text, update

from moderation.errors import Invalid
from moderation.services import queue, queue_choices, queue_filter, queue_walk
from moderation.services.accounts import Person
from moderation.services.queue import Count, Filter
from moderation.store.session import Store
from moderation.store.tables import Comment
from tests.integration.queue_rows import (
    ARTICLES,
    ATTRIBUTES,
    AUTHORS,
    LANGUAGES,
    REPORT_REASONS,
    RULES,
    SECTIONS,
    STATUSES,
    Made,
    key_of,
    make,
    plain,
)
from tests.services import make_moderator

NEEDLES = (
    "idiot",
    "IDIOT",
    "привіт",
    "ПРИВ",
    "100%",
    "now_",
    '"quoted"',
    "x",
    "of",
    "end\nof",
    "Zoë",
    "O'Hara",
    "nothing",
    "АБВ",
)


@pytest.fixture(params=["as it is", "one by one"])
def steps(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With few comments nothing is ever too much for an index; so once more with limits that fit few."""
    if request.param == "one by one":
        for module, name, value in (
            (queue_filter, "FEW", 5), (queue_filter, "_FEW_TEXTS", 5), (queue_walk, "WINDOW", 20),
            (queue_walk, "WINDOWS", (3, 8, 20)),
        ):  # fmt: skip
            monkeypatch.setattr(module, name, value)


@pytest.fixture
def made(store: Store, site: tuple[str, str], person: Person) -> list[Made]:
    bob = make_moderator(store, site[0], "bob@example.org")
    with store.write() as session:
        return make(session, site[0], (person.id, bob.id), 160)


def pages(store: Store, site_id: str, wanted: Filter, most: int = 200) -> list[list[str]]:
    """The ids of every page, from the first to the last."""
    found: list[list[str]] = []
    with store.read() as session:
        for _ in range(most):
            page = queue.page(session, site_id, wanted, 0)
            found.append([item.comment.id for item in page.items])
            if page.next is None:
                return found
            wanted = replace(wanted, after=page.next)
    raise AssertionError("the pages never end")


def ids(store: Store, site_id: str, wanted: Filter) -> list[str]:
    return [id for page in pages(store, site_id, wanted) for id in page]


def some(*values: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=2, unique=True).map(tuple)


def one(*values: str) -> st.SearchStrategy[str | None]:
    return st.sampled_from((None, None, *values))


@st.composite
def filters(draw: st.DrawFn, people: tuple[str, ...]) -> Filter:
    sort = draw(st.sampled_from(("risk", "oldest", "newest", "uncertain", "attribute")))
    by_score = sort == "attribute"
    return Filter(
        status=draw(st.sampled_from(("held", "escalated") if by_score else ("held", "escalated", "any", *STATUSES))),
        sort=sort,
        attribute=draw(st.sampled_from(ATTRIBUTES) if by_score else one(*ATTRIBUTES)),
        reason=draw(one(*RULES)),
        article=draw(some(*ARTICLES)),
        section=draw(some(*(section for section in SECTIONS if section))),
        author=draw(one(*AUTHORS, *map(key_of, AUTHORS))),
        language=draw(one("none", *(language for language in LANGUAGES if language))),
        report=draw(one("any", *REPORT_REASONS)),
        assigned=draw(one("nobody", *people)),
        escalated=draw(one("yes", "no")),
        q=draw(one(*NEEDLES)),
        limit=draw(st.sampled_from((4, 50))),
    )


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_filter_lists_and_counts_what_a_plain_one_does(
    data: st.DataObject, store: Store, site: tuple[str, str], person: Person, made: list[Made], steps: None
) -> None:
    wanted, most = data.draw(filters((person.id,))), data.draw(st.sampled_from((1, 4, 1_000)))
    expected = plain(made, wanted)
    assert ids(store, site[0], wanted) == expected
    with store.read() as session:
        counted = queue.count(session, site[0], wanted)
        alone = queue.count(session, site[0], wanted, most)
    assert counted.number == len(expected) or (counted.more and counted.number <= len(expected))
    assert alone == Count(min(len(expected), most), len(expected) > most) or (
        alone.more and alone.number <= min(len(expected), most)
    )


@pytest.mark.parametrize(
    ("sort", "status"),
    [("attribute", "held"), *((s, t) for s in ("risk", "oldest", "newest", "uncertain") for t in ("held", "any"))],
)
def test_pages_lead_back_to_where_one_came_from(
    store: Store, site: tuple[str, str], made: list[Made], sort: str, status: str
) -> None:
    wanted = Filter(status=status, sort=sort, attribute="INSULT" if sort == "attribute" else None, limit=7)
    forth = pages(store, site[0], wanted)
    assert len(forth) > 5
    with store.read() as session:
        page = queue.page(session, site[0], replace(wanted, after=_after(store, site[0], wanted, 4)), 0)
        back = []
        while page.previous:
            page = queue.page(session, site[0], replace(wanted, before=page.previous), 0)
            back.append([item.comment.id for item in page.items])
    assert back[:3] == forth[3:0:-1]
    assert back[-1] == forth[0]


def _after(store: Store, site_id: str, wanted: Filter, pages: int) -> str:
    with store.read() as session:
        for _ in range(pages):
            after = queue.page(session, site_id, wanted, 0).next
            assert after
            wanted = replace(wanted, after=after)
    return after


@pytest.mark.parametrize("sort", ["risk", "oldest", "newest", "uncertain", "attribute"])
def test_pages_give_each_item_once_while_others_decide(
    store: Store, site: tuple[str, str], made: list[Made], sort: str
) -> None:
    wanted = Filter(sort=sort, attribute="INSULT" if sort == "attribute" else None, limit=5)
    expected, seen, gone = plain(made, wanted), [], set()
    after: str | None = None
    while True:
        with store.read() as session:
            page = queue.page(session, site[0], replace(wanted, after=after), 0)
        shown = [item.comment.id for item in page.items]
        seen += shown
        ahead = [id for id in expected if id not in seen and id not in gone]
        leaving = [*shown[-1:], *shown[:1], *ahead[3:5]]  # the very item that the cursor names is among them
        gone |= set(leaving)
        with store.write() as session:
            session.execute(update(Comment).where(Comment.id.in_(leaving)).values(status="approved"))
        after = page.next
        if after is None:
            break
    assert len(seen) == len(set(seen))
    assert set(expected) - set(seen) <= gone
    assert seen == [id for id in expected if id in set(seen)]


def test_counts_stop_and_say_so(store: Store, site: tuple[str, str], made: list[Made]) -> None:
    held = sum(one.status == "held" for one in made)
    with store.read() as session:
        assert str(queue.count(session, site[0], Filter())) == str(held)
        few = queue.count(session, site[0], Filter(), most=10)
    assert (few.number, few.more, str(few)) == (10, True, "10+")
    assert str(queue.Count(12_345, True)) == "12,345+"


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Filter(status="bad"), "status"),
        (Filter(sort="bad"), "sort"),
        (Filter(sort="attribute"), "attribute"),
        (Filter(sort="attribute", attribute="INSULT", status="approved"), "sort"),
        (Filter(sort="attribute", attribute="INSULT", status="any"), "sort"),
        (Filter(escalated="maybe"), "escalated"),
        (Filter(after="bad"), "after"),
        (Filter(before="bad"), "before"),
    ],
)
def test_what_cannot_be_is_refused_by_name(store: Store, site: tuple[str, str], wanted: Filter, field: str) -> None:
    with store.read() as session, pytest.raises(Invalid) as refused:
        queue.page(session, site[0], wanted, 0)
    assert refused.value.extra["field"] == field


def test_the_index_of_texts_follows_what_becomes_of_a_comment(
    store: Store, site: tuple[str, str], made: list[Made]
) -> None:
    found = Filter(status="any", q="kingfisher")
    target = next(one.id for one in made if one.status == "approved")

    def change(**values: object) -> list[str]:
        with store.write() as session:
            session.execute(update(Comment).where(Comment.id == target).values(**values))
        return ids(store, site[0], found)

    assert ids(store, site[0], found) == []
    assert change(body="a Kingfisher flew by") == [target]
    assert change(body="nothing", author_name="kingFISHER") == [target]
    assert change(author_name="Ann") == []
    assert change(status="pending", body="kingfisher again", revision=2) == [target]  # an edit, not decided yet
    assert change(status="held") == [target]
    assert change(status="pending", body="gone", revision=3) == []
    assert change(status="approved") == []
    assert change(body="kingfisher") == [target]
    assert change(body="", author_name="") == []  # an erasure


def test_a_vacuum_leaves_the_search_right(store: Store, site: tuple[str, str], made: list[Made]) -> None:
    leaves = [one.id for one in made if one.status == "rejected"]
    with store.write() as session:
        session.execute(update(Comment).where(Comment.id.in_(leaves)).values(body="", author_name=""))
    connection = store.engine.raw_connection()
    if not store.sqlite:
        connection.driver_connection.autocommit = True  # type: ignore[union-attr]
    connection.cursor().execute("VACUUM")
    connection.close()
    rest = [one for one in made if one.id not in leaves]
    wanted = Filter(status="any", sort="oldest", q="idiot")
    assert ids(store, site[0], wanted) == plain(rest, wanted)


def test_without_an_index_of_texts_the_search_still_finds_all(
    store: Store, site: tuple[str, str], made: list[Made], monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.write() as session:
        if store.sqlite:
            for (name,) in session.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                session.execute(text(f"DROP TRIGGER {name}"))
            session.execute(text("DROP TABLE comment_trigrams"))
        else:
            session.execute(text("DROP INDEX ix_comments_text"))
    for status in ("held", "any"):
        wanted = Filter(status=status, q="idiot", limit=7)
        assert ids(store, site[0], wanted) == plain(made, wanted)


def test_choices_are_those_that_there_are(store: Store, site: tuple[str, str], made: list[Made]) -> None:
    with store.read() as session:
        assert queue_choices.reasons(session, site[0]) == sorted(RULES)
        assert queue_choices.sections(session, site[0]) == ["Sport", "World"]
        assert queue_choices.languages(session, site[0]) == ["en", "uk"]
        assert queue_choices.reasons(session, "other") == []


def test_another_site_sees_none_of_it(store: Store, made: list[Made]) -> None:
    for wanted in (Filter(status="any"), Filter(status="any", q="idiot"), Filter(reason="insult"),
                   Filter(sort="attribute", attribute="INSULT")):  # fmt: skip
        assert ids(store, "another", wanted) == []
        with store.read() as session:
            assert queue.count(session, "another", wanted).number == 0
