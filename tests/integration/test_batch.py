"""Batches by score: counts from rows, looks that can't be skipped, one undoable unit, nobody else's."""

import itertools
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from moderation.domain.lifecycle import Role
from moderation.domain.shares import Rulings
from moderation.errors import Conflict, Invalid, NotFound
from moderation.services import accounts, batches, histogram, intake, review, sites
from moderation.services.accounts import Person
from moderation.services.batches import Wanted
from moderation.services.histogram import Scope
from moderation.services.review import Act
from moderation.store.audit import AuditEvent
from moderation.store.people import Moderator
from moderation.store.session import Store, new_id, now_ms
from moderation.store.tables import Comment, Event
from moderation.store.voices import Report
from moderation.store.workspace import Batch, HeldScore
from tests.integration.held import hold, rule
from tests.integration.pages import Person as Browser
from tests.services import PASSWORD, bearer, make_moderator

SCOPE = Scope("TOXICITY", up_to=1.0)


@pytest.fixture
def sue(store: Store, site: tuple[str, str]) -> Person:
    return make_moderator(store, site[0], "sue@example.org", Role.SENIOR)


@pytest.fixture
def page(app: Flask, sue: Person) -> Browser:
    return Browser(app.test_client()).sign_in("sue@example.org")


def counts(store: Store, site_id: str, scope: Scope = SCOPE) -> list[int]:
    with store.read() as session:
        return [bin.waiting for bin in histogram.histogram(session, site_id, scope, now_ms()).bins]


def ruled(store: Store, site_id: str, scope: Scope = SCOPE) -> list[Rulings]:
    with store.read() as session:
        return [bin.rulings for bin in histogram.histogram(session, site_id, scope, now_ms()).bins]


def status(store: Store, ids: list[str]) -> list[str]:
    with store.read() as session:
        found = {one.id: one.status for one in session.scalars(select(Comment).where(Comment.id.in_(ids)))}
    return [found[id] for id in ids]


def begin(store: Store, person: Person, low: float, high: float, action: str = "approve", **more: Any) -> Batch:
    with store.write() as session:
        return batches.begin(session, person, Wanted(more.pop("scope", SCOPE), low, high, action, **more), now_ms())


def look(store: Store, person: Person, batch: Batch, *answers: str) -> None:
    with store.write() as session:
        for n, one in enumerate(batch.looks):
            said = answers[n] if n < len(answers) else "right"
            batches.answer(session, person, batch.id, one["id"], said)


def finish(store: Store, person: Person, batch: Batch, all_the_same: bool = False, grace_ms: int = 0) -> Batch:
    with store.write() as session:
        return batches.finish(
            session, person, batch.id, all_the_same=all_the_same, now=now_ms(), grace_ms=grace_ms
        )  # fmt: skip


def undo(store: Store, person: Person, batch: Batch) -> int:
    with store.write() as session:
        return batches.undo(session, person, batch.id, now_ms())


# --- what is counted ------------------------------------------------------------------------------------------------


def test_bins_hold_their_lower_border_and_the_last_one_holds_one(store: Store, site: tuple[str, str]) -> None:
    hold(store, site[0], [0.0, 0.049999, 0.05, 0.35, 0.349999, 0.949999, 0.95, 1.0])
    assert counts(store, site[0]) == [2, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]
    assert counts(store, site[0], Scope("TOXICITY", bins=5, up_to=1.0)) == [3, 2, 0, 0, 3]


def test_every_border_belongs_to_the_bin_that_it_begins(store: Store, site: tuple[str, str]) -> None:
    for bins, up_to in itertools.product(histogram.BINS, histogram.SCALES):
        scope = Scope("TOXICITY", bins=bins, up_to=up_to)
        with store.read() as session:
            before = histogram.histogram(session, site[0], scope, now_ms())
        hold(store, site[0], before.edges[:-1])
        with store.read() as session:
            after = histogram.histogram(session, site[0], scope, now_ms())
            for bin in after.bins:
                assert histogram.choice(session, site[0], after, bin.low, bin.high).waiting == bin.waiting
        more = [new.waiting - old.waiting for new, old in zip(after.bins, before.bins, strict=True)]
        assert more == [1] * bins, (bins, up_to)


def test_the_scale_fits_what_waits(store: Store, site: tuple[str, str]) -> None:
    def scale() -> float:
        with store.read() as session:
            return histogram.histogram(session, site[0], Scope("TOXICITY"), now_ms()).up_to

    assert scale() == 1.0
    hold(store, site[0], [0.003] * 150)
    hold(store, site[0], [0.9])
    assert scale() == 0.05
    hold(store, site[0], [0.9, 0.15])
    assert scale() == 1.0


def test_counts_are_those_of_the_rows_after_all_that_happens(
    store: Store, site: tuple[str, str], sue: Person, person: Person
) -> None:
    ids = hold(store, site[0], [0.11] * 6)
    assert counts(store, site[0])[2] == 6
    rule(store, person, ids[:2], "approve")
    rule(store, person, ids[2:3], "reject")
    assert (counts(store, site[0])[2], ruled(store, site[0])[2]) == (3, Rulings(2, 1))
    with store.write() as session:
        review.undo(session, person, now_ms())
    assert (counts(store, site[0])[2], ruled(store, site[0])[2]) == (4, Rulings(2, 0))
    with store.write() as session:
        review.act(session, person, ids[3:4], Act("escalate"), now_ms(), 0)
    assert counts(store, site[0])[2] == 4  # it waits still
    with store.write() as session:
        intake.withdraw(session, site[0], ids[4], now_ms())
        intake.edit(session, site[0], ids[5], "Something else.", now_ms())
    assert (counts(store, site[0])[2], ruled(store, site[0])[2]) == (2, Rulings(2, 0))
    rule(store, person, ids[:1], "reject")  # a comment counts once, with the ruling that stands
    assert ruled(store, site[0])[2] == Rulings(1, 1)
    with store.read() as session:
        waits = select(func.count()).where(HeldScore.attribute == "TOXICITY", HeldScore.ruled.is_(None))
        assert session.scalar(waits) == sum(counts(store, site[0])) == status(store, ids).count("held")


def test_filters_narrow_what_waits_but_not_what_was_ruled(store: Store, site: tuple[str, str], person: Person) -> None:
    ids = hold(store, site[0], [0.5] * 3, article="a", section="World")
    hold(store, site[0], [0.5] * 4, article="b", section="Sport")
    rule(store, person, ids[:1])
    assert counts(store, site[0])[10] == 6
    assert counts(store, site[0], Scope("TOXICITY", section="World", up_to=1.0))[10] == 2
    assert counts(store, site[0], Scope("TOXICITY", article="https://news.example/b", up_to=1.0))[10] == 4
    assert sum(counts(store, site[0], Scope("TOXICITY", article="https://news.example/none"))) == 0
    assert ruled(store, site[0], Scope("TOXICITY", section="Sport", up_to=1.0))[10] == Rulings(1, 0)


def test_old_rulings_and_other_sites_do_not_count(store: Store, site: tuple[str, str], person: Person) -> None:
    rule(store, person, hold(store, site[0], [0.5]))
    with store.write() as session:
        other, _ = sites.create_site(session, "other")
    hold(store, other.id, [0.5] * 3)
    later = now_ms() + (histogram.DAYS + 1) * 86_400_000
    with store.read() as session:
        shown = histogram.histogram(session, site[0], SCOPE, later)
    assert (shown.waiting, shown.bins[10].rulings) == (0, Rulings(0, 0))


def test_what_waits_without_a_score_is_told(store: Store, site: tuple[str, str]) -> None:
    ids = hold(store, site[0], [0.5, 0.6])
    with store.write() as session:
        session.execute(HeldScore.__table__.delete().where(HeldScore.comment_id == ids[0]))  # type: ignore[attr-defined]
    with store.read() as session:
        assert histogram.histogram(session, site[0], SCOPE, now_ms()).unscored == 1


def test_errors_are_expected_only_where_enough_was_ruled(store: Store, site: tuple[str, str], person: Person) -> None:
    rule(store, person, hold(store, site[0], [0.11] * 24), "approve")
    rule(store, person, hold(store, site[0], [0.11] * 6), "reject")
    hold(store, site[0], [0.11] * 10 + [0.16] * 5)
    with store.read() as session:
        shown = histogram.histogram(session, site[0], SCOPE, now_ms())
        sure = histogram.choice(session, site[0], shown, 0.1, 0.15)
        unsure = histogram.choice(session, site[0], shown, 0.1, 0.2)
    assert (sure.if_approved.count, sure.if_rejected.count) == pytest.approx((2.0, 8.0))
    assert (unsure.if_approved.known, unsure.if_approved.unknown) == (10, 5)
    assert shown.if_approved_below(2).count == pytest.approx(2.0)
    assert shown.if_rejected_from(3).unknown == 5


# --- a batch --------------------------------------------------------------------------------------------------------


def test_a_batch_is_one_unit_that_is_done_and_undone(store: Store, site: tuple[str, str], sue: Person) -> None:
    ids = hold(store, site[0], [0.1, 0.2, 0.29, 0.3, 0.8] + [0.25] * 7)
    batch = begin(store, sue, 0.2, 0.3)
    assert sorted(id for id, _ in batch.items) == sorted([*ids[1:3], *ids[5:]])
    assert len({one["id"] for one in batch.looks}) == batches.LOOKS
    assert {one["id"] for one in batch.looks} <= {id for id, _ in batch.items}
    assert set(status(store, ids)) == {"held"}  # nothing is decided before the looks
    look(store, sue, batch)
    done = finish(store, sue, batch, grace_ms=60_000)
    assert (done.done, done.left_out) == (9, {})
    inside = [*ids[1:3], *ids[5:]]
    assert status(store, inside) == ["approved"] * 9
    assert status(store, [ids[0], *ids[3:5]]) == ["held"] * 3
    assert finish(store, sue, batch).done == 9  # pressed twice
    assert undo(store, sue, batch) == 9
    assert status(store, ids) == ["held"] * 12
    assert sum(counts(store, site[0])) == 12
    with store.read() as session:
        assert batches.undone(session, batches.find(session, sue, batch.id))
        events = session.scalar(select(func.count()).select_from(Event).where(Event.type == "comment.approved"))
    assert events == 0  # the grace was not over, so the site hears nothing
    with pytest.raises((NotFound, Conflict)):
        undo(store, sue, batch)


def test_a_batch_measures_nothing_but_what_was_looked_at(store: Store, site: tuple[str, str], sue: Person) -> None:
    hold(store, site[0], [0.22] * 40)
    batch = begin(store, sue, 0.2, 0.25)
    look(store, sue, batch)
    finish(store, sue, batch)
    assert ruled(store, site[0])[4] == Rulings(batches.LOOKS, 0)
    undo(store, sue, batch)
    assert (ruled(store, site[0])[4], counts(store, site[0])[4]) == (Rulings(0, 0), 40)


def test_a_rejection_needs_its_reason_and_says_it(store: Store, site: tuple[str, str], sue: Person) -> None:
    ids = hold(store, site[0], [0.9] * 3)
    for reason, note in ((None, None), ("no_such", None), ("other", " ")):
        with pytest.raises(Invalid):
            begin(store, sue, 0.9, 1, "reject", reason=reason, note=note)
    with pytest.raises(Invalid):
        begin(store, sue, 0.9, 1, "delete")
    batch = begin(store, sue, 0.9, 1, "reject", reason="insult", note="the same three words")
    look(store, sue, batch)
    finish(store, sue, batch)
    assert status(store, ids) == ["rejected"] * 3


def test_an_escalation_of_a_range_waits_for_seniors_and_undoes(
    store: Store, site: tuple[str, str], sue: Person
) -> None:
    ids = hold(store, site[0], [0.9] * 3)
    batch = begin(store, sue, 0.9, 1, "escalate")
    assert batch.expected == {}
    look(store, sue, batch)
    finish(store, sue, batch)
    with store.read() as session:
        assert session.scalars(select(Comment.escalated).where(Comment.id.in_(ids))).all() == [True] * 3
    assert undo(store, sue, batch) == 3
    with store.read() as session:
        assert session.scalars(select(Comment.escalated).where(Comment.id.in_(ids))).all() == [False] * 3


def test_no_batch_without_all_looks(store: Store, site: tuple[str, str], sue: Person) -> None:
    ids = hold(store, site[0], [0.1] * 9)
    batch = begin(store, sue, 0.1, 0.2)
    with pytest.raises(Conflict, match="look at all"):
        finish(store, sue, batch, all_the_same=True)
    with store.write() as session:
        for one in batch.looks[:4]:
            batches.answer(session, sue, batch.id, one["id"], "right")
    with pytest.raises(Conflict, match="look at all"):
        finish(store, sue, batch)
    strange = next(id for id in ids if id not in [one["id"] for one in batch.looks])
    with store.write() as session:
        for id, said, refused in ((strange, "right", NotFound), (batch.looks[4]["id"], "fine", Invalid)):
            with pytest.raises(refused):
                batches.answer(session, sue, batch.id, id, said)
    assert status(store, ids) == ["held"] * 9


def test_what_was_not_right_is_asked_for_again_and_stays(store: Store, site: tuple[str, str], sue: Person) -> None:
    hold(store, site[0], [0.1] * 9)
    batch = begin(store, sue, 0.1, 0.2)
    look(store, sue, batch, "wrong")
    with pytest.raises(Conflict, match="not all"):
        finish(store, sue, batch)
    done = finish(store, sue, batch, all_the_same=True)
    assert (done.done, done.left_out) == (8, {"not_right": 1})
    assert status(store, [batch.looks[0]["id"]]) == ["held"]


def test_what_changed_or_is_claimed_is_left_out_and_counted(
    store: Store, site: tuple[str, str], sue: Person, person: Person
) -> None:
    ids = hold(store, site[0], [0.1] * 12)
    batch = begin(store, sue, 0.1, 0.2)
    look(store, sue, batch)
    free = [id for id in ids if id not in [one["id"] for one in batch.looks]]
    rule(store, person, free[:1], "reject")
    with store.write() as session:
        intake.withdraw(session, site[0], free[1], now_ms())
        intake.edit(session, site[0], free[2], "Something else.", now_ms())
        review.claim(session, person, free[3], now_ms(), 60_000)
        review.claim(session, sue, free[4], now_ms(), 60_000)  # her own claim is no obstacle
    done = finish(store, sue, batch)
    assert (done.done, done.left_out) == (8, {"changed": 3, "claimed": 1})
    assert status(store, free[:4]) == ["rejected", "withdrawn", "pending", "held"]


def test_what_wants_a_closer_look_is_set_aside(
    store: Store, site: tuple[str, str], sue: Person, person: Person
) -> None:
    ids = hold(store, site[0], [0.1] * 8)
    with store.write() as session:
        review.act(session, person, ids[:1], Act("escalate"), now_ms(), 0)
        session.execute(update(Comment).where(Comment.id == ids[1]).values(assigned_to=person.id))
        session.execute(update(Comment).where(Comment.id == ids[2]).values(assigned_to=sue.id))
        session.add(Report(
            id=new_id(), site_id=site[0], comment_id=ids[3], revision=1, reporter_key="k", reporter=None,
            reason="insult", text=None, created_at=now_ms(), outcome=None, closed_at=None,
        ))  # fmt: skip
    batch = begin(store, sue, 0.1, 0.2)
    assert sorted(id for id, _ in batch.items) == sorted([ids[2], *ids[4:]])
    assert batch.left_out == {"set_aside": 3}


def test_an_undo_brings_back_what_nobody_touched_since(
    store: Store, site: tuple[str, str], sue: Person, person: Person
) -> None:
    ids = hold(store, site[0], [0.1] * 6)
    batch = begin(store, sue, 0.1, 0.2)
    look(store, sue, batch)
    finish(store, sue, batch)
    rule(store, person, ids[:1], "reject")
    with store.write() as session:
        intake.withdraw(session, site[0], ids[1], now_ms())
    assert undo(store, sue, batch) == 4
    assert status(store, ids) == ["rejected", "withdrawn", *["held"] * 4]


def test_the_undo_is_of_this_batch_and_no_other_action(store: Store, site: tuple[str, str], sue: Person) -> None:
    ids = hold(store, site[0], [0.1] * 3 + [0.5])
    batch = begin(store, sue, 0.1, 0.2)
    look(store, sue, batch)
    finish(store, sue, batch)
    rule(store, sue, ids[3:], "reject")
    with pytest.raises(Conflict):
        undo(store, sue, batch)
    assert status(store, ids) == ["approved"] * 3 + ["rejected"]
    with store.write() as session:
        review.undo(session, sue, now_ms())
    assert undo(store, sue, batch) == 3


def test_fewer_than_five_are_all_looked_at_and_none_is_no_batch(
    store: Store, site: tuple[str, str], sue: Person
) -> None:
    ids = hold(store, site[0], [0.1, 0.1])
    assert sorted(one["id"] for one in begin(store, sue, 0.1, 0.2).looks) == sorted(ids)
    for low, high in ((0.2, 0.3), (0.3, 0.2), (0.1, 0.1), (-1, 0.5), (0.5, 2), (float("nan"), 1)):
        with pytest.raises(Invalid):
            begin(store, sue, low, high)
    with pytest.raises(Invalid):
        begin(store, sue, 0, 1, scope=Scope("TOXICITY", article="https://news.example/none"))


def test_a_batch_takes_so_many_at_most(
    store: Store, site: tuple[str, str], sue: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MOST", 4)
    hold(store, site[0], [0.1] * 7)
    batch = begin(store, sue, 0.1, 0.2)
    assert (len(batch.items), batch.left_out) == (4, {"over": 3})


def test_five_thousand_in_one_transaction(store: Store, site: tuple[str, str], sue: Person) -> None:
    for _ in range(10):
        hold(store, site[0], [0.1] * 500)
    batch = begin(store, sue, 0.1, 0.2)
    look(store, sue, batch)
    assert finish(store, sue, batch).done == 5_000
    assert sum(counts(store, site[0])) == 0
    assert undo(store, sue, batch) == 5_000
    assert sum(counts(store, site[0])) == 5_000


def test_the_audit_trail_has_the_batch_and_its_looks(store: Store, site: tuple[str, str], sue: Person) -> None:
    hold(store, site[0], [0.1] * 7)
    batch = begin(store, sue, 0.1, 0.2, scope=Scope("TOXICITY", "https://news.example/a"))
    look(store, sue, batch, "right", "wrong")
    finish(store, sue, batch, all_the_same=True)
    undo(store, sue, batch)
    with store.read() as session:
        told = {one.action: one for one in session.scalars(select(AuditEvent).where(AuditEvent.subject_id == batch.id))}
    assert set(told) == {"batch.done", "batch.undone"}
    data = told["batch.done"].data
    assert told["batch.done"].actor == sue.id
    assert (data["attribute"], data["low"], data["high"], data["count"]) == ("TOXICITY", 0.1, 0.2, 6)
    assert data["article"] == intake.article_id(site[0], "https://news.example/a")
    assert sorted(one["answer"] for one in data["looks"]) == ["right"] * 4 + ["wrong"]
    assert "Something about" not in str(data)


# --- whose it is ----------------------------------------------------------------------------------------------------


def test_only_seniors_and_admins(app: Flask, store: Store, site: tuple[str, str], person: Person, sue: Person) -> None:
    assert app.test_client().get("/by-score", headers={"Accept": "text/html"}).status_code == 303
    ann = Browser(app.test_client()).sign_in("ann@example.org")
    hold(store, site[0], [0.1] * 3)
    assert ann.see("/by-score").status_code == 403
    assert ann.send("/by-score", attribute="TOXICITY", low="0", high="1", action="approve").status_code == 403
    assert 'href="/by-score"' not in ann.see("/review").text
    batch = begin(store, sue, 0.1, 0.2)
    for path in ("", "/looks", "/do", "/undo"):
        sent = ann.send(f"/by-score/{batch.id}{path}") if path else ann.see(f"/by-score/{batch.id}")
        assert sent.status_code == 403


def test_nobody_elses_batch(app: Flask, store: Store, site: tuple[str, str], sue: Person) -> None:
    ids = hold(store, site[0], [0.1] * 3)
    batch = begin(store, sue, 0.1, 0.2)
    with store.write() as session:
        other, _ = sites.create_site(session, "other")
    make_moderator(store, site[0], "tom@example.org", Role.ADMIN)
    make_moderator(store, other.id, "eve@example.org", Role.ADMIN)
    for email in ("tom@example.org", "eve@example.org"):
        browser = Browser(app.test_client()).sign_in(email)
        browser.see("/by-score")
        assert browser.see(f"/by-score/{batch.id}").status_code == 404
        answer = browser.send(f"/by-score/{batch.id}/looks", comment=batch.looks[0]["id"], answer="right")
        assert answer.status_code == 404
        assert browser.send(f"/by-score/{batch.id}/do", all_the_same="yes").status_code == 404
        assert browser.send(f"/by-score/{batch.id}/undo").status_code == 404
    assert status(store, ids) == ["held"] * 3


def test_another_sites_article_is_none(app: Flask, store: Store, site: tuple[str, str], sue: Person) -> None:
    with store.write() as session:
        other, _ = sites.create_site(session, "other")
    hold(store, other.id, [0.1] * 3, article="secret")
    foreign = intake.article_id(other.id, "https://news.example/secret")
    browser = Browser(app.test_client()).sign_in("sue@example.org")
    shown = browser.see(f"/by-score?article={foreign}")
    assert (shown.status_code, "Secret" in shown.text) == (200, False)
    refused = browser.send("/by-score", attribute="TOXICITY", low="0", high="1", action="approve", article=foreign)
    assert refused.status_code == 422


# --- the page -------------------------------------------------------------------------------------------------------


def test_the_walk_by_forms(page: Browser, store: Store, site: tuple[str, str]) -> None:
    ids = hold(store, site[0], [0.1] * 8)
    text = page.see("/by-score?attribute=TOXICITY&low=0.1&high=0.2").text
    assert "8 comments wait with “Abusive tone” from 0.10 to below 0.20" in text
    assert "can&#39;t say" in text
    sent = page.send("/by-score", attribute="TOXICITY", low="0.1", high="0.2", action="approve", reason="insult")
    assert sent.status_code == 303
    text = page.see(sent.location).text
    assert text.count('class="panel look"') == 5
    assert re.search(r"<button[^>]* disabled", text)
    for id in re.findall(r'name="comment" value="([0-9a-f]{32})"', text):
        sent = page.send(f"{sent.location.partition('#')[0]}/looks", comment=id, answer="right")
        sent.location = sent.location.removesuffix("/looks")
    address = sent.location.partition("#")[0]
    text = page.see(address).text
    assert "5 of 5 looked at" in text
    assert not re.search(r"<button[^>]* disabled", text)
    assert page.send(f"{address}/do").status_code == 303
    assert "8 comments approved." in page.see(address).text
    assert status(store, ids) == ["approved"] * 8
    assert page.send(f"{address}/undo").status_code == 303
    assert "Undone." in page.see(address).text
    assert status(store, ids) == ["held"] * 8
    assert page.send(f"{address}/undo").status_code in (404, 409)
    assert status(store, ids) == ["held"] * 8


def test_a_range_that_is_none_is_said_calmly(page: Browser) -> None:
    for query in ("low=0.5&high=0.4", "low=&high=", "low=x&high=1", "low=nan&high=1", "low=0&high=1e999", "low=0.1"):
        shown = page.see(f"/by-score?{query}")
        assert shown.status_code == 422, query
        assert "two numbers" in shown.text
        assert 'aria-invalid="true"' in shown.text


def test_what_is_unknown_in_an_address_is_left_out(page: Browser) -> None:
    for query in ("attribute=NO_SUCH", "up_to=7&bins=0", "bins=x", "section=%00", "article=%22%3E%3Cscript%3E",
                  "low=0,1&high=0,2"):  # fmt: skip
        shown = page.see(f"/by-score?{query}")
        assert shown.status_code == 200, query
        assert "<script>" not in shown.text


def test_a_refused_batch_keeps_what_was_chosen(page: Browser, store: Store, site: tuple[str, str]) -> None:
    hold(store, site[0], [0.9] * 3)
    page.see("/by-score")
    given = {"attribute": "TOXICITY", "low": "0.9", "high": "1", "action": "reject"}
    refused = page.send("/by-score", **given)
    assert (refused.status_code, "Please choose a reason" in refused.text) == (422, True)
    refused = page.send("/by-score", **given, reason="other", note="")
    assert (refused.status_code, "This reason needs a note" in refused.text) == (422, True)
    assert '<option value="other" selected>' in refused.text
    refused = page.send("/by-score", **(given | {"low": "0.1", "high": "0.2", "action": "approve"}))
    assert (refused.status_code, "No comment waits in this range" in refused.text) == (422, True)
    assert page.client.post("/by-score", data=given).status_code == 400  # no form token


def test_a_look_says_when_its_comment_changed_and_is_veiled_by_choice(
    page: Browser, store: Store, site: tuple[str, str], sue: Person
) -> None:
    (id,) = hold(store, site[0], [0.9])
    batch = begin(store, sue, 0.9, 1)
    assert "Changed" not in page.see(f"/by-score/{batch.id}").text
    with store.write() as session:
        intake.edit(session, site[0], id, "Something quite different.", now_ms())
        moderator = session.get_one(Moderator, sue.id)
        moderator.settings = {**moderator.settings, "blur": "all"}
    text = page.see(f"/by-score/{batch.id}").text
    assert "the batch leaves it out" in text
    (again,) = hold(store, site[0], [0.9])
    text = page.see(f"/by-score/{begin(store, sue, 0.9, 1).id}").text
    assert again in text
    assert "Hidden because it is held." in text


def test_hostile_text_stays_text(page: Browser, store: Store, site: tuple[str, str], sue: Person) -> None:
    (id,) = hold(store, site[0], [0.9], article="<b>", section="<img src=x>")
    hostile = "<script>alert(1)</script>"
    with store.write() as session:
        session.execute(update(Comment).where(Comment.id == id).values(body=hostile, author_name=hostile))
    batch = begin(store, sue, 0.9, 1)
    for path in ("/by-score", f"/by-score/{batch.id}"):
        text = page.see(path).text
        assert "<script>alert" not in text
        assert "<img src=x" not in text


# --- for programs ---------------------------------------------------------------------------------------------------


@pytest.fixture
def token(client: FlaskClient, sue: Person) -> str:
    answer = client.post("/v1/auth/tokens", json={"email": "sue@example.org", "password": PASSWORD})
    return str(answer.json["token"])  # type: ignore[index]


def test_the_histogram_for_programs(
    client: FlaskClient, token: str, store: Store, site: tuple[str, str], person: Person
) -> None:
    rule(store, person, hold(store, site[0], [0.11] * 30), "approve")
    hold(store, site[0], [0.11] * 4)
    answer = client.get("/v1/review/histogram?attribute=TOXICITY&up_to=1&low=0.1&high=0.2", headers=bearer(token))
    assert answer.status_code == 200
    shown: dict[str, Any] = answer.json or {}
    assert (shown["waiting"], shown["limit"], len(shown["bins"])) == (4, 0.714, 20)
    assert shown["bins"][2]["share"] == 0
    assert shown["bins"][3]["share"] is None
    assert shown["range"]["if_approved"]["known"] == 4


def test_a_bad_question_is_refused(client: FlaskClient, token: str) -> None:
    for query in ("attribute=NO", "low=0.1", "low=0.5&high=0.1", "bins=7", "up_to=0.3", "low=nan&high=1"):
        answer = client.get(f"/v1/review/histogram?{query}", headers=bearer(token))
        assert answer.status_code == 422, query
        assert answer.mimetype == "application/problem+json"


def test_programs_of_moderators_are_refused(client: FlaskClient, store: Store, person: Person) -> None:
    with store.write() as session:
        secret, _ = accounts.sign_in(session, person, 1.0, kind="token")
    assert client.get("/v1/review/histogram", headers=bearer(secret)).status_code == 403
    assert client.get("/v1/review/histogram").status_code == 401
