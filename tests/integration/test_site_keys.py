"""A site's keys over time: replaced with an overlap, ended, listed; from the command line, as an operator does it."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from moderation import cli
from moderation.services import known_keys, site_keys, sites
from moderation.store.session import Store, now_ms
from moderation.store.tables import SiteKey
from tests.services import bearer

Site = tuple[str, str]
Run = Callable[..., str]


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("MODERATION_DATABASE_URL", database_url)
    monkeypatch.setattr(known_keys, "_SECONDS", 0.0)

    def command(*words: str, ok: bool = True) -> str:
        done = CliRunner().invoke(cli.main, ["site", *words])
        assert (done.exit_code == 0) is ok, done.output
        return done.output

    return command


def listed(run: Run) -> list[dict[str, object]]:
    return [json.loads(line) for line in run("keys").splitlines()]


def status(client: FlaskClient, key: str) -> tuple[int, str | None]:
    answer = client.get("/v1/events", headers=bearer(key))
    return answer.status_code, answer.get_json().get("code")


def test_a_new_key_takes_over_while_the_old_one_still_works(
    run: Run, site: Site, store: Store, client: FlaskClient
) -> None:
    (only,) = listed(run)
    assert (only["scopes"], only["expires_at"]) == (["submit", "read", "score"], None)
    new = json.loads(run("key", "--rotate", str(only["id"])))["site_key"]
    assert status(client, site[1]) == status(client, new) == (200, None)
    old, young = listed(run)
    assert old["id"] == only["id"]
    assert old["expires_at"] is not None
    assert (young["scopes"], young["expires_at"]) == (only["scopes"], None)
    with store.write() as session:  # a week later
        session.get_one(SiteKey, sites.digest(site[1])).expires_at = now_ms()
    assert status(client, site[1]) == (401, "key_expired")
    assert status(client, new) == (200, None)
    assert new not in run("keys")


def test_a_key_is_ended_at_once_and_not_twice(run: Run, site: Site, client: FlaskClient) -> None:
    lost = json.loads(run("key", "--scope", "read"))["site_key"]
    assert status(client, lost) == (200, None)
    id = sites.digest(lost)[:8]
    run("key", "--revoke", id)
    assert status(client, lost) == (401, "key_expired")
    assert status(client, site[1]) == (200, None)
    run("key", "--revoke", id, ok=False)
    run("key", "--rotate", id, ok=False)
    assert len(listed(run)) == 2


def test_a_key_of_another_site_is_not_found(run: Run, site: Site, store: Store) -> None:
    with store.write() as session:
        _, key = sites.create_site(session, "other")
    run("key", "--site", site[0], "--revoke", sites.digest(key)[:8], ok=False)
    run("key", "--site", site[0], "--scope", "read", "--revoke", sites.digest(site[1])[:8], ok=False)


def test_an_end_never_moves_away(site: Site, store: Store) -> None:
    id, now = sites.digest(site[1])[:8], now_ms()
    with store.write() as session:
        site_keys.rotate(session, site[0], id, now, overlap_ms=1_000)
        site_keys.rotate(session, site[0], id, now, overlap_ms=60_000)
        assert session.get_one(SiteKey, sites.digest(site[1])).expires_at == now + 1_000
