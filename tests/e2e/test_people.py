"""The people of a site in real browsers: invited, joined, promoted, removed; new passwords; sessions; two sites."""

import re
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from moderation.domain.lifecycle import Role
from moderation.services import sites
from moderation.store.session import Store, new_id
from tests.services import PASSWORD, Running, make_moderator

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("people") / "data", env={"MODERATION_SIGN_IN_RATE": "1000 per minute"})
    yield running
    running.stop()


@pytest.fixture
def store(service: Running) -> Iterator[Store]:
    with service.store() as opened:
        yield opened


def sign_in(page: Page, email: str, password: str = PASSWORD, to: str = "/review") -> Page:
    page.goto(f"/login?next={to}")
    page.fill("#email", email)
    page.fill("#password", password)
    page.click('button:has-text("Sign in")')
    expect(page).to_have_url(re.compile(rf"://[^/]+{re.escape(to)}"))  # the way to the sign-in names it as well
    return page


def admin(page: Page, service: Running, to: str = "/people") -> Page:
    return sign_in(page, **service.credentials["moderator"], to=to)


def invited(page: Page, email: str, role: str = "moderator") -> str:
    """The link that the page hands over."""
    page.fill("#email", email)
    page.select_option("#role", role)
    page.click('button:has-text("Invite")')
    expect(page.locator("[role=status]")).to_contain_text(f"Give this link to {email}")
    return page.locator("#link").input_value()


def join(page: Page, link: str, name: str) -> Page:
    page.goto(link)
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    page.click('button:has-text("Join")')
    expect(page).to_have_url(re.compile("/review"))
    return page


def row(page: Page, email: str) -> Locator:
    return page.locator(".people > li", has_text=email)


def test_invited_joined_promoted_removed(service: Running, open_page: Callable[..., Page]) -> None:
    ada = admin(open_page(), service)
    link = invited(ada, "bob@example.org")
    expect(ada.locator(".invitations")).to_contain_text("bob@example.org")
    bob = join(open_page(), link, "Bob")
    assert "join" not in bob.url
    expect(bob.locator(".who")).to_contain_text("Bob")
    bob.goto("/people")
    expect(bob.locator("h1")).to_have_text("Not allowed")

    ada.goto("/people")
    expect(ada.locator(".invitations")).to_have_count(0)
    row(ada, "bob@example.org").locator("select").select_option("admin")
    row(ada, "bob@example.org").locator('button:has-text("Save")').click()
    expect(ada.locator("[role=status]")).to_contain_text("Bob is now: Admin.")
    bob.reload()
    expect(bob.locator("h1")).to_have_text("People")

    row(ada, "bob@example.org").locator("summary").click()
    row(ada, "bob@example.org").locator('button:has-text("Remove")').click()
    expect(ada.locator("[role=status]")).to_contain_text("Bob is no longer here")
    expect(row(ada, "bob@example.org")).to_have_count(0)
    bob.reload()
    expect(bob).to_have_url(re.compile("/login"))
    late = open_page()
    late.goto(link)
    expect(late.locator("h1")).to_have_text("This link leads nowhere any more")


def test_the_same_by_keyboard_alone(service: Running, open_page: Callable[..., Page]) -> None:
    ada = admin(open_page(), service)
    ada.locator("#email").focus()
    ada.keyboard.type("cy@example.org")
    ada.keyboard.press("Tab")
    ada.keyboard.type("Senior")
    ada.keyboard.press("Tab")
    ada.keyboard.press("Enter")
    expect(ada.locator("#link")).to_be_focused()
    cy = open_page()
    cy.goto(ada.locator("#link").input_value())
    expect(cy.locator("#name")).to_be_focused()
    cy.keyboard.type("Cy")
    cy.keyboard.press("Tab")
    cy.keyboard.type(PASSWORD)
    cy.keyboard.press("Enter")
    expect(cy).to_have_url(re.compile("/review"))

    ada.goto("/people")
    ada.locator('select[aria-label="Role of Cy"]').focus()
    ada.keyboard.type("Moderator")
    ada.keyboard.press("Tab")
    expect(ada.locator('button[aria-label="Save the role of Cy"]')).to_be_focused()
    ada.keyboard.press("Enter")
    expect(ada.locator("[role=status]")).to_contain_text("Cy is now: Moderator.")
    ada.locator('summary[aria-label="Change Cy"]').focus()
    ada.keyboard.press("Enter")
    for _ in range(3):
        ada.keyboard.press("Tab")
    expect(ada.locator('button:has-text("Remove Cy")')).to_be_focused()
    ada.keyboard.press("Enter")
    expect(ada.locator("[role=status]")).to_contain_text("Cy is no longer here")


def test_a_new_password_by_link(service: Running, open_page: Callable[..., Page], store: Store) -> None:
    make_moderator(store, service.credentials["site_id"], "dora@example.org")
    dora = sign_in(open_page(), "dora@example.org")
    ada = admin(open_page(), service)
    row(ada, "dora@example.org").locator("summary").click()
    row(ada, "dora@example.org").locator('button:has-text("Make a link")').click()
    expect(ada.locator("#link")).to_be_visible()
    other = open_page()
    other.goto(ada.locator("#link").input_value())
    other.fill("#password", "another long password")
    other.click('button:has-text("Set password")')
    expect(other.locator("[role=status]")).to_contain_text("Your password is set")
    dora.reload()
    expect(dora).to_have_url(re.compile("/login"))
    sign_in(other, "dora@example.org", "another long password")
    ada.reload()
    expect(ada.locator("#link")).to_have_count(0)


def test_sessions_are_seen_and_ended(service: Running, open_page: Callable[..., Page], store: Store) -> None:
    make_moderator(store, service.credentials["site_id"], "emil@example.org")
    here, there = (sign_in(open_page(), "emil@example.org", to="/account") for _ in range(2))
    here.reload()
    expect(here.locator("main")).to_contain_text("Chromium on Linux")
    expect(here.locator(".tag")).to_have_count(1)
    here.locator('button:has-text("End"):not(:has-text("others"))').first.click()
    expect(here.locator("[role=status]")).to_contain_text("Ended.")
    there.reload()
    expect(there).to_have_url(re.compile("/login"))
    here.fill("#old", "not this one")
    here.fill("#password", "another long password")
    here.click('button:has-text("Change password")')
    expect(here.locator("#trouble")).to_contain_text("The present password is wrong.")
    here.fill("#old", PASSWORD)
    here.fill("#password", "another long password")
    here.click('button:has-text("Change password")')
    expect(here.locator("[role=status]")).to_contain_text("Your password is set")
    here.fill("#name", "Emil  E.")
    here.click('button:has-text("Save name")')
    expect(here.locator(".who")).to_contain_text("Emil E.")


def test_two_sites_and_the_way_between(service: Running, open_page: Callable[..., Page], store: Store) -> None:
    name = f"Herald {new_id()[-6:]}"
    with store.write() as session:
        other, _ = sites.create_site(session, name)
    make_moderator(store, other.id, "fay@example.org", Role.ADMIN)
    ada = admin(open_page(), service)
    fay = open_page()
    fay.goto(invited(ada, "fay@example.org"))
    expect(fay.locator("main")).to_contain_text("You have an account here already")
    fay.fill("#password", PASSWORD)
    fay.click('button:has-text("Join")')
    expect(fay.locator(".sites summary")).to_contain_text("site")
    expect(fay.locator('a[href="/people"]')).to_have_count(0)
    fay.locator(".sites summary").focus()
    fay.keyboard.press("Enter")
    fay.keyboard.press("Tab")
    fay.keyboard.press("Enter")
    expect(fay.locator(".sites summary")).to_contain_text(name)
    fay.goto("/people")
    expect(fay.locator(".people")).to_contain_text("fay@example.org")
    expect(fay.locator(".people")).not_to_contain_text(service.credentials["moderator"]["email"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 640, 1280])
def test_axe_finds_nothing_and_nothing_is_too_wide(
    service: Running, open_page: Callable[..., Page], store: Store, scheme: str, width: int
) -> None:
    page = open_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    for path in ("/login", "/forgot", "/join"):
        page.goto(path)
        sound(page)
    admin(page, service)
    invited(page, f"{'x' * 40}-{new_id()[-6:]}@example.org")
    page.locator("details.more summary").first.click()
    sound(page)
    page.click('button[aria-label^="Take back"] >> nth=0')
    link = invited(page, f"gil-{new_id()[-6:]}@example.org")
    page.goto(link)  # signed in as somebody else
    sound(page)
    page.goto("/account")
    page.click('button:has-text("Make a token")')
    expect(page.locator("#link")).to_be_visible()
    sound(page)
    guest = open_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    guest.goto(link)
    sound(guest)
    email = f"hal-{new_id()[-6:]}@example.org"
    make_moderator(store, service.credentials["site_id"], email)
    page.goto("/people")
    row(page, email).locator("summary").click()
    row(page, email).locator('button:has-text("Make a link")').click()
    guest.goto(page.locator("#link").input_value())
    expect(guest.locator("h1")).to_have_text("Set a new password")
    sound(guest)


def sound(page: Page) -> None:
    """No violation that axe knows, no scrolling sideways, nothing too small to hit."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url
    small = page.eval_on_selector_all(
        "button, select, input:not([type=hidden]), summary, .button",
        "all => all.filter(e => e.checkVisibility()).map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])"
        ".filter(([_, box]) => box.height < 24 || box.width < 24).map(([html]) => html)",
    )
    assert small == []
