"""Comments under a static page for everybody: by keyboard, on any width, in any scheme, within any page's styles."""

from typing import Any

import pytest
from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from moderation.store.session import new_id
from tests.embedding import NewsSite, Open

pytestmark = pytest.mark.browser

APPEARS = 30_000.0


def test_the_whole_walk_by_keyboard(open_article: Open, news: NewsSite) -> None:
    path = f"/{new_id()}"
    news.publish(news.page(path), ("k1", "The first comment here.", "Olena", None))
    page = open_article(path)
    expect(page.get_by_role("listitem")).to_have_count(1)
    walked = []
    for _ in range(6):
        page.keyboard.press("Tab")
        walked.append(focused(page))
    assert walked == ["name", "email", "url", "body", "Send comment", "Reply to Olena"]
    page.keyboard.press("Enter")
    assert focused(page) == "name"
    page.keyboard.press("Shift+Tab")
    assert focused(page) == "Cancel reply"
    page.keyboard.press("Enter")
    assert focused(page) == "Reply to Olena"
    page.keyboard.press("Enter")
    page.keyboard.type("Ann Reader")
    page.keyboard.press("Enter")  # sends, and the first wrong field is where it goes on
    expect(page.locator("#email")).to_be_focused()
    expect(page.locator("#email")).to_have_accessible_description("Enter an e-mail address like name@example.org.")
    expect(page.locator("#email")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#body")).to_have_accessible_description("Write up to 20,000 letters.")
    for word in ("ann@example.org", "news.example"):
        page.keyboard.type(word)
        page.keyboard.press("Tab")
    page.keyboard.type("I saw it in the same way, by the bridge.")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator("#url")).to_be_focused()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.press("Delete")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Thank you")).to_be_visible()
    answer = page.get_by_role("listitem").get_by_role("listitem")
    expect(answer.locator(".text")).to_have_text("I saw it in the same way, by the bridge.", timeout=APPEARS)


def focused(page: Page) -> str:
    """Id, name or text of what has the focus, inside the comments."""
    return str(page.evaluate(
        "() => { const at = document.querySelector('#comments').shadowRoot.activeElement;"
        " return at && (at.id || at.ariaLabel || at.textContent) }"
    ))  # fmt: skip


def test_the_pages_own_styles_do_not_get_in(open_article: Open, news: NewsSite) -> None:
    page = open_article(bypass_csp=True)
    expect(page.get_by_text("No comments yet.")).to_be_visible()
    before = page.evaluate(LOOKS)
    page.add_style_tag(content="""
        input, button, textarea, label, p, h2 { display: none !important; color: red !important }
        * { text-transform: uppercase; letter-spacing: 1em; text-align: center; line-height: 9 }
    """)  # fmt: skip
    assert len(before) > 20
    assert page.evaluate(LOOKS) == before


# Place in the comments, size and colours of everything in them.
LOOKS = """() => {
    const section = document.querySelector("#comments").shadowRoot.querySelector("section");
    const top = section.getBoundingClientRect().top;
    return [...section.querySelectorAll("*")].map(one => {
        const { x, y, width, height } = one.getBoundingClientRect(), style = getComputedStyle(one);
        return width && [x, Math.round(y - top), width, height, style.color, style.textTransform, style.letterSpacing];
    });
}"""


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_it_is_accessible_at_any_width_in_both_schemes(
    open_article: Open, news: NewsSite, width: int, scheme: Any, direction: str
) -> None:
    path = "/accessible"
    if path not in news.pages:
        long = "Donaudampfschifffahrtsgesellschaftskapitän" * 8
        news.publish(news.page(path), ("a1", long, long[:180], None), ("a2", "شكرا، كان مفيدا.", "محمد", "a1"))
    page = open_article(path, viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.evaluate("direction => document.documentElement.dir = direction", direction)
    expect(page.get_by_role("listitem")).to_have_count(2)
    page.get_by_role("button", name="Reply to محمد").click()
    page.get_by_role("button", name="Send comment").click()
    expect(page.get_by_text("Enter your name.")).to_be_visible()
    found = Axe().run(page, options=None)
    assert found.response["violations"] == [], found.generate_report()
    assert len(inside(found, "passes", "color-contrast")) > 10
    assert inside(found, "incomplete", "color-contrast") == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    ground = page.locator("section").evaluate("element => getComputedStyle(element).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(24, 24, 22)"}[scheme]
    for button in page.get_by_role("button").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24


def inside(found: AxeResults, outcome: str, rule: str) -> list[dict[str, Any]]:
    """The elements in the comments' own tree for which this rule had this outcome."""
    nodes = [node for one in found.response[outcome] if one["id"] == rule for node in one["nodes"]]
    return [node for node in nodes if isinstance(node["target"][0], list)]


def test_a_long_thread_comes_in_parts_newest_first(open_article: Open, news: NewsSite) -> None:
    path = f"/{new_id()}"
    comments = [(f"m{number}", f"Comment number {number}.", "Ann", None) for number in range(25)]
    deep = [("m25", "An answer.", "Bo", "m24"), ("m26", "An answer to it.", "Olena", "m25")]
    news.publish(news.page(path), *comments, *deep)
    page = open_article(path)
    top = page.locator("section > ol > li")
    expect(top).to_have_count(20)
    expect(page.get_by_role("heading")).to_have_text(["The river is back in its bed", "Comments (27)"])
    expect(top.first.locator("ol .text")).to_have_text(["An answer.", "An answer to it."])
    expect(top.first.locator("ol li").last).to_contain_text("in reply to Bo")
    expect(top.first.get_by_role("time").first).to_have_attribute("datetime", "2026-11-20T10:24:00.000Z")
    page.get_by_role("button", name="Show more").press("Enter")
    expect(top).to_have_count(25)
    expect(top.nth(20)).to_be_focused()
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()
