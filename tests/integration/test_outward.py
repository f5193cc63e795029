"""Nothing that a reader, an article or a site sends makes this service call an address."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from moderation.domain.lifecycle import Role
from moderation.store.session import Store
from tests.integration.pages import Person
from tests.integration.populated import populate
from tests.services import a_comment, bearer, make_moderator


@pytest.fixture
def canary() -> Iterator[socket.socket]:
    """A port of this machine that nobody has a reason to call."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)
    yield listening
    listening.close()


def test_no_address_in_a_comment_is_ever_called(
    app: Flask, store: Store, site: tuple[str, str], work: Any, canary: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    look_up = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *more, **kw: asked.append(host) or look_up(host, *more, **kw)
    )
    here = f"http://127.0.0.1:{canary.getsockname()[1]}"
    body = f'<img src="{here}/i.png"><a href="{here}/a">x</a><iframe src="{here}/f"></iframe> {here}/plain'
    comment = a_comment(
        "odd", body, format="html", author={"name": here, "email": "a@example.org", "url": f"{here}/me"},
        article={"url": f"{here}/article", "title": here, "section": here, "lead": here},
    )  # fmt: skip
    client = app.test_client()
    assert client.post("/v1/comments", json=comment, headers=bearer(site[1])).status_code == 202
    filled = populate(app, store, site, work, f"see {here}/words http://named.internal.example/x", f"{here}/author")
    make_moderator(store, site[0], "admin@example.org", Role.ADMIN)
    admin = Person(app.test_client()).sign_in("admin@example.org")
    assert sum(here in admin.see(path).text for path in filled.pages) > 5
    assert client.get(f"/v1/threads?article_url={here}/article").status_code == 200
    assert not [host for host in asked if host in ("127.0.0.1", "named.internal.example", "news.example")]
    with pytest.raises(BlockingIOError):
        canary.accept()
