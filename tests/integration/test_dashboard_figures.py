"""The dashboard's figures on both databases, against plain counting over random pasts."""

from collections import Counter
from statistics import median
from typing import Any

import pytest

from moderation.domain.lifecycle import Outcome, Source, Status
from moderation.services import dashboard
from moderation.services.dashboard import SPANS, Dashboard
from moderation.services.dashboard_parts import share
from moderation.store.queries import insert_rows
from moderation.store.session import Store, now_ms
from moderation.store.tables import Delivery, Event, Site, WorkerState
from moderation.store.voices import Appeal, Report
from tests.past import RULES, Past, a_past, begin

DAY = 86_400_000
PEOPLE = tuple(f"{n:032x}" for n in range(1, 5))


def figures(store: Store, past: Past, name: str, now: int, person: str = PEOPLE[0]) -> Dashboard:
    with store.read() as session:
        return dashboard.dashboard(session, past.site_id, person, dashboard.span(name, now))


def ruled(past: Past, since: int) -> list[dict[str, Any]]:
    """What people decided since and nobody took back, each with `waited`, counted by hand."""
    by_id = {decision["id"]: decision for decision in past.decisions}
    undone = {decision["undoes"] for decision in past.decisions}
    found = []
    for one in sorted(past.decisions, key=lambda decision: decision["decided_at"]):
        people = one["source"] in ("moderator", "site", "appeal") and one["action"] != "hold" and not one["undoes"]
        if not people or one["id"] in undone or one["decided_at"] < since or not one["replaces"]:
            continue
        before, waited = by_id[one["replaces"]], None
        if before["action"] == "hold":
            holds = [d["decided_at"] for d in past.decisions
                     if d["comment_id"] == one["comment_id"] and d["source"] in ("policy", "report")
                     and d["action"] == "hold" and d["decided_at"] < one["decided_at"]]  # fmt: skip
            waited = one["decided_at"] - max(holds)
        found.append(one | {"waited": waited})
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_figures_equal_plain_counting(store: Store, seed: int) -> None:
    now = now_ms()
    past = a_past(store, 1500, now, 40, seed=seed, moderators=PEOPLE)
    a_past(store, 200, now, 3, seed=seed + 100, moderators=PEOPLE)  # another site's do not count
    for name, (step, bars) in SPANS.items():
        shown = figures(store, past, name, now)
        since = shown.span.since
        assert now - bars * step < since <= now - (bars - 1) * step
        rulings = ruled(past, since)
        check_flow(past, shown, rulings, step)
        waited = sorted(one["waited"] for one in rulings if one["waited"] is not None)
        assert shown.waits.decided == len(waited)
        if waited:
            assert shown.waits.median_ms == round(median(waited))
            assert sum(value <= (shown.waits.p90_ms or 0) for value in waited) >= 0.9 * len(waited)
            assert sum(value < (shown.waits.p90_ms or 0) for value in waited) < 0.9 * len(waited)
        assert shown.reasons == Counter(one["reason"] for one in rulings if one["action"] == "reject")
        check_rules(past, shown, rulings)


def check_flow(past: Past, shown: Dashboard, rulings: list[dict[str, Any]], step: int) -> None:
    since = shown.span.since
    recent = [one for one in past.decisions if one["decided_at"] >= since]
    held = Counter((d["decided_at"] - since) // step for d in recent
                   if d["action"] == "hold" and d["source"] in ("policy", "report"))  # fmt: skip
    decided = Counter((one["decided_at"] - since) // step for one in rulings)
    assert [bar.held for bar in shown.flow] == [held[n] for n in range(len(shown.flow))]
    assert [bar.decided for bar in shown.flow] == [decided[n] for n in range(len(shown.flow))]
    comments = [one for one in past.comments if one["received_at"] >= since]
    assert shown.statuses == {status.value: sum(c["status"] == status for c in comments) for status in Status}
    automatic = Counter(one["action"] for one in recent if one["source"] == "policy")
    assert shown.automatic == {outcome.value: automatic[outcome] for outcome in Outcome}
    held_now = [one["received_at"] for one in past.comments if one["status"] == "held"]
    assert (shown.queue.waiting, shown.queue.oldest_at) == (len(held_now), min(held_now))


def check_rules(past: Past, shown: Dashboard, rulings: list[dict[str, Any]]) -> None:
    comments = {one["id"] for one in past.comments if one["received_at"] >= shown.span.since}
    by_moderators = [one for one in rulings if one["source"] == "moderator" and one["waited"] is not None]
    rules = {rule.rule: rule for rule in shown.rules}
    assert set(rules) <= set(RULES)
    for name, rule in rules.items():
        stopped = {one["comment_id"] for one in past.reasons if one["rule"] == name}
        assert rule.held == len(stopped & comments)
        assert rule.of_comments == pytest.approx(rule.held / len(comments))
        on_these = [one["action"] for one in by_moderators if one["comment_id"] in stopped]
        assert rule.overturned == share(on_these.count("approve"), len(on_these))


def test_of_too_many_rulings_the_newest_are_looked_at(store: Store) -> None:
    now = now_ms()
    past = a_past(store, 1500, now, 29, seed=12, moderators=PEOPLE)
    with store.read() as session:
        shown = dashboard.dashboard(session, past.site_id, PEOPLE[0], dashboard.span("30d", now), most=40)
    newest = ruled(past, shown.looked_since)
    kinds = Counter((one["source"], one["action"]) for one in newest)
    assert max(kinds.values()) == 40
    assert shown.reasons == Counter(one["reason"] for one in newest if one["action"] == "reject")
    assert shown.waits.decided == sum(one["waited"] is not None for one in newest)
    check_rules(past, shown, newest)
    check_flow(past, shown, ruled(past, shown.span.since), DAY)


def test_an_import_is_no_ruling(store: Store) -> None:
    now = now_ms()
    past = begin(store, seed=13, moderators=PEOPLE)
    for n in range(5):
        past.comment(now - 60_000 - n, 0)
        past.decide(past.comments[-1], Outcome.REJECT, Source.SITE, now - 50_000)
    with store.write() as session:
        past.write(session)
    shown = figures(store, past, "24h", now)
    assert (sum(bar.decided for bar in shown.flow), shown.reasons, shown.waits.decided) == (0, {}, 0)


def test_an_empty_site_has_a_dashboard(store: Store, site: tuple[str, str]) -> None:
    for name in SPANS:
        with store.read() as session:
            shown = dashboard.dashboard(session, site[0], PEOPLE[0], dashboard.span(name, now_ms()))
        assert (shown.queue.waiting, shown.queue.oldest_at, shown.waits.median_ms) == (0, None, None)
        assert sum(bar.held + bar.decided for bar in shown.flow) == 0
        assert (shown.rules, shown.reasons, list(shown.workers)) == ([], {}, [])
        assert shown.webhook.set is False


def test_the_teams_pace_is_shown_for_three_people_and_ones_own_to_oneself(store: Store) -> None:
    now = now_ms()
    quick = [(PEOPLE[0], 3_000), (PEOPLE[1], 5_000), (PEOPLE[2], 11_000)]
    for people, team in ((2, None), (3, 5_000)):
        past = begin(store, seed=people, moderators=PEOPLE)
        for person, pace in quick[:people]:
            past.moderators = (person,)
            for n in range(8):
                past.comment(now - 5_000_000, 0)
                comment = past.comments[-1]
                past.verdict(comment, Outcome.HOLD, now - 4_000_000)
                past.decide(comment, Outcome.APPROVE, Source.MODERATOR, now - 1_000_000 + n * pace,
                             actor=person, batch=past.id_at(now))  # fmt: skip
        with store.write() as session:
            past.write(session)
        shown = figures(store, past, "24h", now, PEOPLE[1]).pace
        assert (shown.people, shown.team_ms, shown.own_ms, shown.own_sessions) == (people, team, 5_000, 1)
        assert figures(store, past, "24h", now, PEOPLE[3]).pace.own_ms is None


def test_reports_and_appeals(store: Store) -> None:
    now = now_ms()
    past = a_past(store, 120, now, 5, seed=9, moderators=PEOPLE)
    reports = [("upheld", 12), ("dismissed", 24), ("moot", 3), (None, 4)]
    appeals = [("uphold", 5), ("overturn", 3), (None, 2), ("moot", 1)]
    chosen = iter([one for one in past.decisions if one["source"] == "policy"])
    with store.write() as session:
        for at, factor in ((now - DAY, 1), (now - 20 * DAY, 2)):
            insert_rows(session, Report, [
                {"id": past.id_at(at), "site_id": past.site_id, "comment_id": past.comments[n]["id"],
                 "revision": factor, "reporter_key": f"{outcome}{n}", "reason": "spam", "created_at": at,
                 "outcome": outcome} for outcome, count in reports for n in range(count)
            ])  # fmt: skip
            insert_rows(session, Appeal, [
                {"id": past.id_at(at), "site_id": past.site_id, "comment_id": one["comment_id"],
                 "decision_id": one["id"], "text": "Why?", "created_at": at, "outcome": outcome}
                for outcome, count in appeals for one in [next(chosen) for _ in range(count)]
            ])  # fmt: skip
    week, month = figures(store, past, "7d", now), figures(store, past, "30d", now)
    assert (week.reports.made, week.reports.open, week.reports.moot) == (43, 4, 3)
    assert week.reports.granted == share(12, 36)
    assert week.reports.granted.share == pytest.approx(1 / 3)
    assert month.reports.granted == share(24, 72)
    assert (week.appeals.made, week.appeals.open, week.appeals.granted) == (11, 2, share(3, 8))
    assert week.appeals.granted.share is None  # eight say nothing yet
    assert month.appeals.granted.of == 16


def test_webhook_and_workers(store: Store) -> None:
    now = now_ms()
    past = a_past(store, 10, now, 5, seed=4, moderators=PEOPLE)
    tries = [  # hours ago, attempts, next_at, delivered_at, status, error
        (1, 1, None, now - 3_600_000, 200, None), (2, 2, now + 5, None, 500, None), (3, 0, now, None, None, None),
        (4, 9, None, None, None, "TimeoutError"), (50, 9, None, None, 404, None), (60, 1, None, now, 204, None),
    ]  # fmt: skip
    with store.write() as session:
        session.get_one(Site, past.site_id).webhook_url = "https://news.example/hook"
        for hours, attempts, next_at, delivered_at, status, error in tries:
            at = now - hours * 3_600_000
            event = {"id": past.id_at(at), "site_id": past.site_id, "comment_id": past.comments[0]["id"],
                     "decision_id": None, "type": "comment.approved", "occurred_at": at, "release_at": at,
                     "position": None, "webhook": True, "data": {}}  # fmt: skip
            insert_rows(session, Event, [event])
            insert_rows(session, Delivery, [{
                "event_id": event["id"], "site_id": past.site_id, "attempts": attempts, "next_at": next_at,
                "delivered_at": delivered_at, "last_status": status, "last_error": error,
            }])  # fmt: skip
        insert_rows(session, WorkerState, [
            {"name": "a", "seen_at": now - 4_000, "scorer": "cascade@1", "scorer_error": None},
            {"name": "b", "seen_at": now - 9_000, "scorer": "cascade@1", "scorer_error": "FileNotFoundError"},
        ])  # fmt: skip
    shown = figures(store, past, "24h", now)
    hook = shown.webhook
    assert (hook.set, hook.waiting, hook.retried, hook.failed, hook.given_up) == (True, 2, 1, 2, 1)
    assert (hook.last_status, hook.last_error, hook.last_success_at) == (200, None, now - 3_600_000)
    assert [(worker.seen_at, worker.scorer_works) for worker in shown.workers] == [
        (now - 4_000, True),
        (now - 9_000, False),
    ]
