"""Signing in under attack: wrong passwords slow an account down but lock nobody out; cookies over https."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from moderation import back_off
from moderation.app import create_app
from moderation.config import Settings
from moderation.limits import limiter
from moderation.services.accounts import Person as Moderator
from moderation.store.audit import AuditEvent
from moderation.store.session import Store
from tests.integration.pages import HTML, Person
from tests.services import PASSWORD, make_moderator

Guess = Callable[..., TestResponse]
pytestmark = pytest.mark.usefixtures("app")  # which forgets the wrong passwords of the test before


@pytest.fixture(autouse=True)
def _waits_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """None ends while a test looks at it."""
    monkeypatch.setattr(back_off, "_FIRST_WAIT", 1_000)
    monkeypatch.setattr(back_off, "LONGEST_WAIT", 9_000)
    back_off._memory.reset()


def test_the_waits_that_ship(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    waits = [back_off._pause(failures) for failures in range(back_off.FREE, back_off.FREE + 9)]
    assert waits == [4, 8, 16, 32, 64, 128, 256, 512, 600]
    assert back_off._pause(10**9) == 600


@pytest.fixture
def guess(app: Flask) -> Guess:
    """A try to get a token from a browser that was never here."""

    def send(email: str = "ann@example.org", password: str = "wrong wrong") -> TestResponse:
        return app.test_client().post("/v1/auth/tokens", json={"email": email, "password": password})

    return send


def wait_over(app: Flask, email: str = "ann@example.org") -> None:
    """As if the time had passed."""
    with app.test_request_context():
        limiter.storage.clear(back_off._turn(back_off._account(email)))


def test_the_wait_grows_up_to_a_limit_and_tells_nothing(app: Flask, guess: Guess, person: Moderator) -> None:
    told: dict[str, list[int]] = {}
    for email in ("ann@example.org", "nobody@example.org", "no address"):
        assert [guess(email).status_code for _ in range(back_off.FREE)] == [401] * back_off.FREE
        for _ in range(5):
            refused = guess(email)
            assert (refused.status_code, refused.get_json()["code"]) == (429, "too_many_tries")
            assert refused.get_json()["retry_after"] == int(refused.headers["Retry-After"])
            told.setdefault(email, []).append(int(refused.headers["Retry-After"]))
            assert guess(email, PASSWORD).status_code == 429, "not even the right one is looked at"
            wait_over(app, email)
            assert guess(email).status_code == 401
    for waits in told.values():
        for wait, full in zip(waits, [1_000, 2_000, 4_000, 8_000, 9_000], strict=True):
            assert full - 500 < wait <= full + 1
    wait_over(app)
    assert guess(" ANN@example.org ", PASSWORD).status_code == 200, "whoever waited gets in"
    assert [guess().status_code for _ in range(back_off.FREE)] == [401] * back_off.FREE, "and it begins anew"


def test_one_try_a_wait_however_many_come_at_once(app: Flask, guess: Guess, person: Moderator) -> None:
    for _ in range(back_off.FREE):
        guess()
    wait_over(app)
    assert sorted(guess().status_code for _ in range(6)) == [401] + [429] * 5


def test_all_web_processes_count_together_and_each_for_itself_without_redis(
    settings: Settings, guess: Guess, person: Moderator
) -> None:
    for _ in range(back_off.FREE):
        guess()
    other = create_app(settings)  # as another process has it
    answer = other.test_client().post("/v1/auth/tokens", json={"email": "ann@example.org", "password": PASSWORD})
    assert answer.status_code == 429
    alone = create_app(settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}))
    wrong = {"email": "ann@example.org", "password": "wrong wrong"}
    answers = [alone.test_client().post("/v1/auth/tokens", json=wrong) for _ in range(back_off.FREE + 1)]
    assert [answer.status_code for answer in answers] == [401] * back_off.FREE + [429]


def test_a_browser_that_was_here_before_is_not_slowed(
    app: Flask, guess: Guess, ann: Person, store: Store, site: tuple[str, str]
) -> None:
    make_moderator(store, site[0], "bob@example.org")
    ann.send("/logout")
    for email in ("ann@example.org", "bob@example.org"):
        for _ in range(back_off.FREE):
            guess(email)
    ann.see("/login")
    assert ann.send("/login", email="bob@example.org", password=PASSWORD).status_code == 429, "it is ann's browser"
    for _ in range(back_off.FREE):
        assert ann.send("/login", email="ann@example.org", password="wrong wrong").status_code == 422
    refused = ann.send("/login", email="ann@example.org", password=PASSWORD)
    assert refused.status_code == 429, "it is counted too, by itself"
    assert f"wait {refused.headers['Retry-After']} seconds" in refused.text
    fresh = Person(app.test_client())
    fresh.client.set_cookie("moderation-device", "forged")
    fresh.see("/login")
    assert fresh.send("/login", email="ann@example.org", password=PASSWORD).status_code == 429


def test_others_wrong_passwords_never_lock_out_a_known_browser(guess: Guess, ann: Person) -> None:
    ann.send("/logout")
    for _ in range(back_off.FREE + 3):
        guess()
    ann.see("/login")
    assert ann.send("/login", email="ann@example.org", password=PASSWORD).status_code == 303
    assert guess().status_code == 429, "which does not let the others go on"


def test_it_is_in_the_audit_once_and_without_the_address(guess: Guess, store: Store, person: Moderator) -> None:
    for email in ("ann@example.org", "nobody@example.org"):
        for _ in range(back_off.FREE + 3):
            guess(email)
    with store.read() as session:
        rows = session.scalars(select(AuditEvent).where(AuditEvent.action == "moderator.sign_in_slowed")).all()
    assert [(row.site_id, row.subject_id, row.actor, row.data) for row in sorted(rows, key=lambda row: row.id)] == [
        (person.site_id, person.id, None, {}), (None, None, None, {}),
    ]  # fmt: skip


def cookies(answer: TestResponse) -> dict[str, str]:
    return {line.partition("=")[0]: line for line in answer.headers.getlist("Set-Cookie")}


@pytest.mark.parametrize(
    ("changes", "address", "prefix"),
    [
        ({"base_url": "https://desk.example"}, "https://desk.example", "__Host-"),
        ({"secure_cookies": True}, "https://localhost", "__Host-"),
        ({}, "http://localhost", ""),
    ],
    ids=["https", "the setting", "http"],
)  # fmt: skip
def test_cookies_are_bound_to_the_host_where_the_service_is_on_https(
    settings: Settings, person: Moderator, changes: dict[str, object], address: str, prefix: str
) -> None:
    client = create_app(settings.model_copy(update=changes)).test_client()
    page = client.get("/login", base_url=address, headers=HTML)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token
    form = {"csrf_token": token[1], "email": "ann@example.org", "password": PASSWORD}
    answer = client.post("/login", base_url=address, data=form, headers=HTML | {"Referer": f"{address}/login"})
    assert answer.status_code == 303
    given = cookies(answer)
    assert set(given) == {f"{prefix}moderation", f"{prefix}moderation-device"}
    for line in given.values():
        parts = {part.strip().lower() for part in line.split(";")[1:]}
        assert {"httponly", "path=/", "samesite=lax"} <= parts
        assert not any(part.startswith("domain") for part in parts)
        assert ("secure" in parts) is bool(prefix)
    assert client.get("/review", base_url=address, headers=HTML).status_code == 200


def test_a_plain_cookie_opens_nothing_over_https(settings: Settings, client: FlaskClient, ann: Person) -> None:
    plain = ann.client.get_cookie("moderation")
    assert plain is not None
    there = create_app(settings.model_copy(update={"base_url": "https://desk.example"})).test_client()
    there.set_cookie("moderation", plain.value, domain="desk.example")
    assert there.get("/review", base_url="https://desk.example", headers=HTML).status_code == 303
