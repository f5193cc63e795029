"""Services that refuse us, and addresses that can't be read: no password, secret key or site key is told anywhere."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import requests
from click.testing import CliRunner
from redis import Redis
from redis.exceptions import AuthenticationError, RedisError

from moderation import embedded
from moderation.cli import main
from moderation.processes import dying_with
from moderation.store import schema
from moderation.store.session import Store
from tests.conftest import postgresql_programs
from tests.databases import PostgreSQL, end, until
from tests.ports import free_port

# Nowhere else; what is wrong is wrong in the middle, so that a half of it would show as well.
SECRET, KEY = "kanarigeheim", "kanarischluessel" * 3
ALL = ("kanarigeheim", "kanarischluessel")


@pytest.fixture(scope="module")
def guarded_postgresql() -> Iterator[str]:
    """Address of a PostgreSQL that asks for a password, with the wrong one in it."""
    programs = postgresql_programs()
    assert programs is not None
    server = PostgreSQL(Path(tempfile.mkdtemp(prefix="pg-")), programs)
    with psycopg.connect(f"host={server.folder} user=test dbname=template", autocommit=True) as connection:
        connection.execute("ALTER USER test PASSWORD 'the right one'")
    (server.folder / "data" / "pg_hba.conf").write_text("local all all scram-sha-256\n")
    with psycopg.connect(f"host={server.folder} user=test dbname=template", autocommit=True) as connection:
        connection.execute("SELECT pg_reload_conf()")
    wrong = f"postgresql+psycopg://test:{SECRET}@/template?host={server.folder}"

    def refuses() -> bool:
        try:
            psycopg.connect(f"host={server.folder} user=test dbname=template password={SECRET}").close()
        except psycopg.OperationalError as error:
            return "password authentication failed" in str(error)
        return False

    until(refuses, what="PostgreSQL to ask for the password")
    yield wrong
    server.stop()


@pytest.fixture(scope="module")
def guarded_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Redis that asks for a password, with the wrong one in it."""
    folder = tmp_path_factory.mktemp("redis")
    port = free_port()
    command = [embedded.find_server(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "",
               "--requirepass", "the right one"]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=dying_with(os.getpid()))
    url = f"redis://:{SECRET}@127.0.0.1:{port}/0"

    def refuses() -> bool:
        try:
            Redis.from_url(url).ping()
        except AuthenticationError:
            return True
        except RedisError:
            return False
        return False

    until(refuses, what="Redis to ask for the password")
    yield url
    end(process, signal.SIGTERM)


def environment(**settings: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MODERATION_")}
    secret = {"secret_key": KEY, "former_secret_keys": KEY[::-1], "metrics_token": SECRET, "smtp_password": SECRET}
    return clean | {f"MODERATION_{name.upper()}": value for name, value in (secret | settings).items()}


def run(*command: str, env: dict[str, str], folder: Path) -> str:
    """All that a command says which fails by itself."""
    line = [sys.executable, "-P", "-m", "moderation", *command]
    done = subprocess.run(
        line, env=env, cwd=folder, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL
    )
    assert done.returncode != 0, command
    return done.stdout + done.stderr


def told(said: str) -> list[str]:
    return [secret for secret in ALL if secret in said]


@contextmanager
def parts(folder: Path, env: dict[str, str], *commands: tuple[str, ...]) -> Iterator[Path]:
    """Parts of the service that go on whatever refuses them; gives their log."""
    log = folder / "log"
    with open(log, "ab") as out:
        started = [
            subprocess.Popen([sys.executable, "-P", "-m", "moderation", *command], env=env, cwd=folder, stdout=out,
                             stderr=out, preexec_fn=dying_with(os.getpid()))
            for command in commands
        ]  # fmt: skip
    try:
        yield log
    finally:
        for part in started:
            end(part, signal.SIGTERM)


def free_address() -> str:
    """HOST:PORT that nobody listens on."""
    return f"127.0.0.1:{free_port()}"


def ready(address: str) -> dict[str, str]:
    """What /readyz says of each part; nothing while nobody answers."""
    try:
        return dict(requests.get(f"http://{address}/readyz", timeout=30).json()["parts"])
    except (requests.RequestException, KeyError):
        return {}


def pages(address: str, *paths: str) -> str:
    """What a stranger's browser is shown there."""
    asked = [requests.get(f"http://{address}{path}", headers={"Accept": "text/html"}, timeout=60) for path in paths]
    return "".join(f"{page.headers}{page.text}" for page in asked)


@pytest.mark.postgresql
def test_a_database_that_refuses_the_password(guarded_postgresql: str, tmp_path: Path) -> None:
    env, address = environment(database_url=guarded_postgresql, redis_url="redis://127.0.0.1:1/0"), free_address()
    data = ("--data", str(tmp_path / "data"))
    for command in (("db", "upgrade"), ("up", "--port", "0", *data), ("worker",), ("backup", str(tmp_path / "b"))):
        said = run(*command, env=env, folder=tmp_path)
        assert said
        assert told(said) == [], command
    doctor = run("doctor", "--json", *data, env=env, folder=tmp_path)
    assert "password" in {check["check"]: check for check in json.loads(doctor)["checks"]}["database"]["todo"]
    with parts(tmp_path, env, ("web", "--bind", address)):
        until(lambda: "ok" not in ready(address).get("database", "ok"), 90, "the web process to say that it has none")
        shown = pages(address, "/readyz", "/login", "/review", "/v1/threads?article_url=http://a.example/", "/metrics")
    assert told(doctor + shown) == []
    assert told("".join(path.read_text("latin-1") for path in tmp_path.rglob("*") if path.is_file())) == []


UNREADABLE = [
    ("database_url", f"postgresql://moderation:x@127.0.0.1:{SECRET}/x"), ("database_url", SECRET),
    ("database_url", f"mysql://a:{SECRET}@127.0.0.1/x"), ("database_url", f"postgresql+nothing://a:{SECRET}@h/x"),
    ("redis_url", f"redis://:{SECRET}/more@127.0.0.1:1/0"), ("redis_url", f"redis://:{SECRET}#more@127.0.0.1:1/0"),
    ("redis_url", f"redis://:{SECRET}[@127.0.0.1:1/0"), ("redis_url", f"rediss//:{SECRET}@127.0.0.1/0"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), UNREADABLE)
def test_an_address_that_can_not_be_read(name: str, value: str, tmp_path: Path) -> None:
    env = {variable: None for variable in os.environ if variable.startswith("MODERATION_")}
    good = {"MODERATION_DATABASE_URL": f"sqlite:///{tmp_path}/x.sqlite3", "MODERATION_SECRET_KEY": KEY}
    up = ["up", "--port", "0", "--data", str(tmp_path / "data")]
    for command in (["doctor", "--json"], ["db", "upgrade"], up):
        bad = env | good | {f"MODERATION_{name.upper()}": value}
        if name == "database_url" or command[0] != "db":  # the upgrade needs no Redis
            result = CliRunner().invoke(main, command, env=bad)
            assert isinstance(result.exception, SystemExit), command
            assert told(result.output) == [], command
            assert result.output
    assert f"MODERATION_{name.upper()}" in result.output


def test_a_redis_that_refuses_the_password(guarded_redis: str, tmp_path: Path) -> None:
    """Web and worker go on without it, doctor says so, and readers of pages and of /readyz learn no more than that."""
    database, address = f"sqlite:///{tmp_path}/x.sqlite3", free_address()
    schema.upgrade(Store(database, pool_size=1))
    env = environment(database_url=database, redis_url=guarded_redis)
    with parts(tmp_path, env, ("web", "--bind", address), ("worker",)) as log:
        until(lambda: ready(address).get("worker") == "ok", 90, "web and worker")
        shown = pages(address, "/readyz", "/login", "/nothing", "/metrics", "/openapi.json")
        doctor = run("doctor", "--json", "--data", str(tmp_path), env=env, folder=tmp_path)
    assert "does not answer (AuthenticationError)" in doctor
    assert told(doctor + log.read_text() + shown) == []


# What nobody catches, in any thread, in a command of ours; the text is as libraries write theirs.
CRASH = f"""
import threading
from click.testing import CliRunner
from moderation.cli import main
CliRunner().invoke(main, ["score", "--scorer", "none"])
def crash():
    url = "redis://:{SECRET}@127.0.0.1:1/0"
    raise ValueError(f"can't use {{url}}")
thread = threading.Thread(target=crash)
thread.start()
thread.join()
crash()
"""


def test_a_crash_tells_kind_and_place_only(tmp_path: Path) -> None:
    script = tmp_path / "crash.py"
    script.write_text(CRASH)
    done = subprocess.run([sys.executable, "-P", str(script)], env=environment(), capture_output=True, text=True)
    assert done.returncode != 0
    assert done.stderr.splitlines().count("ValueError") == 2
    assert "crash.py" in done.stderr
    assert done.stderr.count(SECRET) == 0
