"""Batches by score in a real browser on a real service: by mouse, by keyboard, by numbers, and without script."""

import re
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from moderation.domain.lifecycle import Role
from moderation.services.accounts import Person
from moderation.store.tables import Article, Comment
from tests.integration.held import hold, rule
from tests.services import PASSWORD, Running, make_moderator

pytestmark = pytest.mark.browser

SECTIONS = ("mouse", "keys", "plain", "wrong", "shown")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service with rulings to measure by, and in each section of its own what a test decides on."""
    running = Running(tmp_path_factory.mktemp("batch") / "data", env={"MODERATION_SIGN_IN_RATE": "1000 per minute"})
    with running.store() as store:
        site_id = running.credentials["site_id"]
        sue: Person = make_moderator(store, site_id, "sue@example.org", Role.SENIOR)
        for score, approved, rejected in ((0.12, 30, 4), (0.17, 26, 6), (0.22, 20, 12), (0.8, 2, 5)):
            ids = hold(store, site_id, [score] * (approved + rejected), section="Earlier")
            rule(store, sue, ids[:approved], "approve")
            rule(store, sue, ids[approved:], "reject")
        for section in SECTIONS:
            scores = [0.11] * 4 + [0.16] * 3 + [0.22] * 2 + [0.81]
            hold(store, site_id, scores, section=section, article=section)
    yield running
    running.stop()


def come(page: Page, section: str, query: str = "", script: bool = True) -> None:
    """Signs in and opens the histogram of one section."""
    page.goto(f"/by-score?attribute=TOXICITY&up_to=1.0&section={section}{query}")
    page.fill("#email", "sue@example.org")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    expect(page.locator("html[data-batch]" if script else "#chosen")).to_be_attached()


def statuses(service: Running, section: str) -> dict[str, int]:
    with service.store() as store, store.read() as session:
        rows = session.execute(
            select(Comment.status, func.count())
            .join(Article, Article.id == Comment.article_id)
            .where(Article.section == section)
            .group_by(Comment.status)
        ).all()
    return {row[0]: row[1] for row in rows}


def drag(page: Page, begin: float, end: float) -> None:
    """Draws with the mouse from one score to another."""
    box = page.locator("#bars").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + begin * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + (begin + end) / 2 * box["width"], box["y"] + 20)
    page.mouse.move(box["x"] + end * box["width"], box["y"] + 10)
    page.mouse.up()


def slide(page: Page, thumb: str, begin: float, end: float) -> None:
    """Drags a thumb, 24 pixels wide, from one score to another."""
    box = page.locator(thumb).bounding_box()
    assert box is not None
    y, left, width = box["y"] + box["height"] / 2, box["x"] + 12, box["width"] - 24
    page.mouse.move(left + begin * width, y)
    page.mouse.down()
    page.mouse.move(left + (begin + end) / 2 * width, y)
    page.mouse.move(left + end * width, y)
    page.mouse.up()


def ranged(page: Page, low: str, high: str) -> None:
    """All three ways to choose a range say the same, and the numbers below have followed."""
    expect(page.locator("#low")).to_have_value(low)
    expect(page.locator("#high")).to_have_value(high)
    expect(page.locator("#slide-low")).to_have_value(str(round(float(low) * 20)))
    expect(page.locator("#slide-high")).to_have_value(str(round(float(high) * 20)))
    expect(page.locator("#bars .bin.in")).to_have_count(round((float(high) - float(low)) * 20))
    expect(page.locator("#chosen-title")).to_contain_text(f"below {high}" if high != "1.00" else "up")


def test_the_walk_by_mouse(service: Running, open_page: Callable[..., Page]) -> None:
    page = open_page()
    come(page, "mouse")
    drag(page, 0.12, 0.23)
    ranged(page, "0.10", "0.25")
    expect(page.locator("#chosen-title")).to_contain_text("9 comments wait")
    expect(page.locator(".errors dd").first).to_have_text(re.compile(r"about 2 \(\d to \d\)"))
    drag(page, 0.25, 0.2)  # its upper border
    ranged(page, "0.10", "0.20")
    expect(page).to_have_url(re.compile("low=0.10&high=0.20"))
    expect(page.locator("#said")).to_contain_text("7 comments wait")
    drag(page, 0.82, 0.83)
    ranged(page, "0.80", "0.85")
    expect(page.locator(".errors dd").first).to_have_text("can't say")
    slide(page, "#slide-low", 0.8, 0.1)
    ranged(page, "0.10", "0.85")
    slide(page, "#slide-high", 0.85, 0.05)  # it stops before the other one
    ranged(page, "0.10", "0.15")
    drag(page, 0.18, 0.11)  # from right to left
    ranged(page, "0.10", "0.20")

    page.click("button[value=approve]")
    expect(page.locator(".look")).to_have_count(5)
    deed = page.locator("#deed button")
    expect(deed).to_be_disabled()
    for n in range(5):
        page.locator(".look").nth(n).get_by_role("button", name="Right", exact=True).click()
        expect(page.locator("#deed-title")).to_have_text(f"{n + 1} of 5 looked at")
    assert statuses(service, "mouse") == {"held": 10}
    deed.click()
    expect(page.locator("#deed-title")).to_have_text("7 comments approved.")
    assert statuses(service, "mouse") == {"held": 3, "approved": 7}
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#deed-title")).to_contain_text("Undone.")
    assert statuses(service, "mouse") == {"held": 10}


def press_until(page: Page, selector: str, key: str = "Tab") -> None:
    """Goes on by keyboard until this has the focus."""
    for _ in range(60):
        if page.locator(selector).evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{selector} can't be reached by {key}")


def test_the_walk_by_keyboard_alone(service: Running, open_page: Callable[..., Page]) -> None:
    page = open_page()
    come(page, "keys")
    press_until(page, "#slide-low")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    press_until(page, "#slide-high")
    page.keyboard.press("ArrowLeft")
    ranged(page, "0.10", "0.20")
    expect(page.locator("#slide-high")).to_have_attribute("aria-valuetext", "0.20, 7 wait in the range")
    for _ in range(5):
        page.keyboard.press("ArrowLeft")  # the upper one stops before the lower one
    ranged(page, "0.10", "0.15")
    press_until(page, "#low")
    page.keyboard.press("Control+a")
    page.keyboard.type("0.16")
    expect(page.locator("#trouble")).to_contain_text("the lower one first")
    expect(page.locator("#low")).to_have_attribute("aria-invalid", "true")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+a")
    page.keyboard.type("0.25")
    expect(page.locator("#chosen-title")).to_contain_text("5 comments wait")
    expect(page.locator("#low")).not_to_have_attribute("aria-invalid", "true")
    press_until(page, "#reason")
    page.keyboard.type("Insult")
    expect(page.locator("#reason")).to_have_value("insult")
    press_until(page, "button[value=reject]")
    page.keyboard.press("Enter")
    expect(page.locator("html[data-batch] .look")).to_have_count(5)
    for n in range(1, 6):
        press_until(page, f"#look-{n} button[value=right]")
        page.keyboard.press("Enter")
        expect(page.locator(f"#look-{n} button[value=right]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#deed")).to_be_focused()  # what comes next has the focus
    press_until(page, "#deed button")
    page.keyboard.press("Enter")
    expect(page.locator("#deed-title")).to_have_text("5 comments rejected.")
    expect(page.locator("#deed-title")).to_be_focused()
    assert statuses(service, "keys") == {"held": 5, "rejected": 5}
    press_until(page, "#deed button")
    page.keyboard.press("Enter")
    expect(page.locator("#deed-title")).to_contain_text("Undone.")
    assert statuses(service, "keys") == {"held": 10}


def test_the_walk_without_script(service: Running, open_page: Callable[..., Page]) -> None:
    page = open_page(java_script_enabled=False)
    come(page, "plain", script=False)
    expect(page.locator(".sliders")).to_be_hidden()
    page.fill("#low", "0.2")
    page.fill("#high", "0.1")
    page.click("#show-range")
    expect(page.locator("#trouble")).to_contain_text("the lower one first")
    page.fill("#low", "0.1")
    page.fill("#high", "0.25")
    page.click("#show-range")
    expect(page.locator("#chosen-title")).to_contain_text("9 comments wait")
    page.click("button[value=reject]")
    expect(page.locator("#trouble")).to_contain_text("choose a reason")
    page.click("button[value=approve]")
    for n in range(1, 6):
        expect(page.locator("#deed button")).to_be_disabled()
        page.click(f"#look-{n} button[value=right]")
    page.click("#deed button")
    expect(page.locator("#deed-title")).to_have_text("9 comments approved.")
    page.click("#deed button")
    expect(page.locator("#deed-title")).to_contain_text("Undone.")
    assert statuses(service, "plain") == {"held": 10}


def test_one_that_is_not_right_is_said_and_asked_again(service: Running, open_page: Callable[..., Page]) -> None:
    page = open_page()
    come(page, "wrong", "&low=0&high=1")
    page.click("button[value=approve]")
    for n in range(1, 6):
        page.click(f"#look-{n} button[value={'wrong' if n == 2 else 'right'}]")
        expect(page.locator("#deed-title")).to_have_text(f"{n} of 5 looked at")
    expect(page.locator("#deed .notice")).to_contain_text("You found 1 of 5 not right")
    expect(page.locator("#deed .notice")).to_contain_text(re.compile(r"between \d and \d of the other 5"))
    expect(page.get_by_role("link", name="Choose another range")).to_be_visible()
    page.click("#look-2 button[value=right]")  # a slip can be mended
    expect(page.locator("#deed .notice")).to_have_count(0)
    page.click("#look-2 button[value=wrong]")
    page.get_by_role("button", name="Approve 9 comments all the same").click()
    expect(page.locator("#deed-title")).to_have_text("9 comments approved.")
    expect(page.locator("#deed")).to_contain_text("1 that you found not right stays in the queue.")
    assert statuses(service, "wrong") == {"held": 1, "approved": 9}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 640, 390, 320])
def test_axe_finds_nothing_and_nothing_is_too_wide(service: Running, open_page: Callable[..., Page], scheme: str,
                                                   width: int) -> None:  # fmt: skip
    page = open_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    come(page, "shown", "&low=0.1&high=0.25")
    page.click("#table summary")
    page.click("#act summary")
    fits(page, width)
    page.fill("#high", "0.05")
    expect(page.locator("#trouble")).to_be_visible()
    fits(page, width)
    page.fill("#high", "0.25")
    expect(page.locator("#trouble")).to_have_count(0)
    page.click("button[value=escalate]")
    expect(page.locator(".look")).to_have_count(5)
    fits(page, width)
    for n in range(1, 6):
        page.click(f"#look-{n} button[value={'wrong' if n == 2 else 'right'}]")
        expect(page.locator("#deed-title")).to_have_text(f"{n} of 5 looked at")
    fits(page, width)


def fits(page: Page, width: int) -> None:
    """No violation that axe knows, no scrolling sideways, nothing too small to hit."""
    found = Axe().run(page)
    assert found.response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.eval_on_selector_all(
        "main :is(button, select, input:not([type=hidden]), summary)",
        "all => all.filter(e => e.checkVisibility()).map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])"
        ".filter(([_, box]) => box.height < 24 || box.width < 24).map(([html]) => html)",
    )
    assert small == []
