"""/domains: an admin searches the site's list of bad domains, adds to it and takes from it."""

import io
import re

import pytest
from flask import Flask
from sqlalchemy import select

from moderation.domain.lifecycle import Role
from moderation.services import bad_domains
from moderation.store.audit import AuditEvent
from moderation.store.session import Store
from moderation.web import bad_domains as page
from tests.integration.pages import Person
from tests.services import make_moderator

Site = tuple[str, str]
LISTED = re.compile(r'name="domain" value="([^"]+)"')
NEXT = re.compile(r'href="(/domains[^"]+)" rel="next"')


@pytest.fixture
def admin(app: Flask, store: Store, site: Site) -> Person:
    make_moderator(store, site[0], "admin@example.org", Role.ADMIN)
    admin = Person(app.test_client()).sign_in("admin@example.org")
    admin.see("/domains")
    return admin


def upload(admin: Person, content: bytes, name: str = "list.txt") -> int:
    return admin.send("/domains/load", list=(io.BytesIO(content), name)).status_code


def listed(store: Store, site_id: str | None) -> list[str]:
    with store.read() as session:
        return bad_domains.listed(session, site_id)


def test_a_list_is_added_to_searched_and_taken_from(admin: Person, store: Store, site: Site) -> None:
    bad_domains.load(store, ["everywhere.example"], None)
    assert (
        upload(admin, b"\xef\xbb\xbf# ours\r\n||ads.example^\n0.0.0.0 bad.example\nno domain here\n\xff\x00\n") == 303
    )
    said = admin.see("/domains").text
    assert "2 new domains, 0 were there already. Lines that are no domains: 2, first at 4, 5." in said
    assert LISTED.findall(said) == ["ads.example", "bad.example"]
    assert admin.send("/domains/add", domain="https://Bad.example/x").status_code == 303
    assert "It was on the list already." in admin.see("/domains").text
    assert admin.send("/domains/add", domain="new.example").status_code == 303
    assert LISTED.findall(admin.see("/domains?q=AD").text) == ["ads.example", "bad.example"]
    assert LISTED.findall(admin.see("/domains?q=%25").text) == []
    taken = admin.send("/domains/remove?q=ad", domain=["ads.example", "new.example", "everywhere.example"])
    assert taken.headers["Location"] == "/domains?q=ad"
    assert "2 domains are taken off." in admin.see("/domains").text
    assert listed(store, site[0]) == ["bad.example"]
    assert listed(store, None) == ["everywhere.example"]
    of_all = admin.see("/domains?list=all").text
    assert "everywhere.example" in of_all
    assert LISTED.findall(of_all) == []  # what holds for all sites is not this site's to change
    with store.read() as session:
        query = select(AuditEvent).where(AuditEvent.action.like("domains.%")).order_by(AuditEvent.id)
        events = session.scalars(query)
        by_people = [(event.action, event.data["count"]) for event in events if event.actor]
    assert by_people == [("domains.loaded", 2), ("domains.loaded", 0), ("domains.loaded", 1), ("domains.removed", 2)]


def test_what_can_not_be_is_refused_on_the_page(
    admin: Person, store: Store, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "LARGEST", 20)
    assert upload(admin, b"a.example\nb.example\n") == 303
    assert upload(admin, b"c.example\nd.example\n\n") == 422
    assert upload(admin, b"c.example", "") == 422
    assert admin.send("/domains/load").status_code == 422
    assert admin.send("/domains/load", list="c.example").status_code == 422
    for bad in ("", "#", "no domain", "\0", "a" * 300):
        assert admin.send("/domains/add", domain=bad).status_code == 422
    assert admin.send("/domains/remove").status_code == 422
    assert admin.see("/domains?q=%00&after=%00&list=%00").status_code == 200
    assert listed(store, site[0]) == ["a.example", "b.example"]


def test_a_long_list_is_gone_through_page_by_page(admin: Person, store: Store, site: Site) -> None:
    every = [f"n{number:03}.example" for number in range(250)]
    bad_domains.load(store, every, site[0])
    seen: list[str] = []
    path: str | None = "/domains?q=example"
    while path:
        text = admin.see(path).text
        seen += LISTED.findall(text)
        path = found[1].replace("&amp;", "&") if (found := NEXT.search(text)) else None
    assert seen == every
