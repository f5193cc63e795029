"""Deciding fast, by keyboard alone: 200 in a row, own keys, undo, reasons with words, batches, and what goes wrong."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Response, expect
from sqlalchemy import update

from moderation.store.session import new_id
from moderation.store.tables import Event
from tests.browser import pages
from tests.databases import until
from tests.services import ABUSE, PASSWORD, Running, a_comment, make_moderator

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
PEOPLE = ("olena", "kim", "lee", "max", "pat")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    env = {"MODERATION_SIGN_IN_RATE": "1000 per minute", "MODERATION_SCORER": "linear"}
    running = Running(tmp_path_factory.mktemp("fast") / "data", env=env)
    with running.store() as store:
        for name in PEOPLE:
            make_moderator(store, running.credentials["site_id"], f"{name}@example.org")
    yield running
    running.stop()


@pytest.fixture
def open_page(browser: Browser, service: Running) -> Iterator[Open]:
    """Pages of browsers of their own, signed in and at the desk."""
    with pages(browser, service.base_url) as begin:

        def enter(path: str, name: str | None = None, **options: Any) -> Page:
            page = begin(**options)
            page.goto(path)
            page.fill("#email", f"{name}@example.org" if name else service.credentials["moderator"]["email"])
            page.fill("#password", PASSWORD if name else service.credentials["moderator"]["password"])
            page.keyboard.press("Enter")
            desk = path.partition("?")[0].startswith("/review") and path != "/review/done"
            expect(page.locator("html[data-keys]" if desk else ".room")).to_be_attached()
            return page

        yield enter


def held(service: Running, word: str, number: int = 1) -> list[str]:
    """Comments that carry this word and are held, oldest first."""
    comments = [a_comment(f"{word}-{new_id()}", body=f"{ABUSE} {word} {n}") for n in range(number)]
    answer = service.call("POST", "/v1/comments/batch", {"comments": comments})[1]
    ids = [one["id"] for one in answer["results"]]
    until(lambda: all(status(service, id) == "held" for id in (ids[0], ids[-1])), what="the comments to be held")
    return ids


def status(service: Running, comment_id: str) -> str:
    return str(service.call("GET", f"/v1/comments/{comment_id}")[1]["status"])


def become(service: Running, wanted: dict[str, str]) -> None:
    until(lambda: {id: status(service, id) for id in wanted} == wanted, what=str(wanted))


def expect_item(page: Page, comment_id: str) -> None:
    expect(page.locator("#item")).to_have_attribute("data-id", comment_id)


def test_two_hundred_by_keyboard_each_once_and_in_order(service: Running, open_page: Open) -> None:
    ids = held(service, "dunnock", 200)
    page = open_page("/review?q=dunnock&sort=oldest")
    expect(page.locator("#count")).to_have_text("200")
    decided: list[str] = []

    def note(answer: Response) -> None:
        if answer.request.method == "POST" and answer.url.split("?")[0].endswith(("/approve", "/reject")):
            decided.append(answer.url.split("/")[4] if answer.status == 200 else f"refused {answer.url}")

    page.on("response", note)
    for n, id in enumerate(ids):
        expect_item(page, id)
        for key in ("r", "i") if n % 5 == 4 else ("a",):
            page.keyboard.press(key)
        if n < 199:
            expect(page.locator("#said")).to_contain_text(f"{199 - n} left.")
    expect(page.locator("#said")).to_contain_text("0 left.")
    expect(page.locator("#work")).to_contain_text("Nothing matches this filter")
    until(lambda: len(decided) == 200, what="the last answer")
    assert decided == ids
    told = [event for event in feed(service) if event["data"]["id"] in set(ids) and event["type"] != "comment.held"]
    assert [event["data"]["id"] for event in told] == ids
    for n in (0, 4, 199):
        assert status(service, ids[n]) == ("rejected" if n % 5 == 4 else "approved")


def feed(service: Running) -> list[dict[str, Any]]:
    """Everything that the site has heard, once the graces are over."""
    events: list[dict[str, Any]] = []
    after = ""
    with service.store() as store, store.write() as session:
        session.execute(update(Event).where(Event.position.is_(None)).values(release_at=Event.occurred_at))

    def read() -> bool:
        nonlocal after
        page = service.call("GET", f"/v1/events?after={after}&limit=1000")[1]
        events.extend(page["events"])
        after = page["next"]
        return len([event for event in events if event["type"] != "comment.held"]) >= 200

    until(read, what="the events to be released")
    return events


def test_a_key_of_ones_own_works_and_the_old_one_is_silent(service: Running, open_page: Open) -> None:
    first, second = held(service, "siskin", 2)
    page = open_page("/settings", "kim")
    page.get_by_label("Approve", exact=True).fill("y")
    page.get_by_label("Undo your last action").fill("Shift+z")
    page.get_by_role("button", name="Save", exact=True).press("Enter")
    expect(page.get_by_role("status")).to_have_text("Saved.")
    page.goto("/review?q=siskin&sort=oldest")
    expect(page.locator("html[data-keys=on]")).to_be_attached()
    expect(page.locator('.actions [data-deed="approve"]')).to_have_attribute("aria-keyshortcuts", "y")
    page.keyboard.press("a")
    page.keyboard.press("u")
    page.keyboard.press("y")
    expect_item(page, second)
    become(service, {first: "approved", second: "held"})
    page.keyboard.press("Shift+Z")
    expect_item(page, first)
    become(service, {first: "held", second: "held"})
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_contain_text("Shift+Z")


def test_two_actions_on_one_key_are_refused_beside_the_field(service: Running, open_page: Open) -> None:
    page = open_page("/settings", "lee")
    page.get_by_label("Approve", exact=True).fill("e")
    page.get_by_label("Approve", exact=True).press("Enter")
    expect(page.locator("#trouble")).to_contain_text("Nothing was saved")
    expect(page.locator("#wrong-approve")).to_contain_text("is also the key of “Escalate”")
    expect(page.get_by_label("Approve", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Approve", exact=True)).to_have_value("e")


def test_keys_switched_off_are_silent_everywhere(service: Running, open_page: Open) -> None:
    (only,) = held(service, "linnet")
    page = open_page("/review?q=linnet", "max")
    page.keyboard.press("?")
    with page.expect_response("**/settings/keys"):
        page.keyboard.press("Space")  # the dialog opens at its switch
    expect(page.locator("#keys-saved")).to_have_text("Saved.")
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    other = page.context.new_page()
    other.goto("/review?q=linnet")
    expect(other.locator("html[data-keys=off]")).to_be_attached()
    expect(other.locator(".actions .key")).to_have_count(0)
    for key in ("a", "r", "x", "?", "g"):
        other.keyboard.press(key)
    expect(other.locator("#keys")).to_be_hidden()
    assert status(service, only) == "held"


def test_undo_goes_back_three_times(service: Running, open_page: Open) -> None:
    ids = held(service, "brambling", 4)
    page = open_page("/review?q=brambling&sort=oldest", "pat")
    for id in ids[:3]:
        expect_item(page, id)
        page.keyboard.press("a")
    expect_item(page, ids[3])
    become(service, dict.fromkeys(ids[:3], "approved"))
    for id in reversed(ids[:3]):
        page.keyboard.press("u")
        expect_item(page, id)
        expect(page.locator("#said")).to_contain_text("Undone.")
        expect(page.locator("#item-title")).to_be_focused()
    become(service, dict.fromkeys(ids, "held"))
    expect(page.locator("#count")).to_have_text("4")
    expect(page.locator("#queue li[data-done]")).to_have_count(0)
    page.keyboard.press("a")
    expect_item(page, ids[1])
    become(service, {ids[0]: "approved", ids[1]: "held"})
    page.keyboard.press("l")
    expect(page.locator("#done")).to_be_visible()
    expect(page.locator("#done li")).to_have_count(4)
    expect(page.locator("#done li").first.get_by_role("button", name="Undo")).to_be_visible()
    expect(page.locator("#done li").nth(1)).to_contain_text("Undone.")
    page.locator("#done li").first.get_by_role("button", name="Undo").press("Enter")
    expect_item(page, ids[0])
    become(service, {ids[0]: "held"})


def test_rejecting_for_another_reason_asks_for_it_in_place(service: Running, open_page: Open) -> None:
    first, second = held(service, "redpoll", 2)
    page = open_page("/review?q=redpoll&sort=oldest")
    page.keyboard.press("r")
    expect(page.locator(".actions .menu")).to_be_focused()
    expect(page.locator(".actions .menu button").first).to_contain_text("strongest")
    page.keyboard.press("Enter")  # nobody has chosen anything yet
    page.keyboard.press("x")
    expect(page.locator("#other-note")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#other-note")).to_be_focused()
    page.keyboard.type("It names a pupil; ask the school.")
    page.keyboard.press("Enter")
    expect_item(page, second)
    become(service, {first: "rejected", second: "held"})
    decision = service.call("GET", f"/v1/review/items/{first}", key=service.token())[1]["comment"]["decision"]
    assert decision["reasons"][0]["rule"] == "other"


def test_the_key_for_rejecting_twice_takes_the_strongest_reason_if_one_likes(service: Running, open_page: Open) -> None:
    first, second = held(service, "twite", 2)
    page = open_page("/review?q=twite&sort=oldest", "lee")
    page.keyboard.press("r")
    page.keyboard.press("r")
    expect(page.locator(".actions .menu")).to_be_visible()
    page.goto("/settings")
    page.get_by_label("pressed twice").check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto("/review?q=twite&sort=oldest")
    expect(page.locator("html[data-keys=on]")).to_be_attached()
    page.keyboard.press("r")
    expect(page.locator(".actions .menu")).to_be_focused()
    page.keyboard.press("r")
    expect_item(page, second)
    become(service, {first: "rejected", second: "held"})
    decision = service.call("GET", f"/v1/review/items/{first}", key=service.token())[1]["comment"]["decision"]
    assert decision["reasons"][0]["rule"] == "toxicity"


def test_a_batch_is_chosen_decided_and_taken_back_by_keyboard(service: Running, open_page: Open) -> None:
    ids = held(service, "chaffinch", 5)
    page = open_page("/review?q=chaffinch&sort=oldest")
    expect(page.locator("#selection")).to_be_hidden()
    page.keyboard.press("x")
    expect(page.locator("#selected")).to_have_text("1 selected")
    page.keyboard.press("Shift+J")
    expect_item(page, ids[1])
    page.keyboard.press("Shift+J")
    expect_item(page, ids[2])
    expect(page.locator("#selected")).to_have_text("3 selected")
    page.keyboard.press("r")
    expect(page.locator("#selection .menu")).to_be_focused()
    page.keyboard.press("s")
    expect(page.locator("#said")).to_contain_text("Rejected 3 comments. 2 left.")
    expect_item(page, ids[3])
    expect(page.locator("#selection")).to_be_hidden()
    become(service, dict.fromkeys(ids[:3], "rejected") | dict.fromkeys(ids[3:], "held"))
    page.keyboard.press("u")
    expect(page.locator("#said")).to_contain_text("Undone for 3 comments.")
    become(service, dict.fromkeys(ids, "held"))

    def all_chosen() -> bool:
        """The list follows the comment, and for a second word from before the undo may still grey its rows."""
        page.keyboard.press("Escape")
        page.keyboard.press("*")
        return page.locator("#selected").inner_text() == "5 selected"

    until(all_chosen, what="all five chosen")
    page.keyboard.press("Escape")
    expect(page.locator("#selection")).to_be_hidden()


def test_a_batch_by_mouse_where_one_moved_on_is_kept_and_named(service: Running, open_page: Open) -> None:
    ids = held(service, "goldfinch", 4)
    page = open_page("/review?q=goldfinch&sort=oldest")
    boxes = page.locator('#queue input[name="item"]')
    boxes.nth(0).check()
    boxes.nth(2).click(modifiers=["Shift"])
    expect(page.locator("#selected")).to_have_text("3 selected")
    rule(service, ids[1], "approve")
    page.locator('#selection button[value="approve"]').click()
    expect(page.locator("#selection-trouble")).to_contain_text("olena approved this comment since you opened it")
    expect(page.locator("#selection-trouble")).to_be_focused()
    expect(page.locator("#selected")).to_have_text("3 selected")
    become(service, {ids[0]: "held", ids[1]: "approved", ids[2]: "held"})


def rule(service: Running, comment_id: str, action: str) -> None:
    """Somebody else is quicker."""
    credentials = {"email": "olena@example.org", "password": PASSWORD}
    token = str(service.call("POST", "/v1/auth/tokens", credentials, key=None)[1]["token"])
    item = service.call("GET", f"/v1/review/items/{comment_id}", key=token)[1]
    body = {"action": action, "version": item["version"], "reason": "spam"}
    assert service.call("POST", f"/v1/review/items/{comment_id}/actions", body, key=token)[0] == 200


def test_a_decision_that_came_too_late_comes_back_with_its_note(service: Running, open_page: Open) -> None:
    first, second, third = held(service, "bullfinch", 3)
    page = open_page("/review?q=bullfinch&sort=oldest")
    page.keyboard.press("n")
    page.keyboard.type("words that must not be lost")
    page.keyboard.press("Escape")
    rule(service, first, "reject")
    page.keyboard.press("a")
    expect(page.locator("#trouble")).to_contain_text("olena rejected this comment since you opened it")
    expect_item(page, first)
    expect(page.locator("#trouble")).to_be_focused()
    expect(page.locator("#note")).to_have_value("words that must not be lost")
    assert (status(service, first), status(service, second)) == ("rejected", "held")
    page.keyboard.press("j")
    expect_item(page, second)
    page.keyboard.press("a")
    expect_item(page, third)
    become(service, {first: "rejected", second: "approved", third: "held"})


def test_out_of_reach_several_decisions_come_back(service: Running, open_page: Open) -> None:
    ids = held(service, "greenfinch", 4)
    page = open_page("/review?q=greenfinch&sort=oldest")
    kept_ahead(page)
    page.context.set_offline(True)
    page.keyboard.press("a")
    expect(page.locator("#said")).to_contain_text("could not be reached")
    expect_item(page, ids[0])
    expect(page.locator("#count")).to_have_text("4")
    expect(page.locator("#queue li[data-done]")).to_have_count(0)
    page.context.set_offline(False)
    expect(page.locator("html[data-unseen]")).to_have_count(0)  # a key pressed too soon was meant for the next one
    page.keyboard.press("a")
    expect_item(page, ids[1])
    become(service, {ids[0]: "approved", ids[1]: "held"})


def kept_ahead(page: Page) -> None:
    """Waits until the next two comments are here."""
    fetched = "performance.getEntriesByType('resource').map(one => one.name)"
    until(lambda: len([name for name in page.evaluate(fetched) if "/review/" in name and "/live" not in name]) >= 2)


def test_signed_out_meanwhile_what_was_typed_is_there_again(service: Running, open_page: Open) -> None:
    (only,) = held(service, "hawfinch")
    page = open_page(f"/review/{only}?q=hawfinch", "olena")
    page.keyboard.press("n")
    page.keyboard.type("a note that lasts")
    page.keyboard.press("Escape")
    other = page.context.new_page()
    other.goto("/review")
    other.locator('form[action="/logout"] button').click()
    expect(other.locator("#email")).to_be_visible()
    page.bring_to_front()
    page.keyboard.press("a")
    expect(page.locator("#email")).to_be_visible()
    page.fill("#email", "olena@example.org")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    expect_item(page, only)
    expect(page.locator("#note")).to_have_value("a note that lasts")
    assert status(service, only) == "held"


def test_a_second_press_never_decides_what_nobody_saw(service: Running, open_page: Open) -> None:
    ids = held(service, "serin", 3)
    page = open_page("/review?q=serin&sort=oldest")
    page.evaluate("""() => { const press = () => document.querySelector('[data-deed="approve"]').click();
        const button = document.querySelector('[data-deed="approve"]'); button.click(); button.click(); }""")
    expect_item(page, ids[1])
    become(service, {ids[0]: "approved"})
    assert [status(service, id) for id in ids[1:]] == ["held", "held"]


def test_pages_by_two_keys(service: Running, open_page: Open) -> None:
    page = open_page("/review?q=nothing")
    page.keyboard.press("g")
    page.keyboard.press("q")
    page.wait_for_url("**/review")
    page.keyboard.press("/")
    expect(page.locator("#f-q")).to_be_focused()
    page.goto("/authors")
    expect(page.locator("html[data-keys=on]")).to_be_attached()
    page.keyboard.press("g")
    page.keyboard.press("k")
    page.wait_for_url("**/keys")


@pytest.mark.parametrize("width", [390, 768, 1024, 1440])
def test_nothing_lies_on_the_comment(service: Running, open_page: Open, width: int) -> None:
    (one,) = held(service, f"shearwater{width}")
    page = open_page(f"/review/{one}", viewport={"width": width, "height": 768})
    expect_item(page, one)
    item, context = (page.locator(part).bounding_box() for part in ("#item", "#context"))
    assert item
    assert context
    assert item["y"] + item["height"] <= context["y"] or item["x"] + item["width"] <= context["x"]
    parts = page.locator("#item > *:not(.actions)").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).filter(one => one.height).map(one => [one.top, one.bottom])"
    )
    assert all(above[1] <= below[0] for above, below in itertools.pairwise(parts))


def test_a_phone_shows_where_it_is(open_page: Open) -> None:
    page = open_page("/review?q=nothing", viewport={"width": 390, "height": 844})
    page.goto("/audit")
    expect(page.locator(".rooms [aria-current]")).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("link", name="Queue", exact=True)).not_to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing(service: Running, open_page: Open, scheme: str, width: int) -> None:
    (one, _) = held(service, f"crossbill{scheme}{width}", 2)
    page = open_page(f"/review/{one}?sort=oldest", color_scheme=scheme, viewport={"width": width, "height": 900})
    for opening in (
        lambda: page.evaluate("document.querySelector('.actions .reject').open = true"),
        lambda: page.locator("#queue input[name=item]").first.evaluate("one => one.click()"),
        lambda: page.keyboard.press("?"),
    ):
        opening()
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
    for path in ("/settings", "/review/done"):
        page.goto(path)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("path", ["/settings", "/review/done", "/review"])
@pytest.mark.parametrize("width", [320, 640])
def test_nothing_is_wider_than_a_narrow_screen(service: Running, open_page: Open, path: str, width: int) -> None:
    page = open_page(path, viewport={"width": width, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
