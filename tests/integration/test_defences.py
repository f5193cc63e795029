"""Defences that no other test would miss: each of these fails when its defence is taken away (SECURITY.md)."""

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from moderation.services import accounts, webhook_calls
from moderation.services.accounts import Person as Moderator
from moderation.store.session import Store
from moderation.store.tables import Comment
from tests.databases import until
from tests.integration.pages import HTML, Person
from tests.integration.receiver import Receiver
from tests.integration.receiver import receiver as receiver  # a fixture
from tests.services import Post, a_comment, bearer


def test_a_name_that_leads_elsewhere_at_the_second_look_leads_nowhere(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    real = socket.getaddrinfo

    def rebinding(host: str, port: int, *rest: Any, **more: Any) -> list[Any]:
        if host != "rebinding.example":
            return real(host, port, *rest, **more)
        looks.append(host)
        return real("8.8.8.8" if len(looks) == 1 else "127.0.0.1", port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    url = f"http://rebinding.example:{receiver.port}/hook"
    with webhook_calls.Lines(False, 1.0) as lines:
        first = lines.post(url, {}, b"{}")  # nothing of ours is at the public address
        assert (first.status, looks) == (None, ["rebinding.example"])
        assert lines.post(url, {}, b"{}").error == "PrivateAddress"
    assert receiver.got == []


def test_a_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_rest, **_more: both)
    with pytest.raises(ValueError, match="private address"):
        webhook_calls.resolve("http://two.example/", allow_private=False, timeout=5)


@pytest.mark.parametrize(
    "path", ["/login", "/review", "/v1/comments", "/healthz", "/static/base.css", "/nothing", "/docs"]
)
def test_no_answer_is_framed_sniffed_or_told_to_others(client: FlaskClient, path: str) -> None:
    headers = client.get(path, headers=HTML).headers
    policy = headers["Content-Security-Policy"]
    assert {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} <= set(policy.split("; "))
    assert (headers["X-Frame-Options"], headers["X-Content-Type-Options"]) == ("DENY", "nosniff")
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Access-Control-Allow-Credentials" not in headers


def test_what_looks_like_sql_is_a_text(client: FlaskClient, site: tuple[str, str], ann: Person, post: Post) -> None:
    for number, text in enumerate(("' OR '1'='1", "'; DROP TABLE comments; --", '" UNION SELECT 1 --', "%", "_", "\\")):
        key = bearer(site[1])
        assert client.get("/v1/comments", query_string={"external_id": text}, headers=key).status_code == 404
        post(f"{number}{text}", f"A fair point {text} this is.", parent_external_id=text)
        found = client.get("/v1/comments", query_string={"external_id": f"{number}{text}"}, headers=key)
        assert found.json["external_id"] == f"{number}{text}"  # type: ignore[index]
        for field in ("q", "author", "article", "section", "language", "after"):
            answer = ann.client.get("/review", query_string={"status": "any", field: text}, headers=HTML)
            assert answer.status_code in (200, 404, 422), (field, text)


def test_a_stranger_costs_the_same_hash_as_a_moderator(
    store: Store, person: Moderator, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    real = accounts.hasher

    class Counting:
        """The hasher of now, which says what it was asked for."""

        def verify(self, hashed: str, password: str) -> bool:
            tried.append(hashed.split("$")[1])
            return real.verify(hashed, password)

        def hash(self, password: str) -> str:
            return real.hash(password)

    monkeypatch.setattr(accounts, "hasher", Counting())
    for email in ("ann@example.org", "nobody@example.org", "no address"):
        with store.read() as session, pytest.raises(accounts.Unauthorized):
            accounts.check_password(session, email, "not this one")
    assert tried == ["argon2id"] * 3


def test_those_who_wait_for_a_decision_leave_threads_for_the_rest(
    app: Flask, client: FlaskClient, store: Store, site: tuple[str, str], work: Callable[[], int]
) -> None:
    service, places = app.extensions["moderation"], 0
    while service.waiting.acquire(blocking=False):
        places += 1
    assert places == service.settings.web_threads // 4

    def decide() -> None:
        def came() -> bool:
            with store.read() as session:
                return bool(session.scalar(select(func.count()).select_from(Comment)))

        until(came, what="the comment to come in")
        work()

    decides = threading.Thread(target=decide)
    decides.start()
    answer = client.post("/v1/comments", json=a_comment(), headers=bearer(site[1]) | {"Prefer": "wait=10"})
    decides.join()
    assert (answer.status_code, answer.json["status"]) == (202, "pending")  # type: ignore[index]
