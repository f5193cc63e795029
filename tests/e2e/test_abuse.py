"""A lock-down as everybody sees it, and slow mode as a reader meets it, in a real browser."""

import re
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from moderation.domain.lifecycle import Role
from tests.browser import pages
from tests.databases import until
from tests.embedding import NewsSite, Open, news_site, send, state, write
from tests.services import PASSWORD, Running, make_moderator

pytestmark = pytest.mark.browser
SENIOR = "senior@example.org"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    env = {"MODERATION_SIGN_IN_RATE": "1000 per minute", "MODERATION_PUBLIC_RATE": "1000 per minute"}
    running = Running(tmp_path_factory.mktemp("abuse") / "data", env=env)
    with running.store() as store:
        make_moderator(store, running.credentials["site_id"], SENIOR, Role.SENIOR)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def news(service: Running) -> Iterator[NewsSite]:
    with news_site(service) as site:
        yield site


@pytest.fixture
def desk(browser: Browser, service: Running) -> Iterator[Callable[..., Page]]:
    """The workspace, signed in as a senior."""
    with pages(browser, service.base_url) as begin:

        def opened(path: str) -> Page:
            page = begin()
            page.goto(service.base_url + path)
            page.get_by_label("E-mail").fill(SENIOR)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            return page

        yield opened


def test_lock_down_and_slow_mode(open_article: Open, news: NewsSite, desk: Callable[..., Page]) -> None:
    reader = open_article()
    write(reader, "Thank you, a clear and careful summary.")
    first = send(reader)
    until(lambda: news.status(first) == "approved", what="the first comment to be approved")

    page = desk("/articles")
    page.get_by_role("button", name="Hold every new comment of the site").click()
    for path in ("/review", "/articles"):
        page.goto(news.service.base_url + path)
        expect(page.get_by_text("Lock-down: every new comment is held.")).to_be_visible()
        found = Axe().run(page).response["violations"]
        assert [one["id"] for one in found] == []
    write(reader, "Another clear and careful remark.")
    held = send(reader)
    until(lambda: news.status(held) == "held", what="the comment to be held")
    page.get_by_role("button", name="End the lock-down").click()
    expect(page.get_by_text("Lock-down: every new comment is held.")).to_have_count(0)

    page.get_by_role("table").get_by_role("link").first.click()
    page.get_by_label("Slow mode: seconds").fill("3600")
    page.get_by_role("button", name="Set the slow mode").click()
    expect(page.get_by_text("The slow mode is set.")).to_be_visible()
    assert [one["id"] for one in Axe().run(page).response["violations"]] == []
    write(reader, "A third remark, too soon.")
    reader.get_by_role("button", name="Send comment").click()
    said = re.compile(r"^Write again in [1-9]\d{0,3} seconds\. Your text is still here\.$")
    expect(state(reader)).to_have_text(said)
    expect(reader.get_by_label("Comment *")).to_have_value("A third remark, too soon.")
