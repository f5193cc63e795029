"""Addresses are kept as hashes; what is kept long enough goes, slice by slice, and everything around it still works."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from moderation.domain import chain
from moderation.domain.address import PREFIX, hashed
from moderation.services import audit_chain, outbox, retention, sites
from moderation.services.options import set_options
from moderation.store.audit import AuditEvent
from moderation.store.feedback import Check
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment, Decision, Delivery, Event
from moderation.store.tables import Site as SiteRow
from tests.services import ABUSE, a_comment, bearer

Site = tuple[str, str]
SECRETS = ["k" * 32]
DAY = 86_400_000
IP = "203.0.113.77"
PAGE = "https://news.example"


def send(client: FlaskClient, site: Site, *comments: dict[str, Any]) -> None:
    for body in comments:
        assert client.post("/v1/comments", json=body, headers=bearer(site[1])).status_code == 202


def choose(store: Store, site_id: str, **options: Any) -> None:
    with store.write() as session:
        set_options(session, session.get_one(SiteRow, site_id), options)


def ips(store: Store) -> dict[str, str | None]:
    with store.read() as session:
        return {row[0]: row[1] for row in session.execute(select(Comment.external_id, Comment.ip))}


def applied(store: Store) -> list[dict[str, Any]]:
    with store.read() as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.action == "retention.applied"))
        return sorted((event.data for event in events), key=lambda data: (data["task"], data["count"]))


def all_of_it(store: Store, days: float) -> None:
    while retention.apply(store, SECRETS, now_ms() + round(days * DAY)):
        pass


def test_an_address_is_kept_as_a_hash_unless_the_site_wants_it_itself(
    client: FlaskClient, store: Store, site: Site
) -> None:
    send(
        client, site, a_comment("a", ip=IP), a_comment("b", ip=f" {IP}"), a_comment("c", ip="2001:db8::1"),
        a_comment("d", ip="2001:db8::2:7"), a_comment("e", ip="2001:db8:0:1::1"), a_comment("f", ip=f"::ffff:{IP}"),
        a_comment("g", ip="not one"), a_comment("h"),
    )  # fmt: skip
    kept = ips(store)
    assert kept["a"] == hashed(SECRETS[0], site[0], IP) == kept["b"] == kept["f"]
    assert kept["c"] == kept["d"]
    assert len({kept[name] for name in "aceg"}) == 4
    assert kept["h"] is None
    assert all(ip is None or ip.startswith(PREFIX) for ip in kept.values())
    choose(store, site[0], keep_ip=True)
    send(client, site, a_comment("plain", ip=IP))
    assert ips(store)["plain"] == IP
    with store.write() as session:
        other, key = sites.create_site(session, "other")
    send(client, (other.id, key), a_comment("elsewhere", ip=IP))
    assert ips(store)["elsewhere"] not in (IP, kept["a"])


def test_addresses_of_before_are_hashed_in_slices(
    client: FlaskClient, store: Store, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(store, site[0], keep_ip=True)
    send(client, site, *(a_comment(f"c{n}", ip=f"203.0.113.{n}") for n in range(5)))
    all_of_it(store, 1)
    assert set(ips(store).values()) == {f"203.0.113.{n}" for n in range(5)}
    choose(store, site[0], keep_ip=False)
    slices = retention.TASKS["hash"]
    monkeypatch.setitem(retention.TASKS, "hash", retention.Task(slices.along, slices.site, slices.days, slices.do, 2))
    assert retention.apply(store, SECRETS, now_ms() + DAY)
    assert sum(ip.startswith(PREFIX) for ip in ips(store).values() if ip) == 2
    all_of_it(store, 1)
    assert ips(store) == {f"c{n}": hashed(SECRETS[0], site[0], f"203.0.113.{n}") for n in range(5)}
    assert [data["count"] for data in applied(store)] == [1, 2, 2]
    all_of_it(store, 2)
    assert len(applied(store)) == 3


def test_only_what_is_old_enough_goes_and_only_where_the_site_chose_so(
    client: FlaskClient, store: Store, site: Site
) -> None:
    choose(store, site[0], keep_email_days=30)
    with store.write() as session:
        other, key = sites.create_site(session, "other")
    for one in (site, (other.id, key)):
        send(client, one, a_comment("a", ip=IP, user_agent="agent"))

    def left() -> list[tuple[Any, ...]]:
        with store.read() as session:
            rows = session.scalars(select(Comment).order_by(Comment.id))
            return [(bool(row.author_email), bool(row.ip), bool(row.user_agent)) for row in rows]

    all_of_it(store, 29)
    assert left() == [(True, True, True)] * 2
    all_of_it(store, 31)
    assert left() == [(False, True, True), (True, True, True)]
    all_of_it(store, 91)
    assert left() == [(False, False, False), (True, False, False)]


def test_rejected_and_withdrawn_comments_are_emptied_and_events_go(
    client: FlaskClient, store: Store, site: Site, work: Callable[[], int]
) -> None:
    key = bearer(site[1])
    send(client, site, a_comment("zebra", f"{ABUSE} zebra"), a_comment("okapi", f"{ABUSE} okapi"))
    send(client, site, a_comment("fine", "A fair point."), a_comment("gone", "Bye."))
    work()
    with store.read() as session:
        ids = {row[0]: row[1] for row in session.execute(select(Comment.external_id, Comment.id))}
    for name, action in (("zebra", "reject"), ("okapi", "reject"), ("fine", "approve")):
        ruled = client.post(f"/v1/comments/{ids[name]}/site-decision", json={"action": action}, headers=key)
        assert ruled.status_code == 200
    assert client.delete(f"/v1/comments/{ids['gone']}", headers=key).status_code == 200
    back = client.post(f"/v1/comments/{ids['okapi']}/site-decision", json={"action": "approve"}, headers=key)
    assert back.status_code == 200
    with store.write() as session:
        outbox.publish(session, now_ms())
    first = client.get("/v1/events?limit=2", headers=key).get_json()
    choose(store, site[0], keep_rejected_days=10)
    all_of_it(store, 11)
    with store.read() as session:
        texts = {row[0]: row[1] for row in session.execute(select(Comment.external_id, Comment.body))}
        statuses = {row[0]: row[1] for row in session.execute(select(Comment.external_id, Comment.status))}
    assert (texts["zebra"], texts["gone"]) == ("", "")
    assert "okapi" in texts["okapi"]
    assert texts["fine"] == "A fair point."
    assert (statuses["zebra"], statuses["gone"]) == ("rejected", "withdrawn")
    assert client.get(f"/v1/comments/{ids['zebra']}", headers=key).get_json()["status"] == "rejected"
    choose(store, site[0], keep_events_days=20)
    all_of_it(store, 21)
    with store.read() as session:
        assert session.scalars(select(Event.id)).all() == []
        assert session.scalar(select(func.count()).select_from(Decision)) >= 5
    after = client.get(f"/v1/events?after={first['next']}", headers=key)
    assert (after.status_code, after.get_json()) == (200, {"events": [], "next": first["next"]})
    keys = chain.keys(SECRETS[0], "")
    while audit_chain.seal_waiting(store, keys, until=lambda: False):
        pass
    assert audit_chain.verify(store, keys).broken is None


def test_what_was_only_checked_goes_after_its_days(client: FlaskClient, store: Store, site: Site, app: Flask) -> None:
    with store.write() as session:
        other, key = sites.create_site(session, "other")
    form = {"blog": PAGE, "user_ip": IP, "comment_content": "Thank you."}
    for one in (site[1], key):
        assert client.post("/1.1/comment-check", data=form | {"api_key": one}).data == b"false"
    app.extensions["moderation"].checks.flush()
    choose(store, other.id, keep_checks_days=0)

    def left() -> list[str]:
        with store.read() as session:
            return sorted(session.scalars(select(Check.site_id)))

    all_of_it(store, 89)
    assert left() == sorted([site[0], other.id])
    all_of_it(store, 91)
    assert left() == [other.id]
    choose(store, other.id, keep_checks_days=7)
    all_of_it(store, 8)
    assert left() == []
    assert [data["task"] for data in applied(store)].count("checks") == 2


@pytest.mark.parametrize("late", ["released", "delivered"])
def test_events_on_their_way_are_waited_for_and_go_then(
    client: FlaskClient, store: Store, site: Site, work: Callable[[], int], late: str
) -> None:
    with store.write() as session:
        sites.set_webhook(session, session.get_one(SiteRow, site[0]), "https://hooks.example/")
    choose(store, site[0], keep_events_days=20)
    send(client, site, *(a_comment(f"c{n}") for n in range(5)))
    work()

    def left() -> list[str]:
        with store.read() as session:
            return list(session.scalars(select(Event.id).order_by(Event.id)))

    with store.write() as session:
        outbox.publish(session, now_ms())
    third = left()[2]
    open_ones = update(Delivery).values(next_at=None)
    with store.write() as session:
        if late == "released":
            session.execute(open_ones)
            session.execute(update(Event).where(Event.id == third).values(position=None))
        else:
            session.execute(open_ones.where(Delivery.event_id != third))
    all_of_it(store, 21)
    assert left()[0] == third
    assert len(left()) == 3
    with store.write() as session:
        session.execute(update(Event).where(Event.position.is_(None)).values(position=99))
        session.execute(open_ones)
    all_of_it(store, 22)
    assert left() == []
