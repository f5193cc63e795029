"""An author is shown what is kept and is erased, by the API and by an admin; an erasure that was killed goes on."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from moderation.domain.lifecycle import Role
from moderation.services import erasure, sites
from moderation.store.privacy import Erasing
from moderation.store.session import Store
from moderation.store.tables import Comment, Event
from tests.databases import until
from tests.integration.pages import Person
from tests.services import ABUSE, a_comment, bearer, make_moderator

Site = tuple[str, str]
SECRET = "k" * 32
EMAIL = "zebrafinch@example.org"


def send(client: FlaskClient, site: Site, external_id: str, body: str, **author: Any) -> None:
    who = {"name": "Zebrafinch", "email": EMAIL} | author
    answer = client.post("/v1/comments", json=a_comment(external_id, body, author=who), headers=bearer(site[1]))
    assert answer.status_code == 202


@pytest.fixture
def lived(client: FlaskClient, site: Site, work: Callable[[], int]) -> None:
    send(client, site, "fine", "A fair point.")
    send(client, site, "rude", ABUSE)
    send(client, site, "other", "Something else.", email="ann@example.org", name="Ann")
    work()


def bodies(store: Store) -> dict[str, str]:
    with store.read() as session:
        return {row[0]: row[1] for row in session.execute(select(Comment.external_id, Comment.body))}


def test_a_site_asks_for_an_author_and_erases_them(
    client: FlaskClient, site: Site, store: Store, lived: None, work: Callable[[], int]
) -> None:
    key = bearer(site[1])
    found = client.post("/v1/authors/export", json={"email": EMAIL.upper()}, headers=key)
    assert (found.status_code, found.mimetype) == (200, "application/json")
    kept = found.get_json()
    assert [one["external_id"] for one in kept["comments"]] == ["fine", "rude"]
    assert "comment.received" in [one["action"] for one in kept["comments"][0]["audit"]]
    assert "ann@example.org" not in found.text
    done = client.post("/v1/authors/erase", json={"email": EMAIL}, headers=key)
    assert (done.status_code, done.get_json()) == (200, {"comments": 2, "done": True})
    assert client.post("/v1/authors/export", json={"email": EMAIL}, headers=key).status_code == 404
    assert client.post("/v1/authors/erase", json={"email": EMAIL}, headers=key).status_code == 404
    assert bodies(store) == {"fine": "", "rude": "", "other": "Something else."}
    again = client.post("/v1/comments", json=a_comment("fine", "A fair point.", author={"name": "Z", "email": EMAIL}),
                        headers=key)  # fmt: skip
    assert (again.status_code, again.get_json()["code"]) == (409, "external_id_reused")
    send(client, site, "later", "I am back.")  # who comes back is a new author
    work()
    assert bodies(store)["later"] == "I am back."
    assert not erasure.resume(store, [SECRET], seconds=60)
    assert bodies(store)["later"] == "I am back."


def test_who_may_ask_and_how(client: FlaskClient, site: Site, store: Store, lived: None) -> None:
    for way in ("export", "erase"):
        path = f"/v1/authors/{way}"
        for body in ({}, {"email": EMAIL, "author_id": "7"}, {"author_id": ""}, {"email": "no address"}):
            answer = client.post(path, json=body, headers=bearer(site[1]))
            assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid_field")
        assert client.post(path, json={"email": EMAIL}).status_code == 401
        with store.write() as session:
            scorer = sites.create_key(session, site[0], ("score",))
            _, strange = sites.create_site(session, f"other {way}")
        assert client.post(path, json={"email": EMAIL}, headers=bearer(scorer)).status_code == 403
        assert client.post(path, json={"email": EMAIL}, headers=bearer(strange)).status_code == 404
    assert "" not in bodies(store).values()


def test_an_admin_sees_and_erases_on_the_authors_page(app: Flask, site: Site, store: Store, lived: None) -> None:
    make_moderator(store, site[0], "admin@example.org", Role.ADMIN)
    make_moderator(store, site[0], "senior@example.org", Role.SENIOR)
    admin, senior = (Person(app.test_client()).sign_in(f"{who}@example.org") for who in ("admin", "senior"))
    with store.read() as session:
        key = session.scalar(select(Comment.author_key).where(Comment.external_id == "fine"))
    assert "Erase the author" not in senior.see(f"/authors/{key}").text
    assert senior.see(f"/authors/{key}/export").status_code == 403
    assert senior.send(f"/authors/{key}/erase", sure="1").status_code == 403
    assert "Erase the author" in admin.see(f"/authors/{key}").text
    kept = admin.see(f"/authors/{key}/export")
    assert kept.headers["Content-Disposition"] == "attachment; filename=author.json"
    assert [one["external_id"] for one in kept.get_json()["comments"]] == ["fine", "rude"]
    assert admin.send(f"/authors/{key}/erase").status_code == 422
    assert bodies(store)["fine"] == "A fair point."
    assert admin.send(f"/authors/{key}/erase", sure="1").status_code == 303
    assert "The author is erased, with 2 comments." in admin.see("/authors").text
    assert bodies(store) == {"fine": "", "rude": "", "other": "Something else."}
    assert admin.see(f"/authors/{key}").status_code == 404


_SLOWLY = """
import os, signal, sys
from moderation.services import erasure
from moderation.store.session import Store
erasure._AT_ONCE = 1
store = Store(os.environ["MODERATION_DATABASE_URL"])
with store.read() as session:
    author = erasure.find_author(session, sys.argv[1], email=sys.argv[2])
whole = erasure._slice
def slice_then_hang(*given, **more):
    done = whole(*given, **more)
    if slice_then_hang.calls:
        print("in the second slice", flush=True)
        signal.pause()
    slice_then_hang.calls += 1
    return done
slice_then_hang.calls = 0
erasure._slice = slice_then_hang
erasure.begin(store, ["k" * 32], author)
"""


def test_an_erasure_that_was_killed_is_ended_by_the_sweep(
    site: Site, store: Store, lived: None, database_url: str
) -> None:
    environ = os.environ | {"MODERATION_DATABASE_URL": database_url}
    process = subprocess.Popen(
        [sys.executable, "-c", _SLOWLY, site[0], EMAIL], env=environ, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "in the second slice\n"
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    texts = bodies(store)  # the first slice is done, the second was in a transaction
    assert sorted(texts.values()) == sorted(["", ABUSE, "Something else."])
    # PostgreSQL notices after a moment that whoever held the row is gone.
    until(lambda: not erasure.resume(store, [SECRET], seconds=60), what="the rest to be done")
    assert bodies(store) == {"fine": "", "rude": "", "other": "Something else."}
    with store.read() as session:
        gone = select(func.count()).where(Event.type == "comment.withdrawn")
        assert session.scalar(gone) == 2
        assert session.scalars(select(Erasing)).all() == []
