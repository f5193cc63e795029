"""The audit trail and the dashboard in a real browser: filter, export, spans, tables; by mouse and by keyboard."""

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Download, Page, expect
from sqlalchemy import select

from moderation.store.people import Moderator
from moderation.store.session import now_ms
from tests.databases import until
from tests.past import Past
from tests.services import ABUSE, Running, a_comment

pytestmark = pytest.mark.browser

SPANS = ("24h", "7d", "30d")
PAGES = ("/audit", "/audit?what=comment.rejected", "/dashboard", "/dashboard?span=30d")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A site with a month behind it, and one comment that was rejected through the API."""
    running = Running(tmp_path_factory.mktemp("oversight") / "data", env={"MODERATION_SIGN_IN_RATE": "1000 per minute"})
    with running.store() as store:
        with store.read() as session:
            admin = session.scalars(select(Moderator.id)).one()
        past = Past(running.credentials["site_id"], 8, (admin,))
        now = now_ms()
        for n in range(1500):
            past.comment(now - n * 1_800_000, now)
        with store.write() as session:
            past.write(session)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def rejected(service: Running) -> str:
    """A comment that the admin rejected as an insult."""
    comment = a_comment("oversight-1", ABUSE)
    made = service.decided(comment)
    assert made["status"] == "held", made
    token = service.token()
    item = service.call("GET", f"/v1/review/items/{made['id']}", key=token)[1]
    ruling = {"action": "reject", "version": item["version"], "reason": "insult"}
    assert service.call("POST", f"/v1/review/items/{made['id']}/actions", ruling, key=token)[0] == 200
    return str(made["id"])


@pytest.fixture
def signed_in(open_page: Callable[..., Page], service: Running) -> Callable[..., Page]:
    """Opens a page of a browser that is signed in as the admin."""

    def begin(path: str, **options: object) -> Page:
        page = open_page(**options)
        page.goto(path)
        expect(page.locator("#email")).to_be_focused()
        page.keyboard.type(service.credentials["moderator"]["email"])
        page.keyboard.press("Tab")
        page.keyboard.type(service.credentials["moderator"]["password"])
        page.keyboard.press("Enter")
        expect(page.locator(".rooms a[aria-current]")).to_be_attached()
        return page

    return begin


def saved(download: Download) -> str:
    return Path(download.path()).read_text("utf-8")


def tab_to(page: Page, selector: str) -> None:
    """Presses Tab until this has the focus; a page where that never happens fails."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"no way to {selector} by keyboard")


def test_the_trail_is_filtered_and_exported(service: Running, signed_in: Callable[..., Page], rejected: str) -> None:
    page = signed_in("/audit")
    expect(page.get_by_role("heading", name="Audit", exact=True)).to_be_visible()
    page.get_by_label("Person").select_option(label="Admin")
    page.get_by_label("What").select_option(label="Comment rejected")
    page.get_by_role("button", name="Show").click()
    rows = page.locator(".trail > li")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Admin rejected a comment: Insult")
    with page.expect_download() as exported:
        page.get_by_role("button", name="Export as CSV").click()
    (row,) = csv.DictReader(saved(exported.value).splitlines())
    assert (row["person"], row["action"], row["subject"]) == ("Admin", "comment.rejected", rejected)
    rows.get_by_role("link").click()
    expect(page.locator("#item")).to_have_attribute("data-id", rejected)
    page.goto(f"/audit?about={rejected}")
    expect(rows).to_have_count(3)
    expect(page.get_by_label("Id of a comment")).to_have_value(rejected)
    with page.expect_download() as exported:
        page.get_by_role("button", name="Export as JSON lines").click()
    lines = [json.loads(line) for line in saved(exported.value).splitlines()]
    assert [line["action"] for line in lines] == ["comment.rejected", "comment.held", "comment.received"]
    assert ABUSE not in saved(exported.value)
    page.get_by_role("link", name="Clear all").click()
    expect(rows.first).to_contain_text("Admin exported the audit trail: JSONL")


def test_the_trail_by_keyboard_alone(signed_in: Callable[..., Page], rejected: str) -> None:
    page = signed_in("/audit")
    tab_to(page, "#what")
    page.keyboard.type("Comment rej")
    tab_to(page, "#about")
    page.keyboard.type(rejected)
    page.keyboard.press("Enter")
    rows = page.locator(".trail > li")
    expect(rows).to_have_count(1)
    tab_to(page, "button[value=jsonl]")
    with page.expect_download() as exported:
        page.keyboard.press("Enter")
    assert json.loads(saved(exported.value))["subject"] == rejected
    tab_to(page, ".trail a")
    page.keyboard.press("Enter")
    expect(page.locator("#item")).to_have_attribute("data-id", rejected)


def test_new_events_are_sealed_within_seconds(service: Running, signed_in: Callable[..., Page], rejected: str) -> None:
    page = signed_in(f"/audit?about={rejected}")

    def sealed() -> bool:
        page.reload()
        return page.get_by_text("not sealed yet").count() == 0

    until(sealed, what="the seal")
    expect(page.get_by_text("Sealed up to")).to_be_visible()


def test_the_dashboard_by_mouse(signed_in: Callable[..., Page]) -> None:
    page = signed_in("/dashboard")
    expect(page.get_by_role("link", name="24 hours")).to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="30 days").click()
    expect(page.get_by_role("link", name="30 days")).to_have_attribute("aria-current", "true")
    plot = page.get_by_role("img", name="Into the queue and out of it")
    expect(plot).to_be_visible()
    assert plot.locator("rect").count() > 30
    page.get_by_text("The same as a table").click()
    table = page.locator("#t-flow tbody tr")
    expect(table).to_have_count(30)
    with page.expect_download() as exported:
        page.get_by_role("link", name="Into the queue and out of it as CSV").click()
    held = [int(row["held"]) for row in csv.DictReader(saved(exported.value).splitlines())]
    shown = [int(cell.replace(",", "")) for cell in table.locator("td:nth-of-type(1)").all_inner_texts()]
    assert shown == held
    assert sum(held) > 300
    bars = plot.locator(".hollow rect").all()
    assert len(bars) == sum(number > 0 for number in held)
    tallest = max(bars, key=lambda bar: float(bar.get_attribute("height") or 0))
    assert f"Held {max(held)}" in (tallest.text_content() or "")


def test_the_dashboard_by_keyboard_alone(signed_in: Callable[..., Page]) -> None:
    page = signed_in("/dashboard")
    tab_to(page, ".spans a[href$='7d']")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "true")
    tab_to(page, "summary")
    while page.evaluate("!document.activeElement.closest('.panel')"):
        tab_to(page, "summary")
    page.keyboard.press("Enter")
    expect(page.locator("#t-flow tbody tr")).to_have_count(7)
    expect(page.locator("#t-flow")).to_be_visible()
    tab_to(page, "a[href^='/dashboard/rules.csv']")
    with page.expect_download() as exported:
        page.keyboard.press("Enter")
    assert saved(exported.value).startswith("rule,held,")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_for_everybody(signed_in: Callable[..., Page], rejected: str, scheme: str, width: int) -> None:
    page = signed_in("/audit", color_scheme=scheme, viewport={"width": width, "height": 844})
    for path in PAGES:
        page.goto(path)
        page.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


@pytest.mark.parametrize("width", [320, 640])
def test_no_page_is_wider_than_a_narrow_screen(signed_in: Callable[..., Page], rejected: str, width: int) -> None:
    page = signed_in("/audit", viewport={"width": width, "height": 640})
    for path in PAGES:
        page.goto(path)
        page.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        small = page.eval_on_selector_all(
            "main :is(button, select, input:not([type=hidden]), summary, .button)",
            "all => all.map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])"
            ".filter(([_, box]) => box.height < 24 || box.width < 24).map(([html]) => html)",
        )
        assert small == [], path


def test_the_plot_stands_out_in_forced_colours(signed_in: Callable[..., Page]) -> None:
    page = signed_in("/dashboard?span=30d", forced_colors="active")
    paint = "one => { const s = getComputedStyle(one); return [s.fill, s.stroke] }"
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    solid = page.locator(".plot .solid rect").first.evaluate(paint)
    hollow = page.locator(".plot .hollow rect").first.evaluate(paint)
    assert solid[0] != ground
    assert hollow[1] != ground
    assert solid[0] != hollow[0]
