"""Comments under a static page on another origin, in a real browser: one script tag, and the strictest page policy."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from moderation.store.session import new_id
from tests.browser import pages
from tests.databases import until
from tests.embedding import NewsSite, news_site
from tests.services import ABUSE, Running

pytestmark = pytest.mark.browser

THANKS = "Thank you. Your comment will appear once it has been checked."
PUBLISHED = "Thank you. Your comment is published."
APPEARS = 30_000.0
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("embed") / "data", env={"MODERATION_PUBLIC_RATE": "1000 per minute"})
    yield running
    running.stop()


@pytest.fixture(scope="module")
def site(service: Running) -> Iterator[NewsSite]:
    """A news site that the service lists."""
    with news_site(service) as site:
        yield site


@pytest.fixture
def open_page(browser: Browser, site: NewsSite) -> Iterator[Open]:
    """Opens the example page, at a path that no other test uses unless one is given, in a browser of its own."""
    with pages(browser, site.origin) as begin:

        def open_at(path: str = "", *, origin: str = "", page: dict[str, Any] | None = None, **options: Any) -> Page:
            path = path or f"/{new_id()}"
            if path not in site.pages:
                site.page(path, **(page or {}))
            opened = begin(**options)
            opened.goto((origin or site.origin) + path)
            return opened

        yield open_at


def write(page: Page, body: str, **more: str) -> None:
    page.get_by_label("Name *").fill(more.get("name", "Ann Reader"))
    page.get_by_label("E-mail *").fill("canary-11@example.org")
    page.get_by_label("Comment *").fill(body)


def send(page: Page) -> str:
    """Sends what is written; returns the comment's id."""
    with page.expect_response("**/v1/public/comments") as sent:
        page.get_by_role("button", name="Send comment").click()
    assert sent.value.status == 202
    return str(sent.value.json()["id"])


def state(page: Page) -> Any:
    return page.locator(".state")


def status(service: Running, comment_id: str) -> str:
    return str(service.call("GET", f"/v1/comments/{comment_id}")[1]["status"])


def test_a_civil_comment_appears_and_an_abusive_one_is_told_the_same(open_page: Open, service: Running) -> None:
    page = open_page()
    expect(page.get_by_text("No comments yet.")).to_be_visible()
    write(page, ABUSE)
    abusive = send(page)
    expect(state(page)).to_have_text(THANKS)
    until(lambda: status(service, abusive) == "held", what="the abusive comment to be held")
    write(page, "Thank you, a clear\n  and careful summary.")
    send(page)
    expect(state(page)).to_have_text(PUBLISHED, timeout=APPEARS)
    expect(page.get_by_role("listitem")).to_have_count(1)
    expect(page.locator(".text")).to_have_text("Thank you, a clear\n  and careful summary.")
    expect(page.get_by_role("heading", name="Comments (1)")).to_be_visible()
    expect(page.get_by_label("Name *")).to_have_value("Ann Reader")
    expect(page.get_by_label("Comment *")).to_have_value("")
    assert "canary-11" not in page.locator("#comments").inner_text()
    service.call("POST", f"/v1/comments/{abusive}/site-decision", {"action": "approve"})
    page.reload()
    expect(page.get_by_role("listitem")).to_have_count(2)
