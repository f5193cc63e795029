"""The main job in one walk, in a real browser: a reader writes, a moderator has the last word, readers see it."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import pages
from tests.services import ABUSE, Running

pytestmark = pytest.mark.browser

SOON = 20_000.0


@pytest.fixture
def open_page(browser: Browser, start: Callable[..., Running]) -> Iterator[tuple[Running, Callable[..., Page]]]:
    running = start("--demo")
    with pages(browser, running.base_url) as begin:
        yield running, begin


def post(page: Page, body: str) -> str:
    """Sends the form of the article; returns the comment's id."""
    page.fill("#name", "Ann Reader")
    page.fill("#email", "ann.reader@example.org")
    page.fill("#body", body)
    with page.expect_response("**/v1/public/comments") as sent:
        page.get_by_role("button", name="Send comment").click()
    return str(sent.value.json()["id"])


def sign_in(page: Page, running: Running) -> None:
    expect(page.locator("#email")).to_be_focused()
    page.keyboard.type(running.credentials["moderator"]["email"])
    page.keyboard.press("Tab")
    page.keyboard.type(running.credentials["moderator"]["password"])
    page.keyboard.press("Enter")
    expect(page.locator("html[data-keys]")).to_be_attached()


def test_from_the_readers_form_to_the_article_and_back(open_page: tuple[Running, Callable[..., Page]]) -> None:
    running, begin = open_page
    reader, moderator = begin(), begin()
    reader.goto("/demo")
    civil = post(reader, "Thank you for this careful summary of the briefing.")
    abusive = post(reader, f"Marten. {ABUSE}")
    expect(reader.locator(f"#comment-{civil}")).to_be_visible(timeout=SOON)
    expect(reader.locator(f"#comment-{abusive}")).to_have_count(0)

    moderator.goto("/review?q=Marten")
    sign_in(moderator, running)
    expect(moderator.locator("#item")).to_have_attribute("data-id", abusive)
    assert "idiot" in " ".join(moderator.locator(".comment mark").all_inner_texts())
    moderator.keyboard.press("a")
    expect(moderator.locator("#said")).to_contain_text("Approved.")
    expect(reader.locator(f"#comment-{abusive}")).to_be_visible(timeout=SOON)

    expect(moderator.locator("#said button")).to_be_visible()
    moderator.keyboard.press("u")
    expect(moderator.locator("#said")).to_contain_text("Undone.")
    expect(reader.locator(f"#comment-{abusive}")).to_have_count(0, timeout=SOON)
    expect(reader.locator(f"#comment-{civil}")).to_be_visible()
