"""After an outage of the classifier: what was held unscored is decided anew, once, and nothing else is touched."""

from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from moderation.domain.lifecycle import Outcome
from moderation.errors import Conflict
from moderation.scoring import Classifier
from moderation.services import decide, intake, policies, review
from moderation.services.accounts import Person
from moderation.services.rescore import rescore
from moderation.store.audit import AuditEvent
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment, Decision, Event, HoldReason
from tests.integration.test_decide import BAD, Broken, Site, comment, drain, submit
from tests.services import ABUSE

NONE = Classifier("linear", None, "artefact file weights.safetensors is missing")


def back(store: Store, **more: Any) -> int:
    with store.write() as session:
        return rescore(session, now_ms(), **more)


def during_an_outage(store: Store, site: Site, *bodies: str) -> list[str]:
    ids = submit(store, site, *bodies)
    assert drain(store, NONE) == len(bodies)
    assert {comment(store, id).status for id in ids} == {"held"}
    return ids


def test_it_is_decided_anew_once(store: Store, site: Site, classifier: Classifier) -> None:
    fine, abuse = during_an_outage(store, site, "Fine.", ABUSE)
    seen = comment(store, fine).version
    assert back(store) == 2
    assert back(store) == 0
    assert {comment(store, id).status for id in (fine, abuse)} == {"pending"}
    assert drain(store, classifier) == 2
    assert back(store) == 0
    assert (comment(store, fine).status, comment(store, abuse).status) == ("approved", "held")
    assert comment(store, fine).version == seen + 2
    assert {comment(store, id).revision for id in (fine, abuse)} == {1}
    with store.read() as session:
        first, second = session.scalars(select(Decision).where(Decision.comment_id == fine).order_by(Decision.id))
        assert (first.scorer, second.scorer, second.replaces) == (None, classifier.name, first.id)
        told = select(Event.type).where(Event.comment_id == fine).order_by(Event.id)
        assert session.scalars(told).all() == ["comment.held", "comment.approved"]
        done = select(AuditEvent.action).where(AuditEvent.subject_id == fine).order_by(AuditEvent.id)
        assert session.scalars(done).all() == [
            "comment.received", "comment.held", "comment.rescored", "comment.approved"
        ]  # fmt: skip
        assert "not_scored" not in session.scalars(select(HoldReason.rule)).all()
        assert set(session.scalars(select(HoldReason.comment_id))) == {abuse}


def test_the_database_refuses_a_second_rescoring(store: Store, site: Site, classifier: Classifier) -> None:
    (id,) = during_an_outage(store, site, "Fine.")
    back(store)
    drain(store, classifier)
    with store.read() as session:
        last = session.get_one(Decision, comment(store, id).decision_id)
    for replaces in (last.replaces, None):
        columns = {column.name: getattr(last, column.name) for column in Decision.__table__.columns}
        again = Decision(**columns | {"id": "f" * 32, "replaces": replaces})
        with pytest.raises(IntegrityError), store.write() as session:
            session.add(again)


def test_what_people_decide_or_look_at_is_left_alone(
    store: Store, site: Site, person: Person, classifier: Classifier
) -> None:
    ruled, undone, escalated, claimed, at_the_site, edited, withdrawn = during_an_outage(
        store, site, *["Fine."] * 7
    )  # fmt: skip
    now = now_ms()
    with store.write() as session:
        review.act(session, person, [ruled], review.Act("reject", reason="insult"), now, 0)
        review.act(session, person, [undone], review.Act("approve"), now, 0)
        review.undo(session, person, now)
        review.act(session, person, [escalated], review.Act("escalate"), now, 0)
        review.claim(session, person, claimed, now, 600_000)
        intake.site_decision(session, site[0], at_the_site, Outcome.HOLD, "Eve", None, now)
        intake.edit(session, site[0], edited, "Still fine.", now)
        intake.withdraw(session, site[0], withdrawn, now)
    before = {id: comment(store, id).version for id in (ruled, undone, escalated, claimed, at_the_site, withdrawn)}
    assert back(store) == 0
    assert {id: comment(store, id).version for id in before} == before
    with store.write() as session:
        session.execute(update(Comment).where(Comment.id == claimed).values(claimed_until=now - 1))
    assert back(store) == 1
    assert comment(store, claimed).status == "pending"
    assert comment(store, claimed).claimed_by is None


def test_what_is_held_for_a_rule_as_well_is_left_alone(store: Store, site: Site) -> None:
    words = "\n- {name: names, kind: words, words: [zebra]}\n- {name: unseen, kind: not_scored}"
    with store.write() as session:
        policies.apply(session, site[0], policies.parse("rules:" + words))
    both, only = during_an_outage(store, site, "A zebra.", "A horse.")
    assert back(store) == 1
    assert (comment(store, both).status, comment(store, only).status) == ("held", "pending")


def test_what_fails_by_itself_is_left_alone(store: Store, site: Site) -> None:
    (id,) = submit(store, site, BAD)
    drain(store, Classifier("broken@1", Broken()))
    assert comment(store, id).status == "held"
    assert back(store) == 0


def test_nothing_goes_round_for_ever(store: Store, site: Site) -> None:
    """A working worker puts it back, one without its classifier takes it: twice, then a person looks."""
    (id,) = during_an_outage(store, site, "Fine.")
    rounds = 0
    while back(store):
        assert drain(store, NONE) == 1
        rounds += 1
    assert rounds == decide.FAILURES_ALONE - 1
    assert comment(store, id).status == "held"


def test_a_verdict_that_came_before_the_outage_stands(store: Store, site: Site, classifier: Classifier) -> None:
    submit(store, site, "Fine.", ABUSE)
    drain(store, classifier)
    assert back(store) == 0


def test_many_go_back_in_pieces_and_new_ones_come_first(store: Store, site: Site) -> None:
    during_an_outage(store, site, *["Fine."] * 5)
    (new,) = submit(store, site, "New.", prefix="n")
    with store.write() as session:
        session.execute(update(Comment).where(Comment.id == new).values(received_at=now_ms() - 1000))
    assert [back(store, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    with store.read() as session:
        waiting = select(Comment.id).where(Comment.status == "pending").order_by(Comment.received_at)
        assert session.scalars(waiting).first() == new


def test_a_moderator_who_saw_it_before_is_told_that_it_moved_on(store: Store, site: Site, person: Person) -> None:
    (id,) = during_an_outage(store, site, "Fine.")
    seen = comment(store, id).version
    back(store)
    with pytest.raises(Conflict), store.write() as session:
        review.act(session, person, [id], review.Act("approve", seen), now_ms(), 0)
