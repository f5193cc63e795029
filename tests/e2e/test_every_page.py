"""Every page of the workspace in a real browser, with hostile words in every field: nothing runs, nothing is cut off,
and axe finds nothing, in light and dark, on a desk and on a phone."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from moderation.app import create_app
from moderation.config import Settings, read_secret
from moderation.domain.lifecycle import Status
from moderation.services import sites
from moderation.store.session import Store
from moderation.store.tables import Comment
from moderation.web.rooms import ROOMS
from tests.browser import pages
from tests.databases import until
from tests.integration.populated import Populated, populate
from tests.services import Running

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

ATTACK = "window.attacked=document.cookie||1"
WORDS = f"\"'><img src=/no onerror={ATTACK}><svg onload={ATTACK}></title></textarea><script>{ATTACK}</script>"
URL = f"javascript:{ATTACK}"
OPEN_TO_ALL = ("/login", "/forgot", "/docs", "/demo", "/nowhere")
# The document of the API has wide tables of its own, in boxes that scroll; the demo is a reader's page, tested apart.
LOOKS = [("light", 1280, 900), ("dark", 390, 844), ("dark", 1280, 900), ("light", 320, 640)]

# Where boxes stand, by name; not where words are whose own direction counts, nor what scrolls in a box of its own.
BOXES = """() => [...document.querySelectorAll(
    "body :is(input, select, textarea, button, summary, h1, h2, h3, section, article, form, ol, ul, dl, p, th, td)"
  )].filter(one => one.checkVisibility() && !one.closest("[dir]:not(html), bdi, .visually-hidden, .rooms, .wide"))
    .map(one => [`${one.tagName} ${one.id} ${one.className}`, one.getBoundingClientRect()])
    .map(([name, box]) => [name, box.left, box.right])"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(
        tmp_path_factory.mktemp("pages") / "data", "--demo", env={"MODERATION_SIGN_IN_RATE": "1000 per minute"}
    )
    yield running
    running.stop()


@pytest.fixture(scope="module")
def hostile(service: Running) -> Populated:
    """The running service's site, on which something of everything has happened."""
    database = f"sqlite:///{service.folder / 'moderation.sqlite3'}"
    app = create_app(Settings(
        database_url=database, redis_url="redis://127.0.0.1:1/0", secret_key=read_secret(service.folder / "secret_key"),
        base_url=service.base_url,
    ))  # fmt: skip
    store = Store(database, pool_size=2)

    def decided() -> bool:
        with store.read() as session:
            return session.query(Comment.id).where(Comment.status == Status.PENDING).first() is None

    def work() -> int:
        until(decided, 60, "all comments decided")
        return 0

    with store.read() as session:
        site_id = sites.find_site(session, None).id
    made = populate(app, store, (site_id, service.credentials["site_key"]), work, WORDS, URL)
    store.close()
    app.extensions["moderation"].store.close()
    return made


def walk(page: Page, service: Running, paths: list[str]) -> Iterator[str]:
    """Signs in and opens these pages one after the other, each once."""
    page.goto("/login")
    page.fill("#email", service.credentials["moderator"]["email"])
    page.fill("#password", service.credentials["moderator"]["password"])
    page.keyboard.press("Enter")
    expect(page.locator(".rooms a[aria-current]")).to_be_attached()
    for path in dict.fromkeys(paths):
        page.goto(path)
        expect(page.locator("h1").first).to_be_attached()
        yield path


@pytest.mark.parametrize(("scheme", "width", "height"), LOOKS)
def test_no_page_runs_what_people_wrote_and_axe_finds_nothing(
    browser: Browser, service: Running, hostile: Populated, scheme: str, width: int, height: int
) -> None:
    with pages(browser, service.base_url) as begin:
        page = begin(color_scheme=scheme, viewport={"width": width, "height": height})
        errors: list[str] = []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("dialog", lambda dialog: errors.append(f"a dialog: {dialog.message}"))
        for path in walk(page, service, [*(room.path for room in ROOMS), *hostile.pages, *OPEN_TO_ALL]):
            assert page.evaluate("window.attacked") is None, path
            found = Axe().run(page)
            errors += [f"{path}: {one['id']} at {one['nodes'][0]['target']}" for one in found.response["violations"]]
            if page.evaluate("document.documentElement.scrollWidth") > width:
                errors.append(f"{path} is wider than the window")
        # That a page is not there is an error to the browser, too.
        assert [error for error in errors if "404" not in error] == []


@pytest.mark.parametrize("width", [1280, 390])
def test_from_right_to_left_every_page_is_its_own_mirror_image(
    browser: Browser, service: Running, hostile: Populated, width: int
) -> None:
    wrong = []
    with pages(browser, service.base_url) as begin:
        page = begin(viewport={"width": width, "height": 900})
        # The document of the API stays as it is, in English; the login page leads on whoever is signed in.
        for path in walk(page, service, [*(room.path for room in ROOMS), *hostile.pages]):
            before = page.evaluate(BOXES)
            page.evaluate("document.documentElement.dir = 'rtl'")
            after = page.evaluate(BOXES)
            assert [name for name, *_ in after] == [name for name, *_ in before]
            assert before, path
            visible = page.evaluate("document.documentElement.clientWidth")
            wrong += [
                f"{path}: {name} at {left:.0f} to {right:.0f}, not {visible - end:.0f} to {visible - start:.0f}"
                for (name, start, end), (_, left, right) in zip(before, after, strict=True)
                if max(abs(visible - end - left), abs(visible - start - right)) > 2
            ]
            assert page.evaluate("document.documentElement.scrollWidth") == visible, path
    assert wrong == []
