"""A database that does not answer: requests are refused in time, and all is well once it answers again."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import text

from moderation import app as application
from moderation.app import create_app
from moderation.config import Settings
from moderation.store import session as sessions
from moderation.store.session import Store
from tests.services import a_comment, bearer

Site = tuple[str, str]


@pytest.fixture
def hasty(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The app, with little patience."""
    monkeypatch.setattr(application, "_PATIENCE", 0.2)
    pool = sessions._pool
    monkeypatch.setattr(sessions, "_pool", lambda url, size: pool(url, size) | (
        {"connect_args": {"timeout": 0.2}} if url.startswith("sqlite") else {}
    ))  # fmt: skip
    made = create_app(settings)
    yield made
    made.extensions["moderation"].close()


def test_a_write_that_is_locked_out_is_refused_in_time(hasty: Flask, store: Store, site: Site) -> None:
    client = hasty.test_client()
    with store.write() as session:  # another program holds what the request needs
        session.execute(text("UPDATE feed SET last_position = last_position"))
        if not store.sqlite:
            session.execute(text("LOCK TABLE comments IN ACCESS EXCLUSIVE MODE"))
        refused = client.post("/v1/comments", json=a_comment("c1"), headers=bearer(site[1]))
        assert (refused.status_code, refused.get_json()["code"]) == (503, "unavailable")
        assert int(refused.headers["Retry-After"]) > 0
    assert client.post("/v1/comments", json=a_comment("c1"), headers=bearer(site[1])).status_code == 202
