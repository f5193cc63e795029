"""`moderation doctor` on real parts: well, and with each fault that it knows of."""

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text, update

from moderation.cli import main
from moderation.config import Settings
from moderation.scoring import Classifier
from moderation.services import health, sites
from moderation.services.doctor import CHECKS, Context, State, examine
from moderation.services.doctor.database import connections_wanted
from moderation.services.doctor.found import Check, ok
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment, Site
from tests.integration.receiver import Receiver
from tests.integration.receiver import receiver as receiver  # a fixture
from tests.services import a_comment, bearer

Doctor = Callable[..., tuple[int, dict[str, dict[str, str]]]]


@pytest.fixture
def doctor(database_url: str, redis_url: str, tmp_path: Path) -> Doctor:
    def run(**settings: str) -> tuple[int, dict[str, dict[str, str]]]:
        env = {
            "database_url": database_url, "redis_url": redis_url, "secret_key": "0123456789abcdef" * 4,
            "scorer": "linear", "base_url": "http://127.0.0.1:8000",
        } | settings  # fmt: skip
        answer = CliRunner().invoke(
            main, ["doctor", "--json", "--data", str(tmp_path)],
            env={f"MODERATION_{name.upper()}": value for name, value in env.items()}, catch_exceptions=False,
        )  # fmt: skip
        said = json.loads(answer.output)
        assert said["ok"] is (answer.exit_code == 0)
        return answer.exit_code, {one["check"]: one for one in said["checks"]}

    return run


@pytest.fixture
def well(store: Store, site: tuple[str, str], person: object, classifier: Classifier) -> None:
    """A site with a moderator, and a worker that has just shown itself."""
    with store.write() as session:
        health.sign_of_life(session, "test", classifier, now_ms())


def states(found: dict[str, dict[str, str]]) -> dict[str, str]:
    return {name: one["state"] for name, one in found.items() if one["state"] != "ok"}


def test_all_is_well(doctor: Doctor, well: None, store: Store, site: tuple[str, str], receiver: Receiver) -> None:
    with store.write() as session:
        sites.set_webhook(session, session.get_one(Site, site[0]), receiver.url)
    code, found = doctor(webhook_allow_private="1")
    # The test's PostgreSQL is told not to sync; that the doctor says so is right.
    expected = {} if store.sqlite else {"database settings": "wrong"}
    assert (code, states(found)) == (0 if store.sqlite else 1, expected)
    assert list(found) == [check.name for check in CHECKS]
    assert receiver.got == []  # it was only connected to
    if not store.sqlite:
        assert "fsync" in found["database settings"]["says"]


def test_connections_are_counted_by_the_processes_that_are_wanted() -> None:
    def wanted(**settings: int) -> int:
        return connections_wanted(Settings(**settings))  # type: ignore[arg-type]

    assert wanted(web_threads=16) == 16 + 4 * 4
    assert wanted(web_threads=16, web_processes=3, worker_processes=6) == 3 * 16 + 9 * 4
    assert wanted(web_threads=16, metrics_port=9_100) - wanted(web_threads=16) == 4


def test_each_fault_is_found(
    doctor: Doctor, store: Store, site: tuple[str, str], client: Any, database_url: str, tmp_path: Path
) -> None:
    client.post("/v1/comments", json=a_comment(), headers=bearer(site[1]))
    with store.write() as session:
        session.execute(update(Comment).values(received_at=now_ms() - 3_600_000))
        session.execute(text("UPDATE audit_events SET at = 5"))
        sites.set_webhook(session, session.get_one(Site, site[0]), "http://127.0.0.1:9/hook")
    (tmp_path / "secret_key").write_text("k")
    (tmp_path / "secret_key").chmod(0o644)
    tmp_path.chmod(0o755)
    code, found = doctor(
        secret_key="kkkk" * 8, redis_url="redis://127.0.0.1:1/0", scorer="linear", artefacts=str(tmp_path),
        base_url="http://comments.example", demo="1", webhook_allow_private="1", smtp_host="mail.example",
    )  # fmt: skip
    assert code == 1
    assert states(found) | {"database settings": ""} == {
        "settings": "wrong", "secret key": "warning", "database settings": "", "files": "warning", "redis": "wrong",
        "scorer": "wrong", "workers": "wrong", "queue": "wrong", "webhooks": "warning", "audit trail": "wrong",
        "people": "warning", "web safety": "wrong", "demo": "wrong",
    }  # fmt: skip
    assert all(one["todo"] for one in found.values() if one["state"] != "ok")


def test_a_worker_whose_clock_is_ahead_is_found(
    doctor: Doctor, well: None, store: Store, classifier: Classifier
) -> None:
    """By half the time for which a worker keeps a comment others would take it from them."""
    with store.write() as session:
        health.sign_of_life(session, "elsewhere", classifier, now_ms() + 600_000)
    for lease, state in (("30", "wrong"), ("3600", "warning")):
        _, found = doctor(lease_seconds=lease)
        assert found["clock"]["state"] == state
        assert "a worker" in found["clock"]["says"]


def test_it_runs_when_all_is_down_and_says_so_for_a_person(tmp_path: Path) -> None:
    env = {
        "MODERATION_DATABASE_URL": "postgresql://nobody:geheim@127.0.0.1:1/x", "MODERATION_REDIS_URL": "redis://127.0.0.1:1",
        "MODERATION_SCORER": "linear",
    }  # fmt: skip
    answer = CliRunner().invoke(main, ["doctor", "--data", str(tmp_path / "none")], env=env, catch_exceptions=False)
    assert answer.exit_code == 1
    lines = answer.output.splitlines()
    assert any(line.startswith("wrong") and "database" in line and "OperationalError" in line for line in lines)
    assert any("first mend this: database" in line for line in lines)
    assert "geheim" not in answer.output
    bad = CliRunner().invoke(main, ["doctor"], env={"MODERATION_WEB_THREADS": "0"}, catch_exceptions=False)
    assert (bad.exit_code, bad.output.split()[:2]) == (1, ["wrong", "settings"])


def test_a_part_that_hangs_hides_no_other(settings: Any) -> None:
    """A Redis and a database that take a connection and never answer."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        changed = settings.model_copy(update={
            "database_url": f"postgresql+psycopg://a:b@127.0.0.1:{port}/x", "redis_url": f"redis://127.0.0.1:{port}",
        })  # fmt: skip
        hang = Check("hang", lambda context: ok(str(context.store.engine.connect())), 0.5)
        some = [hang, *(check for check in CHECKS if check.name in ("redis", "demo"))]
        found = examine(Context(changed), some)
    assert found["hang"].says == "no answer within 0.5 s"
    assert (found["redis"].state, found["demo"].state) == (State.WRONG, State.OK)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_damaged_file_is_found(doctor: Doctor, well: None, store: Store, database_url: str) -> None:
    store.close()
    file = Path(database_url.removeprefix("sqlite:///"))
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        root = connection.exec_driver_sql(
            "SELECT rootpage FROM sqlite_master WHERE name = 'ix_comments_ip'"
        ).scalar_one()
        size = connection.exec_driver_sql("PRAGMA page_size").scalar_one()
    store.close()
    with open(file, "r+b") as raw:
        raw.seek((root - 1) * size)
        raw.write(os.urandom(200))
    assert doctor()[1]["integrity"]["state"] == "wrong"
