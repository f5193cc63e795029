"""The queue's filters, chips and named queues in a real browser: by mouse, by keyboard alone, and for everyone."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from moderation.store.session import new_id
from tests.services import ABUSE, PASSWORD, Running, a_comment, make_moderator

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
LINK = "Write to me at seller@example.com about this."


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("queue") / "data", env={"MODERATION_SIGN_IN_RATE": "1000 per minute"})
    with running.store() as store:
        make_moderator(store, running.credentials["site_id"], "olena@example.org")
    for n, (section, body) in enumerate([("World", ABUSE), ("World", LINK), ("Sport", ABUSE), ("City", ABUSE)]):
        comment = a_comment(f"c{n}-{new_id()}", body=f"{body} {n}")
        comment["article"] = {"url": f"https://news.example/{section}", "title": f"On {section}", "section": section}
        answer = running.decided(comment)
        assert answer["status"] == "held", answer
    yield running
    running.stop()


def sign_in(page: Page, service: Running, email: str | None = None, selector: str = "html[data-keys]") -> None:
    page.fill("#email", email or service.credentials["moderator"]["email"])
    page.fill("#password", PASSWORD if email else service.credentials["moderator"]["password"])
    page.keyboard.press("Enter")
    expect(page.locator(selector)).to_be_attached()


def texts(page: Page) -> list[str]:
    return [re.sub(r"^Take away:\s*|\s*×$", "", text).strip() for text in page.locator(".chip").all_text_contents()]


def test_filter_chips_save_share_open_delete(service: Running, open_page: Open) -> None:
    ann, olena = open_page(), open_page()
    ann.goto("/review")
    sign_in(ann, service)
    rows = ann.locator("#queue .rows li[data-id]")
    ann.click(".filter summary")
    ann.check('.filter input[value="World"]')
    ann.check('.filter input[value="Sport"]')
    ann.select_option("#f-attribute", "INSULT")
    ann.select_option("#f-sort", "oldest")
    ann.click("#f-show")
    expect(rows).to_have_count(2)
    expect(ann.locator("#count")).to_have_text("2")
    assert texts(ann) == ["Insult", "Section: Sport", "Section: World"]
    expect(ann.locator(".asked")).to_contain_text("Oldest first")
    ann.locator(".chip", has_text="Insult").click()
    expect(rows).to_have_count(3)
    assert texts(ann) == ["Section: Sport", "Section: World"]
    ann.click(".queues > summary")
    ann.fill("#new-queue", "Front page")
    ann.check('.queues form input[name="shared"]')
    ann.click(".queues form button")
    expect(ann.locator("#said")).to_contain_text("Saved as “Front page”.")

    olena.goto("/review")
    sign_in(olena, service, "olena@example.org")
    olena.click(".queues > summary")
    entry = olena.locator(".queues li[data-queue]")
    expect(entry).to_contain_text("Front page")
    expect(entry.locator(".num")).to_have_text("3")
    expect(entry.locator("details")).to_have_count(0)  # not hers to change
    entry.locator("a").click()
    expect(olena.locator("#queue .rows li[data-id]")).to_have_count(3)
    expect(olena.locator("#count")).to_have_text("3")
    expect(olena.locator(".queues > summary")).to_contain_text("Front page")

    ann.click(".queues > summary")
    ann.click(".queues .change > summary")
    ann.locator(".queues .change input[name=name]").fill("Both desks")
    ann.locator(".queues .change button").first.click()
    expect(ann.locator("#said")).to_contain_text("“Both desks”")
    ann.click(".queues > summary")
    ann.click(".queues .change > summary")
    ann.get_by_role("button", name="Delete this queue").click()
    expect(ann.locator("#said")).to_contain_text("Deleted.")
    expect(ann.locator(".queues li[data-queue]")).to_have_count(0)
    olena.reload()
    expect(olena.locator(".queues li[data-queue]")).to_have_count(0)
    expect(olena.locator("#queue .rows li[data-id]")).to_have_count(3)


def test_the_same_by_keyboard_alone(service: Running, open_page: Open) -> None:
    page = open_page()
    page.goto("/review")
    sign_in(page, service)
    page.locator(".filter summary").focus()
    page.keyboard.press("Enter")
    reach(page, "#f-sort")
    page.keyboard.type("Newest")
    reach(page, '.filter input[value="City"]')
    page.keyboard.press("Space")
    reach(page, "#f-show")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("section=City"))
    expect(page).to_have_url(re.compile("sort=newest"))
    expect(page.locator("#queue .rows li[data-id]")).to_have_count(1)
    page.locator(".queues > summary").focus()
    page.keyboard.press("Enter")
    reach(page, "#new-queue")
    page.keyboard.type("City")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_contain_text("Saved as “City”.")
    page.locator(".chip").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_have_count(0)
    page.locator(".queues > summary").focus()
    page.keyboard.press("Enter")
    reach(page, ".change > summary")
    page.keyboard.press("Enter")
    reach(page, ".change button.plain")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_contain_text("Deleted.")


def reach(page: Page, selector: str) -> None:
    """By the tab key, as somebody without a mouse does."""
    target = page.locator(selector).first
    for _ in range(60):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the tab key never reaches {selector}")


def test_without_script_it_is_the_same(service: Running, open_page: Open) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/review")
    sign_in(page, service, selector="#queue")
    page.fill("#f-q", "seller@")
    page.click(".seek button")
    expect(page.locator("#queue .rows li[data-id]")).to_have_count(1)
    assert texts(page) == ["“seller@”"]
    page.click(".queues > summary")
    page.fill("#new-queue", "Sellers")
    page.click(".queues > form button")
    expect(page.locator("#said")).to_contain_text("Saved as “Sellers”.")
    page.click(".queues > summary")
    page.click(".change > summary")
    page.click(".change button.plain")
    expect(page.locator("#said")).to_contain_text("Deleted.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing(service: Running, open_page: Open, scheme: Any, width: int) -> None:
    page = open_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto("/review?section=World&section=Sport&sort=attribute&attribute=INSULT")
    sign_in(page, service)
    for summary in (".queues > summary", ".filter summary"):
        page.click(summary)
    page.fill("#new-queue", f"{scheme} {width}")
    page.click(".queues > form button")
    expect(page.locator("#said")).to_contain_text("Saved as")
    page.goto("/review?section=World&section=Sport&sort=attribute&attribute=INSULT")
    for summary in (".queues > summary", ".change > summary", ".filter summary"):
        page.locator(summary).first.click()
    assert Axe().run(page).response["violations"] == []


@pytest.mark.parametrize("width", [320, 640])
def test_nothing_is_wider_than_a_narrow_screen(service: Running, open_page: Open, width: int) -> None:
    page = open_page(viewport={"width": width, "height": 640})
    long = "word" * 40
    page.goto(f"/review?section=World&section={long}&q={long}&author={long}")
    sign_in(page, service)
    page.click(".queues > summary")
    page.fill("#new-queue", f"{'Wide' * 14}{width}")
    page.click(".queues > form button")
    expect(page.locator("#said")).to_contain_text("Saved as")
    page.click(".queues > summary")
    page.locator(".change > summary").first.click()
    page.click(".filter summary")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.eval_on_selector_all(
        "#queue :is(button, select, input:not([type=hidden]):not([type=checkbox]), summary, label.pick, .chip)",
        "all => all.filter(e => e.checkVisibility()).map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])"
        ".filter(([_, box]) => box.height < 24 || box.width < 24).map(([html]) => html)",
    )
    assert small == []
    page.get_by_role("button", name="Delete this queue").first.click()
    expect(page.locator("#said")).to_contain_text("Deleted.")
