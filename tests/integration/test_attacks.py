"""What an attacker tries on the pages, and on all routes, also new ones: markup, forged forms, other sites' ids."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.routing import Rule

from moderation.domain.lifecycle import Role
from moderation.services.accounts import Person as Moderator
from moderation.store.session import Store
from tests.integration.pages import HTML, Person
from tests.integration.populated import Populated, populate
from tests.services import make_moderator

# A tag that no page of ours has, in the shapes that break out of text, attributes and addresses.
EVIL = "\"'><x-evil onclick=alert(1)></title></script></textarea><script>alert(2)</script>"
EVIL_URL = "javascript:alert(3)//" + EVIL

# Forms that people fill in without a session, and routes of programs that send a key: each says why it needs no token.
WITHOUT_TOKEN = {
    "demo": "asks for the page's origin, like the public API",
    "statements": "the signed address is the right to write there; no session counts",
}

# Routes whose parameter is itself the right to call them, or that look at a site's key first (other tests have those).
OPEN_BY_THEMSELVES = (
    "/v1/comments", "/s/", "/static", "/statement/", "/join/", "/reset/", "/integrations/coral/", "/dashboard/",
)  # fmt: skip


@pytest.fixture
def evil(app: Flask, store: Store, site: tuple[str, str], work: Any) -> Populated:
    """A site of which every field that somebody outside can fill holds the markup."""
    return populate(app, store, site, work, EVIL, EVIL_URL)


@pytest.fixture
def admin(app: Flask, store: Store, site: tuple[str, str]) -> Person:
    make_moderator(store, site[0], "admin@example.org", Role.ADMIN)
    return Person(app.test_client()).sign_in("admin@example.org")


class _Page(HTMLParser):
    """What a page holds that could run, and where it leads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.bad: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("x-evil", "base", "iframe", "object", "embed", "style"):
            self.bad.append(tag)
        if tag == "script" and not (given.get("src") or "").startswith("/static/"):
            self.bad.append("script")
        for name, value in attrs:
            scheme = urlsplit((value or "").strip()).scheme.lower() if name in ("href", "src", "action") else ""
            if name.startswith("on") or name in ("style", "srcdoc") or scheme not in ("", "http", "https"):
                self.bad.append(f"{tag} {name}")
        if tag == "a" and (href := given.get("href")):
            self.links.append(href)


def _pages(browser: Person, begin: list[str], most: int) -> Iterator[tuple[str, str]]:
    """Every page that can be reached from these by links, as (path, HTML)."""
    waiting, seen, shapes = list(begin), set(begin), dict[str, int]()
    while waiting and len(seen) < most:
        path = waiting.pop(0)
        answer = browser.client.get(path, headers=HTML)
        if answer.status_code == 303:
            continue
        assert answer.status_code in (200, 404, 422), f"{path}: {answer.status_code}"
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy, path
        assert "script-src 'self'" in policy, path
        if answer.mimetype != "text/html":
            continue
        yield path, answer.text
        for link in _Page(answer.text).links:
            parts = urlsplit(link)
            shape = re.sub(r"[0-9a-f]{32,64}", "ID", parts.path)
            if link.startswith("/") and link not in seen and shapes.get(shape, 0) < 12:
                shapes[shape] = shapes.get(shape, 0) + 1
                seen.add(link)
                waiting.append(link)


def test_markup_in_any_field_stays_text_on_every_page(admin: Person, evil: Populated) -> None:
    shown = 0
    for path, text in _pages(admin, evil.pages, 400):
        assert _Page(text).bad == [], path
        shown += "x-evil" in text
    assert shown >= len(evil.pages) / 2  # it was there to be seen


def _part(rule: Rule) -> str:
    """The blueprint that a route belongs to."""
    return rule.endpoint.rpartition(".")[0]


def _without_token(app: Flask) -> set[str]:
    """The blueprints whose forms Flask-WTF does not check."""
    return {part.name for part in app.extensions["csrf"]._exempt_blueprints}


def test_every_form_wants_its_token(app: Flask, admin: Person) -> None:
    posts = [rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())]
    exempt = _without_token(app)
    forms = [rule for rule in posts if _part(rule) not in exempt]
    assert len(forms) > 10
    for rule in forms:
        path = re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", "x", rule.rule)
        for token in ("", "forged"):
            answer = admin.client.post(path, data={"csrf_token": token} if token else {}, headers=HTML)
            assert answer.status_code == 400, f"{rule.rule} took a form without a token of ours"


def test_every_change_by_a_session_through_the_api_wants_the_header(app: Flask, admin: Person) -> None:
    changing = [
        (rule, method)
        for rule in app.url_map.iter_rules() for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}
        if rule.rule.startswith("/v1/review")
    ]  # fmt: skip
    assert len(changing) > 5
    for rule, method in changing:
        path = re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", "0" * 32, rule.rule)
        answer = admin.client.open(path, method=method, json={})
        assert (answer.status_code, answer.json and answer.json["code"]) == (403, "csrf"), f"{method} {rule.rule}"


def test_only_programs_that_show_a_key_are_free_of_form_tokens(app: Flask) -> None:
    keyed = ("/v1", "/1.", "/$", "/batch", "/s/", "/integrations", "/healthz", "/readyz", "/metrics")
    of_programs = {_part(rule) for rule in app.url_map.iter_rules() if rule.rule.startswith(keyed)}
    for name in _without_token(app):
        assert name in of_programs or name in WITHOUT_TOKEN, f"{name} takes forms without a token"


def test_another_sites_ids_open_and_change_nothing(
    app: Flask, store: Store, site: tuple[str, str], work: Any, evil: Populated
) -> None:
    from moderation.services import sites

    with store.write() as session:
        other, key = sites.create_site(session, "other")
        other_site = (other.id, key)
    theirs = populate(app, store, other_site, work, "theirs-only", "https://theirs.example/a")
    make_moderator(store, site[0], "admin@example.org", Role.ADMIN)
    spy = Person(app.test_client()).sign_in("admin@example.org")
    before = theirs.state(store)
    tried = 0
    for rule in app.url_map.iter_rules():
        names = re.findall(r"<(?:[a-z]+:)?([a-z_]+)>", rule.rule)
        if not names or rule.rule.startswith(OPEN_BY_THEMSELVES):
            continue
        path = rule.rule
        for name in names:
            path = re.sub(rf"<(?:[a-z]+:)?{name}>", str(theirs.ids[name]), path)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            body: dict[str, Any] = {"csrf_token": spy.token, "version": "1", "reason": "insult", "action": "reject",
                                    "text": "x", "outcome": "overturn", "answer": "x", "name": "x"}  # fmt: skip
            answer = spy.client.open(path, method=method, data=None if method == "GET" else body, headers=HTML)
            assert answer.status_code in (204, 303, 400, 403, 404, 405, 415, 422), (
                f"{method} {rule.rule}: {answer.status}"
            )
            assert "theirs-only" not in answer.text, f"{method} {rule.rule}"
            tried += 1
    assert tried > 5
    assert theirs.state(store) == before


def test_queries_for_another_sites_ids_find_nothing(
    app: Flask, store: Store, site: tuple[str, str], work: Any, person: Moderator
) -> None:
    from moderation.services import sites

    with store.write() as session:
        other, key = sites.create_site(session, "other")
    theirs = populate(app, store, (other.id, key), work, "theirs-only", "https://theirs.example/a")
    ann = Person(app.test_client()).sign_in()
    for name, value in theirs.ids.items():
        for field in ("article", "author", "q", "assigned", "after"):
            answer = ann.client.get("/review", query_string={"status": "any", field: value}, headers=HTML)
            assert "theirs-only" not in answer.text, (name, field)
