"""Two people at one queue, each in a browser: claims, rulings and news seen within seconds; notes, blur, threads."""

import json
import re
import socket
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from moderation.domain.lifecycle import Role
from moderation.store.session import new_id, now_ms
from moderation.store.tables import Comment
from tests.browser import pages
from tests.databases import until
from tests.services import ABUSE, PASSWORD, Running, a_comment, make_moderator

pytestmark = pytest.mark.browser

ADMIN = None
LIVE = "html[data-live=on]"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    env = {"MODERATION_SIGN_IN_RATE": "1000 per minute", "MODERATION_SCORER": "linear"}
    running = Running(tmp_path_factory.mktemp("together") / "data", env=env)
    with running.store() as store:
        make_moderator(store, running.credentials["site_id"], "olena@example.org")
        make_moderator(store, running.credentials["site_id"], "sue@example.org", Role.SENIOR)
    yield running
    running.stop()


@pytest.fixture
def open_page(browser: Browser, service: Running) -> Iterator[Callable[..., Page]]:
    """Pages of browsers of their own, signed in and at the desk."""
    with pages(browser, service.base_url) as begin:

        def enter(path: str, email: str | None = ADMIN, **options: Any) -> Page:
            page = begin(**options)
            page.goto(path)
            page.fill("#email", email or service.credentials["moderator"]["email"])
            page.fill("#password", PASSWORD if email else service.credentials["moderator"]["password"])
            page.keyboard.press("Enter")
            scripts = options.get("java_script_enabled", True)
            expect(page.locator("html[data-keys]" if scripts else "#queue")).to_be_attached()
            return page

        yield enter


def held(service: Running, word: str, *bodies: str, **more: Any) -> list[str]:
    ids = []
    for body in bodies or (ABUSE,):
        comment = a_comment(f"{word}-{new_id()}", body=f"{body} {word}", **more)
        answer = service.decided(comment)
        assert answer["status"] == "held", answer
        ids.append(answer["id"])
    return ids


def status(service: Running, comment_id: str) -> str:
    return str(service.call("GET", f"/v1/comments/{comment_id}")[1]["status"])


def row(page: Page, comment_id: str) -> Any:
    return page.locator(f'#queue li[data-id="{comment_id}"]')


def test_the_second_sees_at_once_who_has_it_and_who_decided(service: Running, open_page: Callable[..., Page]) -> None:
    first, second = held(service, "avocet", ABUSE, f"{ABUSE} Fool.")
    ann = open_page("/review?q=avocet&sort=oldest")
    olena = open_page("/review?q=avocet&sort=oldest", "olena@example.org")
    expect(olena.locator(LIVE)).to_be_attached()
    expect(olena.locator("#together")).to_have_text("Admin is looking at it.")
    ann.keyboard.press("c")
    expect(olena.locator("#together")).to_have_text("Admin has it.")
    expect(row(olena, first)).to_contain_text("Admin has it")
    expect(ann.locator("#together")).to_have_text("It is yours.")
    olena.keyboard.press("a")
    expect(olena.locator("#trouble")).to_contain_text("Admin has claimed this comment")
    assert status(service, first) == "held"
    place = row(olena, second).bounding_box()
    ann.keyboard.press("a")
    expect(row(olena, first)).to_contain_text("Admin approved it")
    expect(olena.locator("#together")).to_have_text("Admin approved it.")
    expect(row(olena, first)).to_be_visible()
    expect(olena.locator("#item")).to_have_attribute("data-id", first)
    assert place is not None
    assert row(olena, second).bounding_box()["y"] == place["y"]  # type: ignore[index]
    until(lambda: status(service, first) == "approved")


def test_a_claim_that_runs_out_or_is_given_back_says_so(service: Running, open_page: Callable[..., Page]) -> None:
    (comment,) = held(service, "jacana")
    page = open_page(f"/review/{comment}?q=jacana")
    expect(page.locator(LIVE)).to_be_attached()
    page.keyboard.press("c")
    expect(row(page, comment)).to_contain_text("yours")
    with service.store() as store, store.write() as session:
        session.get_one(Comment, comment).claimed_until = now_ms() - 1
    expect(page.locator("#together")).to_have_text("Your claim has run out. The comment is free again.")
    page.reload()
    page.keyboard.press("c")
    expect(page.locator("#together")).to_have_text("It is yours.")
    expect(row(page, comment)).to_contain_text("yours")
    page.keyboard.press("c")
    expect(page.locator("#together")).to_be_empty()
    expect(row(page, comment)).not_to_contain_text("yours")


def test_both_decide_at_once_and_one_stands(service: Running, open_page: Callable[..., Page]) -> None:
    (comment,) = held(service, "dotterel")
    both = [open_page(f"/review/{comment}?q=dotterel", email) for email in (ADMIN, "olena@example.org")]
    for page in both:
        page.locator(".actions .note summary").click()
        page.fill("#note", "words that must not be lost")
    for page in both:  # neither waits for the other's answer
        page.evaluate("""() => { document.querySelector('[data-deed="approve"]').click(); }""")
    until(lambda: status(service, comment) == "approved", what="one ruling")
    until(lambda: sum(page.locator("#trouble").count() for page in both) == 1, what="the other to be told")
    refused = [page for page in both if page.locator("#trouble").count()]
    expect(refused[0].locator("#trouble")).to_contain_text(re.compile("(Admin|olena) approved this comment since"))
    history = service.call("GET", f"/v1/review/items/{comment}", key=service.token())[1]
    assert history["comment"]["decision"]["source"] == "moderator"


def test_new_comments_come_on_request_and_nothing_jumps(service: Running, open_page: Callable[..., Page]) -> None:
    (first,) = held(service, "phalarope")
    page = open_page("/review?q=phalarope&sort=newest")
    expect(page.locator(LIVE)).to_be_attached()
    rows = page.locator("#queue li[data-id]")
    held(service, "phalarope", ABUSE, ABUSE)
    expect(page.locator("#fresh")).to_have_text("2 new")
    expect(page.locator("#count")).to_have_text("3")
    expect(rows).to_have_count(1)
    expect(page.locator("#item")).to_have_attribute("data-id", first)
    page.click("#fresh")
    expect(rows).to_have_count(3)


def test_a_senior_takes_over_and_the_first_is_told(service: Running, open_page: Callable[..., Page]) -> None:
    (comment,) = held(service, "pratincole")
    olena = open_page(f"/review/{comment}?q=pratincole", "olena@example.org")
    sue = open_page(f"/review/{comment}?q=pratincole", "sue@example.org")
    expect(sue.locator("#take-over")).to_be_hidden()
    olena.keyboard.press("c")
    expect(olena.locator("#said")).to_contain_text("Claimed.")
    expect(sue.locator("#take-over")).to_be_visible()
    olena.keyboard.press(".")
    olena.keyboard.type("half a sentence")
    sue.click("#take-over button")
    expect(sue.locator("#said")).to_contain_text("Taken over from olena")
    expect(olena.locator("#together")).to_have_text("sue has it.")
    expect(olena.locator("#note")).to_have_value("half a sentence")
    expect(olena.locator("#note")).to_be_focused()


def test_an_assigned_comment_is_announced_to_whom_it_is_for(service: Running, open_page: Callable[..., Page]) -> None:
    (comment,) = held(service, "sandgrouse")
    olena = open_page("/review?q=nothing-here", "olena@example.org")
    expect(olena.locator(LIVE)).to_be_attached()
    ann = open_page(f"/review/{comment}?q=sandgrouse")
    ann.keyboard.press("s")
    expect(ann.locator("#assign-to")).to_be_focused()
    ann.keyboard.type("olena")
    ann.keyboard.press("Enter")
    expect(ann.locator("#assign summary")).to_contain_text("Assigned to olena")
    expect(ann.locator("#assign summary")).to_be_focused()
    expect(ann.locator("#said")).to_contain_text("Assigned to olena.")
    expect(ann.locator("#queue .rows [aria-current]")).to_contain_text("for olena")
    expect(olena.locator("#told")).to_contain_text("Admin assigned a comment to you.")
    expect(olena.locator("#waiting")).to_have_text("1 assigned to you")
    olena.locator("#told a").click()
    expect(olena.locator("#item")).to_have_attribute("data-id", comment)


def test_notes_by_keyboard_keep_what_else_was_typed(service: Running, open_page: Callable[..., Page]) -> None:
    (comment,) = held(service, "bustard")
    page = open_page(f"/review/{comment}?q=bustard")
    page.keyboard.press(".")
    page.keyboard.type("for the decision")
    page.keyboard.press("Escape")
    page.locator(".add-note summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("He was warned on Monday.")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#notes li")).to_have_count(1)
    expect(page.locator("#notes li")).to_contain_text("Admin, about this comment")
    expect(page.locator("#said")).to_contain_text("Noted.")
    expect(page.locator(".add-note summary")).to_be_focused()
    expect(page.locator("#note")).to_have_value("for the decision")
    page.locator("#notes li button").press("Enter")
    expect(page.locator("#notes li")).to_have_count(0)


def test_a_blurred_comment_is_shown_by_a_key_and_without_script(service: Running,
                                                                open_page: Callable[..., Page]) -> None:  # fmt: skip
    (comment,) = held(service, "courser", f"{ABUSE} I will kill you.")
    page = open_page(f"/review/{comment}?q=courser", "olena@example.org")
    page.goto("/settings")
    blur = page.locator('[name="blur"][value="severe"]')
    blur.check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto(f"/review/{comment}?q=courser")
    expect(page.locator("html[data-keys]")).to_be_attached()
    expect(page.locator("blockquote.comment")).to_be_hidden()
    expect(page.get_by_text(re.compile("Hidden because it")).first).to_be_visible()
    expect(row(page, comment).locator(".veiled")).to_have_attribute("aria-hidden", "true")
    page.locator("#item-title").focus()
    page.keyboard.press("Enter")
    expect(page.locator("blockquote.comment")).to_be_visible()
    plain = open_page(f"/review/{comment}?q=courser", "olena@example.org", java_script_enabled=False)
    expect(plain.locator("blockquote.comment")).to_be_hidden()
    plain.locator("#veil > summary").click()
    expect(plain.locator("blockquote.comment")).to_be_visible()


def test_working_together_without_script(service: Running, open_page: Callable[..., Page]) -> None:
    (comment,) = held(service, "lapwing")
    olena = open_page(f"/review/{comment}?q=lapwing", "olena@example.org", java_script_enabled=False)
    olena.click('button[data-deed="claim"]')
    sue = open_page(f"/review/{comment}?q=lapwing", "sue@example.org", java_script_enabled=False)
    expect(sue.locator("#together")).to_have_text("olena has it.")
    sue.click("#take-over button")
    expect(sue.locator("#together")).to_have_text("It is yours.")
    sue.locator("#assign summary").click()
    sue.select_option("#assign-to", label="olena")
    sue.click("#assign button")
    expect(sue.locator("#said")).to_contain_text("Assigned to olena.")
    sue.locator(".add-note summary").click()
    sue.fill("#note-text", "Look at the thread.")
    sue.click(".add-note button")
    expect(sue.locator("#notes li")).to_contain_text("sue, about the author")


def test_without_a_stream_the_desk_asks_now_and_then(service: Running, open_page: Callable[..., Page]) -> None:
    (first,) = held(service, "whinchat")
    page = open_page("/review?q=nothing-yet")
    page.context.route("**/review/live?*", lambda route: route.fulfill(status=204))
    page.clock.install()
    page.goto("/review?q=whinchat")
    expect(page.locator("html[data-keys]")).to_be_attached()
    held(service, "whinchat")
    page.clock.fast_forward(16_000)
    expect(page.locator("#fresh")).to_have_text("1 new")
    expect(page.locator(LIVE)).not_to_be_attached()
    expect(page.locator("#item")).to_have_attribute("data-id", first)


def test_word_from_before_an_undo_greys_nothing(service: Running, open_page: Callable[..., Page]) -> None:
    first, second = held(service, "wheatear", ABUSE, ABUSE)
    page = open_page("/review?q=nothing-yet")
    asked: list[Any] = []
    page.context.route(
        "**/review/live?*",
        lambda route: (
            asked.append(route) if re.search("q=wheatear.*once=1", route.request.url) else route.fulfill(status=204)
        ),
    )
    page.clock.install()
    with page.expect_request("**/review/live?*once=1*"):
        page.goto("/review?q=wheatear&sort=oldest")
    page.keyboard.press("a")
    expect(page.locator("#item")).to_have_attribute("data-id", second)
    expect(row(page, first)).to_have_attribute("data-done", "")
    page.keyboard.press("u")
    expect(page.locator("#item")).to_have_attribute("data-id", first)
    expect(row(page, first)).not_to_have_attribute("data-done", "")
    (version,) = (item["version"] for item in service.call("GET", "/v1/review/items?q=wheatear", key=service.token())[1]
                  ["items"] if item["id"] == first)  # fmt: skip

    def tell(version: int) -> None:
        said = {"count": "2", "counted": 0, "new": 0, "fresh": "", "waiting": f"word of {version}", "assigned": None,
                "rows": {first: {"done": "Ann approved it"}}, "versions": {first: version}}  # fmt: skip
        asked.pop(0).fulfill(json=said)
        expect(page.locator("#waiting")).to_have_text(f"word of {version}")

    tell(version - 1)
    expect(row(page, first)).not_to_have_attribute("data-done", "")
    expect(page.locator("#together")).to_have_text("")
    with page.expect_request("**/review/live?*once=1*"):
        page.clock.fast_forward(16_000)
    tell(version + 1)
    expect(row(page, first)).to_have_attribute("data-done", "")


def test_whoever_signs_out_elsewhere_is_told(service: Running, open_page: Callable[..., Page]) -> None:
    held(service, "stonechat")
    page = open_page("/review?q=stonechat", "sue@example.org")
    expect(page.locator(LIVE)).to_be_attached()
    other = page.context.new_page()
    other.goto("/review?q=stonechat")
    other.locator('form[action="/logout"] button').click()
    page.bring_to_front()
    expect(page.locator("#told")).to_contain_text("You are signed out.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_on_a_full_item(service: Running, open_page: Callable[..., Page], scheme: str,
                                          width: int) -> None:  # fmt: skip
    comment = _full_item(service, f"wheatear{scheme}{width}")
    page = open_page(f"/review/{comment}", color_scheme=scheme, viewport={"width": width, "height": 900})
    page.evaluate("document.querySelectorAll('#item details, #context details').forEach(one => { one.open = true; })")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [320, 640])
def test_a_full_item_fits_narrow_screens(service: Running, open_page: Callable[..., Page], width: int) -> None:
    comment = _full_item(service, f"ouzel{width}")
    page = open_page(f"/review/{comment}", viewport={"width": width, "height": 640})
    page.evaluate("document.querySelectorAll('#item details, #context details').forEach(one => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def _full_item(service: Running, word: str) -> str:
    """An edited, escalated, annotated reply in a thread, by an author with a record, claimed by a colleague."""
    author = {"name": "Karl " + "K" * 60, "email": f"{word}@example.org", "url": "https://karl.example/" + "x" * 80}
    root = a_comment(f"{word}-root", body=f"A calm remark. {word}")
    for number in range(3):
        above = f"{word}-{number - 1}" if number else None
        service.decided(root | {"external_id": f"{word}-{number}", "parent_external_id": above})
    for _ in range(2):
        held(service, word, author=author)
    (comment,) = held(
        service, word, f"{ABUSE} {'x' * 90} me@example.org", author=author, parent_external_id=f"{word}-2"
    )
    service.call("PUT", f"/v1/comments/{comment}", {"body": f"{ABUSE} I will kill you. {word}"})
    until(lambda: status(service, comment) == "held")
    above = service.call("GET", f"/v1/comments/{comment}")[1]["external_id"]
    service.decided(root | {"external_id": f"{word}-below", "parent_external_id": above})
    sue = str(service.call("POST", "/v1/auth/tokens", {"email": "sue@example.org", "password": PASSWORD},
                           key=None)[1]["token"])  # fmt: skip
    item = f"/v1/review/items/{comment}"
    service.call("POST", f"{item}/notes", {"about": "author", "text": "Warned. " + "y" * 90}, key=sue)
    seen = service.call("GET", item, key=sue)[1]["version"]
    escalate = {"action": "escalate", "version": seen, "note": "Is this a threat?"}
    assert service.call("POST", f"{item}/actions", escalate, key=sue)[0] == 200
    claim = urllib.request.Request(service.base_url + f"{item}/claim", method="POST",
                                   headers={"Authorization": f"Bearer {sue}"})  # fmt: skip
    with urllib.request.urlopen(claim) as answer:
        assert json.loads(answer.read())["claim"]["by"] == "sue"
    return comment


def test_the_service_stops_cleanly_under_open_streams(start: Callable[..., Running]) -> None:
    """A stream that is cut off by force would end without its last chunk."""
    running = start(env={"MODERATION_SCORER": "linear"})
    cookie = _signed_in(running)
    streams = []
    for _ in range(3):
        connection = HTTPConnection(urlsplit(running.base_url).netloc, timeout=60)
        connection.request("GET", "/review/live", headers={"Cookie": cookie})
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("Content-Type")) == (200, "text/event-stream; charset=utf-8")
        assert answer.readline().startswith(b"retry:")
        streams.append(answer)
    running.stop()
    for answer in streams:
        answer.read()  # raises IncompleteRead when the end is missing
    assert running.process.returncode == 0


def test_a_browser_that_goes_frees_its_place(start: Callable[..., Running]) -> None:
    running = start(env={"MODERATION_SCORER": "linear"})
    cookie = _signed_in(running)

    def opened() -> tuple[int, HTTPConnection]:
        connection = HTTPConnection(urlsplit(running.base_url).netloc, timeout=60)
        connection.request("GET", "/review/live", headers={"Cookie": cookie})
        return connection.getresponse().status, connection

    kept = [opened() for _ in range(3)]
    assert [code for code, _ in kept] == [200, 200, 200]
    assert opened()[0] == 204
    for _, connection in kept:
        assert connection.sock is not None
        connection.sock.shutdown(socket.SHUT_RDWR)
        connection.close()
    until(lambda: opened()[0] == 200, what="the place of a browser that has gone")


def _signed_in(running: Running) -> str:
    """The session cookie of the first moderator."""
    jar = urllib.request.HTTPCookieProcessor()
    opener = urllib.request.build_opener(jar)
    with opener.open(f"{running.base_url}/login") as answer:
        found = re.search(r'name="csrf_token" value="([^"]+)"', answer.read().decode())
    assert found
    fields = running.credentials["moderator"] | {"csrf_token": found[1]}
    opener.open(f"{running.base_url}/login", urllib.parse.urlencode(fields).encode()).close()
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar.cookiejar)
