"""Pending comments -> decisions: failing scorers, leases, and what happens meanwhile, on both databases."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import func, select, update

from models import Span
from moderation.scoring import Classifier
from moderation.services import decide, intake, leases, policies, rescore
from moderation.services.intake import NewComment
from moderation.services.views import reason_view
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment, Decision, Event, HoldReason
from tests.services import ABUSE

Site = tuple[str, str]
BAD = "the text that this classifier breaks on"


class Broken:
    """Stands for a classifier with a fault: it raises on one text, and for the whole batch that holds it."""

    name, version, attributes = "broken", "1", ("INSULT",)

    def __init__(self) -> None:
        self.asked: list[int] = []

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        self.asked.append(len(texts))
        if any(BAD in text for text in texts):
            raise ValueError(f"can't read {texts}")
        return [{"INSULT": 0.0} for _ in texts]

    def explain(self, text: str, attribute: str) -> list[Span]:
        return []


def submit(store: Store, site: Site, *bodies: str, prefix: str = "c") -> list[str]:
    """Takes comments in; returns their ids."""
    comments = [
        NewComment(f"{prefix}{n}", body, "plain", "Ann", "ann@example.org", None, None, "https://news.example/a")
        for n, body in enumerate(bodies)
    ]
    with store.write() as session:
        return [one.id for one in intake.submit(session, site[0], comments, now_ms())]


def drain(store: Store, classifier: Classifier, owner: str = "test:1", lease_ms: int = 30_000) -> int:
    return decide.drain(
        store, classifier, owner, lease_ms=lease_ms, until=lambda: False, after_batch=lambda: None
    )  # fmt: skip


def lease(store: Store, owner: str = "test:1", lease_ms: int = 30_000) -> list[leases.Leased]:
    with store.write() as session:
        return leases.lease(session, owner, now_ms(), lease_ms)


def decide_batch(store: Store, classifier: Classifier, owner: str, leased: Sequence[leases.Leased]) -> int:
    """Scores and decides leased comments; returns how many were decided."""
    return decide.decide_scored(store, classifier, owner, decide.score_in_halves(classifier, leased))


def comment(store: Store, id: str) -> Comment:
    with store.read() as session:
        return session.get_one(Comment, id)


def counted(store: Store, table: Any) -> int:
    with store.read() as session:
        return int(session.scalar(select(func.count()).select_from(table)) or 0)


def test_one_bad_comment_among_256_fails_alone(store: Store, site: Site) -> None:
    bodies = [f"Fine {n}." for n in range(256)]
    bodies[77] = BAD
    ids = submit(store, site, *bodies)
    scorer = Broken()
    assert drain(store, Classifier("broken@1", scorer)) == 256
    bad = comment(store, ids[77])
    assert (bad.status, bad.attempts) == ("held", decide.FAILURES_ALONE - 1)
    assert {comment(store, id).status for id in ids if id != bad.id} == {"approved"}
    # Down by halves to the one (256 and its eight halves), then twice more alone.
    assert [size for size in scorer.asked if size == 256] == [256]
    assert len(scorer.asked) == 1 + 2 * 8 + 2
    with store.read() as session:
        assert session.execute(select(HoldReason.comment_id, HoldReason.rule)).all() == [(bad.id, "not_scored")]
        decision = session.get_one(Decision, bad.decision_id)
        assert (decision.scorer, decision.scores) == (None, {})
    assert counted(store, Decision) == counted(store, Event) == 256


def test_without_a_scorer_all_is_held_as_not_scored(store: Store, site: Site) -> None:
    ids = submit(store, site, "Fine.", ABUSE)
    assert drain(store, Classifier("linear", None, "the artefact is broken")) == 2
    assert {comment(store, id).status for id in ids} == {"held"}
    with store.read() as session:
        assert set(session.scalars(select(HoldReason.rule))) == {"not_scored"}
        assert set(session.scalars(select(Decision.scorer))) == {None}


GERMAN = "Du bist ein dummer Idiot, verschwinde endlich aus unserem Land."


def test_an_unserved_language_is_held_and_not_scored(store: Store, site: Site, classifier: Classifier) -> None:
    ids = submit(store, site, GERMAN, "A calm day, thank you.", "😀 https://example.com")
    assert drain(store, classifier) == 3
    german, english, wordless = (comment(store, id) for id in ids)
    assert [german.status, english.status, wordless.status] == ["held", "approved", "approved"]
    with store.read() as session:
        decision = session.get_one(Decision, german.decision_id)
        assert decision.scores == {}
        assert decision.scorer == classifier.name  # it did look: no outage, nothing to decide anew
        (reason,) = [reason for signal in decision.signals if (reason := reason_view(signal))]
        assert reason == {"rule": "language_not_served", "language": "de", "spans": []}
        assert session.scalars(select(HoldReason.rule)).all() == ["language_not_served"]
        assert session.get_one(Decision, english.decision_id).scores
        assert session.get_one(Decision, wordless.decision_id).scores
        assert rescore.rescore(session, now_ms()) == 0


@pytest.mark.parametrize(
    ("rules", "status", "reasons"),
    [
        ("[{name: tongues, kind: language, allow: [de]}, {name: unscored, kind: not_scored}]", "approved", []),
        ("[{name: tongues, kind: language, allow: [fr]}]", "held", ["tongues"]),
        ("[{name: unscored, kind: not_scored}]", "held", ["unscored"]),
        ("[{name: insult, kind: score, attribute: INSULT, hold: 0.9}]", "held", ["not_scored"]),
    ],
)
def test_what_a_policy_says_on_languages(
    store: Store, site: Site, classifier: Classifier, rules: str, status: str, reasons: list[str]
) -> None:
    with store.write() as session:
        policies.apply(session, site[0], policies.parse(f"rules: {rules}"))
    (id,) = submit(store, site, GERMAN)
    assert drain(store, classifier) == 1
    assert comment(store, id).status == status
    with store.read() as session:
        assert session.scalars(select(HoldReason.rule)).all() == reasons


def test_without_a_scorer_languages_do_not_matter(store: Store, site: Site) -> None:
    submit(store, site, GERMAN)
    assert drain(store, Classifier("linear", None, "the artefact is broken")) == 1
    with store.read() as session:
        assert session.scalars(select(HoldReason.rule)).all() == ["not_scored"]


def test_a_lease_keeps_others_away_until_it_ends(store: Store, site: Site, classifier: Classifier) -> None:
    submit(store, site, "One.", "Two.")
    first = lease(store, "a:1")
    assert len(first) == 2
    assert lease(store, "b:2") == []
    with store.write() as session:
        session.execute(update(Comment).values(lease_until=now_ms() - 1))
    second = lease(store, "b:2")
    assert {one.id for one in second} == {one.id for one in first}
    assert decide_batch(store, classifier, "a:1", first) == 0
    assert counted(store, Decision) == 0
    assert decide_batch(store, classifier, "b:2", second) == 2
    assert decide_batch(store, classifier, "b:2", second) == 0
    assert counted(store, Decision) == counted(store, Event) == 2


def test_leases_of_the_dead_are_given_back(store: Store, site: Site) -> None:
    submit(store, site, "One.", "Two.")
    lease(store, "a:1")
    with store.write() as session:
        assert leases.lease_owners(session) == ["a:1"]
        assert leases.waiting_since(session, now_ms()) is None
        assert leases.give_back(session, ["b:2"]) == 0
        assert leases.give_back(session, ["a:1"]) == 2
        assert leases.waiting_since(session, now_ms()) is not None
    assert len(lease(store, "b:2")) == 2


@pytest.mark.parametrize("lease_ms", [30_000, 0])
def test_two_workers_never_decide_twice(store: Store, site: Site, classifier: Classifier, lease_ms: int) -> None:
    """Also when leases end at once, so that both work on the same comments."""
    for prefix in "ab":
        submit(store, site, *[f"Fine {n}." for n in range(300)], prefix=prefix)
    gate = threading.Barrier(2)
    decided: list[int] = []

    def work(owner: str) -> None:
        gate.wait()
        decided.append(drain(store, classifier, owner, lease_ms))

    threads = [threading.Thread(target=work, args=(f"w{n}:{n}",)) for n in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(decided) == 600
    assert counted(store, Decision) == counted(store, Event) == 600
    with store.read() as session:
        # A lease that ends like that looks as if its worker had died; after five of them the comment is held.
        assert set(session.scalars(select(Comment.status))) <= ({"approved"} if lease_ms else {"approved", "held"})


def test_an_edit_while_scoring_discards_the_old_verdict(store: Store, site: Site, classifier: Classifier) -> None:
    (id,) = submit(store, site, "Fine.")
    leased = lease(store)
    with store.write() as session:
        intake.edit(session, site[0], id, ABUSE, now_ms())
    assert decide_batch(store, classifier, "test:1", leased) == 0
    # Not even when the same worker holds the new revision by then.
    again = lease(store)
    assert [one.revision for one in again] == [2]
    assert decide_batch(store, classifier, "test:1", leased) == 0
    assert decide_batch(store, classifier, "test:1", again) == 1
    with store.read() as session:
        assert session.execute(select(Decision.revision, Decision.action)).all() == [(2, "hold")]


def test_withdrawn_while_scoring_is_not_decided(store: Store, site: Site, classifier: Classifier) -> None:
    (id,) = submit(store, site, "Fine.")
    leased = lease(store)
    with store.write() as session:
        intake.withdraw(session, site[0], id, now_ms())
    assert decide_batch(store, classifier, "test:1", leased) == 0
    assert comment(store, id).status == "withdrawn"
    with store.read() as session:
        assert session.scalars(select(Event.type)).all() == ["comment.withdrawn"]


def test_a_failure_is_not_counted_for_a_comment_that_was_lost(store: Store, site: Site) -> None:
    (id,) = submit(store, site, BAD)
    leased = lease(store, "a:1")
    with store.write() as session:
        leases.give_back(session, ["a:1"])
    decide_batch(store, Classifier("broken@1", Broken()), "a:1", leased)
    assert comment(store, id).attempts == 0
