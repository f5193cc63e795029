"""Comments under a static page on another origin, in a real browser: one script tag, and the strictest page policy."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
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
    assert page.locator(".text").inner_text() == "Thank you, a clear\n  and careful summary."
    expect(page.get_by_role("heading", name="Comments (1)")).to_be_visible()
    expect(page.get_by_label("Name *")).to_have_value("Ann Reader")
    expect(page.get_by_label("Comment *")).to_have_value("")
    shown = page.get_by_role("list").inner_text()
    assert "careful summary" in shown
    assert "canary-11" not in shown
    service.call("POST", f"/v1/comments/{abusive}/site-decision", {"action": "approve"})
    page.reload()
    expect(page.get_by_role("listitem")).to_have_count(2)


def test_nobodys_text_becomes_markup(open_page: Open, site: NewsSite, service: Running) -> None:
    attack = "<img src=x onerror=window.hit=1><script>window.hit=1</script>&lt;b&gt; $& {} javascript:alert(1)"
    path = f"/{new_id()}"
    published(service, site.page(path), ("p1", attack, attack, None), ("p2", "A plain answer.", attack, "p1"))
    page = open_page(path)
    expect(page.locator(".text").first).to_have_text(attack)
    expect(page.locator("strong").first).to_have_text(attack)
    page.get_by_role("button", name="Reply to").first.click()
    expect(page.get_by_text("Reply to <img")).to_be_visible()
    assert page.locator("section img, section script").count() == 0
    assert page.evaluate("window.hit") is None


def test_a_page_that_is_not_listed_is_told_so(open_page: Open, site: NewsSite, service: Running) -> None:
    page = open_page(origin=site.other_origin)
    write(page, "My text")
    page.get_by_role("button", name="Send comment").click()
    expect(state(page)).to_have_text(
        f"Comments can’t be sent from {site.other_origin}. Please tell the site’s editors. Your text is still here."
    )
    expect(page.get_by_label("Comment *")).to_have_value("My text")
    found = service.call("GET", "/v1/review/items?status=any&q=My+text", key=service.token())[1]
    assert found["items"] == []


def test_the_hidden_field_holds_and_says_nothing(open_page: Open, service: Running) -> None:
    page = open_page()
    hidden = page.locator("#subject")
    assert (page.locator(".trap").bounding_box() or {"width": 9})["width"] <= 1
    expect(page.get_by_role("textbox")).to_have_count(4)
    expect(hidden).to_have_attribute("autocomplete", "off")
    write(page, "Thank you, a clear and careful summary.")
    hidden.evaluate("field => field.value = 'buy now'")
    caught = send(page)
    expect(state(page)).to_have_text(THANKS)
    kept = service.call("GET", f"/v1/comments/{caught}")[1]
    assert (kept["status"], [reason["rule"] for reason in kept["decision"]["reasons"]]) == ("held", ["honeypot"])
    until(lambda: service.call("GET", "/readyz")[0] == 200, what="the service to go on")
    service.call("POST", f"/v1/comments/{caught}/site-decision", {"action": "approve"})
    expect(state(page)).to_have_text(PUBLISHED, timeout=APPEARS)


def test_the_whole_walk_by_keyboard(open_page: Open, site: NewsSite, service: Running) -> None:
    path = f"/{new_id()}"
    published(service, site.page(path), ("k1", "The first comment here.", "Olena", None))
    page = open_page(path)
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
    expect(page.locator("#body")).to_have_accessible_description("Write a comment of up to 20,000 letters.")
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


def test_it_keeps_nothing_and_calls_nobody_else(open_page: Open, site: NewsSite, service: Running) -> None:
    page = open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    write(page, "Thank you, a clear and careful summary.")
    send(page)
    expect(state(page)).to_have_text(PUBLISHED, timeout=APPEARS)
    assert page.context.cookies() == []
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    assert page.evaluate("indexedDB.databases()") == []
    assert {address for address in asked if not address.startswith((site.origin, service.base_url))} == set()
    assert any("/v1/public/comments" in address for address in asked)


def test_a_dead_line_loses_no_text_and_the_thread_can_be_asked_for_again(open_page: Open) -> None:
    page = open_page()
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


def test_a_long_thread_comes_in_parts_newest_first(open_page: Open, site: NewsSite, service: Running) -> None:
    path = f"/{new_id()}"
    comments = [(f"m{number}", f"Comment number {number}.", "Ann", None) for number in range(25)]
    deep = [("m25", "An answer.", "Bo", "m24"), ("m26", "An answer to it.", "Olena", "m25")]
    published(service, site.page(path), *comments, *deep)
    page = open_page(path)
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


def test_the_page_says_what_is_shown_and_where(open_page: Open, service: Running) -> None:
    attributes = (
        'data-lang="de" data-article="https://news.example/fluss" data-title="Der Fluss" data-text-title="Kommentare"'
        ' data-text-thanks="Danke." data-text-published="Danke. Er steht da." data-text-reply-to="{} antworten"'
    )
    page = open_page(page={"attributes": attributes, "target": False}, locale="de-DE")
    assert page.evaluate("document.querySelector('script').nextElementSibling.shadowRoot !== null")
    expect(page.get_by_role("region", name="Kommentare")).to_have_attribute("lang", "de")
    write(page, "Danke, eine klare Zusammenfassung.")
    sent = send(page)
    expect(state(page)).to_have_text("Danke.")
    service.call("POST", f"/v1/comments/{sent}/site-decision", {"action": "approve"})
    expect(state(page)).to_have_text("Danke. Er steht da.", timeout=APPEARS)
    expect(page.get_by_role("button", name="Ann Reader antworten")).to_be_visible()
    thread = service.call("GET", "/v1/threads?article_url=https://news.example/fluss", key=None)[1]["comments"]
    assert [comment["id"] for comment in thread] == [sent]
    found = service.call("GET", "/v1/review/items?status=any&q=Zusammenfassung", key=service.token())[1]
    assert "Der Fluss" in str(found["items"])


def test_the_canonical_address_names_the_article(open_page: Open, service: Running) -> None:
    page = open_page(page={"canonical": True})
    with page.expect_request("**/v1/threads?*") as asked:
        page.reload()
    assert "article_url=https%3A%2F%2Fnews.example%2Friver&" in asked.value.url + "&"


def test_the_pages_own_styles_do_not_get_in(open_page: Open, site: NewsSite) -> None:
    page = open_page(bypass_csp=True)
    page.mouse.move(0, 0)
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
        return [x, Math.round(y - top), width, height, style.color, style.textTransform, style.letterSpacing];
    });
}"""


def test_it_does_not_ask_while_nobody_sees_the_page(open_page: Open, service: Running) -> None:
    page = open_page()
    page.evaluate("Object.defineProperty(document, 'hidden', { get: () => !window.seen })")
    write(page, "Thank you, a clear and careful summary.")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    sent = send(page)
    until(lambda: status(service, sent) == "approved", what="the comment to be approved")
    page.wait_for_function("([since]) => performance.now() - since > 4000", arg=[page.evaluate("performance.now()")])
    assert [address for address in asked if "/v1/threads" in address] == []
    page.evaluate("window.seen = true")
    expect(state(page)).to_have_text(PUBLISHED, timeout=APPEARS)


def test_who_sends_too_much_is_told_how_long_to_wait(browser: Browser, start: Callable[..., Running]) -> None:
    strict = start(env={"MODERATION_PUBLIC_RATE": "1 per minute"})
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


def published(service: Running, address: str, *comments: tuple[str, str, str, str | None]) -> None:
    """Puts these (id, body, name, parent's id) under an article as old comments, a minute apart."""
    run = new_id()
    sent = [
        {"external_id": run + id, "body": body, "author": {"name": name, "email": "canary-11@example.org"},
         "article": {"url": address}, "parent_external_id": parent and run + parent,
         "created_at": f"2026-11-20T10:{minute:02}:00Z", "imported_status": "approved"}
        for minute, (id, body, name, parent) in enumerate(comments)
    ]  # fmt: skip
    assert service.call("POST", "/v1/comments/batch", {"comments": sent})[0] == 200
    thread = f"/v1/threads?article_url={address}"
    until(lambda: len(service.call("GET", thread)[1]["comments"]) == len(sent), 60, "the old comments to be shown")


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_it_is_accessible_at_any_width_in_both_schemes(
    open_page: Open, site: NewsSite, service: Running, width: int, scheme: Any, direction: str
) -> None:
    path = "/accessible"
    if path not in site.pages:
        long = "Donaudampfschifffahrtsgesellschaftskapitän" * 8
        published(service, site.page(path), ("a1", long, long[:180], None), ("a2", "شكرا، كان مفيدا.", "محمد", "a1"))
    page = open_page(path, viewport={"width": width, "height": 800}, color_scheme=scheme)
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
