"""The people of a site: who may do what to whom, invitations, links, sessions; on both databases."""

import re
import threading
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from moderation.domain.lifecycle import Role
from moderation.errors import Conflict, Forbidden, Invalid, ModerationError, NotFound, Unauthorized
from moderation.services import accounts, invitations, people, sign_ins, sites
from moderation.services.accounts import Person as Moderator
from moderation.services.identities import Identity, recognise
from moderation.store.audit import AuditEvent
from moderation.store.people import Invitation, Membership, SignIn
from moderation.store.people import Moderator as Row
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment
from tests.integration.pages import HTML, Person
from tests.services import ABUSE, PASSWORD, a_comment, bearer, make_moderator

DAY = 24 * 3_600_000


@pytest.fixture
def admin(store: Store, site: tuple[str, str]) -> Moderator:
    return make_moderator(store, site[0], "ada@example.org", Role.ADMIN)


@pytest.fixture
def ada(app: Flask, admin: Moderator) -> Person:
    """The admin with a browser, on the page of the people."""
    browser = Person(app.test_client()).sign_in("ada@example.org")
    browser.see("/people")
    return browser


@pytest.fixture
def other(store: Store) -> tuple[str, Moderator]:
    """Another site with an admin of its own."""
    with store.write() as session:
        made, _ = sites.create_site(session, "other")
    return made.id, make_moderator(store, made.id, "eve@example.org", Role.ADMIN)


def link_in(page: str) -> str:
    """The path of the link that a page hands over."""
    found = re.search(r'value="http://localhost(/(?:join|reset)/[^"]+)"', page)
    assert found, page
    return found[1]


def invited(ada: Person, email: str = "bob@example.org", role: str = "moderator") -> str:
    assert ada.send("/people/invite", email=email, role=role).status_code == 303
    return link_in(ada.see("/people").text)


def opened(app: Flask, link: str) -> Person:
    """A browser of its own that has followed a link."""
    browser = Person(app.test_client())
    answer = browser.see(link)
    assert answer.status_code == 303
    browser.see(answer.location)
    return browser


def role_of(store: Store, email: str, site_id: str) -> str | None:
    with store.read() as session:
        person = accounts.with_address(session, email)
        member = session.get(Membership, (person.id, site_id)) if person else None
        return member.role if member else None


def actions(store: Store) -> list[str]:
    with store.read() as session:
        return list(session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))


# Invitations


def test_an_invitation_makes_an_account_once(app: Flask, ada: Person, store: Store, site: tuple[str, str]) -> None:
    link = invited(ada, "Bob@Example.org ", "senior")
    assert link not in ada.see("/people").text  # shown once
    assert "bob@example.org" in ada.see("/people").text
    bob = opened(app, link)
    answer = bob.send("/join", name="  Bob   B. ", password=PASSWORD)
    assert (answer.status_code, answer.location) == (303, "/review")
    assert role_of(store, "bob@example.org", site[0]) == "senior"
    assert "Bob B." in bob.see("/account").text
    late = Person(app.test_client())
    late.see(link)
    page = late.see("/join")
    assert page.status_code == 404
    assert "used already" in page.text
    assert "Open invitations" not in ada.see("/people").text
    assert {"moderator.invited", "moderator.joined", "moderator.signed_in"} <= set(actions(store))


def test_the_secret_is_kept_nowhere_and_leaves_the_address(app: Flask, ada: Person, store: Store,
                                                          caplog: pytest.LogCaptureFixture) -> None:  # fmt: skip
    caplog.set_level("INFO")
    link = invited(ada)
    secret = link.rpartition("/")[2]
    browser = Person(app.test_client())
    answer = browser.see(link)
    assert (answer.status_code, answer.location) == (303, "/join")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    page = browser.see("/join")
    assert secret not in page.text
    browser.send("/join", name="Bob", password=PASSWORD)
    assert "/join/<secret>" in caplog.text
    assert secret not in caplog.text
    with store.read() as session:
        for table in (Invitation, AuditEvent, SignIn, Row):
            for row in session.scalars(select(table)):
                assert secret not in str(vars(row))


def test_opening_a_link_uses_nothing_up(app: Flask, ada: Person) -> None:
    link = invited(ada)
    for _ in range(3):  # as programs that look into letters do
        assert "You are invited" in opened(app, link).see("/join").text
    assert opened(app, link).send("/join", name="Bob", password=PASSWORD).status_code == 303


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": "Bob", "password": "short"}, "at least 10 characters"),
        ({"name": "  ", "password": PASSWORD}, "The name needs"),
        ({"name": "B" * 81, "password": PASSWORD}, "The name needs"),
        ({"name": "B\u202eob", "password": PASSWORD}, "The name needs"),
        ({"name": "Bob", "password": "p" * 1001}, "at most 1000 characters"),
    ],
)
def test_what_does_not_fit_is_said_and_the_link_stays_good(
    app: Flask, ada: Person, fields: dict[str, str], said: str
) -> None:
    bob = opened(app, invited(ada))
    answer = bob.send("/join", **fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert bob.send("/join", name="Bob", password=PASSWORD).status_code == 303


def test_revoked_replaced_old_and_wrong_links_end_kindly(app: Flask, ada: Person, store: Store) -> None:
    first = invited(ada)
    second = invited(ada)  # replaces the first
    with store.read() as session:
        (waiting,) = session.scalars(select(Invitation))
    assert ada.send(f"/people/invitations/{waiting.id}/revoke").status_code == 303
    assert ada.send(f"/people/invitations/{waiting.id}/revoke").status_code == 404
    third = invited(ada)
    with store.write() as session:
        session.execute(update(Invitation).values(expires_at=now_ms() - 1))
    for link, said in ((first, "taken back"), (second, "taken back"), (third, "too old"), ("/join/x", "not complete"),
                       ("/reset/x", "not complete")):  # fmt: skip
        browser = opened(app, link)
        page = browser.see(f"/{link.split('/')[1]}")
        assert page.status_code == 404
        assert said in page.text
        assert browser.send("/join", name="Bob", password=PASSWORD).status_code in (400, 404)
    assert app.test_client().get("/join", headers=HTML).status_code == 404


@pytest.mark.parametrize(
    "email",
    ["", "bob", "@example.org", "bob@", "bob@exa mple.org", "a@x.org, b@x.org", "bob@example.org\r\nBcc: eve@x.org",
     "Bob <bob@example.org>", "b@@example.org", "b" * 65 + "@example.org"],
)  # fmt: skip
def test_only_one_plain_address_can_be_invited(ada: Person, email: str) -> None:
    answer = ada.send("/people/invite", email=email, role="moderator")
    assert answer.status_code == 422
    assert "This is not an e-mail address" in answer.text


def test_a_moderator_of_the_site_is_not_invited_again(ada: Person) -> None:
    answer = ada.send("/people/invite", email="ADA@example.org", role="moderator")
    assert answer.status_code == 409
    assert "is a moderator of the site already" in answer.text
    assert ada.send("/people/invite", email="x@example.org", role="boss").status_code == 422


def together(*deeds: Callable[[], object]) -> list[object]:
    """Does these at the same time; returns what each gave or raised."""
    gate, said = threading.Barrier(len(deeds)), [object()] * len(deeds)

    def run(at: int) -> None:
        gate.wait()
        try:
            said[at] = deeds[at]()
        except ModerationError as error:
            said[at] = error

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said


def test_one_link_used_by_two_at_once_gives_one_account(store: Store, admin: Moderator, site: tuple[str, str]) -> None:
    with store.write() as session:
        _, secret = invitations.invite(session, admin, "bob@example.org", Role.MODERATOR)

    def join() -> Moderator:
        with store.write() as session:
            return invitations.join_new(session, secret, "Bob", "hash")

    said = together(join, join, join, join)
    assert sorted(type(one).__name__ for one in said) == ["NotFound", "NotFound", "NotFound", "Person"]
    with store.read() as session:
        assert len(people.of_site(session, site[0])) == 2


def test_two_links_to_one_address_at_once_give_one_account(
    store: Store, admin: Moderator, other: tuple[str, Moderator]
) -> None:
    with store.write() as session:
        secrets = [invitations.invite(session, one, "bob@example.org", Role.MODERATOR)[1] for one in (admin, other[1])]

    def joining(secret: str) -> Callable[[], Moderator]:
        def join() -> Moderator:
            with store.write() as session:
                return invitations.join_new(session, secret, "Bob", "hash")

        return join

    said = together(*(joining(secret) for secret in secrets))
    assert sorted(type(one).__name__ for one in said) == ["Conflict", "Person"]
    with store.read() as session:  # the loser's link is still good, for the account that there is now
        assert len(session.scalars(select(Row).where(Row.email == "bob@example.org")).all()) == 1
        assert len(session.scalars(select(Invitation).where(Invitation.used_at.is_(None))).all()) == 1


def test_an_account_of_another_site_joins_with_its_password(
    app: Flask, ada: Person, store: Store, other: tuple[str, Moderator], site: tuple[str, str]
) -> None:
    link = invited(ada, "eve@example.org")
    stranger = opened(app, link)
    assert "You have an account here already" in stranger.see("/join").text
    assert stranger.send("/join", name="Not Eve", password="not her password").status_code == 422
    assert role_of(store, "eve@example.org", site[0]) is None
    assert stranger.send("/join", password=PASSWORD).status_code == 303
    assert role_of(store, "eve@example.org", site[0]) == "moderator"
    page = stranger.see("/review").text
    assert 'class="sites"' in page
    assert stranger.send("/site", site=other[0]).status_code == 303
    assert stranger.see("/people").status_code == 200  # an admin there
    assert stranger.send("/site", site=site[0]).status_code == 303
    assert stranger.see("/people").status_code == 403  # and none here
    assert stranger.send("/site", site="f" * 32).status_code == 404


def test_whoever_is_signed_in_joins_as_themselves_only(
    app: Flask, ada: Person, store: Store, other: tuple[str, Moderator], site: tuple[str, str]
) -> None:
    eve = Person(app.test_client()).sign_in("eve@example.org")
    eve.see(invited(ada, "bob@example.org"))
    page = eve.see("/join").text
    assert "You are signed in as eve@example.org" in page
    assert eve.send("/join", name="Bob", password="").status_code == 422
    eve.see(invited(ada, "eve@example.org"))
    assert "Join as eve" in eve.see("/join").text
    assert eve.send("/join").status_code == 303
    assert role_of(store, "eve@example.org", site[0]) == "moderator"


# Roles


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.SENIOR])
def test_only_admins_see_and_change_people(
    app: Flask, store: Store, site: tuple[str, str], admin: Moderator, role: Role
) -> None:
    make_moderator(store, site[0], "bob@example.org", role)
    bob = Person(app.test_client()).sign_in("bob@example.org")
    assert bob.see("/people").status_code == 403
    bob.see("/account")
    assert 'href="/people"' not in bob.see("/account").text
    paths = ["/people/invite", *(f"/people/{admin.id}/{deed}" for deed in ("role", "remove", "sign-out", "reset"))]
    for path in paths:
        answer = bob.send(path, email="x@example.org", role="admin")
        assert answer.status_code == 403, path
    assert role_of(store, "bob@example.org", site[0]) == role


def test_another_sites_people_are_not_there(ada: Person, other: tuple[str, Moderator], store: Store) -> None:
    assert "eve@example.org" not in ada.see("/people").text
    for deed in ("role", "remove", "sign-out", "reset"):
        assert ada.send(f"/people/{other[1].id}/{deed}", role="moderator").status_code == 404
    with store.write() as session:
        made, _ = invitations.invite(session, other[1], "bob@example.org", Role.ADMIN)
    assert ada.send(f"/people/invitations/{made.id}/revoke").status_code == 404
    assert role_of(store, "eve@example.org", other[0]) == "admin"


def test_the_last_admin_stays_one(ada: Person, admin: Moderator, store: Store, site: tuple[str, str]) -> None:
    for deed in ("role", "remove"):
        answer = ada.send(f"/people/{admin.id}/{deed}", role="senior")
        assert answer.status_code == 409
        assert "A site needs an admin" in answer.text
    assert ada.send(f"/people/{admin.id}/role", role="admin").status_code == 303
    make_moderator(store, site[0], "bob@example.org", Role.ADMIN)
    assert ada.send(f"/people/{admin.id}/role", role="senior").status_code == 303
    assert ada.see("/people").status_code == 403  # at once


def test_two_admins_can_not_demote_each_other_at_once(store: Store, admin: Moderator, site: tuple[str, str]) -> None:
    bob = make_moderator(store, site[0], "bob@example.org", Role.ADMIN)

    def demoting(actor: Moderator, target: Moderator) -> Callable[[], Role]:
        def demote() -> Role:
            with store.write() as session:
                return people.set_role(session, site[0], target.id, Role.MODERATOR, actor)

        return demote

    said = together(demoting(admin, bob), demoting(bob, admin))
    assert sorted(type(one).__name__ for one in said) == ["Forbidden", "Role"]
    with store.read() as session:
        assert [one.role for one in people.of_site(session, site[0])].count(Role.ADMIN) == 1


def test_both_admins_leaving_at_once_leave_one(store: Store, admin: Moderator, site: tuple[str, str]) -> None:
    bob = make_moderator(store, site[0], "bob@example.org", Role.ADMIN)

    def leaving(who: Moderator) -> Callable[[], int]:
        def leave() -> int:
            with store.write() as session:
                return people.remove(session, site[0], who.id, who)

        return leave

    said = together(leaving(admin), leaving(bob))
    assert sorted(type(one).__name__ for one in said) == ["Conflict", "int"]


def test_a_removed_person_is_out_at_once_and_what_they_had_is_free(
    app: Flask, ada: Person, store: Store, client: FlaskClient, site: tuple[str, str], work: Callable[[], int]
) -> None:
    bob = make_moderator(store, site[0], "bob@example.org", Role.ADMIN)
    browser = Person(app.test_client()).sign_in("bob@example.org")
    token = a_token(app, "bob@example.org")
    comments = [a_comment(f"c{n}", f"{ABUSE} {n}") for n in range(3)]
    client.post("/v1/comments/batch", json={"comments": comments}, headers=bearer(site[1]))
    work()
    with store.write() as session:
        held = [comment.id for comment in session.scalars(select(Comment).order_by(Comment.id))]
        first, second = (session.get_one(Comment, id) for id in held[:2])
        first.claimed_by, first.claimed_until = bob.id, now_ms() + 60_000
        second.assigned_to = bob.id
        _, secret = invitations.invite(session, bob, "backdoor@example.org", Role.ADMIN)
    answer = ada.send(f"/people/{bob.id}/remove")
    assert answer.status_code == 303
    assert "2 comments are free again" in ada.see("/people").text
    assert browser.see("/review").status_code == 303
    assert browser.see("/account").status_code == 303
    assert app.test_client().get("/v1/review/items", headers=bearer(token)).status_code == 401
    with store.read() as session:
        for id in held:
            comment = session.get_one(Comment, id)
            assert (comment.claimed_by, comment.claimed_until, comment.assigned_to) == (None, None, None)
        with pytest.raises(NotFound):  # a link that they made and kept does not bring them back
            invitations.find(session, secret, "join")
        with pytest.raises(Unauthorized) as refused:
            accounts.check_password(session, "bob@example.org", PASSWORD)
    assert refused.value.code == "no_site"
    browser.see("/login")
    page = browser.send("/login", email="bob@example.org", password=PASSWORD)
    assert (page.status_code, "This account has no site any more" in page.text) == (422, True)
    assert actions(store).count("moderator.removed") == 1


def test_who_left_can_be_invited_again(app: Flask, ada: Person, store: Store, site: tuple[str, str]) -> None:
    bob = make_moderator(store, site[0], "bob@example.org")
    ada.send(f"/people/{bob.id}/remove")
    back = opened(app, invited(ada, "bob@example.org"))
    assert back.send("/join", password=PASSWORD).status_code == 303
    assert role_of(store, "bob@example.org", site[0]) == "moderator"


# Passwords


def test_an_admin_hands_over_a_link_for_a_new_password(
    app: Flask, ada: Person, store: Store, site: tuple[str, str]
) -> None:
    bob = make_moderator(store, site[0], "bob@example.org")
    before = Person(app.test_client()).sign_in("bob@example.org")
    ada.send(f"/people/{bob.id}/reset")
    link = link_in(ada.see("/people").text)
    browser = opened(app, link)
    assert browser.send("/reset", password="short").status_code == 422
    answer = browser.send("/reset", password="another long password")
    assert (answer.status_code, answer.location) == (303, "/login")
    assert "Your password is set" in browser.see("/login").text
    assert before.see("/review").status_code == 303
    assert opened(app, link).see("/reset").status_code == 404
    with store.read() as session:
        assert accounts.check_password(session, "bob@example.org", "another long password").id == bob.id
        with pytest.raises(Unauthorized):
            accounts.check_password(session, "bob@example.org", PASSWORD)


def test_an_admin_sees_no_link_to_an_account_that_others_answer_for_too(
    ada: Person, store: Store, other: tuple[str, Moderator], site: tuple[str, str]
) -> None:
    with store.write() as session:
        people.add_member(session, site[0], other[1].id, Role.MODERATOR)
    answer = ada.send(f"/people/{other[1].id}/reset")
    assert answer.status_code == 409
    assert "may only go to its own address" in answer.text
    assert "/reset/" not in ada.see("/people").text.replace(f"/people/{other[1].id}/reset", "")
    with store.read() as session:
        assert session.scalars(select(Invitation)).all() == []


def test_without_mail_the_forgotten_password_leads_to_an_admin(app: Flask, person: Moderator, store: Store) -> None:
    browser = Person(app.test_client())
    assert "Ask an admin" in browser.see("/forgot").text
    browser.see("/login")
    pages = [browser.send("/forgot", email=email) for email in ("ann@example.org", "nobody@example.org", "", "x\r\ny")]
    assert len({(page.status_code, page.text) for page in pages}) == 1
    with store.read() as session:
        assert session.scalars(select(Invitation)).all() == []


def test_a_new_password_asks_for_the_old_and_ends_the_rest(app: Flask, person: Moderator, store: Store) -> None:
    here, there = (Person(app.test_client()).sign_in() for _ in range(2))
    here.see("/account")
    wrong = here.send("/account/password", old="wrong", password="another long password")
    assert (wrong.status_code, "present password is wrong" in wrong.text) == (422, True)
    short = here.send("/account/password", old=PASSWORD, password="short")
    assert (short.status_code, "at least 10" in short.text) == (422, True)
    assert there.see("/review").status_code != 303
    assert here.send("/account/password", old=PASSWORD, password="another long password").status_code == 303
    assert here.see("/account").status_code == 200
    assert there.see("/review").status_code == 303
    with store.read() as session:
        assert accounts.check_password(session, "ann@example.org", "another long password")


def test_an_old_reset_is_not_used_twice_nor_by_two(store: Store, person: Moderator) -> None:
    with store.write() as session:
        made = invitations.reset_link_for(session, "ann@example.org")
    assert made is not None
    with store.write() as session:
        assert invitations.reset_link_for(session, "ann@example.org") is None  # no second letter this soon
        assert invitations.reset_link_for(session, "nobody@example.org") is None

    def resetting(password: str) -> Callable[[], None]:
        def reset() -> None:
            with store.write() as session:
                invitations.set_password(session, made[1], password)

        return reset

    said = together(resetting("a long password 1"), resetting("a long password 2"))
    assert sorted(type(one).__name__ for one in said) == ["NoneType", "NotFound"]


# Sessions


CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Mobile/15E148 Safari/604.1"


def a_token(app: Flask, email: str = "ann@example.org") -> str:
    answer = app.test_client().post("/v1/auth/tokens", json={"email": email, "password": PASSWORD})
    return str(answer.json["token"])  # type: ignore[index]


def test_own_sessions_are_listed_and_ended(app: Flask, person: Moderator, store: Store) -> None:
    browsers = []
    for agent in (CHROME, IPHONE):
        client = app.test_client()
        client.environ_base["HTTP_USER_AGENT"] = agent
        browsers.append(Person(client).sign_in())
    here, phone = browsers
    token = a_token(app)
    page = here.see("/account").text
    for said in ("Chrome on Linux", "Safari on iOS", "Token for a program", "this one"):
        assert said in page
    with store.read() as session:
        other = session.scalars(select(SignIn).where(SignIn.agent == "Safari on iOS")).one()
    assert here.send(f"/account/sessions/{other.id}/end").status_code == 303
    assert here.send(f"/account/sessions/{other.id}/end").status_code == 404
    assert phone.see("/review").status_code == 303
    assert here.send("/account/sessions/end-others").status_code == 303
    assert here.client.get("/v1/review/count", headers=bearer(token)).status_code == 401
    assert here.see("/account").status_code == 200


def test_nobody_ends_or_sees_anothers_session(
    app: Flask, person: Moderator, store: Store, site: tuple[str, str]
) -> None:
    make_moderator(store, site[0], "bob@example.org")
    ann, bob = Person(app.test_client()).sign_in(), Person(app.test_client()).sign_in("bob@example.org")
    with store.read() as session:
        anns = session.scalars(select(SignIn).where(SignIn.moderator_id == person.id)).one()
    assert anns.id not in bob.see("/account").text
    assert bob.send(f"/account/sessions/{anns.id}/end").status_code == 404
    assert ann.see("/account").status_code == 200


def test_an_admin_signs_somebody_out_everywhere(app: Flask, ada: Person, store: Store, site: tuple[str, str]) -> None:
    bob = make_moderator(store, site[0], "bob@example.org")
    browser = Person(app.test_client()).sign_in("bob@example.org")
    assert ada.send(f"/people/{bob.id}/sign-out").status_code == 303
    assert browser.see("/review").status_code == 303
    browser.sign_in("bob@example.org")  # may come back: they are still of the site


def test_a_token_made_on_the_page_works_and_is_shown_once(app: Flask, person: Moderator) -> None:
    ann = Person(app.test_client()).sign_in()
    ann.see("/account")
    ann.send("/account/tokens")
    shown = re.search(r'id="link" readonly value="([^"]+)"', ann.see("/account").text)
    assert shown
    assert app.test_client().get("/v1/review/count", headers=bearer(shown[1])).status_code == 200
    assert shown[1] not in ann.see("/account").text


def test_a_session_ends_unused_and_in_any_case(app: Flask, person: Moderator, store: Store) -> None:
    ann = Person(app.test_client()).sign_in()
    token = a_token(app)
    with store.write() as session:
        session.execute(update(SignIn).values(seen_at=now_ms() - 4 * 3_600_000 + 60_000))
    assert ann.see("/account").status_code == 200  # just in time, and used again by this
    assert ann.see("/account").status_code == 200
    with store.write() as session:
        session.execute(update(SignIn).values(seen_at=now_ms() - 4 * 3_600_000 - 1))
    assert ann.see("/account").status_code == 303
    assert app.test_client().get("/v1/review/count", headers=bearer(token)).status_code == 200  # a program may rest
    with store.write() as session:
        session.execute(update(SignIn).values(expires_at=now_ms() - 1))
    assert app.test_client().get("/v1/review/count", headers=bearer(token)).status_code == 401


def test_use_is_noted_at_most_once_a_minute(app: Flask, person: Moderator, store: Store) -> None:
    ann = Person(app.test_client()).sign_in()

    def seen() -> int:
        with store.read() as session:
            return session.scalars(select(SignIn.seen_at)).one()

    first = seen()
    ann.see("/account")
    assert seen() == first
    with store.write() as session:
        session.execute(update(SignIn).values(seen_at=now_ms() - 61_000))
    ann.see("/account")
    assert seen() >= first
    with store.read() as session:
        assert session.scalars(select(Membership.seen_at)).one() == seen()


def test_signing_in_again_ends_the_session_that_the_browser_had(app: Flask, person: Moderator, store: Store) -> None:
    ann = Person(app.test_client()).sign_in()
    ann.sign_in()
    with store.read() as session:
        assert len(session.scalars(select(SignIn)).all()) == 1


# Sign-in services


def who(subject: str = "s1", email: str | None = "bob@example.org", issuer: str = "https://id.example") -> Identity:
    return Identity(issuer, subject, email, "Bob Builder")


def test_an_identity_is_known_by_subject_then_by_address_then_by_invitation(
    store: Store, admin: Moderator, site: tuple[str, str]
) -> None:
    with store.write() as session:
        with pytest.raises(Forbidden) as refused:
            recognise(session, who())
        assert refused.value.code == "not_invited"
        _, secret = invitations.invite(session, admin, "bob@example.org", Role.SENIOR)
        with pytest.raises(Forbidden):
            recognise(session, who(email="eve@example.org"), secret)
        bob = recognise(session, who(), secret)
        assert (bob.name, bob.role, bob.site_id) == ("Bob Builder", "senior", site[0])
        assert recognise(session, who(email=None)).id == bob.id  # by subject alone, whatever the address
        assert recognise(session, who(email="new@example.org")).id == bob.id
    make_moderator(store, site[0], "cy@example.org")
    with store.write() as session:
        cy = recognise(session, who("s2", "Cy@example.org"))
        assert cy.email == "cy@example.org"
        assert recognise(session, who("s2", None)).id == cy.id
        for stranger in (who("s3", "cy@example.org"), who("s3", None), who("s2", None, "https://evil.example")):
            with pytest.raises(Forbidden):
                recognise(session, stranger)
        # The operator has moved to another service: the verified address counts again.
        assert recognise(session, who("t1", "cy@example.org", "https://new.example")).id == cy.id


def test_letters_that_only_look_alike_are_another_address(store: Store, site: tuple[str, str]) -> None:
    make_moderator(store, site[0], "kim@example.org")
    with store.write() as session:
        with pytest.raises(Forbidden):
            recognise(session, who("s9", "\u212aim@example.org"))  # the Kelvin sign, a k in lower case
        assert accounts.with_address(session, "\u212aim@example.org") is None
        with pytest.raises((Conflict, Invalid)):
            accounts.create_moderator(session, site[0], "KIM@example.org", PASSWORD, Role.MODERATOR)


def test_sign_ins_end_where_they_are_asked_to(store: Store, person: Moderator, other: tuple[str, Moderator]) -> None:
    with store.write() as session, pytest.raises(NotFound):
        sign_ins.end_all_of(session, other[1], person.id)


# The same for programs


def test_programs_see_and_change_people(
    app: Flask, admin: Moderator, store: Store, site: tuple[str, str], other: tuple[str, Moderator]
) -> None:
    make_moderator(store, site[0], "bob@example.org")
    client, ada, bob = app.test_client(), a_token(app, "ada@example.org"), a_token(app, "bob@example.org")

    def call(method: str, path: str, token: str, body: object = None) -> tuple[int, dict[str, object]]:
        answer = client.open(path, method=method, json=body, headers=bearer(token))
        return answer.status_code, dict(answer.json or {})

    status, listed = call("GET", "/v1/people", ada)
    assert status == 200
    assert [(one["email"], one["role"]) for one in listed["people"]] == [  # type: ignore[attr-defined]
        ("ada@example.org", "admin"), ("bob@example.org", "moderator"),
    ]  # fmt: skip
    for method, path, body in (
        ("GET", "/v1/people", None), ("PUT", "/v1/people", {"email": "ada@example.org", "role": None}),
        ("POST", "/v1/people/invitations", {"email": "x@example.org", "role": "admin"}),
    ):  # fmt: skip
        status, problem = call(method, path, bob, body)
        assert (status, problem["code"]) == (403, "role_needed")
    assert call("PUT", "/v1/people", ada, {"email": "eve@example.org", "role": "moderator"})[0] == 404
    assert call("PUT", "/v1/people", ada, {"email": "ada@example.org", "role": None})[1]["code"] == "last_admin"
    assert call("PUT", "/v1/people", ada, {"email": "bob@example.org", "role": "boss"})[0] == 422
    status, made = call("POST", "/v1/people/invitations", ada, {"email": "cy@example.org", "role": "senior"})
    assert (status, str(made["link"]).startswith("http://localhost/join/")) == (200, True)
    assert len(call("GET", "/v1/auth/sign-ins", bob)[1]["sign_ins"]) == 1  # type: ignore[arg-type]
    assert call("POST", "/v1/auth/sign-ins/end-others", bob)[1] == {"ended": 0}
    assert call("PUT", "/v1/people", ada, {"email": "bob@example.org", "role": None})[0] == 200
    assert call("GET", "/v1/auth/sign-ins", bob)[0] == 401


@pytest.mark.parametrize("path", ["/people/%00/remove", "/account/sessions/%00/end", "/people/invitations/%00/revoke"])
def test_what_no_database_takes_is_not_there(ada: Person, path: str) -> None:
    assert ada.send(path).status_code == 404
    assert ada.send("/site", site="\0").status_code == 404
    assert ada.send("/login", email="\0", password="\0").status_code == 422
