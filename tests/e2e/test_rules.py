"""Power over the rules in a real browser on a real service: rules, authors, articles; by mouse, keyboard, and script or
none."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from moderation.domain.lifecycle import Role
from moderation.store.session import new_id
from tests.databases import until
from tests.embedding import NewsSite, list_origin, news_site
from tests.services import ABUSE, PASSWORD, Running, a_comment, make_moderator

pytestmark = pytest.mark.browser

ADMIN = "olena@example.org"
FINE = "Thank you, a clear summary."


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(
        tmp_path_factory.mktemp("rules") / "data", "--demo",
        env={"MODERATION_SIGN_IN_RATE": "1000 per minute", "MODERATION_PUBLIC_RATE": "1000 per minute"},
    )  # fmt: skip
    with running.store() as store:
        make_moderator(store, running.credentials["site_id"], ADMIN, Role.ADMIN)
        make_moderator(store, running.credentials["site_id"], "mo@example.org", Role.MODERATOR)
    yield running
    running.stop()


def sign_in(page: Page, service: Running, path: str, email: str | None = None) -> None:
    page.goto(path)
    page.fill("#email", email or service.credentials["moderator"]["email"])
    page.fill("#password", PASSWORD if email else service.credentials["moderator"]["password"])
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)


def posted(service: Running, body: str, **more: Any) -> dict[str, Any]:
    """Posts a comment and waits for the decision."""
    return service.decided(a_comment(f"rules-{new_id()}", body=body, **more))


def field(page: Page, rule: str, name: str) -> str:
    """The selector of a field of the rule with this name, for all comments."""
    found = page.locator(f'input[name^="rules."][name$=".name"][value="{rule}"]').get_attribute("name")
    return f'[id="{str(found).removesuffix("name")}{name}"]'


def save(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Save as version")).click()
    expect(page.get_by_role("status")).to_contain_text("Saved as version")


def by_keyboard(page: Page, selector: str) -> None:
    """Goes to this element by the Tab key alone."""
    for _ in range(150):
        if page.locator(selector).first.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {selector}")


def axe_finds_nothing(page: Page) -> None:
    assert Axe().run(page).response["violations"] == []


def test_a_rule_is_changed_tried_saved_and_taken_back(service: Running, open_page: Callable[..., Page]) -> None:
    mail = "The mayor answers at mayor@example.com, as I read in the paper."
    before = posted(service, mail)
    assert before["status"] == "held"
    page = open_page()
    sign_in(page, service, "/policy")
    page.fill(field(page, "email_address", "at_least"), "2")
    page.click(".bar button")
    expect(page.locator("#rules-title + ul")).to_contain_text("At least: 1 → 2")
    expect(page.locator("#summary")).to_contain_text(
        re.compile(r"Thes?e? .*comments? of the last \d+ would be decided")
    )
    expect(page.locator(f'.would a[href^="/review/{before["id"]}"]')).to_contain_text("mayor@example.com")
    expect(page.locator(".directions")).to_contain_text("approved instead of held")
    page.fill("#note", "One address is fine")
    save(page)
    assert posted(service, mail)["status"] == "approved"
    assert service.call("GET", f"/v1/comments/{before['id']}")[1]["status"] == "held"

    page.get_by_role("link", name="history").click()
    expect(page.locator(".versions tbody tr").first).to_contain_text("One address is fine")
    page.locator(".versions tbody tr", has_text=re.compile(r"^\s*1\b")).get_by_role("button").click()
    expect(page.locator("#summary")).to_contain_text("would be decided otherwise")
    expect(page.locator(".directions")).to_contain_text("held instead of approved")
    save(page)
    assert posted(service, mail)["status"] == "held"


def test_the_same_by_keyboard_alone_and_without_script(service: Running, open_page: Callable[..., Page]) -> None:
    page = open_page(java_script_enabled=True)
    sign_in(page, service, "/policy")
    selector = field(page, "many_links", "at_least")
    by_keyboard(page, selector)
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("0")
    page.keyboard.press("Enter")  # like the button above
    expect(page.locator("#trouble")).to_contain_text("Enter a whole number from 1 to 100,000.")
    expect(page.locator(selector)).to_have_value("0")
    expect(page.locator(selector)).to_have_attribute("aria-invalid", "true")
    by_keyboard(page, "#trouble a")
    page.keyboard.press("Enter")
    by_keyboard(page, selector)
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("4")
    page.keyboard.press("Enter")
    expect(page.locator("#rules-title + ul")).to_contain_text("At least: 3 → 4")
    by_keyboard(page, "#note")
    page.keyboard.type("by hand")
    by_keyboard(page, "form.save button.primary")
    page.keyboard.press("Space")
    expect(page.get_by_role("status")).to_contain_text("Saved as version")
    expect(page.locator(field(page, "many_links", "at_least"))).to_have_value("4")


def test_a_section_has_rules_of_its_own(service: Running, open_page: Callable[..., Page]) -> None:
    word = f"gryphon{new_id()[-6:]}"
    body = f"Thank you, a clear summary of the {word}."

    def under(section: str) -> str:
        article = {"url": f"https://news.example/{section}-{word}", "title": section, "section": section}
        return str(posted(service, body, article=article)["status"])

    page = open_page(java_script_enabled=False)
    sign_in(page, service, "/policy", ADMIN)
    page.select_option('[id="rules.new"]', "words")
    page.click('button[value="add:rules"]')
    page.fill(".f-words textarea", f"{word}*")
    name = page.locator("fieldset.rule", has=page.locator(".f-words")).locator('input[name$=".name"]')
    name.fill(word)
    page.fill('[id="new.sections"]', "Zoo")
    page.click('button[value="place:sections"]')
    expect(page.locator(".f-words textarea")).to_have_value(f"{word}*")  # nothing typed is lost
    page.select_option('[id="s0.new"]', f"={word}")
    page.click('button[value="add:s0"]')
    page.locator(".place .switch input").uncheck()
    page.click(".bar button")
    expect(page.locator("#rules-title + ul")).to_contain_text("In the section Zoo")
    expect(page.locator("#rules-title + ul")).to_contain_text("switched off here")
    save(page)
    assert under("World") == "held"
    assert under("Zoo") == "approved"
    assert under("zoo") == "approved"


def test_of_two_admins_the_second_is_told_and_nothing_is_lost(service: Running, open_page: Callable[..., Page]) -> None:
    one, two = open_page(), open_page()
    sign_in(one, service, "/policy")
    sign_in(two, service, "/policy", ADMIN)
    one.fill(field(one, "toxicity", "hold"), "0.8")
    two.fill(field(two, "threat", "hold"), "0.3")
    for page in (one, two):
        page.click(".bar button")
        expect(page.locator("#summary")).to_be_visible()
    one.fill("#note", "the first")
    two.fill("#note", "the second")
    save(one)
    two.get_by_role("button", name=re.compile("^Save as version")).click()
    expect(two.locator("#trouble")).to_contain_text("Somebody saved before you. Yours is not saved, and not lost.")
    expect(two.locator("#trouble")).to_contain_text(re.compile(r"Version \d+ by Admin.*the first", re.S))
    expect(two.locator("#trouble")).to_contain_text("Hold from: 0.714 → 0.8")
    expect(two.locator("#note")).to_have_value("the second")
    axe_finds_nothing(two)
    two.get_by_role("button", name="Go on editing").click()
    expect(two.locator(field(two, "threat", "hold"))).to_have_value("0.3")
    two.fill(field(two, "toxicity", "hold"), "0.8")
    two.click(".bar button")
    expect(two.locator("#rules-title + ul > li")).to_have_count(1)
    save(two)


def test_a_ban_and_its_end(service: Running, open_page: Callable[..., Page]) -> None:
    who = {"name": "Banshee", "email": f"{new_id()}@example.org"}
    waiting = [posted(service, ABUSE, author=who)["id"] for _ in range(2)]
    page = open_page()
    sign_in(page, service, f"/review/{waiting[0]}")
    page.get_by_role("link", name="Everything about this author").click()
    expect(page.locator("h1")).to_have_text("Banshee")
    expect(page.locator("main")).to_contain_text(who["email"])
    page.get_by_label("From now on").select_option("ban")
    page.get_by_label("For", exact=True).select_option("7")
    page.get_by_label("With a ban, reject the 2 comments that wait").check()
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("status")).to_contain_text("The author is banned. 2 waiting comments were rejected.")
    expect(page.locator(".stands")).to_contain_text("Banned")
    assert posted(service, FINE, author=who)["status"] == "rejected"
    axe_finds_nothing(page)
    address = page.url
    page.get_by_role("button", name="Undo the rejections").click()
    until(lambda: service.call("GET", f"/v1/comments/{waiting[1]}")[1]["status"] == "held", what="the undo")
    page.goto(address)
    by_keyboard(page, "select[name=standing]")
    page.keyboard.press("Home")  # nothing special
    by_keyboard(page, ".standing form button")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Nothing special holds for this author any more.")
    assert posted(service, FINE, author=who)["status"] == "approved"
    expect(page.locator(".steps li")).to_have_count(2)


def test_a_moderator_holds_from_the_desk_and_may_not_ban(service: Running, open_page: Callable[..., Page]) -> None:
    who = {"name": "Hobbledehoy", "email": f"{new_id()}@example.org"}
    comment = posted(service, ABUSE, author=who)["id"]
    page = open_page()
    sign_in(page, service, f"/review/{comment}", "mo@example.org")
    page.locator("#context .standing summary").click()
    chooser = page.locator("#context select[name=standing]")
    assert chooser.locator("option").all_inner_texts() == ["Nothing special", "Always hold"]
    chooser.select_option("hold")
    page.locator("#context .standing form button").click()
    expect(page.locator("#context .stands")).to_contain_text("Always hold")
    expect(page.locator("#said")).to_contain_text("From now on all comments of this author are held.")
    assert posted(service, FINE, author=who)["status"] == "held"


@pytest.fixture(scope="module")
def news(service: Running) -> Iterator[NewsSite]:
    with news_site(service) as site:
        list_origin(service, site.origin, service.base_url)  # the demo's page stays one of the site's own
        yield site


def test_an_article_is_closed_and_opened_again(
    service: Running, open_page: Callable[..., Page], news: NewsSite
) -> None:
    address = news.page(f"/{new_id()}")
    posted(service, FINE, article={"url": address, "title": "The river"})
    page, reader = open_page(), open_page()
    sign_in(page, service, f"/articles?q={address.rpartition('/')[2]}")
    page.get_by_role("link", name="The river").click()
    page.get_by_role("button", name="Close for comments").click()
    expect(page.get_by_role("status")).to_contain_text("Closed. Readers are told so")
    axe_finds_nothing(page)

    def send() -> None:
        reader.goto(address)
        for name, value in (("name", "Ann"), ("email", "ann@example.org"), ("body", "A word on the river.")):
            reader.fill(f"#{name}", value)
        reader.get_by_role("button", name="Send comment").click()

    send()
    expect(reader.locator(".state")).to_contain_text("Comments here are closed. Your text is still here.")
    expect(reader.locator("#body")).to_have_value("A word on the river.")
    taken = posted(service, FINE, article={"url": address})
    assert taken["status"] == "rejected"
    assert taken["decision"]["reasons"][0]["rule"] == "article_closed"
    by_keyboard(page, 'button[value="open"]')
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Open again for comments.")
    send()
    expect(reader.locator(".state")).to_contain_text("Thank you")
    page.get_by_role("button", name="Hold every new comment").click()
    expect(page.get_by_role("status")).to_contain_text("every new comment here is held")
    assert posted(service, FINE, article={"url": address})["status"] == "held"


def test_the_demos_article_closed_says_so_calmly(service: Running, open_page: Callable[..., Page]) -> None:
    page = open_page(java_script_enabled=False)
    reader, scripted = open_page(java_script_enabled=False), open_page()
    for one in (reader, scripted):
        one.goto("/demo")
        for name, value in (("name", "Ann"), ("email", "ann@example.org"), ("body", "A late word.")):
            one.fill(f"#{name}", value)
    sign_in(page, service, "/articles?q=demo", ADMIN)
    page.locator("table a").first.click()
    page.get_by_role("button", name="Close for comments").click()
    for one in (reader, scripted):
        one.get_by_role("button", name="Send comment").click()
        expect(one.locator("#problems")).to_contain_text("Comments on this article are closed.")
        expect(one.locator("#body")).to_have_value("A late word.")
        one.goto("/demo")
        expect(one.locator("#closed")).to_have_text("Comments on this article are closed.")
        expect(one.locator("#form")).to_be_hidden()
    page.get_by_role("button", name="Open again").click()
    reader.goto("/demo")
    expect(reader.locator("#form")).to_be_visible()


def test_a_live_comment_is_found_and_taken_down(service: Running, open_page: Callable[..., Page]) -> None:
    word = f"lapwing{new_id()[-6:]}"
    live = posted(service, f"{FINE} {word}")
    assert live["status"] == "approved"
    page = open_page()
    sign_in(page, service, f"/review?status=any&q={word}")
    expect(page.locator("#item")).to_have_attribute("data-id", live["id"])
    expect(page.locator("#live")).to_have_text("Readers can see this comment; rejecting it takes it down.")
    page.locator("#item .reject summary").click()
    page.locator('#item .menu button[value="off_topic"]').click()
    until(lambda: service.call("GET", f"/v1/comments/{live['id']}")[1]["status"] == "rejected", what="taken down")


@pytest.mark.parametrize(
    ("width", "scheme"),
    [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark"), (640, "light"), (320, "light")],
)
def test_axe_finds_nothing_and_nothing_is_too_wide(
    service: Running, open_page: Callable[..., Page], width: int, scheme: str
) -> None:
    long = "Supercalifragilistic" * 6
    comment = posted(service, f"{ABUSE} {long}", author={"name": long, "email": f"{long}@example.org"},
                     article={"url": f"https://news.example/{long}", "title": long, "section": long})  # fmt: skip
    token = service.token()
    item = service.call("GET", f"/v1/review/items/{comment['id']}", key=token)[1]["comment"]
    page = open_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    sign_in(page, service, "/policy")
    fits(page, width)
    for kind in ("words", "pattern", "repeat_offender", "trusted_author"):
        page.select_option('[id="rules.new"]', kind)
        page.click('button[value="add:rules"]')
    for scope, place in (("sections", long), ("articles", f"https://news.example/{long}")):
        page.fill(f'[id="new.{scope}"]', place)
        page.click(f'button[value="place:{scope}"]')
        there = page.locator(".place", has=page.get_by_role("heading", name=place, exact=True))
        there.locator(".add select").select_option("=insult")
        there.locator(".add button").click()
    page.fill(".f-pattern input", f"({long}")
    page.click(".bar button")
    expect(page.locator("#trouble")).to_be_visible()
    fits(page, width)
    page.fill(".f-pattern input", long)
    page.locator("[aria-labelledby=texts] .f-words textarea").last.fill(f"{long}*\nidiot*")
    page.click(".bar button")
    expect(page.locator("#summary")).to_be_visible()
    page.click(".text-diff summary")
    fits(page, width)
    for path in ("/policy/history", "/policy/file", "/authors", "/articles", f"/authors?q={long}",
                 f"/authors/{item['author_key']}", f"/articles/{item['article']['id']}"):  # fmt: skip
        page.goto(path)
        fits(page, width)


def fits(page: Page, width: int) -> None:
    """No violation that axe knows, no scrolling sideways, nothing too small to hit."""
    if width in (1280, 390):
        axe_finds_nothing(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.eval_on_selector_all(
        "main :is(button, select, input:not([type=hidden]):not([type=checkbox]), summary, label:has(input))",
        "all => all.filter(e => e.checkVisibility()).map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])"
        ".filter(([_, box]) => box.height < 24 || box.width < 24).map(([html]) => html)",
    )
    assert small == []
