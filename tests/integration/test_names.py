"""Names and titles that turn the writing round, break lines or can't be seen: no page, line or sheet is led astray."""

import csv
import io
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from moderation.domain.lifecycle import Role
from moderation.domain.text import apart, one_line
from moderation.store.session import Store
from moderation.web import csv_lines
from tests.integration.pages import Person
from tests.integration.populated import populate
from tests.services import a_comment, bearer, make_moderator

TURNS = "\u202e\u202d\u202b\u2067\u200f"
NAME = f"Ann{TURNS}txt\u2028ot\r\nher\u200b\ufeff \u05d3\u05d5\u05d3"
WORDS = f"Ann{TURNS}txt\u200b \u05d3\u05d5\u05d3"  # an address can't have the others
SEEN = "Anntxt ot her \u05d3\u05d5\u05d3"
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Page(HTMLParser):
    """Texts of a page that hold marks of direction and stand in nothing of their own."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._open: list[tuple[str, bool]] = []
        self.loose: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            # A box for text and a choice lay their words out by themselves.
            alone = tag in ("bdi", "textarea", "option", "pre") or "dir" in dict(attrs)
            self._open.append((tag, alone and tag != "html"))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        turned = any(mark in data for mark in TURNS) and "\u2068" not in data
        if turned and not any(alone for _, alone in self._open):
            self.loose.append((self._open[-1][0], data.strip()[:80]))


def test_what_is_kept_of_a_name(client: FlaskClient, site: tuple[str, str], work: Any) -> None:
    comment = a_comment(
        author={"name": NAME, "email": "a@example.org"},
        article={"url": "https://news.example/a", "title": NAME, "section": NAME},
    )
    assert client.post("/v1/comments", json=comment, headers=bearer(site[1])).status_code == 202
    assert client.post("/v1/comments", json=comment, headers=bearer(site[1])).status_code == 200, "the same again"
    work()
    (shown,) = client.get("/v1/threads?article_url=https://news.example/a").get_json()["comments"]
    assert shown["author_name"] == SEEN
    for unseen in ("\u200b", "\u202e\u202c", "\u2066"):
        given_ = a_comment(f"c{unseen}", author={"name": unseen, "email": "b@example.org"})
        assert client.post("/v1/comments", json=given_, headers=bearer(site[1])).status_code == 202


def test_no_page_is_turned_round(app: Flask, store: Store, site: tuple[str, str], work: Any) -> None:
    filled = populate(app, store, site, work, WORDS, "https://news.example/x")
    make_moderator(store, site[0], "admin@example.org", Role.ADMIN)
    admin = Person(app.test_client()).sign_in("admin@example.org")
    loose, seen = [], 0
    for path in filled.pages:
        page = admin.see(path)
        assert page.status_code == 200 or path.startswith("/by-score/"), path  # a batch is its maker's
        loose += [(path, *one) for one in Page(page.text).loose]
        seen += "\u05d3" in page.text
    assert not loose, "\n".join(sorted({repr(one[1:]) + " " + one[0] for one in loose}))
    assert seen > 10


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\u202e=", "\ufeff="])
def test_no_cell_is_a_formula(begin: str) -> None:
    text = f'{begin}HYPERLINK("http://a.example","x")'
    (row,) = csv.reader(io.StringIO(csv_lines.line([text, 1, None]), newline=""))
    assert row == [f"'{text}", "1", ""]


@given(st.text(min_size=1, max_size=60))
def test_a_name_is_one_line_of_what_can_be_seen(text: str) -> None:
    line = one_line(text)
    assert line
    assert line == one_line(line)
    assert len(line.splitlines()) == 1
    assert not any(mark in line for mark in f"{TURNS}\u200b\ufeff\u2066\u2028\0\t")
    assert apart(line) in (line, f"\u2068{line}\u2069")
