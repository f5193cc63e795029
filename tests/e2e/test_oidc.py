"""Signing in at a real OpenID Connect provider: in a browser, and with everything that an attacker can change."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from moderation.domain.lifecycle import Role
from moderation.services import accounts, invitations
from moderation.store.session import Store
from tests.browser import pages
from tests.e2e.oidc_provider import CLIENT, Provider, provider, signed_in_at
from tests.services import PASSWORD, Running, make_moderator

pytestmark = [pytest.mark.clients, pytest.mark.node]


@pytest.fixture(scope="module")
def outside() -> Iterator[Provider]:
    with provider() as made:
        yield made


def settings_for(issuer: str, **more: str) -> dict[str, str]:
    return {
        "MODERATION_OIDC_ISSUER": issuer, "MODERATION_OIDC_CLIENT_ID": CLIENT["client_id"],
        "MODERATION_OIDC_CLIENT_SECRET": CLIENT["client_secret"], "MODERATION_OIDC_NAME": "the newsroom's account",
        "MODERATION_SIGN_IN_RATE": "1000 per minute",
    } | more  # fmt: skip


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, outside: Provider) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("oidc") / "data", env=settings_for(outside.issuer))
    outside.accept(f"{running.base_url}/login/oidc/callback")
    with_store(running, lambda store: make_moderator(store, running.credentials["site_id"], "olena@example.org"))
    yield running
    running.stop()


def with_store(running: Running, deed: Callable[[Store], Any]) -> Any:
    with running.store() as store:
        return deed(store)


def subject(running: Running, email: str) -> str | None:
    def read(store: Store) -> str | None:
        with store.read() as session:
            known = accounts.with_address(session, email)
            return known.oidc_subject if known else None

    return with_store(running, read)  # type: ignore[no-any-return]


def sign_in_there(page: Page, login: str) -> None:
    """On the provider's own pages."""
    page.fill('input[name="login"]', login)
    page.fill('input[name="password"]', "any")
    page.click('button[type="submit"]')
    page.click('button:has-text("Continue")')


@pytest.mark.browser
def test_a_known_address_signs_in_and_is_linked(service: Running, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto("/review?sort=newest")
    page.click("text=Sign in with the newsroom's account")
    sign_in_there(page, "olena")
    expect(page).to_have_url(f"{service.base_url}/review?sort=newest")
    page.goto("/account")
    expect(page.locator("main")).to_contain_text("olena@example.org")
    expect(page.locator("main")).to_contain_text("the newsroom's account")
    assert (subject(service, "olena@example.org") or "").endswith(" olena")
    log = service.log.read_text()
    assert "/login/oidc/callback 303" in log
    assert "code=" not in log


@pytest.mark.browser
def test_an_invitation_is_taken_with_the_account_there(service: Running, open_page: Callable[..., Page]) -> None:
    def invite(store: Store) -> str:
        with store.write() as session:
            admin = accounts.check_password(session, **service.credentials["moderator"])
            return invitations.invite(session, admin, "bob@example.org", Role.SENIOR)[1]

    page = open_page()
    page.goto(f"/join/{with_store(service, invite)}")
    expect(page).to_have_url(f"{service.base_url}/join")
    page.click("text=Join with the newsroom's account")
    sign_in_there(page, "bob")
    expect(page).to_have_url(f"{service.base_url}/review")
    page.goto("/account")
    expect(page.locator("#name")).to_have_value("Bob B.")
    expect(page.locator("main")).to_contain_text("Senior")
    expect(page.locator("main")).to_contain_text("You have none: you sign in with the newsroom's account")


@pytest.mark.browser
@pytest.mark.parametrize(
    ("login", "said"),
    [("eve", "has not verified your e-mail address"), ("cy", "an admin must invite you first")],
)
def test_strangers_are_told_what_to_do(
    service: Running, open_page: Callable[..., Page], login: str, said: str
) -> None:  # fmt: skip
    page = open_page()
    page.goto("/login")
    page.click("text=Sign in with the newsroom's account")
    sign_in_there(page, login)
    expect(page.locator("#problem")).to_contain_text(said)
    page.goto("/review")
    assert "/login" in page.url


@pytest.mark.browser
def test_saying_no_there_leads_back_kindly(service: Running, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto("/login")
    page.click("text=Sign in with the newsroom's account")
    page.click("text=Cancel")
    expect(page.locator("#problem")).to_contain_text("was told no")


# What an attacker can change on the way


class Visitor:
    """A browser whose way back from the provider can be held, changed and repeated."""

    def __init__(self, service: Running) -> None:
        self.service, self.browser = service, requests.Session()
        self.callback = f"{service.base_url}/login/oidc/callback"

    def begin(self) -> str:
        """The address at the provider that the service sends this browser to."""
        answer = self.browser.get(f"{self.service.base_url}/login/oidc", allow_redirects=False, timeout=30)
        assert answer.status_code == 302
        return str(answer.headers["Location"])

    def back(self, address: str, login: str = "olena") -> str:
        """Signs in there; the address that leads back, with its code."""
        return signed_in_at(self.browser, address, login, self.callback)

    def arrive(self, address: str) -> requests.Response:
        """Opens the address that leads back."""
        return self.browser.get(address, allow_redirects=False, timeout=30, headers={"Accept": "text/html"})

    def inside(self) -> bool:
        """Whether this browser is signed in."""
        answer = self.browser.get(f"{self.service.base_url}/account", allow_redirects=False, timeout=30)
        return answer.status_code == 200


def changed(address: str, **fields: str | None) -> str:
    """The address with other fields; None leaves one out."""
    parts = urlsplit(address)
    query = {name: value for name, value in (dict(parse_qsl(parts.query)) | fields).items() if value is not None}
    return parts._replace(query=urlencode(query)).geturl()


def field(address: str, name: str) -> str:
    return dict(parse_qsl(urlsplit(address).query))[name]


@pytest.fixture
def ann(service: Running) -> Visitor:
    return Visitor(service)


def test_what_is_asked_for(ann: Visitor) -> None:
    address = ann.begin()
    assert field(address, "response_type") == "code"
    assert field(address, "code_challenge_method") == "S256"
    assert all(len(field(address, name)) >= 20 for name in ("state", "nonce", "code_challenge"))
    assert CLIENT["client_secret"] not in address
    ann.arrive(ann.back(address))
    assert ann.inside()


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "x" * 30}, {"state": None}, {"code": "x" * 40}, {"code": None}, {"iss": "https://evil.example"},
        {"iss": None}, {"error": "server_error", "code": None}, {"state": "", "code": ""},
    ],
)  # fmt: skip
def test_a_changed_answer_is_refused(ann: Visitor, fields: dict[str, str | None]) -> None:
    answer = ann.arrive(changed(ann.back(ann.begin()), **fields))
    assert answer.status_code == 403
    assert 'role="alert"' in answer.text
    assert not ann.inside()


def test_a_changed_nonce_is_refused(ann: Visitor) -> None:
    answer = ann.arrive(ann.back(changed(ann.begin(), nonce="n" * 20)))
    assert answer.status_code == 403
    assert not ann.inside()


def test_a_changed_challenge_is_refused(ann: Visitor) -> None:
    answer = ann.arrive(ann.back(changed(ann.begin(), code_challenge="c" * 43)))
    assert answer.status_code == 403
    assert not ann.inside()


def test_an_answer_works_once(ann: Visitor) -> None:
    back = ann.back(ann.begin())
    assert ann.arrive(back).status_code == 303
    assert ann.arrive(back).status_code == 403


def test_a_code_is_of_no_use_in_another_browser(ann: Visitor, service: Running) -> None:
    back = ann.back(ann.begin())
    thief = Visitor(service)
    assert thief.arrive(back).status_code == 403  # no such state there
    state = field(thief.begin(), "state")
    assert thief.arrive(changed(back, state=state)).status_code == 403  # the state fits, PKCE does not
    assert not thief.inside()
    mine = ann.arrive(back)
    assert (mine.status_code, ann.inside()) in ((303, True), (403, False))  # the provider may end a code that was tried


def test_a_used_code_with_a_new_state_is_refused(ann: Visitor) -> None:
    first = ann.back(ann.begin())
    assert ann.arrive(first).status_code == 303
    ann.browser.post(f"{ann.service.base_url}/logout")  # without its token: stays signed in
    again = ann.begin()
    assert ann.arrive(changed(first, state=field(again, "state"))).status_code == 403


def test_only_one_sign_in_at_a_time_is_remembered(ann: Visitor) -> None:
    first = ann.begin()
    back = ann.back(first)
    ann.begin()
    assert ann.arrive(back).status_code == 403


def test_signing_in_leads_only_to_places_here(ann: Visitor, service: Running) -> None:
    answer = ann.browser.get(f"{service.base_url}/login/oidc?next=https://evil.example/", allow_redirects=False)
    assert ann.arrive(ann.back(answer.headers["Location"])).headers["Location"] == "/review"


# Providers that are not what they should be


@pytest.mark.browser
def test_a_provider_out_of_reach_is_said_clearly_and_passwords_still_work(
    browser: Browser, start: Callable[..., Running]
) -> None:
    with provider() as gone:
        running = start(env=settings_for(gone.issuer))
    with pages(browser, running.base_url) as begin:
        page = begin()
        page.goto("/login")
        page.click("text=Sign in with the newsroom's account")
        expect(page.locator("#problem")).to_contain_text("can't be reached now")
        page.fill("#email", running.credentials["moderator"]["email"])
        page.fill("#password", running.credentials["moderator"]["password"])
        page.click('button:has-text("Sign in")')
        expect(page).to_have_url(re.compile("/review"))
    assert "fault" not in running.log.read_text()


def test_a_provider_that_ends_on_the_way_back_is_no_fault(start: Callable[..., Running]) -> None:
    with provider() as there:
        running = start(env=settings_for(there.issuer))
        there.accept(f"{running.base_url}/login/oidc/callback")
        cy = Visitor(running)
        back = cy.back(cy.begin())
    answer = cy.arrive(back)
    assert answer.status_code == 503
    assert "be reached now" in answer.text
    assert "fault" not in running.log.read_text()


def test_a_provider_that_calls_itself_otherwise_is_refused(start: Callable[..., Running], outside: Provider) -> None:
    running = start(env=settings_for(outside.issuer.replace("127.0.0.1", "localhost")))
    answer = requests.get(f"{running.base_url}/login/oidc", allow_redirects=False, timeout=30)
    assert answer.status_code == 503
    assert "names another issuer" in answer.text


def test_a_client_secret_that_is_refused_is_told_nowhere(start: Callable[..., Running], outside: Provider) -> None:
    wrong = "kanarigeheim"
    running = start(env=settings_for(outside.issuer, MODERATION_OIDC_CLIENT_SECRET=wrong))
    outside.accept(f"{running.base_url}/login/oidc/callback")
    cy = Visitor(running)
    answer = cy.arrive(cy.back(cy.begin()))
    assert answer.status_code == 403
    assert "did not succeed" in answer.text
    log = running.log.read_text()
    assert "OpenID Connect: OAuthError" in log
    assert wrong not in log + answer.text + str(answer.headers)


def test_passwords_can_be_switched_off(start: Callable[..., Running], outside: Provider) -> None:
    running = start(env=settings_for(outside.issuer, MODERATION_PASSWORDS="off"))
    with_store(running, lambda store: make_moderator(store, running.credentials["site_id"], "olena@example.org"))
    outside.accept(f"{running.base_url}/login/oidc/callback")
    olena = Visitor(running)
    page = olena.browser.get(f"{running.base_url}/login", timeout=30).text
    assert 'type="password"' not in page
    assert "/forgot" not in page
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"email": "olena@example.org", "password": PASSWORD, "csrf_token": token}
    assert olena.browser.post(f"{running.base_url}/login", data=form, timeout=30).status_code in (400, 403)
    status, problem = running.call("POST", "/v1/auth/tokens", {"email": "olena@example.org", "password": PASSWORD})
    assert (status, problem["code"]) == (403, "passwords_off")
    assert olena.browser.get(f"{running.base_url}/forgot", timeout=30).status_code == 403
    olena.arrive(olena.back(olena.begin()))
    assert olena.inside()
    assert json.loads((running.folder / "credentials.json").read_text())["site_id"]
