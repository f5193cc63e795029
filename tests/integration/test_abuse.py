"""Against abuse, on both databases: floods, repeated texts, bad links, traps, slow mode, lock-down."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text

from moderation.domain.lifecycle import Outcome, Role
from moderation.domain.verdict import Look
from moderation.services import articles, bad_domains, fingerprints, floods, leases, lock_down, policies, policy_preview
from moderation.services.intake import NewComment
from moderation.services.policies import parse
from moderation.store.abuse import Fingerprint
from moderation.store.audit import AuditEvent
from moderation.store.session import Store, now_ms
from moderation.store.tables import Article, Comment
from tests.services import a_comment, bearer, make_moderator

Site = tuple[str, str]
Work = Callable[[], int]
LONG = "The council decided on Tuesday to close the old bridge for repairs, and nobody told the people who live there."
RULES = """
rules:
  - {name: flood, kind: flood, at_least: 4, seconds: 60, by: author}
  - {name: flood_address, kind: flood, at_least: 5, seconds: 60, by: address}
  - {name: repeated_text, kind: repeated_text, at_least: 3, hours: 1}
  - {name: own_repeats, kind: repeated_text, at_least: 2, hours: 1, same_author: true}
  - {name: bad_domain, kind: bad_domain}
"""


def use(store: Store, site: Site, rules: str = RULES) -> None:
    with store.write() as session:
        policies.apply(session, site[0], parse(rules))


def send(client: FlaskClient, site: Site, *comments: dict[str, Any]) -> list[str]:
    answer = client.post("/v1/comments/batch", json={"comments": list(comments)}, headers=bearer(site[1]))
    assert answer.status_code == 200, answer.json
    return [one["id"] for one in answer.get_json()["results"]]


def comment(number: int, body: str, author: str | None = None, **more: Any) -> dict[str, Any]:
    about = {"name": "Ann", "id": author or f"author {number}"}
    return a_comment(f"c{number}", body) | {"author": about} | more


def reasons(client: FlaskClient, site: Site, ids: list[str]) -> list[list[str]]:
    found = [client.get(f"/v1/comments/{id}", headers=bearer(site[1])).get_json() for id in ids]
    return [[one["rule"] for one in comment["decision"]["reasons"] if comment["status"] == "held"] for comment in found]


def test_a_burst_in_one_batch_is_a_flood_by_author_and_by_address(
    client: FlaskClient, site: Site, store: Store, work: Work
) -> None:
    use(store, site)
    one = [comment(n, f"Remark number {n}", "flooder") for n in range(6)]
    many = [comment(10 + n, f"Opinion number {n}", ip="203.0.113.9") for n in range(6)]
    ids = send(client, site, *one, *many)
    assert work() == 12
    found = reasons(client, site, ids)
    assert found[:6] == [[], [], [], ["flood"], ["flood"], ["flood"]]
    assert found[6:] == [[], [], [], [], ["flood_address"], ["flood_address"]]
    new = NewComment("late", "x", "plain", "Ann", None, None, "flooder", "https://news.example/a")
    with store.read() as session:
        rules = {site[0]: policies.current(session, site[0])}
        asked = [leases.unstored(site[0], new)]
        for later, count in ((0, 4), (61_000, 1)):  # counted up to the largest number that a rule asks for, and itself
            (counted,) = floods.gather(session, asked, rules, now_ms() + later)
            assert counted == {Look("author", 60): count + (not later)}


def test_nearly_the_same_text_counts_and_says_how_often(
    client: FlaskClient, site: Site, store: Store, work: Work
) -> None:
    use(store, site)
    ids = send(
        client, site, comment(1, LONG), comment(2, "Hello all! " + LONG.replace("Tuesday", "Teusday") + " 😀"),
        comment(3, LONG.upper()), comment(4, "Thank you!"), comment(5, "Thank you!"), comment(6, "Thank you!"),
        comment(7, "A wholly different remark about the price of bread in the market hall, which I find too high."),
    )  # fmt: skip
    work()
    assert reasons(client, site, ids) == [[], [], ["repeated_text"], [], [], [], []]
    twice = send(
        client, site, *(comment(n, "My shop sells the finest lamps in town, come and see us", "x") for n in (8, 9))
    )
    work()
    assert reasons(client, site, twice) == [[], ["own_repeats"]]
    (held,) = client.get(f"/v1/comments/{ids[2]}", headers=bearer(site[1])).get_json()["decision"]["reasons"]
    assert (held["count"], held["seconds"]) == (3, 3600)
    with store.write() as session:
        assert fingerprints.forget(session, now_ms()) == 0
        assert session.scalar(select(func.count(func.distinct(Fingerprint.comment_id)))) == 6
        assert fingerprints.forget(session, now_ms() + 200 * 3_600_000) > 0
        assert session.scalar(select(func.count()).select_from(Fingerprint)) == 0


@pytest.mark.parametrize(
    "disguised",
    [
        "\u200b".join(LONG), "".join(f"{letter}\u0336" for letter in LONG), ".".join(LONG.replace(" ", "")),
        LONG.translate(str.maketrans("aeo", "аео")), LONG.translate(str.maketrans("aeo", "áéó")),
        "".join(letter + "\u00ad" * (number % 3 == 0) for number, letter in enumerate(LONG)),
    ],
    ids=["no width", "struck out", "dots", "look-alikes", "accents", "soft hyphens"],
)  # fmt: skip
def test_a_disguise_does_not_make_a_text_another(disguised: str) -> None:
    assert len(set(fingerprints.bands(disguised)) & set(fingerprints.bands(LONG))) >= 5


def test_nothing_is_kept_or_held_where_the_policy_does_not_ask(
    client: FlaskClient, site: Site, store: Store, work: Work
) -> None:
    ids = send(client, site, *(comment(n, LONG, "same", ip="203.0.113.9") for n in range(8)))
    assert work() == 8
    assert reasons(client, site, ids) == [[]] * 8
    with store.read() as session:
        assert session.scalar(select(func.count()).select_from(Fingerprint)) == 0


def test_links_to_listed_domains(client: FlaskClient, site: Site, store: Store, work: Work) -> None:
    use(store, site)
    lines = [
        "# a list",
        "",
        "||Evil.example^",
        "0.0.0.0 ads.example # hosts",
        "bücher.example",
        "no domain",
        "evil.example",
    ]
    done = bad_domains.load(store, iter(lines), None)
    assert (done.added, done.known, done.wrong, done.first_wrong) == (3, 1, 1, (6,))
    bad_domains.load(store, iter(["mine.example"]), site[0])
    if store.engine.dialect.name == "postgresql":  # or look-ups would go through the whole of a long list
        with store.read() as session:
            known = session.scalar(text("SELECT reltuples FROM pg_class WHERE oid = to_regclass('bad_domains')"))
        assert known == 4
    bodies = [
        "see https://good.example@sub.evil.example:8080/x", "see http://EVIL.example./", "see http://evil%2eexample/",
        "see https://bücher.example/a", "see http://mine.example", "see http://notevil.example/?u=evil.example",
        "see http://evil.example.org", "no link",
    ]  # fmt: skip
    ids = send(client, site, *(comment(n, body) for n, body in enumerate(bodies)))
    work()
    assert reasons(client, site, ids) == [["bad_domain"]] * 5 + [[]] * 3
    site_of = {"author": {"name": "Ann", "id": "x", "url": "https://shop.evil.example/"}}
    ids = send(client, site, comment(30, "Thank you.") | site_of, comment(31, "See evil.example, all.", "y"))
    work()
    assert reasons(client, site, ids) == [["bad_domain"]] * 2
    with store.read() as session:
        assert bad_domains.unused_by(session, None) == []
    with store.write() as session:
        assert bad_domains.listed(session, None) == ["ads.example", "evil.example", "xn--bcher-kva.example"]
        assert bad_domains.remove(session, ["evil.example"], None) == 1
    ids = send(client, site, comment(20, "see http://EVIL.example./"))
    work()
    assert reasons(client, site, ids) == [[]]


def test_a_preview_shows_what_new_rules_would_hold(client: FlaskClient, site: Site, store: Store, work: Work) -> None:
    bad_domains.load(store, iter(["evil.example"]), None)
    send(client, site, comment(1, "see http://evil.example/"), *(comment(n, f"Remark {n}", "x") for n in range(2, 6)))
    work()
    place = "sections: {news: [{name: flood, kind: flood, at_least: 3}]}"
    for draft, held in ((RULES, 2), ("rules: [{name: bad_domain, kind: bad_domain}]\n" + place, 1), ("rules: []", 0)):
        with store.read() as session:
            found = policy_preview.preview(session, site[0], parse(draft), now_ms())
        assert found.directions.get((Outcome.APPROVE, Outcome.HOLD), 0) == held
    use(store, site)
    with store.read() as session:  # the facts that the policy in force asks for are there as well
        known = policy_preview.preview(session, site[0], parse("rules: []"), now_ms())
    assert known.directions == {(Outcome.HOLD, Outcome.APPROVE): 2}


def test_a_lock_down_holds_everything_until_it_ends(client: FlaskClient, site: Site, store: Store, work: Work) -> None:
    senior = make_moderator(store, site[0], "senior@example.org", Role.SENIOR)
    with store.write() as session:
        assert lock_down.by_person(session, senior, on=True)
        assert not lock_down.by_person(session, senior, on=True)
    with store.read() as session:
        found = lock_down.standing(session, site[0])
    assert found
    assert found.by == senior.name
    ids = send(client, site, comment(1, "Thank you."))
    work()
    assert reasons(client, site, ids) == [["site_held"]]
    form = {"blog": "https://news.example", "user_ip": "192.0.2.1", "comment_content": "Thank you.", "api_key": site[1]}
    assert client.post("/1.1/comment-check", data=form).data == b"true"
    with store.write() as session:
        lock_down.switch(session, site[0], on=False)
        preview = policy_preview.preview(session, site[0], parse(RULES), now_ms())
    assert preview.compared == 1
    ids = send(client, site, comment(2, "Thank you."))
    work()
    assert reasons(client, site, ids) == [[]]
    assert client.post("/1.1/comment-check", data=form).data == b"false"
    with store.read() as session:
        actions = session.scalars(select(AuditEvent.action).where(AuditEvent.action.like("site.%locked"))).all()
    assert sorted(actions) == ["site.locked", "site.unlocked"]


def test_slow_mode_loses_nothing_that_a_site_sends(client: FlaskClient, site: Site, store: Store, work: Work) -> None:
    moderator = make_moderator(store, site[0], "mod@example.org")
    first = send(client, site, comment(1, "First", "ann"), comment(2, "Other", "bob"))
    with store.write() as session:
        article = session.scalars(select(Article)).one()
        articles.slow(session, moderator, article.id, 600)
    ids = first + send(client, site, comment(3, "Second", "ann"), comment(4, "New here", "eve"))
    elsewhere = {"url": "https://news.example/elsewhere"}
    ids += send(client, site, comment(5, "There", "ann", article=elsewhere))
    work()
    assert reasons(client, site, ids) == [[], [], ["slow_mode"], [], []]


@pytest.mark.parametrize("field", [None, "", "  ", "pills"])
def test_a_filled_trap_is_held_and_the_policy_may_say_more(
    client: FlaskClient, site: Site, store: Store, work: Work, field: str | None
) -> None:
    ids = send(client, site, comment(1, "Thank you.", honeypot=field))
    work()
    assert reasons(client, site, ids) == [["honeypot"] if field == "pills" else []]
    use(store, site, json.dumps({"rules": [{"name": "honeypot", "kind": "honeypot", "action": "reject"}]}))
    ids = send(client, site, comment(2, "Thank you.", honeypot=field))
    work()
    with store.read() as session:
        assert session.get_one(Comment, ids[0]).status == ("rejected" if field == "pills" else "approved")
