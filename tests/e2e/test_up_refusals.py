"""`moderation up` when it can't start: one clear line each on standard error, and an exit code that is not 0."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from moderation.store import schema
from moderation.store.session import Store
from tests.services import Running


def refused(folder: Path, *options: str, env: dict[str, str] | None = None) -> str:
    """Starts it in vain; returns the one line that it says."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MODERATION_")}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "moderation", "up", "--port", "0", "--data", str(folder), *options],
        capture_output=True, text=True, timeout=60, env=clean | (env or {}), cwd=folder.parent.parent,
    )  # fmt: skip
    assert done.returncode not in (0, None)
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_a_port_in_use(folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert f"port {port} on 127.0.0.1 can't be used" in refused(folder, "--port", str(port))


def test_a_folder_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    line = refused(tmp_path / "file" / "data")
    assert f"the data folder {tmp_path / 'file' / 'data'} can't be written" in line


def test_a_second_start_on_the_same_folder(start: Callable[..., Running], folder: Path) -> None:
    running = start()
    assert f"another service runs on the data folder {folder}" in refused(folder)
    assert running.call("GET", "/readyz", key=None)[0] == 200


def test_a_database_of_a_newer_version(folder: Path) -> None:
    folder.mkdir()
    store = Store(f"sqlite:///{folder / 'moderation.sqlite3'}")
    schema.upgrade(store)
    with store.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'zzzz'"))
        session.execute(text("UPDATE compatibility SET oldest = 'zzzz'"))
    store.close()
    assert "newer version" in refused(folder)


def test_a_file_that_is_no_database(folder: Path) -> None:
    folder.mkdir()
    (folder / "moderation.sqlite3").write_bytes(b"This is not a database. " * 500)
    assert "database" in refused(folder)


def test_all_bad_settings_at_once(folder: Path) -> None:
    bad = {
        "MODERATION_GRACE_SECONDS": "soon", "MODERATION_WEB_THREADS": "0", "MODERATION_WEBHOOK_ALLOW_PRIVATE": "maybe"
    }  # fmt: skip
    line = refused(folder, env=bad)
    for name in bad:
        assert name in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MODERATION_SCORER", "oracle"),
        ("MODERATION_REDIS_URL", "localhost"),
        ("MODERATION_DATABASE_URL", "here"),
        ("MODERATION_DATABASE_URL", "postgresql://a@b/c"),
        ("MODERATION_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/x"),
        ("MODERATION_REDIS_SERVER", "/nowhere/valkey-server"),
    ],
)
def test_a_setting_that_can_not_work(folder: Path, name: str, value: str) -> None:
    line = refused(folder, env={name: value})
    assert name.split("_", 1)[1].split("_")[0].lower() in line.lower()


def test_a_part_of_the_folder_that_is_something_else(folder: Path) -> None:
    folder.mkdir()
    (folder / "redis").write_text("not a folder")
    assert "redis" in refused(folder)
