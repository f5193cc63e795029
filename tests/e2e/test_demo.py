"""The demo article in a real browser on a real service: what a reader writes, sees and is told."""

import re
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from moderation.store.session import new_id
from tests.browser import pages
from tests.databases import until
from tests.services import ABUSE, Running

THANKS = "Thank you. Your comment appears after a check."
APPEARS = 20_000.0
CANARY = "canary-9@example.org"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("demo") / "data"
    running = Running(folder, "--demo", env={"MODERATION_PUBLIC_RATE": "1000 per minute"})
    until(lambda: len(thread(running)) > 10, what="the sample comments to be decided")
    yield running
    running.stop()


@pytest.fixture
def open_page(browser: Browser, service: Running) -> Iterator[Callable[..., Page]]:
    """The demo article in browsers of their own."""
    with pages(browser, service.base_url) as begin:

        def begin_at_the_article(**options: Any) -> Page:
            page = begin(**options)
            page.goto("/demo")
            return page

        yield begin_at_the_article


def thread(service: Running) -> list[dict[str, Any]]:
    article = re.search(r'data-article="([^"]+)"', source(service))
    assert article is not None
    return list(service.call("GET", f"/v1/threads?article_url={article[1]}")[1]["comments"])


def source(service: Running) -> str:
    with urllib.request.urlopen(f"{service.base_url}/demo", timeout=30) as answer:
        return str(answer.read().decode())


def write(page: Page, body: str) -> None:
    page.fill("#name", "Ann Reader")
    page.fill("#email", CANARY)
    page.fill("#body", body)


def send(page: Page) -> str:
    """Sends the form by script; returns the comment's id."""
    with page.expect_response("**/v1/public/comments") as sent:
        page.get_by_role("button", name="Send comment").click()
    assert sent.value.status == 202
    answer = sent.value.json()
    assert set(answer) == {"id", "status"}
    expect(page.locator("#sent")).to_be_focused()
    return str(answer["id"])


def status(service: Running, comment_id: str) -> str:
    return str(service.call("GET", f"/v1/comments/{comment_id}")[1]["status"])


@pytest.mark.browser
def test_a_civil_comment_appears_by_itself_and_an_abusive_one_does_not(
    open_page: Callable[..., Page], service: Running
) -> None:
    page = open_page()
    page.evaluate("window.stayed = true")
    word = new_id()
    write(page, f"{ABUSE} {word}")
    abusive = send(page)
    expect(page.locator("#sent")).to_have_text(THANKS)
    until(lambda: status(service, abusive) == "held", what="the abusive comment to be held")
    write(page, f"Thank you, a clear\n  and careful summary. {word}")
    civil = send(page)
    expect(page.locator(f"#comment-{civil} .text")).to_be_visible(timeout=APPEARS)
    expect(page.locator("#sent")).to_have_text("Your comment is published.")
    assert (
        page.locator(f"#comment-{civil} .text").text_content() == f"Thank you, a clear\n  and careful summary. {word}"
    )
    assert page.locator(f"#comment-{abusive}").count() == 0
    assert page.evaluate("window.stayed"), "the page was not loaded anew"
    assert CANARY not in source(service)
    service.call("POST", f"/v1/comments/{abusive}/site-decision", {"action": "approve"})
    expect(page.locator(f"#comment-{abusive}")).to_be_visible(timeout=APPEARS)
    service.call("POST", f"/v1/comments/{abusive}/site-decision", {"action": "reject"})
    expect(page.locator(f"#comment-{abusive}")).to_have_count(0, timeout=APPEARS)


@pytest.mark.browser
def test_an_answer_stands_below_what_it_answers(open_page: Callable[..., Page]) -> None:
    page = open_page()
    parent = page.locator(".comment").first
    name = parent.locator(".who .name").inner_text()
    parent.get_by_role("link", name=f"Reply to {name}").press("Enter")
    expect(page.locator("#name")).to_be_focused()
    expect(page.locator("#answered")).to_have_text(name)
    write(page, f"I read it in the same way. {new_id()}")
    answer = page.locator(f"#comment-{send(page)}")
    expect(answer).to_have_class(re.compile("depth-1"), timeout=APPEARS)
    expect(answer.locator(".answers")).to_have_text(f"in reply to {name}")
    expect(page.locator("#answering")).to_be_hidden()


@pytest.mark.browser
def test_errors_are_beside_the_field_and_on_top(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.fill("#email", "nobody")
    page.fill("#body", "My text")
    page.get_by_role("button", name="Send comment").click()
    problems = page.get_by_role("alert")
    expect(problems).to_be_focused()
    expect(problems.get_by_role("link")).to_have_text(
        ["Enter your name.", "Enter an e-mail address like name@example.org."]
    )
    expect(page.locator("#name")).to_have_accessible_description("Enter your name.")
    expect(page.locator("#email")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#body")).to_have_value("My text")
    problems.get_by_role("link").first.click()
    expect(page.locator("#name")).to_be_focused()


@pytest.mark.browser
def test_a_dead_line_loses_no_text(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.route("**/v1/public/comments", lambda route: route.abort())
    write(page, "My text")
    page.get_by_role("button", name="Send comment").click()
    expect(page.get_by_role("alert")).to_contain_text("could not be reached")
    expect(page.locator("#body")).to_have_value("My text")


@pytest.mark.browser
@pytest.mark.parametrize("anchoring", ["auto", "none"])  # not every browser anchors the scroll position by itself
def test_the_form_stays_where_it_is_while_comments_come_in(open_page: Callable[..., Page], anchoring: str) -> None:
    page, other = open_page(viewport={"width": 390, "height": 844}, bypass_csp=True), open_page()
    page.add_style_tag(content=f"* {{ overflow-anchor: {anchoring} !important }}")
    page.locator("#body").click()
    before = page.locator("#body").bounding_box()
    write(other, f"Thank you, a clear summary. {new_id()}")
    came = send(other)
    expect(page.locator(f"#comment-{came}")).to_be_attached(timeout=APPEARS)
    after = page.locator("#body").bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"]) < 2
    expect(page.locator("#body")).to_be_focused()


@pytest.mark.browser
def test_without_script_the_form_posts_and_the_page_says_the_same(open_page: Callable[..., Page]) -> None:
    page = open_page(java_script_enabled=False)
    button = page.get_by_role("button", name="Send comment")
    page.fill("#body", "My text")
    button.click()
    expect(page).to_have_title(re.compile("^Error: "))
    expect(page.get_by_role("alert").get_by_role("link")).to_have_text(
        ["Enter your name.", "Enter your e-mail address."]
    )
    expect(page.get_by_role("alert")).to_be_in_viewport()
    expect(page.locator("#body")).to_have_value("My text")
    word = new_id()
    write(page, f"Thank you, a clear summary. {word}")
    button.click()
    expect(page.get_by_role("status")).to_have_text(THANKS)
    expect(page.locator("#body")).to_have_value("")

    def appeared() -> bool:
        page.reload()
        return word in page.locator("#comments").inner_text()

    until(appeared, what="the comment to appear")


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 1280])
def test_no_width_scrolls_sideways(open_page: Callable[..., Page], width: int) -> None:
    page = open_page(viewport={"width": width, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_demo_moves_to_another_port_with_its_comments(start: Callable[..., Running], tmp_path: Path) -> None:
    first = start("--demo")
    until(lambda: thread(first), what="a sample comment")
    first.stop()
    second = start("--demo")
    assert second.base_url != first.base_url
    key = re.search(r'data-key="([^"]+)"', source(second))
    assert key is not None
    comment = {
        "body": "Thank you, a clear summary.", "author": {"name": "Ann", "email": CANARY},
        "article": {"url": f"{first.base_url}/demo"},
    }  # fmt: skip

    def post(origin: str) -> int:
        return second.call("POST", "/v1/public/comments", comment, key=key[1], headers={"Origin": origin})[0]

    assert (post(second.base_url), post(first.base_url)) == (202, 403)
    until(lambda: comment["body"] in [shown["body"] for shown in thread(second)], what="the comment to appear")
