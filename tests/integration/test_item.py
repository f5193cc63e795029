"""One item on its page: thread, author, edits, escalation, blur, what did not run; other sites see none of it."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from moderation.services import context, sites
from moderation.services.accounts import Person as Moderator
from moderation.store.people import Moderator as ModeratorRow
from moderation.store.session import Store
from moderation.store.tables import Comment
from tests.integration.pages import Person
from tests.services import ABUSE, Post, a_comment, bearer, make_moderator


def around(store: Store, comment_id: str) -> context.Context:
    with store.read() as session:
        return context.context(session, session.get_one(Comment, comment_id))


def version(store: Store, comment_id: str) -> int:
    with store.read() as session:
        return session.get_one(Comment, comment_id).version


def choose(store: Store, person: Moderator, **choices: object) -> None:
    with store.write() as session:
        row = session.get_one(ModeratorRow, person.id)
        row.settings = row.settings | choices


def part(page: str, begin: str, end: str) -> str:
    assert begin in page
    return page.partition(begin)[2].partition(end)[0]


def test_the_chain_of_parents_goes_up_to_the_root(ann: Person, post: Post, store: Store) -> None:
    above = None
    for number in range(9):
        last = post(f"c{number}", f"Reply number {number}, said calmly.", parent_external_id=above)
        above = f"c{number}"
    chain = around(store, last).chain
    assert [comment.external_id for comment in chain.shown] == ["c3", "c4", "c5", "c6", "c7"]
    assert (chain.more, chain.broken) == (3, False)
    page = ann.see(f"/review/{last}").text
    assert "Reply number 7" in part(page, 'id="thread-title"', "<details")
    assert "5 comments above that" not in page
    assert "7 comments above that" in page
    assert "3 more further up" in page
    assert "Reply number 3" in page
    assert "Reply number 2" not in page


def test_parents_that_are_missing_or_tied_into_a_ring_end_the_chain(ann: Person, post: Post, store: Store) -> None:
    lone = post("lone", parent_external_id="never-sent")
    assert around(store, lone).chain.broken
    assert "In reply to a comment that is not here." in ann.see(f"/review/{lone}").text
    one = post("one", parent_external_id="two")
    two = post("two", parent_external_id="one")
    own = post("own", parent_external_id="own")
    assert [comment.id for comment in around(store, one).chain.shown] == [two]
    assert not around(store, one).chain.broken
    assert list(around(store, own).chain.shown) == []
    assert ann.see(f"/review/{own}").status_code == ann.see(f"/review/{one}").status_code == 200


def test_replies_are_there_on_request(ann: Person, post: Post) -> None:
    first = post("c0", "A calm remark on the article.")
    for number in range(7):
        post(f"r{number}", f"Answer number {number}.", parent_external_id="c0")
    page = ann.see(f"/review/{first}").text
    replies = part(page, '<details class="replies">', "</details>")
    assert "7 replies to this one" in replies
    assert "Answer number 4" in replies
    assert "Answer number 5" not in replies
    assert "and 2 more" in replies


def test_the_author_s_record_counts_rates_and_names_who_ruled(
    ann: Person, app: Flask, post: Post, store: Store, site: tuple[str, str]
) -> None:
    first, second, third = (post(f"c{number}", f"{ABUSE} {number}") for number in range(3))
    ann.send(f"/review/{first}/reject", version=version(store, first), reason="insult")
    make_moderator(store, site[0], "bob@example.org")
    bob = Person(app.test_client()).sign_in("bob@example.org")
    bob.send(f"/review/{second}/approve", version=version(store, second))
    record = around(store, third).author
    assert (record.counts, record.decided, record.approval) == ({"rejected": 1, "approved": 1}, 2, 0.5)
    assert [(ruling.by, ruling.decision.action) for ruling in record.rulings] == [("bob", "approve"), ("ann", "reject")]
    panel = part(ann.see(f"/review/{third}").text, 'id="author-title"', "</section>")
    assert "50% approved, of 2 decided" in panel
    assert "Rejected by ann: Insult" in panel
    assert "Approved by bob" in panel
    bob.send("/review/undo")
    assert [ruling.by for ruling in around(store, third).author.rulings] == ["ann"]
    assert f'href="/authors/{around_key(store, third)}"' in ann.see(f"/review/{third}").text


def around_key(store: Store, comment_id: str) -> str:
    with store.read() as session:
        return session.get_one(Comment, comment_id).author_key


def test_another_site_s_comments_are_in_no_panel(post: Post, store: Store, client: FlaskClient,
                                                 work: Callable[[], int]) -> None:  # fmt: skip
    with store.write() as session:
        other, key = sites.create_site(session, "other")
    for name, parent in (("c0", None), ("r0", "c1")):
        theirs = a_comment(name, "Written elsewhere.", parent_external_id=parent)
        client.post("/v1/comments", json=theirs, headers=bearer(key))
    work()
    mine = post("c1", parent_external_id="c0")
    found = around(store, mine)
    assert (list(found.chain.shown), found.replies.count, found.author.before) == ([], 0, 0)
    assert other.id


def test_an_edited_comment_shows_what_changed(ann: Person, post: Post, client: FlaskClient, site: tuple[str, str],
                                              work: Callable[[], int]) -> None:  # fmt: skip
    item = post("c1", f"{ABUSE} <b>once</b>")
    client.put(f"/v1/comments/{item}", json={"body": f"{ABUSE} <i>twice</i>"}, headers=bearer(site[1]))
    work()
    page = ann.see(f"/review/{item}").text
    edits = part(page, '<details class="edits">', "</details>")
    assert "Edited once: what changed" in edits
    assert re.search(r"<del>[^<]*once", edits)
    assert re.search(r"<ins>[^<]*twice", edits)
    assert "<b>once" not in edits


def test_whoever_opens_an_escalated_item_sees_who_and_why_first(ann: Person, post: Post, store: Store) -> None:
    item = post()
    ann.send(f"/review/{item}/escalate", version=version(store, item), note="is <b>this</b> a threat?")
    told = part(ann.see(f"/review/{item}").text, 'class="notice escalation"', "</div>")
    assert "Escalated by ann" in told
    assert "is &lt;b&gt;this&lt;/b&gt; a threat?" in told
    ann.send("/review/undo")
    assert 'class="notice escalation"' not in ann.see(f"/review/{item}").text


def test_marks_have_a_legend(ann: Person, post: Post) -> None:
    legend = part(ann.see(f"/review/{post()}").text, '<p class="legend', "</p>")
    assert 'class="r-insult' in legend
    assert "Insult" in legend


@pytest.mark.parametrize(("blur", "hidden"), [("off", False), ("severe", True), ("all", True)])
def test_a_blurred_comment_is_there_on_request(ann: Person, person: Moderator, post: Post, store: Store, blur: str,
                                               hidden: bool) -> None:  # fmt: skip
    item = post(body=f"{ABUSE} I will kill you.")
    choose(store, person, blur=blur)
    page = ann.see(f"/review/{item}").text
    assert ('<details class="veil"' in page) is hidden
    assert "<blockquote" in page
    if hidden:
        veil = part(page, '<details class="veil"', "</summary>")
        assert "Hidden because it" in veil
        assert "Press Enter to show it." in veil
        assert 'aria-hidden="true"' in veil


def test_hostile_text_in_every_field_stays_text(ann: Person, post: Post) -> None:
    evil = "<img src=x onerror=alert(1)>\"'>"
    above = post("c0", f"{evil} {ABUSE}")
    item = post(
        "c1", f"{ABUSE} {evil}", parent_external_id="c0",
        author={"name": evil, "email": "a@b.example", "url": f"https://x.example/{evil.replace(' ', '')}"},
        article={"url": "https://news.example/a", "title": evil, "section": evil},
    )  # fmt: skip
    post("c2", f"{evil} once more", parent_external_id="c1", author={"name": evil, "email": "a@b.example"})
    ann.send(f"/review/{item}/notes", about="author", text=evil)
    for path in (f"/review/{item}", f"/review/{above}", "/review?status=any"):
        page = ann.see(path).text
        assert "<img" not in page
        assert "onerror=alert(1)&gt;" in page


def test_the_article_stands_beside_the_comment(ann: Person, post: Post) -> None:
    about = {"url": "https://news.example/w", "title": "On <b>water</b>", "section": "Local"}
    item = post("c1", article=about | {"lead": "The council waits <again>.", "published_at": "2026-11-24T10:00:00Z"})
    post("c2", article=about)  # what a later comment leaves out stays
    panel = part(ann.see(f"/review/{item}").text, 'id="article-title"', "</section>")
    for said in ("On &lt;b&gt;water&lt;/b&gt;", "The council waits &lt;again&gt;.", "Local", "24 November 2026",
                 'href="https://news.example/w"', "2 held"):  # fmt: skip
        assert said in panel
