"""The moderators' pages without a browser: who gets in, what is shown, what is refused."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from moderation.config import Settings
from moderation.domain.lifecycle import Role
from moderation.services.accounts import Person as Moderator
from moderation.store.session import Store, new_id
from moderation.store.tables import Comment
from tests.integration.pages import HTML, Person
from tests.services import ABUSE, PASSWORD, Post, a_comment, bearer, make_moderator


def version(store: Store, comment_id: str) -> int:
    with store.read() as session:
        return session.get_one(Comment, comment_id).version


def status(store: Store, comment_id: str) -> str:
    with store.read() as session:
        return session.get_one(Comment, comment_id).status


def test_without_a_session_every_page_leads_to_the_sign_in(client: FlaskClient) -> None:
    answer = client.get("/review?status=any&q=a%26b", headers=HTML)
    assert answer.status_code == 303
    assert answer.location == "/login?next=/review?status%3Dany%26q%3Da%2526b"
    assert client.post("/review/x/approve", headers=HTML).status_code == 400  # no form token
    assert client.get("/review/x", headers=HTML).status_code == 303


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example", "evil", "/a\tb", ""])
def test_sign_in_leads_back_only_here(app: Flask, person: Moderator, target: str) -> None:
    browser = Person(app.test_client())
    browser.see("/login")
    answer = browser.send("/login", email="ann@example.org", password=PASSWORD, next=target)
    assert answer.location == "/review"


def test_sign_in_makes_a_new_session(app: Flask, person: Moderator) -> None:
    browser = Person(app.test_client())
    browser.see("/login")
    planted = browser.token
    answer = browser.send("/login", email="ANN@example.org ", password=PASSWORD, next="/review?sort=oldest")
    assert answer.location == "/review?sort=oldest"
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    browser.see("/review")
    assert browser.token != planted
    browser.token = planted
    assert browser.send("/logout").status_code == 400


def test_a_wrong_password_says_so_beside_the_fields(app: Flask, person: Moderator) -> None:
    browser = Person(app.test_client())
    browser.see("/login")
    answer = browser.send("/login", email="ann@example.org", password="wrong")
    assert answer.status_code == 422
    assert "The e-mail address or the password is wrong" in answer.text
    assert 'value="ann@example.org"' in answer.text
    assert "wrong" not in answer.headers.get("Set-Cookie", "")


def test_signed_out_is_out_also_with_the_old_cookie(ann: Person) -> None:
    cookie = ann.client.get_cookie("moderation")
    assert cookie is not None
    assert ann.send("/logout").location == "/login"
    ann.client.set_cookie("moderation", cookie.value)
    assert ann.client.get("/review", headers=HTML).status_code == 303


def test_secure_cookies_are_a_setting(settings: Settings) -> None:
    from moderation.app import create_app

    app = create_app(settings.model_copy(update={"secure_cookies": True}))
    assert "Secure" in app.test_client().get("/login", base_url="https://localhost").headers["Set-Cookie"]


def test_sign_in_is_limited_by_address_and_says_how_long(settings: Settings, person: Moderator) -> None:
    from moderation.app import create_app

    app = create_app(settings.model_copy(update={"sign_in_rate": "3 per day"}))
    client = app.test_client()
    # Redis is shared by the tests, so the network is one of this test's own. Who has a /64 has all of its addresses.
    network = f"2001:db8:{new_id()[-4:]}"
    here, beside, there = ({"REMOTE_ADDR": f"{network}:{rest}"} for rest in ("1::1", "1::2", "2::1"))
    wrong = {"email": f"{new_id()}@example.org", "password": "x"}  # nor has anybody else tried this account
    tries = [client.post("/v1/auth/tokens", json=wrong, environ_overrides=here) for _ in range(4)]
    assert [answer.status_code for answer in tries] == [401, 401, 401, 429]
    assert 0 < int(tries[-1].headers["Retry-After"]) <= 86_401  # the window, rounded up
    browser = Person(client)
    browser.see("/login")
    page = client.post("/login", data={"csrf_token": browser.token}, headers=HTML, environ_overrides=beside)
    assert (page.status_code, page.mimetype) == (429, "text/html")
    assert "One moment, please" in page.text
    assert client.post("/v1/auth/tokens", json=wrong, environ_overrides=there).status_code == 401


def test_the_item_shows_its_reasons_and_never_its_markup(ann: Person, post: Post) -> None:
    hostile = f'<script>alert(1)</script> {ABUSE} <img src=x onerror=alert(2)> "quoted" \u202e😀'
    page = ann.see(f"/review/{post(body=hostile)}").text
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page
    assert '<mark class="r-' in page
    assert "Held because it" in page
    assert "your limit is 0." in page


def test_html_is_shown_as_text_with_its_reasons(ann: Person, post: Post) -> None:
    page = ann.see(f"/review/{post(body=f'<p>Hello &amp; <b>{ABUSE}</b></p>', format='html')}").text
    shown = page.partition("<blockquote")[2].partition("</blockquote>")[0]
    assert "Hello &amp; " in re.sub(r"<[^>]+>", "", shown)
    assert "&lt;b&gt;" not in shown
    assert "<mark" in shown
    assert "&lt;b&gt;" in page  # the source, escaped


def test_reasons_and_history_stay_after_a_ruling_and_its_undo(ann: Person, post: Post, store: Store) -> None:
    item = post()
    answer = ann.send(f"/review/{item}/reject", version=version(store, item), reason="insult", note="twice today")
    assert answer.status_code == 303
    page = ann.see(f"/review/{item}").text
    for said in ("Held because it", "your limit is", "Rejected by ann: Insult", "twice today", "Rejected."):
        assert said in page
    ann.send("/review/undo")
    page = ann.see(f"/review/{item}").text
    assert "Undone by ann, held again" in page
    assert "your limit is" in page
    assert status(store, item) == "held"


def test_what_did_not_run_is_a_state_of_its_own(
    ann: Person, client: FlaskClient, site: tuple[str, str], store: Store
) -> None:
    from moderation.scoring import Classifier
    from moderation.services import decide

    answer = client.post("/v1/comments", json=a_comment("c1", "Fine."), headers=bearer(site[1]))
    decide.drain(store, Classifier("linear", None, "broken"), "test:2", lease_ms=9_000, until=lambda: True,
                 after_batch=lambda: None)  # fmt: skip
    page = ann.see(f"/review/{answer.json['id']}").text  # type: ignore[index]
    assert "Held because it could not be checked" in page
    assert "did not run" in page


def test_a_stale_version_is_refused_with_who_and_what(ann: Person, app: Flask, post: Post, store: Store,
                                                      site: tuple[str, str]) -> None:  # fmt: skip
    item = post()
    make_moderator(store, site[0], "bob@example.org")
    bob = Person(app.test_client()).sign_in("bob@example.org")
    seen = version(store, item)
    bob.send(f"/review/{item}/approve", version=seen)
    answer = ann.send(f"/review/{item}/reject", version=seen, reason="spam", note="kept <b>")
    assert answer.status_code == 409
    assert "bob approved this comment since you opened it" in answer.text
    assert "kept &lt;b&gt;" in answer.text
    assert status(store, item) == "approved"


def test_another_ones_claim_is_refused_by_name(ann: Person, app: Flask, post: Post, store: Store,
                                               site: tuple[str, str]) -> None:  # fmt: skip
    item = post()
    make_moderator(store, site[0], "bob@example.org")
    bob = Person(app.test_client()).sign_in("bob@example.org")
    assert bob.send(f"/review/{item}/claim").status_code == 303
    answer = ann.send(f"/review/{item}/approve", version=version(store, item))
    assert answer.status_code == 409
    assert "bob has claimed this comment" in answer.text
    assert "bob has it" in ann.see("/review").text
    bob.send(f"/review/{item}/release")
    assert ann.send(f"/review/{item}/approve", version=version(store, item)).status_code == 303


def test_an_escalated_item_waits_for_a_senior_with_its_note(ann: Person, app: Flask, post: Post, store: Store,
                                                            site: tuple[str, str]) -> None:  # fmt: skip
    item = post()
    ann.send(f"/review/{item}/escalate", version=version(store, item), note="is this a threat?")
    refused = ann.send(f"/review/{item}/approve", version=version(store, item))
    assert refused.status_code == 403
    assert "a senior moderator decides" in refused.text
    make_moderator(store, site[0], "sue@example.org", Role.SENIOR)
    sue = Person(app.test_client()).sign_in("sue@example.org")
    page = sue.see("/review?status=escalated").text
    assert "is this a threat?" in page
    assert "your limit is" in page
    assert sue.send(f"/review/{item}/approve", version=version(store, item)).status_code == 303


def test_an_escalation_can_be_undone(ann: Person, post: Post, store: Store) -> None:
    item = post()
    ann.send(f"/review/{item}/escalate", version=version(store, item))
    assert ann.send("/review/undo").status_code == 303
    with store.read() as session:
        comment = session.get_one(Comment, item)
        assert (comment.status, comment.escalated) == ("held", False)


def test_nothing_to_undo_says_so(ann: Person) -> None:
    answer = ann.send("/review/undo")
    assert answer.status_code == 404
    assert "There is nothing to undo" in answer.text


def test_an_undo_never_brings_a_withdrawn_comment_back(
    ann: Person, client: FlaskClient, site: tuple[str, str], post: Post, store: Store
) -> None:
    item = post()
    ann.send(f"/review/{item}/approve", version=version(store, item))
    client.delete(f"/v1/comments/{item}", headers=bearer(site[1]))
    assert ann.send("/review/undo").status_code == 409
    assert status(store, item) == "withdrawn"


def test_an_empty_queue_is_said_warmly(ann: Person) -> None:
    page = ann.see("/review").text
    assert "All done. Thank you." in page
    assert "Nothing matches" in ann.see("/review?q=nothing").text


def test_pages_go_on_by_cursor_and_count_rows(ann: Person, client: FlaskClient, site: tuple[str, str],
                                              work: Callable[[], int]) -> None:  # fmt: skip
    comments = [a_comment(f"c{n}", f"{ABUSE} {n}") for n in range(35)]
    client.post("/v1/comments/batch", json={"comments": comments}, headers=bearer(site[1]))
    work()
    page = ann.see("/review?sort=oldest").text
    assert '<strong id="count">35</strong>' in page
    assert page.count("<li data-id=") == 30
    further = page.partition('rel="next">More')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert ann.see(further).text.count("<li data-id=") == 5


@pytest.mark.parametrize("path", ["/nothing", "/review/nothing", "/review?status=bad", "/review?after=bad"])
def test_errors_are_pages_for_browsers_and_problems_for_programs(ann: Person, path: str) -> None:
    page, program = ann.see(path), ann.client.get(path)
    assert page.status_code in (404, 422)
    assert page.mimetype == "text/html"
    assert '<html lang="en" dir="ltr"' in page.text
    assert program.mimetype == "application/problem+json"


def test_another_sites_items_are_not_there(ann: Person, store: Store, post: Post) -> None:
    from moderation.services import sites

    with store.write() as session:
        other, _ = sites.create_site(session, "other")
    make_moderator(store, other.id, "eve@example.org")
    item = post()
    eve = Person(ann.client.application.test_client()).sign_in("eve@example.org")
    assert eve.see(f"/review/{item}").status_code == 404
    assert eve.send(f"/review/{item}/approve", version=1).status_code == 404
    assert "All done" in eve.see("/review").text


def test_the_docs_page_names_every_operation(client: FlaskClient) -> None:
    page = client.get("/docs").text
    assert "<script" not in page
    for path, operations in client.get("/openapi.json").json["paths"].items():  # type: ignore[index]
        for method in operations:
            assert f"{method.upper()} {path}" in page
