"""Standings of authors and what holds for articles: on the pages, by the API, and in what is decided."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, update

from moderation.domain.lifecycle import Role
from moderation.domain.standing import Standing
from moderation.errors import Conflict, Forbidden, Invalid, NotFound
from moderation.services import articles, at_once, intake, leases, policies, sites, standings
from moderation.services.accounts import Person as Moderator
from moderation.services.intake import NewComment
from moderation.store.audit import AuditEvent
from moderation.store.session import Store, now_ms
from moderation.store.tables import Article, Comment, Decision
from moderation.store.workspace import AuthorStanding
from tests.integration.pages import Person
from tests.integration.test_decide import decide_batch
from tests.services import ABUSE, PASSWORD, a_comment, bearer, make_moderator

Site = tuple[str, str]
Post = Callable[..., str]
FINE = "Thank you, a clear summary."
MAIL = "The mayor answers at mayor@example.com, as I read in the paper."


@pytest.fixture
def post(client: FlaskClient, site: Site, work: Callable[[], int]) -> Post:
    def submit(external_id: str, body: str = FINE, **more: Any) -> str:
        answer = client.post("/v1/comments", json=a_comment(external_id, body, **more), headers=bearer(site[1]))
        assert answer.status_code == 202, answer.json
        work()
        return str(answer.json["id"])  # type: ignore[index]

    return submit


@pytest.fixture
def senior(store: Store, site: Site) -> Moderator:
    return make_moderator(store, site[0], "sue@example.org", Role.SENIOR)


def comment(store: Store, id: str) -> Comment:
    with store.read() as session:
        return session.get_one(Comment, id)


def decided(store: Store, id: str) -> tuple[str, set[str]]:
    """(status, the rules that decided)."""
    with store.read() as session:
        found = session.get_one(Comment, id)
        decision = session.get_one(Decision, found.decision_id)
        return found.status, {signal["rule"] for signal in decision.signals if signal["decided"]}


def give(store: Store, who: Moderator, key: str, standing: Standing, until: int | None = None, **more: Any) -> None:
    with store.write() as session:
        standings.give(session, who, key, standing, until, now_ms(), **more)


def test_each_standing_decides_what_comes_from_then_on(store: Store, senior: Moderator, post: Post) -> None:
    key = comment(store, post("c0")).author_key
    give(store, senior, key, Standing.BAN)
    assert decided(store, post("c1")) == ("rejected", {"author_banned"})
    assert decided(store, post("other", author={"name": "Bo", "email": "bo@example.org"}))[0] == "approved"
    give(store, senior, key, Standing.HOLD)
    assert decided(store, post("c2")) == ("held", {"author_held"})
    assert decided(store, post("c3", MAIL))[0] == "held"
    give(store, senior, key, Standing.TRUST)
    assert decided(store, post("c4", MAIL)) == ("approved", {"author_trusted"})
    status, rules = decided(store, post("c5", ABUSE))
    assert status == "held"
    assert "insult" in rules
    with store.write() as session:
        standings.lift(session, senior, key, now_ms())
    assert decided(store, post("c6", MAIL)) == ("held", {"email_address"})
    assert decided(store, post("c7"))[0] == "approved"


def test_a_ban_that_is_over_does_nothing(store: Store, senior: Moderator, post: Post) -> None:
    key = comment(store, post("c0")).author_key
    give(store, senior, key, Standing.BAN, now_ms() + 60_000)
    assert decided(store, post("c1"))[0] == "rejected"
    with store.write() as session:
        session.execute(update(AuthorStanding).values(until=now_ms() - 1))
    assert decided(store, post("c2"))[0] == "approved"
    with store.read() as session:
        assert standings.stands(session, senior.site_id, key, now_ms()) is None


def test_a_ban_beats_a_policy_that_trusts_regulars(store: Store, site: Site, senior: Moderator, post: Post) -> None:
    with store.write() as session:
        policies.apply(session, site[0], policies.parse("rules: [{name: regulars, kind: trusted_author, at_least: 1}]"))
    key = comment(store, post("c0")).author_key
    assert decided(store, post("c1")) == ("approved", {"regulars"})
    give(store, senior, key, Standing.BAN)
    assert decided(store, post("c2")) == ("rejected", {"author_banned"})


def test_moderators_hold_and_only_seniors_ban_or_lift_a_ban(
    store: Store, person: Moderator, senior: Moderator, post: Post
) -> None:
    key = comment(store, post("c0")).author_key
    for standing in (Standing.BAN, Standing.TRUST):
        with pytest.raises(Forbidden):
            give(store, person, key, standing)
    give(store, person, key, Standing.HOLD)
    give(store, senior, key, Standing.BAN)
    with pytest.raises(Forbidden), store.write() as session:
        standings.lift(session, person, key, now_ms())
    with pytest.raises(Forbidden):
        give(store, person, key, Standing.HOLD)  # that would lift the ban
    assert decided(store, post("c1"))[0] == "rejected"
    with store.read() as session:
        steps = standings.history(session, person.site_id, key)
    assert [(step.standing, step.by) for step in steps] == [(Standing.BAN, "sue"), (Standing.HOLD, "ann")]


def test_what_somebody_else_said_meanwhile_is_not_overwritten(
    store: Store, person: Moderator, senior: Moderator, post: Post
) -> None:
    key = comment(store, post("c0")).author_key
    give(store, senior, key, Standing.TRUST, seen=0)
    with pytest.raises(Conflict) as refused:
        give(store, senior, key, Standing.BAN, seen=0)
    assert refused.value.extra == {"by": "sue", "standing": "trust"}
    with store.read() as session:
        stands = standings.stands(session, person.site_id, key, now_ms())
    assert stands
    give(store, senior, key, Standing.BAN, seen=stands.since)
    with store.write() as session:
        standings.lift(session, senior, key, now_ms())
    with pytest.raises(Conflict):
        give(store, senior, key, Standing.HOLD, seen=stands.since)


def test_nobody_stands_at_a_site_where_they_never_wrote(store: Store, senior: Moderator, post: Post) -> None:
    key = comment(store, post("c0")).author_key
    with store.write() as session:
        other, _ = sites.create_site(session, "other")
    eve = make_moderator(store, other.id, "eve@example.org", Role.ADMIN)
    for who, which in ((eve, key), (senior, "0" * 64)):
        with pytest.raises(NotFound):
            give(store, who, which, Standing.BAN)
    with pytest.raises(Invalid):
        give(store, senior, key, Standing.BAN, now_ms() - 1)
    assert decided(store, post("c1"))[0] == "approved"


def test_an_answer_at_once_knows_bans_sections_and_closed_articles(
    store: Store, site: Site, senior: Moderator, classifier: Any, post: Post
) -> None:
    def at(url: str, section: str | None = None, email: str = "ann@example.org") -> str:
        new = NewComment(f"once-{url}-{section}-{email}", MAIL, "plain", "Ann", email, None, None, url,
                         article_section=section)  # fmt: skip
        looked = at_once.look(store, classifier, site[0], new)
        said = at_once.keep(store, site[0], new, looked)
        assert said.status == looked.said.status
        return str(said.status)

    key = comment(store, post("c0", article={"url": "https://n.example/sport", "section": "Sport"})).author_key
    document = policies.default_document() | {"sections": {"sport": [{"name": "email_address", "enabled": False}]}}
    with store.write() as session:
        policies.apply(session, site[0], document)
    assert at("https://n.example/other") == "held"
    assert at("https://n.example/sport") == "approved"  # its section is known
    assert at("https://n.example/new", "SPORT") == "approved"  # the comment itself says it
    with store.write() as session:
        sport = articles.listed(session, site[0], "example/sport")[0].article.id
        articles.do(session, senior, sport, "close", now_ms())
    assert at("https://n.example/sport", email="bo@example.org") == "rejected"
    give(store, senior, key, Standing.BAN)
    assert at("https://n.example/new2") == "rejected"


def test_a_closed_article_rejects_what_comes_and_leaves_what_was_there(
    store: Store, senior: Moderator, person: Moderator, post: Post, client: FlaskClient, site: Site,
    work: Callable[[], int],
) -> None:  # fmt: skip
    before = post("c0")
    article = comment(store, before).article_id
    with pytest.raises(Forbidden), store.write() as session:
        articles.do(session, person, article, "close", now_ms())
    with store.write() as session:
        articles.do(session, senior, article, "close", now_ms())
        articles.do(session, senior, article, "close", now_ms())  # a second time changes nothing
    assert decided(store, post("c1")) == ("rejected", {"article_closed"})
    client.put(f"/v1/comments/{before}", json={"body": FINE + " Edited."}, headers=bearer(site[1]))
    work()
    assert decided(store, before)[0] == "approved"  # it came before
    with store.write() as session:
        articles.do(session, senior, article, "open", now_ms())
    assert decided(store, post("c2"))[0] == "approved"
    with store.write() as session:
        articles.do(session, person, article, "hold", now_ms())
    assert decided(store, post("c3")) == ("held", {"article_held"})
    with store.write() as session:
        articles.do(session, person, article, "release", now_ms())
    assert decided(store, post("c4"))[0] == "approved"
    with store.read() as session:
        steps = [(step.deed, step.by) for step in articles.history(session, site[0], article)]
        assert session.get_one(Article, article).closed_at is None
    assert steps == [("release", "ann"), ("hold", "ann"), ("open", "sue"), ("close", "sue")]


def test_the_public_form_of_a_closed_article_says_so(
    store: Store, site: Site, senior: Moderator, post: Post, client: FlaskClient
) -> None:
    url = "https://news.example/a"
    article = comment(store, post("c0")).article_id
    with store.write() as session:
        found = sites.find_site(session, site[0])
        sites.set_origins(session, found, ["https://news.example"])
        key = found.publishable_key
    body = {"body": FINE, "author": {"name": "Bo", "email": "bo@example.org"}, "article": {"url": url}}
    headers = bearer(key) | {"Origin": "https://news.example"}
    with store.write() as session:
        articles.do(session, senior, article, "close", now_ms())
    refused = client.post("/v1/public/comments", json=body, headers=headers)
    assert refused.status_code == 409
    assert (refused.json["code"], refused.json["field"]) == ("article_closed", "article")  # type: ignore[index]
    assert refused.headers["Access-Control-Allow-Origin"] == "https://news.example"
    with store.write() as session:
        articles.do(session, senior, article, "open", now_ms())
    assert client.post("/v1/public/comments", json=body, headers=headers).status_code == 202


def test_what_is_known_of_a_batch_costs_the_same_for_any_number(store: Store, site: Site, classifier: Any) -> None:
    """Three reads for authors' records, their standings and the articles, whatever the batch holds."""
    with store.write() as session:
        document = policies.default_document() | {"sections": {"Sport": [{"name": "insult", "enabled": False}]}}
        policies.apply(session, site[0], document)
    asked: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    reads = []
    for number in (2, 40):
        with store.write() as session:
            intake.submit(session, site[0], [
                NewComment(f"b{number}-{n}", FINE, "plain", "Ann", f"a{n}@example.org", None, None,
                           f"https://n.example/{n}", article_section="Sport")
                for n in range(number)
            ], now_ms())  # fmt: skip
            taken = leases.lease(session, "test:1", now_ms(), 30_000)
        asked.clear()
        assert decide_batch(store, classifier, "test:1", taken) == number
        # The policy is read once for each version, and by another test perhaps.
        reads.append([one for one in asked if one.startswith("SELECT") and "FROM policies" not in one])
    assert len(reads[0]) == len(reads[1])
    for table in ("author_standings", "articles"):
        assert sum(f"FROM {table}" in statement for statement in reads[1]) == 1


# --- the pages


@pytest.fixture
def sue(app: Flask, senior: Moderator) -> Person:
    return Person(app.test_client()).sign_in("sue@example.org")


def test_a_ban_on_the_page_rejects_what_waits_as_one_and_undo_brings_it_back(
    store: Store, sue: Person, post: Post
) -> None:
    held = [post("c1", ABUSE), post("c2", MAIL)]
    key = comment(store, held[0]).author_key
    page = sue.see(f"/authors/{key}")
    assert "With a ban, reject the 2 comments that wait" in page.text
    assert "ann@example.org" in page.text
    answer = sue.send(f"/authors/{key}/standing", standing="ban", span="7", seen="0", reject="on", reason="spam")
    assert answer.location == f"/authors/{key}"
    page = sue.see(answer.location).text
    assert "The author is banned. 2 waiting comments were rejected." in page
    assert "Banned by sue" in page
    assert [comment(store, id).status for id in held] == ["rejected", "rejected"]
    assert "Banned" in sue.see("/authors").text
    sue.send("/review/undo")
    assert [comment(store, id).status for id in held] == ["held", "held"]
    assert comment(store, post("c3")).status == "rejected"  # the ban itself stands
    sue.see(f"/authors/{key}")
    with store.read() as session:
        stands = standings.stands(session, comment(store, held[0]).site_id, key, now_ms())
    assert stands
    assert stands.until
    assert abs(stands.until - now_ms() - 7 * 86_400_000) < 600_000
    sue.send(f"/authors/{key}/standing", standing="", seen=str(stands.since))
    assert comment(store, post("c4")).status == "approved"


def test_what_a_colleague_works_on_is_left_to_them(store: Store, sue: Person, person: Moderator, post: Post) -> None:
    from moderation.services import review

    mine, theirs = post("c1", ABUSE), post("c2", ABUSE)
    with store.write() as session:
        review.claim(session, person, theirs, now_ms(), 60_000)
    key = comment(store, mine).author_key
    sue.see(f"/authors/{key}")
    sue.send(f"/authors/{key}/standing", standing="ban", span="", seen="0", reject="on", reason="other")
    assert (comment(store, mine).status, comment(store, theirs).status) == ("rejected", "held")


def test_a_refused_standing_says_why_and_keeps_what_was_chosen(
    app: Flask, store: Store, sue: Person, person: Moderator, post: Post
) -> None:
    key = comment(store, post("c0")).author_key
    sue.see(f"/authors/{key}")
    path = f"/authors/{key}/standing"
    for typed, says in (
        ({"standing": "ban", "span": "date", "until": ""}, "Enter the date and time until when."),
        ({"standing": "ban", "span": "date", "until": "2001-01-01T10:00"}, "This time is over already."),
        ({"standing": "king"}, "Choose what holds for this author."),
    ):
        answer = sue.send(path, seen="0", **typed)
        assert answer.status_code == 422
        assert says in answer.text
        assert "Nothing was changed." in answer.text
    sue.send(path, standing="trust", span="", seen="0")
    stale = sue.send(path, standing="ban", span="", seen="0")
    assert stale.status_code == 409
    assert "sue has changed this meanwhile: Trusted" in stale.text
    ann = Person(app.test_client()).sign_in()
    page = ann.see(f"/authors/{key}").text
    assert "Only seniors and admins may change this." in page
    assert ann.send(path, standing="", seen="0").status_code == 403
    assert sue.send(f"/authors/{'0' * 64}/standing", standing="ban").status_code == 404
    assert sue.send(f"/authors/{key}/standing", standing="hold", back="https://evil.example/").location == "/review"


def test_the_author_page_counts_and_pages(
    store: Store, sue: Person, post: Post, client: FlaskClient, site: Site, work: Callable[[], int]
) -> None:
    hostile = '<script>alert(1)</script>"'
    comments = [a_comment(f"n{n}", FINE, author={"name": hostile, "email": "x@example.org"}) for n in range(33)]
    client.post("/v1/comments/batch", json={"comments": comments}, headers=bearer(site[1]))
    work()
    key = comment(store, post("one", ABUSE, author={"name": "Other", "email": "x@example.org"})).author_key
    page = sue.see(f"/authors/{key}").text
    assert "<script>alert" not in page
    assert "Names used" in page
    assert "<strong>33</strong> approved" in page
    assert "100 %" in page
    assert page.count('href="/review/') >= 30
    following = page.partition('#comments" rel="next"')[0].rpartition("after=")[2]
    assert sue.see(f"/authors/{key}?after={following}").text.count("?author=") == 5  # four comments, and the link above
    sue.send(f"/authors/{key}/notes", text="Calm in person. <b>")
    assert "Calm in person. &lt;b&gt;" in sue.see(f"/authors/{key}").text
    assert sue.send(f"/authors/{key}/notes", text="  ").status_code == 422
    assert "Other" in sue.see("/authors?q=x%40example").text
    assert "Nobody by that name" in sue.see("/authors?q=%25%00").text


def test_the_article_page(app: Flask, store: Store, sue: Person, person: Moderator, post: Post) -> None:
    title = '<b>War</b> & "peace"'
    item = post("c1", article={"url": "https://news.example/war", "title": title, "section": "World"})
    post("c2", ABUSE, article={"url": "https://news.example/other", "title": "Another"})
    article = comment(store, item).article_id
    listed = sue.see("/articles").text
    assert "&lt;b&gt;War&lt;/b&gt;" in listed
    assert listed.index("Another") < listed.index("War")  # by the newest comment
    assert "Another" not in sue.see("/articles?q=world").text
    assert "No article like that" in sue.see("/articles?state=closed").text
    page = sue.see(f"/articles/{article}").text
    assert f"/review?article={article}" in page
    assert sue.send(f"/articles/{article}", do="close").location == f"/articles/{article}"
    page = sue.see(f"/articles/{article}").text
    assert "Closed for comments" in page
    assert "Closed by sue" in page
    assert "War" in sue.see("/articles?state=closed").text
    ann = Person(app.test_client()).sign_in()
    ann.see(f"/articles/{article}")
    refused = ann.send(f"/articles/{article}", do="open")
    assert refused.status_code == 403
    assert "Only seniors and admins" in refused.text
    assert ann.send(f"/articles/{article}", do="hold").status_code == 303
    assert ann.send(f"/articles/{article}", do="explode").status_code == 404
    assert "All comments held, by ann" in ann.see(f"/articles/{article}").text


def test_another_sites_authors_and_articles_are_not_there(app: Flask, store: Store, post: Post) -> None:
    item = comment(store, post("c1"))
    with store.write() as session:
        other, _ = sites.create_site(session, "other")
    make_moderator(store, other.id, "eve@example.org", Role.ADMIN)
    eve = Person(app.test_client()).sign_in("eve@example.org")
    for path in (f"/authors/{item.author_key}", f"/articles/{item.article_id}"):
        assert eve.see(path).status_code == 404
    eve.see("/review")
    assert eve.send(f"/articles/{item.article_id}", do="close").status_code == 404
    assert eve.send(f"/authors/{item.author_key}/standing", standing="ban").status_code == 404
    assert "A title" not in eve.see("/articles").text
    assert "Nobody by that name" in eve.see("/authors?q=ann").text


# --- the API


def test_the_api_does_what_the_pages_do(client: FlaskClient, store: Store, senior: Moderator, post: Post) -> None:
    def call(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        answer = client.open(f"/v1/review{path}", method=method, json=body, headers=bearer(token))
        return answer.status_code, answer.json

    token = client.post("/v1/auth/tokens", json={"email": "sue@example.org", "password": PASSWORD}).json["token"]  # type: ignore[index]
    held = post("c1", ABUSE)
    item = call("GET", f"/items/{held}")[1]["comment"]
    path = f"/authors/{item['author_key']}/standing"
    assert call("GET", path) == (200, {"standing": None, "until": None, "by": None, "since": None})
    status, stands = call(
        "POST", path, {"standing": "ban", "until": "2150-01-01T00:00:00Z", "reject_waiting": "insult"}
    )
    assert (status, stands["standing"], stands["until"], stands["by"], stands["rejected"]) == (
        200, "ban", "2150-01-01T00:00:00.000Z", "sue", 1,
    )  # fmt: skip
    assert comment(store, held).status == "rejected"
    assert call("GET", path)[1]["standing"] == "ban"
    assert call("POST", path, {"standing": "ban", "until": "2001-01-01T00:00:00Z"})[0] == 422
    assert call("POST", path, {"standing": "king"})[0] == 422
    assert call("POST", path, {"standing": None})[1]["standing"] is None
    assert call("POST", f"/authors/{'0' * 64}/standing", {"standing": "hold"})[0] == 404

    article = f"/articles/{item['article']['id']}"
    assert call("GET", article)[1]["counts"] == {"rejected": 1}
    assert call("POST", article, {"do": "close"})[1]["closed_at"]
    assert call("GET", "/articles?state=closed")[1]["articles"][0]["url"] == "https://news.example/a"
    assert call("POST", article, {"do": "hold"})[1]["hold_all"] is True
    assert call("POST", "/articles/nothing", {"do": "hold"})[0] == 404

    assert call("GET", "/policy")[1]["version"] == 1
    assert call("GET", "/policy?version=2")[0] == 404
    assert call("POST", "/policy", {"base": 1, "document": {"rules": []}})[1]["code"] == "role_needed"
    make_moderator(store, senior.site_id, "ada@example.org", Role.ADMIN)
    token = client.post("/v1/auth/tokens", json={"email": "ada@example.org", "password": PASSWORD}).json["token"]  # type: ignore[index]
    document = policies.default_document() | {"sections": {"World": [{"name": "insult", "enabled": False}]}}
    assert call("POST", "/policy/preview", {"document": document})[1] == {"compared": 1, "unsure": 0, "changed": []}
    status, bad = call("POST", "/policy/preview", {"document": {"rules": [{"name": "x", "kind": "odd"}]}})
    assert (status, bad["code"], bad["field"]) == (422, "invalid_policy", "rules.0.kind")
    status, saved = call("POST", "/policy", {"base": 1, "document": document, "note": "World is rough"})
    assert (status, saved["version"], saved["by"], saved["note"]) == (200, 2, "ada", "World is rough")
    status, stale = call("POST", "/policy", {"base": 1, "document": document})
    assert (status, stale["code"], stale["by"], stale["version"]) == (409, "stale_version", "ada", 2)


def test_what_people_say_leaves_its_trace_without_names(store: Store, senior: Moderator, post: Post) -> None:
    key = comment(store, post("c0")).author_key
    give(store, senior, key, Standing.BAN, now_ms() + 60_000)
    with store.write() as session:
        standings.lift(session, senior, key, now_ms())
    with store.read() as session:
        found = session.query(AuditEvent).filter_by(subject_id=key).order_by(AuditEvent.id).all()
    assert [(one.action, one.actor) for one in found] == [
        ("author.banned", senior.id), ("author.cleared", senior.id),
    ]  # fmt: skip
    assert set(found[0].data) == {"until", "before"}
