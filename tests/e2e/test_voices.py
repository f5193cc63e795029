"""What readers and authors say back, in a real browser: from a report to the letter, from a rejection to the answer."""

import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from moderation.store.session import new_id
from tests.browser import pages
from tests.databases import until
from tests.embedding import NewsSite, news_site
from tests.services import PASSWORD, Running, a_comment, make_moderator

pytestmark = pytest.mark.browser

Begin = Callable[..., Page]
OLENA = "olena@example.org"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    env = {"MODERATION_SIGN_IN_RATE": "1000 per minute", "MODERATION_PUBLIC_RATE": "1000 per minute",
           "MODERATION_GRACE_SECONDS": "0"}  # fmt: skip
    running = Running(tmp_path_factory.mktemp("voices") / "data", env=env)
    with running.store() as store:
        make_moderator(store, running.credentials["site_id"], OLENA)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def news(service: Running) -> Iterator[NewsSite]:
    with news_site(service) as site:
        yield site


@pytest.fixture
def begin(browser: Browser, service: Running) -> Iterator[Begin]:
    """Pages of browsers of their own."""
    with pages(browser, service.base_url) as opened:
        yield opened


def sign_in(page: Page, service: Running, path: str, email: str | None = None) -> None:
    """Opens a page of the workspace, by way of the sign-in."""
    page.goto(path)
    page.fill("#email", email or service.credentials["moderator"]["email"])
    page.fill("#password", PASSWORD if email else service.credentials["moderator"]["password"])
    page.keyboard.press("Enter")
    expect(page.locator("main h1")).to_be_visible()
    page.wait_for_url(f"**{path}*")


def events(service: Running, type: str, comment_id: str) -> list[dict[str, Any]]:
    """What the site has heard of one type about a comment."""
    found, cursor = [], ""
    while page := service.call("GET", f"/v1/events?limit=1000&after={cursor}")[1]:
        found += page["events"]
        if not page["events"]:
            break
        cursor = page["next"]
    about = [(event, event["data"].get("comment", event["data"])["id"]) for event in found if event["type"] == type]
    return [event for event, id in about if id == comment_id]


def shown(news: NewsSite, *bodies: str) -> tuple[str, list[str]]:
    """An article with these approved comments: its path, and the comments' ids, oldest first."""
    path = f"/{new_id()}"
    address = news.page(path)
    news.publish(address, *[(f"c{at}", body, "Olena", None) for at, body in enumerate(bodies)])
    thread = news.service.call("GET", f"/v1/threads?article_url={address}")[1]["comments"]
    return path, [comment["id"] for comment in thread]


def status(service: Running, comment_id: str) -> str:
    return str(service.call("GET", f"/v1/comments/{comment_id}")[1]["status"])


def card(page: Page, text: str) -> Any:
    """The card of the comment with this text."""
    return page.locator(".voice").filter(has_text=text)


def test_from_a_readers_report_to_the_letter(service: Running, news: NewsSite, begin: Begin) -> None:
    word = new_id()
    path, (comment,) = shown(news, f"My neighbour lives in Elm Street 4. {word}")
    reader = begin()
    reader.goto(news.origin + path)
    reader.get_by_role("button", name="Report what Olena wrote").click()
    dialog = reader.get_by_role("dialog", name="Report a comment")
    expect(dialog).to_contain_text("Elm Street 4")
    dialog.get_by_role("button", name="Send report").click()
    expect(dialog.get_by_role("status")).to_have_text("Choose what is wrong with it.")
    dialog.get_by_label("Shows somebody’s personal data").check()
    dialog.get_by_label("What should the editors know?").fill("That is where <b>I</b> live.")
    dialog.get_by_role("button", name="Send report").click()
    expect(dialog.get_by_role("status")).to_have_text("Thank you. The editors will look at this comment.")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)
    assert reader.context.cookies() == []
    assert reader.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    assert status(service, comment) == "approved"

    ann = begin()
    sign_in(ann, service, "/reports")
    mine = card(ann, word)
    expect(mine).to_contain_text("1 report, weight 0.50")
    expect(mine).to_contain_text("That is where <b>I</b> live.")
    expect(mine.get_by_label("Reject because of")).to_have_value("personal_data")
    mine.get_by_role("button", name="Reject").click()
    expect(ann.get_by_role("status")).to_contain_text("Rejected. The reports are closed.")
    expect(card(ann, word)).to_have_count(0)
    assert status(service, comment) == "rejected"
    until(lambda: events(service, "report.closed", comment), what="the letter")
    (told,) = events(service, "report.closed", comment)
    assert told["data"]["report"] | {"id": ""} == {"id": "", "reporter": None, "outcome": "upheld"}
    (rejected,) = events(service, "comment.rejected", comment)
    assert rejected["data"]["statement"]["facts"]["found_by"] == "report"
    reader.reload()
    expect(reader.get_by_text("No comments yet.")).to_be_visible()


def focused(page: Page) -> str:
    """Name or text of what has the focus, inside the comments."""
    return str(page.evaluate(
        "() => { const at = document.querySelector('#comments').shadowRoot.activeElement;"
        " return at && (at.ariaLabel || at.value || at.textContent || at.id) }"
    ))  # fmt: skip


def test_a_report_by_keyboard_alone(service: Running, news: NewsSite, begin: Begin) -> None:
    path, (comment,) = shown(news, "A comment about the river.")
    page = begin()
    page.goto(news.origin + path)
    expect(page.get_by_role("button", name="Report what Olena wrote")).to_be_visible()
    while focused(page) != "Report what Olena wrote":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert focused(page) == "insult"
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert focused(page) == "Report what Olena wrote"
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert focused(page) == "personal_data"
    page.keyboard.press("Tab")
    page.keyboard.type("Please look.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("status")).to_contain_text("Thank you.")
    assert focused(page) == "Close"
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert focused(page) == "Report what Olena wrote"
    listed = service.call("GET", "/v1/review/reports?limit=200", key=service.token())[1]["comments"]
    (mine,) = [one for one in listed if one["id"] == comment]
    assert (mine["reasons"], mine["texts"][0]["text"]) == ({"personal_data": 1}, "Please look.")


def test_what_keeps_a_report_from_being_sent_is_said(service: Running, news: NewsSite, begin: Begin) -> None:
    path, (comment,) = shown(news, "A comment that goes.")
    page = begin()
    page.goto(news.origin + path)
    page.get_by_role("button", name="Report what Olena wrote").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Something else").check()
    page.context.set_offline(True)
    dialog.get_by_role("button", name="Send report").click()
    expect(dialog.get_by_role("status")).to_contain_text("could not be sent just now")
    page.context.set_offline(False)
    service.call("POST", f"/v1/comments/{comment}/site-decision", {"action": "reject"})
    dialog.get_by_role("button", name="Send report").click()
    expect(dialog.get_by_role("status")).to_have_text("This comment is not here any more.")


def report(service: Running, comment: str, *readers: str, text: str | None = None) -> None:
    for reader in readers:
        body = {"reason": "insult", "reporter": {"id": reader}, "text": text}
        assert service.call("POST", f"/v1/comments/{comment}/reports", body)[0] == 202


def test_the_reports_by_keyboard_alone(service: Running, news: NewsSite, begin: Begin) -> None:
    first, second, third = new_id(), new_id(), new_id()
    _, (one, two, three) = shown(news, f"One {first}", f"Two {second}", f"Three {third}")
    report(service, one, "k1", "k2", "k3", "k4", "k5", "k6")
    report(service, two, "k1", "k2", "k3", "k4", "k5")
    report(service, three, "k1", "k2", "k3", "k4")
    page = begin()
    sign_in(page, service, "/reports")
    expect(page.locator("html[data-keys=on]")).to_be_attached()
    expect(page.locator(".voice").first).to_contain_text(first)
    page.keyboard.press("a")  # nothing is decided about a card that nobody is on
    expect(card(page, first)).to_be_focused()
    assert status(service, one) == "held"
    page.keyboard.press("a")  # it was held: approve
    expect(page.get_by_role("status")).to_contain_text("Approved. The reports are closed.")
    expect(card(page, second)).to_be_focused()
    page.keyboard.press("u")
    expect(page.get_by_role("status")).to_contain_text("Undone.")
    expect(card(page, first)).to_be_focused()
    assert status(service, one) == "held"
    page.keyboard.press("j")
    page.keyboard.press("r")
    expect(card(page, second).get_by_label("Reject because of")).to_be_focused()
    page.keyboard.type("Spam")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Rejected.")
    assert (status(service, one), status(service, two)) == ("held", "rejected")
    decision = service.call("GET", f"/v1/comments/{two}")[1]["decision"]
    assert [reason["rule"] for reason in decision["reasons"]] == ["spam"]
    expect(card(page, third)).to_be_focused()
    page.keyboard.press(".")
    expect(card(page, third).get_by_label("Note")).to_be_focused()
    page.keyboard.press("Escape")
    expect(card(page, third)).to_be_focused()
    # The help says what the keys do here; the way to turn them off is the desk's, and off they do nothing.
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    expect(page.locator("#keys")).to_contain_text("Approve or keep up")
    expect(page.locator("#keys")).not_to_contain_text("Escalate")
    page.locator("#keys-on").uncheck()
    expect(page.locator("#keys-saved")).to_have_text("Saved.")
    page.keyboard.press("Escape")
    expect(page.locator("html[data-keys=off]")).to_be_attached()
    page.keyboard.press("a")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_hidden()
    assert status(service, three) == "held"
    page.evaluate("document.querySelector('#keys').showModal()")
    page.locator("#keys-on").check()
    expect(page.locator("#keys-saved")).to_have_text("Saved.")
    page.keyboard.press("Escape")
    card(page, third).focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/review/{three}*")
    expect(page.locator("#item")).to_contain_text("Reported by readers")


def rejected(service: Running, word: str) -> tuple[str, str]:
    """A held comment that the admin has rejected: its id, and its author's page."""
    sent = a_comment(new_id(), body=f"You are a stupid idiot, shut up, you worthless moron. {word}")
    sent["author"] = {"name": "Reader 12", "email": "canary-31@example.org"}
    answer = service.decided(sent)
    assert answer["status"] == "held"
    ruling = {"item_ids": [answer["id"]], "action": "reject", "reason": "insult"}
    assert service.call("POST", "/v1/review/actions", ruling, key=service.token())[0] == 200
    until(lambda: events(service, "comment.rejected", answer["id"]), what="the rejection to be told")
    (told,) = events(service, "comment.rejected", answer["id"])
    return answer["id"], told["data"]["statement"]["url"]


def test_from_a_rejection_to_the_answer(service: Running, begin: Begin) -> None:
    word = new_id()
    comment, address = rejected(service, word)
    author = begin()
    author.goto(address)
    expect(author.get_by_role("heading", name="About your comment")).to_be_visible()
    expect(author.locator("main")).to_contain_text("A program marked it for a closer look; a person made the decision.")
    expect(author.locator("main")).to_contain_text(word)
    author.get_by_label("Why should the decision be changed?").fill("I quoted a play.\nHere is the page.")
    author.get_by_role("button", name="Ask for a second look").click()
    expect(author.locator("#appeal")).to_contain_text("It waits to be read.")
    assert "canary-31" not in author.content()
    assert author.context.cookies() == []

    admin = begin()
    sign_in(admin, service, "/appeals")
    mine = card(admin, word)
    expect(mine).to_contain_text("You rejected this comment yourself; another moderator decides the appeal.")
    expect(mine.get_by_role("button")).to_have_count(0)

    olena = begin()
    sign_in(olena, service, "/appeals", OLENA)
    mine = card(olena, word)
    expect(mine).to_contain_text("I quoted a play.")
    expect(mine).to_contain_text("Rejected by Admin: Insult")
    mine.get_by_role("button", name="The rejection stands").click()
    expect(olena.locator("#trouble")).to_contain_text("Say to the author why the rejection stands.")
    expect(olena.locator("#trouble")).to_be_focused()
    card(olena, word).get_by_label("Answer to the author").fill("You are right, it is from the play.")
    card(olena, word).get_by_role("button", name="Overturn and publish").click()
    expect(olena.get_by_role("status")).to_have_text("Overturned. The comment is published.")
    assert status(service, comment) == "approved"
    author.reload()
    expect(author.locator("main")).to_contain_text("the decision below was changed, and your comment is published")
    expect(author.locator("#appeal")).to_contain_text("You are right, it is from the play.")
    until(lambda: events(service, "appeal.decided", comment), what="the answer to be told")
    (told,) = events(service, "appeal.decided", comment)
    assert told["data"]["appeal"]["outcome"] == "overturn"


def test_an_appeal_by_keyboard_alone(service: Running, begin: Begin) -> None:
    word = new_id()
    comment, address = rejected(service, word)
    author = begin()
    author.goto(address)
    while author.evaluate("document.activeElement.id") != "text":
        author.keyboard.press("Tab")
    author.keyboard.type("I meant the film.")
    author.keyboard.press("Tab")
    author.keyboard.press("Enter")
    expect(author.locator("#appeal")).to_contain_text("I meant the film.")
    olena = begin()
    sign_in(olena, service, "/appeals", OLENA)
    expect(olena.locator("html[data-keys=on]")).to_be_attached()
    olena.keyboard.press("j")
    while not card(olena, word).evaluate("card => card === document.activeElement"):
        olena.keyboard.press("j")
    olena.keyboard.press("r")
    expect(card(olena, word).get_by_label("Answer to the author")).to_be_focused()
    olena.keyboard.type("It was about the person, not about the film.")
    olena.keyboard.press("Escape")
    expect(card(olena, word)).to_be_focused()
    olena.keyboard.press("r")
    expect(olena.get_by_role("status")).to_have_text("The rejection stands. The author reads your answer.")
    assert status(service, comment) == "rejected"
    author.reload()
    expect(author.locator("#appeal")).to_contain_text("It was about the person, not about the film.")


# What is shown and too small to be hit.
SMALL = """all => all.filter(one => one.checkVisibility()).filter(one => {
    const box = one.getBoundingClientRect();
    return box.height < 24 || box.width < 24;
}).map(one => one.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def crowded(service: Running, news: NewsSite) -> tuple[str, str]:
    """Something on every page: path of an article, and a statement with its form."""
    long = "Donaudampfschifffahrtsgesellschaftskapitän" * 6
    path, comments = shown(news, f"{long} شكرا، كان مفيدا.", "A second one.")
    report(service, comments[0], "x1", "x2", "x3", text=long)
    report(service, comments[1], "x1", text="Look at this.")
    _, address = rejected(service, long)
    _, other = rejected(service, new_id())
    token = other.rpartition("/")[2]
    data = urllib.parse.urlencode({"text": long}).encode()
    urllib.request.urlopen(f"{service.base_url}/statement/{token}", data)
    return path, address


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 640, 1280])
def test_the_pages_are_for_everybody(
    service: Running, news: NewsSite, begin: Begin, crowded: tuple[str, str], width: int, scheme: Any
) -> None:
    page = begin(viewport={"width": width, "height": 800}, color_scheme=scheme)
    path, address = crowded

    def look(what: str) -> None:
        found = Axe().run(page, options=None)
        assert found.response["violations"] == [], (what, found.generate_report())
        assert page.evaluate("document.documentElement.scrollWidth") <= width, what
        small = page.eval_on_selector_all("button, select, input:not([type=hidden]), textarea", SMALL)
        assert small == [], what

    sign_in(page, service, "/reports")
    expect(page.locator(".voice").first).to_be_visible()
    look("reports")
    page.goto("/appeals")
    expect(page.locator(".voice").first).to_be_visible()
    look("appeals")
    page.goto(address)
    look("statement")
    page.locator("#text").evaluate("field => field.required = false")
    page.get_by_role("button", name="Ask for a second look").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look("statement with an error")
    page.goto("/statement/nothing")
    look("no statement")
    page.goto(news.origin + path)
    page.get_by_role("button", name="Report what Olena wrote").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_role("button", name="Send report").click()
    look("report")


def test_a_letter_prints_without_its_form(service: Running, begin: Begin, crowded: tuple[str, str]) -> None:
    page = begin()
    page.goto(crowded[1])
    page.emulate_media(media="print")
    expect(page.locator("#text")).to_be_hidden()
    expect(page.get_by_role("heading", name="What was decided, and why")).to_be_visible()


def test_without_script_the_forms_work(service: Running, news: NewsSite, begin: Begin) -> None:
    word = new_id()
    _, (comment,) = shown(news, f"A comment {word}")
    report(service, comment, "s1")
    page = begin(java_script_enabled=False)
    sign_in(page, service, "/reports")
    card(page, word).get_by_role("button", name="Keep it up").click()
    expect(page.get_by_role("status")).to_contain_text("Kept up. The reports are closed.")
    page.get_by_role("button", name="Undo").click()
    expect(card(page, word)).to_be_visible()
    assert status(service, comment) == "approved"
