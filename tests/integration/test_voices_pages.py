"""/reports and /appeals with more than a page holds: every one is on some page, and one comes back to where one was."""

import re
from itertools import chain

import pytest
from sqlalchemy import select

from moderation.domain.lifecycle import Status
from moderation.scoring import Classifier
from moderation.store.queries import insert_rows
from moderation.store.session import Store, new_id
from moderation.store.tables import Comment
from moderation.store.voices import Appeal, Report
from tests.integration.pages import Person
from tests.integration.test_decide import drain, submit

MANY = 120


@pytest.fixture
def comments(store: Store, site: tuple[str, str], classifier: Classifier) -> list[str]:
    ids = submit(store, site, *[f"Thank you for number {n}." for n in range(MANY)])
    drain(store, classifier)
    return ids


def walk(ann: Person, path: str, direction: str) -> list[list[str]]:
    """The cards of every page on the way."""
    pages = []
    while path:
        text = ann.see(path).text
        pages.append(re.findall(r'class="panel voice" id="[ac]-([0-9a-f]{32})"', text))
        found = re.search(rf'<a href="([^"]+)" rel="{direction}">', text)
        path = found[1].replace("&amp;", "&") if found else ""
    return pages


def last(ann: Person, path: str) -> str:
    """The address of the last page."""
    while found := re.search(r'<a href="([^"]+)" rel="next">', ann.see(path).text):
        path = found[1].replace("&amp;", "&")
    return path


def test_all_reports_are_on_some_page(ann: Person, store: Store, site: tuple[str, str], comments: list[str]) -> None:
    with store.write() as session:
        insert_rows(session, Report, [
            {"id": new_id(), "site_id": site[0], "comment_id": comment, "revision": 1, "reporter_key": f"r{n}-{reader}",
             "reporter": None, "reason": "spam", "text": None, "created_at": 1_000 + n // 3, "outcome": None,
             "closed_at": None, "decision_id": None, "event_id": None}
            for n, comment in enumerate(comments) for reader in range(1 + n % 4)
        ])  # fmt: skip
    # The more reports the weightier; then the longest waiting; then the older comment.
    wanted = [comment for _, _, comment in sorted((-(n % 4), n // 3, c) for n, c in enumerate(comments))]
    pages = walk(ann, "/reports", "next")
    assert ([len(page) for page in pages], [*chain.from_iterable(pages)]) == ([50, 50, 20], wanted)
    assert "120 reported comments" in ann.see("/reports").text
    end = last(ann, "/reports")
    assert list(reversed(walk(ann, end, "prev"))) == pages
    # A ruling leads back to the page, also when the one it was made on was its last; a page that is over is the first.
    query = end.partition("?")[2]
    for comment in pages[-1]:
        following = pages[-1][pages[-1].index(comment) + 1 :][:1]
        version = re.search(rf'/reports/{comment}/approve.*?name="version" value="(\d+)"', ann.see(end).text, re.S)
        assert version is not None
        answer = ann.send(f"/reports/{comment}/approve?{query}", version=version[1], next="".join(following))
        assert answer.location == f"{end}#c-{following[0]}" if following else answer.location == end
    assert ann.see(end).text.count('class="panel voice"') == 50
    assert "100 reported comments" in ann.see(end).text
    assert ann.see("/reports?after=x").status_code == 422


def test_all_appeals_are_on_some_page(ann: Person, store: Store, site: tuple[str, str], comments: list[str]) -> None:
    with store.write() as session:
        rows = session.execute(select(Comment.id, Comment.decision_id).order_by(Comment.id)).all()
        insert_rows(session, Appeal, [
            {"id": new_id(), "site_id": site[0], "comment_id": row.id, "decision_id": row.decision_id, "text": "Why?",
             "created_at": 1, "outcome": None, "answer": None, "answered_by": None, "answered_at": None,
             "ruling_id": None, "event_id": None}
            for row in rows
        ])  # fmt: skip
        for comment in session.scalars(select(Comment)):
            comment.status = Status.REJECTED
        wanted = list(session.scalars(select(Appeal.id).order_by(Appeal.id)))
    pages = walk(ann, "/appeals", "next")
    assert ([len(page) for page in pages], [*chain.from_iterable(pages)]) == ([50, 50, 20], wanted)
    assert "120 open appeals" in ann.see("/appeals").text
    end = last(ann, "/appeals")
    answer = ann.send(f"/appeals/{pages[-1][0]}/overturn?{end.partition('?')[2]}", answer="", next=pages[-1][1])
    assert answer.location == f"{end}#a-{pages[-1][1]}"
    assert pages[-1][0] not in ann.see(end).text
    assert walk(ann, end, "prev")[-1] == pages[0]
