"""/keys: an admin replaces and ends what the site's programs speak with; each secret shows once."""

import re
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from standardwebhooks import Webhook

from moderation.domain.lifecycle import Role
from moderation.services import known_keys, sites, webhook_secrets, webhooks
from moderation.store.audit import AuditEvent
from moderation.store.session import Store, now_ms
from moderation.store.tables import Event, SiteKey
from moderation.store.tables import Site as SiteRow
from tests.integration.pages import HTML, Person
from tests.services import bearer, make_moderator

Site = tuple[str, str]
SECRET = re.compile(r'id="secret" readonly value="([^"]+)"')


@pytest.fixture
def admin(app: Flask, store: Store, site: Site, monkeypatch: pytest.MonkeyPatch) -> Person:
    monkeypatch.setattr(known_keys, "_SECONDS", 0.0)
    make_moderator(store, site[0], "admin@example.org", Role.ADMIN)
    return Person(app.test_client()).sign_in("admin@example.org")


def shown(admin: Person) -> str:
    """The secret of the deed before; a second look does not show it."""
    found = SECRET.search(admin.see("/keys").text)
    assert found
    assert found[1] not in admin.see("/keys").text
    return found[1]


def status(client: FlaskClient, key: str) -> int:
    return client.get("/v1/events", headers=bearer(key)).status_code


def test_a_key_is_made_replaced_and_ended_by_an_admin(
    admin: Person, site: Site, store: Store, client: FlaskClient
) -> None:
    old = sites.digest(site[1])[:8]
    assert "no use noted yet" in admin.see("/keys").text
    assert status(client, site[1]) == 200
    assert "last used:" in admin.see("/keys").text
    assert admin.send(f"/keys/{old}/rotate", overlap="168").status_code == 303
    new = shown(admin)
    assert status(client, site[1]) == status(client, new) == 200
    assert "being replaced" in admin.see("/keys").text
    assert admin.send(f"/keys/{old}/revoke").status_code == 303
    assert (status(client, site[1]), status(client, new)) == (401, 200)
    assert admin.send("/keys", scope=["read"]).status_code == 303
    assert status(client, shown(admin)) == 200
    for path, fields in (("/keys", {}), ("/keys", {"scope": "all"}), (f"/keys/{old}/rotate", {"overlap": "9"})):
        assert admin.send(path, **fields).status_code == 422
    for path in (f"/keys/{old}/revoke", "/keys/00000000/rotate"):
        assert admin.send(path, overlap="1").status_code == 404
    with store.read() as session:
        query = select(AuditEvent).where(AuditEvent.action.in_(["key.created", "key.ended"])).order_by(AuditEvent.id)
        events = session.scalars(query).all()
        assert [event.action for event in events if event.actor] == [
            "key.ended", "key.created", "key.ended", "key.created",
        ]  # fmt: skip
        assert not any(secret in str(event.data) for event in events for secret in (site[1], new))
    assert f"admin set the end of a key of the site: {old}" in admin.see("/audit").text


def test_the_use_of_a_key_is_noted_once_an_hour(admin: Person, site: Site, store: Store, client: FlaskClient) -> None:
    def noted(later_ms: int | None = None) -> int:
        with store.write() as session:
            key = session.get_one(SiteKey, sites.digest(site[1]))
            if later_ms:
                key.used_at = now_ms() - later_ms
        with store.read() as session:
            return session.get_one(SiteKey, key.digest).used_at or 0

    assert status(client, site[1]) == 200
    first = noted()
    assert first
    assert status(client, site[1]) == 200
    assert noted() == first
    long_ago = noted(later_ms=3_700_000)
    assert status(client, site[1]) == 200
    assert noted() > long_ago


def test_the_webhook_signs_with_both_secrets_until_the_old_one_ends(admin: Person, site: Site, store: Store) -> None:
    assert admin.send("/keys/webhook/rotate", overlap="24").status_code == 409
    with store.write() as session:
        old = sites.set_webhook(session, session.get_one(SiteRow, site[0]), "https://news.example/hook") or ""
    admin.see("/keys")
    assert admin.send("/keys/webhook/rotate", overlap="24").status_code == 303
    new = shown(admin)
    assert "two signatures" in admin.see("/keys").text
    event = Event(id="e" * 32, site_id=site[0], comment_id="c" * 32, type="comment.approved", data={}, occurred_at=1)
    with store.read() as session:
        row = session.get_one(SiteRow, site[0])
        headers, body = webhooks.signed(row, event, datetime.now(UTC))
        for secret in (old, new):  # a receiver that knows either takes the whole header
            assert Webhook(secret).verify(body, headers)
        assert len(headers["webhook-signature"].split(" ")) == 2
        assert webhook_secrets.in_force(row, now_ms() + 25 * 3_600_000) == [new]
    assert admin.send("/keys/webhook/rotate", overlap="0").status_code == 303
    with store.read() as session:
        assert webhook_secrets.in_force(session.get_one(SiteRow, site[0]), now_ms()) == [shown(admin)]


@pytest.mark.parametrize("path", ["/keys", "/domains"])
def test_only_admins_see_it(app: Flask, store: Store, site: Site, path: str) -> None:
    make_moderator(store, site[0], "eve@example.org", Role.SENIOR)
    eve = Person(app.test_client()).sign_in("eve@example.org")
    assert eve.see(path).status_code == 403
    assert eve.send("/keys/webhook/rotate", overlap="1").status_code == 403
    assert eve.send("/domains/add", domain="bad.example").status_code == 403
    assert f'href="{path}"' not in eve.see("/review").text
    assert app.test_client().get(path, headers=HTML).status_code == 303
