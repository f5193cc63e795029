"""The moderators' desk in a real browser on a real service: by keyboard, by two people, and without script."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from moderation.store.session import new_id
from tests.databases import until
from tests.services import ABUSE, PASSWORD, Running, a_comment, make_moderator

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("desk") / "data", env={"MODERATION_SIGN_IN_RATE": "1000 per minute"})
    with running.store() as store:
        make_moderator(store, running.credentials["site_id"], "olena@example.org")
    yield running
    running.stop()


def sign_in(page: Page, service: Running, email: str | None = None, selector: str = "html[data-keys]") -> None:
    """By keyboard only; the page that was asked for comes afterwards."""
    expect(page.locator("#email")).to_be_focused()
    page.keyboard.type(email or service.credentials["moderator"]["email"])
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD if email else service.credentials["moderator"]["password"])
    page.keyboard.press("Enter")
    expect(page.locator(selector)).to_be_attached()  # the mark of a page whose script has run


def held(service: Running, word: str, *bodies: str) -> list[str]:
    """Posts comments that carry this word and are held; returns their ids."""
    ids = []
    for body in bodies or (ABUSE,):
        comment = a_comment(f"{word}-{new_id()}", body=f"{body} {word}")
        answer = service.decided(comment)
        assert answer["status"] == "held", answer
        ids.append(answer["id"])
    return ids


def decided(service: Running, comment_id: str) -> dict[str, Any]:
    return dict(service.call("GET", f"/v1/comments/{comment_id}")[1])


def becomes(service: Running, comment_id: str, status: str) -> None:
    until(lambda: decided(service, comment_id)["status"] == status, what=f"{comment_id} to be {status}")


def test_the_whole_walk_by_keyboard(service: Running, open_page: Callable[..., Page]) -> None:
    first, second = held(service, "kestrel", ABUSE, ABUSE + " Fool.")
    page = open_page()
    page.goto("/review?q=kestrel&sort=oldest")
    assert "/login?next=" in page.url
    sign_in(page, service)
    expect(page.locator("#item")).to_have_attribute("data-id", first)
    expect(page.locator(".comment mark").first).to_be_visible()
    assert "idiot" in " ".join(page.locator(".comment mark").all_inner_texts())
    expect(page.locator(".reasons")).to_contain_text(re.compile(r"Held because it .*\(\d\.\d+, your limit is 0\.\d+"))

    page.keyboard.press("a")
    expect(page.locator("#item")).to_have_attribute("data-id", second)
    expect(page.locator("#said")).to_contain_text("Approved.")
    expect(page.locator("#item-title")).to_be_focused()
    becomes(service, first, "approved")

    expect(page.locator("#said button")).to_be_visible()
    page.keyboard.press("u")
    expect(page.locator("#item")).to_have_attribute("data-id", first)
    expect(page.locator("#said")).to_contain_text("Undone.")
    becomes(service, first, "held")
    expect(page.locator(".reasons")).to_contain_text("Held because it")

    page.keyboard.press("r")
    expect(page.locator(".actions .menu")).to_be_visible()
    page.keyboard.press("i")
    expect(page.locator("#said")).to_contain_text("Rejected.")
    becomes(service, first, "rejected")
    assert decided(service, first)["decision"]["reasons"][0]["rule"] == "insult"
    assert decided(service, second)["status"] == "held"


def test_next_previous_and_the_reasons_after_a_ruling(service: Running, open_page: Callable[..., Page]) -> None:
    first, second = held(service, "heron", ABUSE, ABUSE + " Fool.")
    page = open_page()
    page.goto("/review?q=heron&sort=oldest")
    sign_in(page, service)
    page.keyboard.press("j")
    expect(page.locator("#item")).to_have_attribute("data-id", second)
    page.keyboard.press("k")
    expect(page.locator("#item")).to_have_attribute("data-id", first)
    page.keyboard.press("a")
    becomes(service, first, "approved")
    page.goto(f"/review/{first}")
    expect(page.locator(".reasons")).to_contain_text("your limit is")
    expect(page.locator(".history")).to_contain_text("Approved by Admin")
    expect(page.locator(".comment mark").first).to_be_visible()


def test_filter_search_and_sort(service: Running, open_page: Callable[..., Page]) -> None:
    insult, link = held(service, "plover", ABUSE, "Write to me at seller@example.com about this.")
    page = open_page()
    page.goto("/review?q=plover")
    sign_in(page, service)
    rows = page.locator("#queue .rows li")
    expect(rows).to_have_count(2)
    expect(page.locator("#count")).to_have_text("2")
    page.click(".filter summary")
    page.select_option("#f-reason", "email_address")
    page.click("#f-show")
    expect(rows).to_have_count(1)
    expect(rows.first).to_have_attribute("data-id", link)
    expect(page).to_have_url(re.compile("reason=email_address"))
    page.click(".filter summary")
    page.select_option("#f-reason", "")
    page.select_option("#f-sort", "newest")
    page.click("#f-show")
    expect(rows.first).to_have_attribute("data-id", link)
    expect(rows.nth(1)).to_have_attribute("data-id", insult)
    expect(page.locator("html[data-keys]")).to_be_attached()
    page.keyboard.press("/")
    expect(page.locator("#f-q")).to_be_focused()
    page.keyboard.type("aaa")
    page.keyboard.press("Enter")
    expect(page.locator("#queue")).to_contain_text("Nothing matches this filter")
    assert decided(service, insult)["status"] == decided(service, link)["status"] == "held"  # no key in a field acts


def test_the_second_of_two_is_told_who(service: Running, open_page: Callable[..., Page]) -> None:
    (comment,) = held(service, "curlew")
    ann, olena = open_page(), open_page()
    for page, email in ((ann, None), (olena, "olena@example.org")):
        page.goto(f"/review/{comment}?q=curlew")
        sign_in(page, service, email)
    ann.keyboard.press("c")
    expect(ann.locator("#said")).to_contain_text("Claimed.")
    olena.keyboard.press(".")
    olena.keyboard.type("a joke among friends")
    olena.keyboard.press("Escape")
    olena.keyboard.press("a")
    expect(olena.locator("#trouble")).to_contain_text("Admin has claimed this comment")
    expect(olena.locator("#trouble")).to_be_focused()
    expect(olena.locator("#note")).to_have_value("a joke among friends")
    ann.keyboard.press("a")
    becomes(service, comment, "approved")
    expect(olena.locator("html[data-unseen]")).to_have_count(0)  # a key pressed too soon was meant for the next one
    olena.keyboard.press("e")
    expect(olena.locator("#trouble")).to_contain_text("Admin approved this comment since you opened it")
    expect(olena.locator("#note")).to_have_value("a joke among friends")
    assert decided(service, comment)["status"] == "approved"


def test_the_same_walk_without_script(service: Running, open_page: Callable[..., Page]) -> None:
    first, second = held(service, "dunlin", ABUSE, ABUSE + " Fool.")
    page = open_page(java_script_enabled=False)
    page.goto("/review?q=dunlin&sort=oldest")
    sign_in(page, service, selector="#queue")
    page.click('button[data-deed="approve"]')
    expect(page.locator("#said")).to_contain_text("Approved.")
    expect(page.locator("#item")).to_have_attribute("data-id", second)
    assert decided(service, first)["status"] == "approved"
    page.click("#said button")
    expect(page.locator("#item")).to_have_attribute("data-id", first)
    assert decided(service, first)["status"] == "held"
    page.click(".actions .reject summary")
    page.click('.actions .menu button[value="other"]')
    expect(page.locator("#trouble")).to_contain_text("needs a note")
    page.click(".actions .reject summary")
    page.fill("#other-note", "advertises a feud")
    page.click('.actions .menu button[value="other"]')
    expect(page.locator("#said")).to_contain_text("Rejected.")
    assert decided(service, first)["status"] == "rejected"
    page.click('form[action="/logout"] button')
    assert page.url.endswith("/login")
    page.goto(f"/review/{second}")
    assert "/login?next=" in page.url


def test_new_comments_wait_until_asked_for(service: Running, open_page: Callable[..., Page]) -> None:
    (first,) = held(service, "godwit")
    page = open_page()
    page.clock.install()
    page.goto("/review?q=godwit&sort=oldest")
    sign_in(page, service)
    rows = page.locator("#queue .rows li")
    expect(rows).to_have_count(1)
    held(service, "godwit", ABUSE, ABUSE)
    page.clock.fast_forward(16_000)
    expect(page.locator("#fresh")).to_have_text("2 new")
    expect(page.locator("#count")).to_have_text("3")
    expect(rows).to_have_count(1)
    expect(page.locator("#item")).to_have_attribute("data-id", first)
    page.click("#fresh")
    expect(rows).to_have_count(3)


@pytest.mark.parametrize("path", ["/login", "/review", "/review/ITEM", "/docs", "/nothing-here"])
def test_no_page_is_wider_than_a_narrow_screen(service: Running, open_page: Callable[..., Page], path: str) -> None:
    (comment,) = held(service, "sanderling", ABUSE + " " + "x" * 300)
    page = open_page(viewport={"width": 320, "height": 640})
    page.goto("/review")
    sign_in(page, service)
    page.goto(path.replace("ITEM", comment))
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    small = page.eval_on_selector_all(
        "button, select, input:not([type=hidden]), summary, .button",
        "all => all.filter(e => e.checkVisibility()).map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])"
        ".filter(([_, box]) => box.height < 24 || box.width < 24).map(([html]) => html)",
    )
    assert small == []


def test_no_private_field_but_in_the_author_panel(service: Running, open_page: Callable[..., Page]) -> None:
    comment = a_comment("avocet-1", body=ABUSE, ip="203.0.113.77", user_agent="canary-agent")
    comment["author"] = {"name": "Reader 12", "email": "canary@example.org"}
    answer = service.decided(comment)
    page = open_page()
    page.goto(f"/review/{answer['id']}")
    sign_in(page, service)
    expect(page.locator("#context")).to_contain_text("canary@example.org")
    source = page.content()
    assert source.count("canary@example.org") == 1
    assert "203.0.113.77" not in source
    assert "canary-agent" not in source
    assert "canary" not in Path(service.log).read_text(errors="replace")


def test_hands_faster_than_the_service(service: Running, open_page: Callable[..., Page]) -> None:
    first, second, third = held(service, "turnstone", ABUSE, ABUSE + " Fool.", ABUSE + " Moron.")
    page = open_page()
    page.goto("/review?q=turnstone&sort=oldest")
    sign_in(page, service)
    page.keyboard.press("a")
    page.keyboard.press("a")  # the first comment is still there or has just gone: no unseen one may be approved
    expect(page.locator("#item")).not_to_have_attribute("data-id", first)
    becomes(service, first, "approved")
    assert decided(service, third)["status"] == "held"
    if page.locator("#item").get_attribute("data-id") == second:
        page.keyboard.press("a")
    expect(page.locator("#item")).to_have_attribute("data-id", third)
    becomes(service, first, "approved")
    becomes(service, second, "approved")
    expect(page.locator("#queue li[data-done]")).to_have_count(2)
    page.keyboard.press("r")
    page.keyboard.press("s")
    page.keyboard.press("u")
    expect(page.locator("#said")).to_contain_text("Undone.")
    expect(page.locator("#item")).to_have_attribute("data-id", third)
    becomes(service, third, "held")


def test_a_service_out_of_reach_changes_and_loses_nothing(service: Running, open_page: Callable[..., Page]) -> None:
    first, second = held(service, "knot", ABUSE, ABUSE + " Fool.")
    page = open_page()
    page.goto("/review?q=knot&sort=oldest")
    sign_in(page, service)
    page.keyboard.press("j")
    expect(page.locator("#item")).to_have_attribute("data-id", second)
    page.keyboard.press(".")
    page.keyboard.type("mind the note")
    page.keyboard.press("Escape")
    page.context.set_offline(True)
    page.keyboard.press("a")
    expect(page.locator("#said")).to_contain_text("could not be reached")
    expect(page.locator("#item")).to_have_attribute("data-id", second)
    expect(page.locator("#note")).to_have_value("mind the note")
    page.context.set_offline(False)
    expect(page.locator("html[data-unseen]")).to_have_count(0)  # a key pressed too soon was meant for the next one
    page.keyboard.press("a")
    becomes(service, second, "approved")
    assert decided(service, first)["status"] == "held"


def test_the_last_comment_leads_to_a_word_of_thanks(service: Running, open_page: Callable[..., Page]) -> None:
    (only,) = held(service, "ruff")
    page = open_page(viewport={"width": 390, "height": 844})
    page.goto("/review?q=ruff")
    sign_in(page, service)
    page.locator("#queue .rows a").click()
    expect(page.locator("#item")).to_be_visible()
    expect(page.locator("#queue")).to_be_hidden()
    page.click('button[data-deed="approve"]')
    becomes(service, only, "approved")
    expect(page.locator("#said")).to_contain_text("Approved.")
    expect(page.locator("#queue")).to_contain_text("Nothing matches this filter")
