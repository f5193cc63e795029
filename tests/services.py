"""The service as fixtures: in this process for integration tests, as real processes for end-to-end tests."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis.exceptions import RedisError

from moderation.app import create_app
from moderation.config import Settings
from moderation.domain.lifecycle import Role
from moderation.limits import limiter
from moderation.scoring import Classifier
from moderation.services import accounts, decide, outbox, sites
from moderation.store.session import Store, now_ms
from tests.databases import until

PASSWORD = "correct horse battery"


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    """The classifier that ships."""
    loaded = Classifier.load("linear")
    assert loaded.error is None
    return loaded


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """The store on a fresh database."""
    opened = Store(database_url, pool_size=5)
    yield opened
    opened.close()


@pytest.fixture
def site(store: Store) -> tuple[str, str]:
    """(id, key) of a new site with the default policy."""
    with store.write() as session:
        created, key = sites.create_site(session, "test")
        return created.id, key


@pytest.fixture
def person(store: Store, site: tuple[str, str]) -> accounts.Person:
    """A moderator of the site (ann@example.org, PASSWORD)."""
    return make_moderator(store, site[0], "ann@example.org")


def make_moderator(store: Store, site_id: str, email: str, role: Role = Role.MODERATOR) -> accounts.Person:
    """A further moderator, with PASSWORD."""
    with store.write() as session:
        accounts.create_moderator(session, site_id, email, PASSWORD, role)
    with store.read() as session:
        return accounts.check_password(session, email, PASSWORD)


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    """Settings of an app on that database."""
    return Settings(
        database_url=database_url, redis_url=redis_url, secret_key="k" * 32, base_url="http://localhost",
        grace_seconds=0.0,
        sign_in_rate="1000 per minute", public_rate="1000 per minute",  # all tests come from one address
    )  # fmt: skip


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The web application, in this process; no wrong password of another test counts."""
    made = create_app(settings)
    with suppress(RedisError):  # some tests have none
        limiter.storage.reset()
    yield made
    made.extensions["moderation"].close()


@pytest.fixture
def client(app: Flask, site: tuple[str, str]) -> FlaskClient:
    """A test client; use `headers=bearer(site[1])` for the site's API."""
    return app.test_client()


def bearer(key: str) -> dict[str, str]:
    """The Authorization header for a key or token."""
    return {"Authorization": f"Bearer {key}"}


def a_comment(external_id: str = "c1", body: str = "Thank you, a clear summary.", **more: Any) -> dict[str, Any]:
    """A comment as a site sends it."""
    return {
        "external_id": external_id, "body": body, "author": {"name": "Ann", "email": "ann@example.org"},
        "article": {"url": "https://news.example/a", "title": "A title"},
    } | more  # fmt: skip


ABUSE = "You are a stupid idiot, shut up, you worthless moron."


@pytest.fixture
def work(store: Store, classifier: Classifier) -> Callable[[], int]:
    """Does what a worker does: decides all that is pending and publishes what is due."""

    def publish() -> None:
        with store.write() as session:
            outbox.publish(session, now_ms())

    def run() -> int:
        decided = decide.drain(
            store, classifier, "test:1", lease_ms=30_000, until=lambda: False, after_batch=publish
        )  # fmt: skip
        publish()
        return decided

    return run


Post = Callable[..., str]


@pytest.fixture
def post(client: FlaskClient, site: tuple[str, str], work: Callable[[], int]) -> Post:
    """Submits a comment and has it decided; returns its id."""

    def submit(external_id: str = "c1", body: str = ABUSE, **more: Any) -> str:
        answer = client.post("/v1/comments", json=a_comment(external_id, body, **more), headers=bearer(site[1]))
        assert answer.status_code == 202, answer.json
        work()
        return str(answer.json["id"])  # type: ignore[index]

    return submit


class Running:
    """`moderation up` as a real process on a data folder. `call` speaks to its API."""

    def __init__(self, folder: Path, *options: str, env: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.log = folder.parent / f"{folder.name}.log"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MODERATION_")}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "moderation", "up", "--port", "0", "--data", str(folder), *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=clean | (env or {}), cwd=folder.parent,
                start_new_session=True,
            )  # fmt: skip
        until(self._ready, 150, "readyz; the log says: " + str(self.log))

    def _ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text(errors="replace")[-2000:]
        if not (self.folder / "credentials.json").exists():
            return False
        self.credentials: dict[str, Any] = json.loads((self.folder / "credentials.json").read_text())
        self.base_url = str(self.credentials["base_url"])
        try:
            return self.call("GET", "/readyz", key=None)[0] == 200
        except OSError:
            return False

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = "",
             headers: dict[str, str] | None = None) -> tuple[int, Any]:  # fmt: skip
        """(status, JSON) of one request; the site key is sent unless `key` says otherwise."""
        request = urllib.request.Request(
            self.base_url + path, None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json"} | (headers or {}), method=method,
        )  # fmt: skip
        if key is not None:
            request.add_header("Authorization", f"Bearer {key or self.credentials['site_key']}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"{}")

    def decided(self, comment: dict[str, Any]) -> dict[str, Any]:
        """Posts a comment and waits for the decision; what the API says of it then."""
        status, made = self.call("POST", "/v1/comments", comment)
        assert status == 202, made
        found: dict[str, Any] = {}

        def done() -> bool:
            found.update(self.call("GET", f"/v1/comments/{made['id']}")[1])
            return found["status"] != "pending"

        until(done, what=f"the decision on {comment['external_id']}")
        return found

    @contextmanager
    def store(self) -> Iterator[Store]:
        """Its database, for what no request can do."""
        opened = Store(f"sqlite:///{self.folder / 'moderation.sqlite3'}", pool_size=1)
        try:
            yield opened
        finally:
            opened.close()

    def token(self) -> str:
        """A moderator's token."""
        return str(self.call("POST", "/v1/auth/tokens", self.credentials["moderator"], key=None)[1]["token"])

    def parts(self) -> dict[str, list[int]]:
        """Pids of all processes below this one, by part (Linux): web, worker, redis."""
        return {
            "web": _descendants(self.process.pid, "moderation web"),
            "worker": _descendants(self.process.pid, "-m workers"),
            "redis": _descendants(self.process.pid, "valkey-server") + _descendants(self.process.pid, "redis-server"),
        }

    def kill(self, part: str, number: signal.Signals) -> None:
        """Sends this to all processes of a part; one that has done its work and ended meanwhile needs none."""
        for pid in self.parts()[part]:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def stop(self) -> None:
        """Ends it as an operator would."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(90)


def _descendants(root: int, words: str) -> list[int]:
    parents: dict[int, int] = {}
    commands: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_bytes().rpartition(b")")[2].split()[1])
                commands[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("latin-1")
            except OSError:  # it ended meanwhile
                continue
    found = []
    for pid, command in commands.items():
        above = pid
        while above in parents and above != root:
            above = parents[above]
        if above == root and pid != root and words in command:
            found.append(pid)
    return sorted(found)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts `moderation up` with options and settings; ends what is left of it afterwards."""
    started: list[Running] = []

    def begin(
        *options: str, env: dict[str, str] | None = None, folder: Path | None = None, kind: type[Running] = Running
    ) -> Running:
        running = kind(folder or tmp_path / "data", *options, env=env)
        started.append(running)
        return running

    yield begin
    for running in started:
        if running.process.poll() is None:
            os.killpg(running.process.pid, signal.SIGKILL)
            running.process.wait()


class Unready(Running):
    """Is started once its worker lives, though /readyz says that another part is missing."""

    def _ready(self) -> bool:
        super()._ready()
        try:
            return bool(self.call("GET", "/readyz", key=None)[1]["parts"]["worker"] == "ok")
        except (AttributeError, OSError):
            return False
