"""Comments under a static page on another origin, in a real browser: one script tag, and the strictest page policy."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from moderation.store.session import new_id
from tests.browser import pages
from tests.databases import until
from tests.e2e.test_up import WithoutRedis
from tests.embedding import NewsSite, Open, news_site, send, state, write
from tests.services import ABUSE, Running

pytestmark = pytest.mark.browser

THANKS = "Thank you. Your comment will appear once it has been checked."
PUBLISHED = "Thank you. Your comment is published."
APPEARS = 30_000.0


def test_a_civil_comment_appears_and_an_abusive_one_is_told_the_same(open_article: Open, news: NewsSite) -> None:
    page = open_article()
    expect(page.get_by_text("No comments yet.")).to_be_visible()
    write(page, ABUSE)
    abusive = send(page)
    expect(state(page)).to_have_text(THANKS)
    until(lambda: news.status(abusive) == "held", what="the abusive comment to be held")
    write(page, "Thank you, a clear\n  and careful summary.")
    send(page)
    expect(state(page)).to_have_text(PUBLISHED, timeout=APPEARS)
    expect(page.get_by_role("listitem")).to_have_count(1)
    assert page.locator(".text").inner_text() == "Thank you, a clear\n  and careful summary."
    expect(page.get_by_role("heading", name="Comments (1)")).to_be_visible()
    expect(page.get_by_label("Name *")).to_have_value("Ann Reader")
    expect(page.get_by_label("Comment *")).to_have_value("")
    shown = page.get_by_role("list").inner_text()
    assert "careful summary" in shown
    assert "canary-11" not in shown
    news.service.call("POST", f"/v1/comments/{abusive}/site-decision", {"action": "approve"})
    page.reload()
    expect(page.get_by_role("listitem")).to_have_count(2)


def test_nobodys_text_becomes_markup(open_article: Open, news: NewsSite) -> None:
    attack = "<img src=x onerror=window.hit=1><script>window.hit=1</script>&lt;b&gt; $& {} javascript:alert(1)"
    path = f"/{new_id()}"
    news.publish(news.page(path), ("p1", attack, attack, None), ("p2", "A plain answer.", attack, "p1"))
    page = open_article(path)
    expect(page.locator(".text").first).to_have_text(attack)
    expect(page.locator("strong").first).to_have_text(attack)
    page.get_by_role("button", name="Reply to").first.click()
    expect(page.get_by_text("Reply to <img")).to_be_visible()
    assert page.locator("section img, section script").count() == 0
    assert page.evaluate("window.hit") is None


def test_a_page_that_is_not_listed_is_told_so(open_article: Open, news: NewsSite) -> None:
    page = open_article(origin=news.other_origin)
    write(page, "My text")
    page.get_by_role("button", name="Send comment").click()
    expect(state(page)).to_have_text(
        f"Comments can’t be sent from {news.other_origin}. Please tell the site’s editors. Your text is still here."
    )
    expect(page.get_by_label("Comment *")).to_have_value("My text")
    found = news.service.call("GET", "/v1/review/items?status=any&q=My+text", key=news.service.token())[1]
    assert found["items"] == []


def test_the_hidden_field_holds_and_says_nothing(open_article: Open, news: NewsSite) -> None:
    page = open_article()
    hidden = page.locator("#subject")
    assert (page.locator(".trap").bounding_box() or {"width": 9})["width"] <= 1
    expect(page.get_by_role("textbox")).to_have_count(4)
    expect(hidden).to_have_attribute("autocomplete", "off")
    write(page, "Thank you, a clear and careful summary.")
    hidden.evaluate("field => field.value = 'buy now'")
    caught = send(page)
    expect(state(page)).to_have_text(THANKS)
    until(lambda: news.status(caught) == "held", what="the trapped comment to be held")
    kept = news.service.call("GET", f"/v1/comments/{caught}")[1]
    assert (kept["status"], [reason["rule"] for reason in kept["decision"]["reasons"]]) == ("held", ["honeypot"])
    until(lambda: news.service.call("GET", "/readyz")[0] == 200, what="the service to go on")
    news.service.call("POST", f"/v1/comments/{caught}/site-decision", {"action": "approve"})
    expect(state(page)).to_have_text(PUBLISHED, timeout=APPEARS)


def test_it_keeps_nothing_and_calls_nobody_else(open_article: Open, news: NewsSite) -> None:
    page = open_article()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    write(page, "Thank you, a clear and careful summary.")
    send(page)
    expect(state(page)).to_have_text(PUBLISHED, timeout=APPEARS)
    assert page.context.cookies() == []
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    assert page.evaluate("indexedDB.databases()") == []
    assert {address for address in asked if not address.startswith((news.origin, news.service.base_url))} == set()
    assert any("/v1/public/comments" in address for address in asked)


def test_a_dead_line_loses_no_text_and_the_thread_can_be_asked_for_again(open_article: Open) -> None:
    page = open_article()
    expect(page.get_by_text("No comments yet.")).to_be_visible()
    write(page, "My text")
    page.context.set_offline(True)
    page.get_by_role("button", name="Send comment").click()
    expect(state(page)).to_have_text(
        "You seem to be offline. Send it again when you are back. Your text is still here."
    )  # fmt: skip
    page.context.set_offline(False)
    page.route("**/v1/**", lambda route: route.abort())
    page.get_by_role("button", name="Send comment").click()
    expect(state(page)).to_contain_text("can’t be reached just now. Try again in a moment. Your text is still here.")
    expect(page.get_by_label("Comment *")).to_have_value("My text")
    page.reload()
    expect(page.get_by_text("The comments can’t be reached just now.")).to_be_visible()
    page.unroute("**/v1/**")
    page.get_by_role("button", name="Try again").press("Enter")
    expect(page.get_by_text("No comments yet.")).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_be_hidden()
    expect(page.get_by_label("Name *")).to_be_focused()


def test_the_page_says_what_is_shown_and_where(open_article: Open, news: NewsSite) -> None:
    attributes = (
        'data-lang="de" data-scheme="dark" data-article="https://news.example/fluss" data-title="Der Fluss"'
        ' data-text-title="Kommentare"'
        ' data-text-thanks="Danke." data-text-published="Danke. Er steht da." data-text-reply-to="{} antworten"'
    )
    page = open_article(page={"attributes": attributes, "target": False}, locale="de-DE")
    assert page.evaluate("document.querySelector('script').nextElementSibling.shadowRoot !== null")
    comments = page.get_by_role("region", name="Kommentare")
    expect(comments).to_have_attribute("lang", "de")
    expect(comments).to_have_css("background-color", "rgb(24, 24, 22)")
    write(page, "Danke, eine klare Zusammenfassung.")
    sent = send(page)
    expect(state(page)).to_have_text("Danke.")
    news.service.call("POST", f"/v1/comments/{sent}/site-decision", {"action": "approve"})
    expect(state(page)).to_have_text("Danke. Er steht da.", timeout=APPEARS)
    expect(page.get_by_role("button", name="Ann Reader antworten")).to_be_visible()
    thread = news.service.call("GET", "/v1/threads?article_url=https://news.example/fluss", key=None)[1]["comments"]
    assert [comment["id"] for comment in thread] == [sent]
    found = news.service.call("GET", "/v1/review/items?status=any&q=Zusammenfassung", key=news.service.token())[1]
    assert "Der Fluss" in str(found["items"])


def test_the_canonical_address_names_the_article(open_article: Open, news: NewsSite) -> None:
    page = open_article(page={"canonical": True})
    with page.expect_request("**/v1/threads?*") as asked:
        page.reload()
    assert "article_url=https%3A%2F%2Fnews.example%2Friver&" in asked.value.url + "&"


def test_it_does_not_ask_while_nobody_sees_the_page(open_article: Open, news: NewsSite) -> None:
    page = open_article()
    page.evaluate("Object.defineProperty(document, 'hidden', { get: () => !window.seen })")
    write(page, "Thank you, a clear and careful summary.")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    sent = send(page)
    until(lambda: news.status(sent) == "approved", what="the comment to be approved")
    page.wait_for_function("([since]) => performance.now() - since > 4000", arg=[page.evaluate("performance.now()")])
    assert [address for address in asked if "/v1/threads" in address] == []
    page.evaluate("window.seen = true")
    expect(state(page)).to_have_text(PUBLISHED, timeout=APPEARS)


def test_who_sends_too_much_is_told_how_long_to_wait(browser: Browser, start: Callable[..., Running]) -> None:
    # Memory counts: a Redis that a busy machine keeps from answering in time would be left, with what it had counted.
    strict = start(env={"MODERATION_PUBLIC_RATE": "1 per day"}, kind=WithoutRedis)
    with news_site(strict) as site, pages(browser, site.origin) as begin:
        page = begin()
        page.goto(site.page("/a"))
        write(page, "Thank you, a clear summary.")
        send(page)
        expect(state(page)).to_contain_text("Thank you.")
        write(page, "My text")
        page.get_by_role("button", name="Send comment").click()
        expect(state(page)).to_have_text(
            re.compile(r"^Too many .* Wait \d+ seconds, then send it again. Your text is still here.$")
        )
        expect(page.get_by_label("Comment *")).to_have_value("My text")
        strict.stop()
        page.get_by_role("button", name="Send comment").click()
        expect(state(page)).to_contain_text("can’t be reached just now.")
        expect(page.get_by_label("Comment *")).to_have_value("My text")
