"""What a running service keeps to itself: its files, whatever the umask, and what its worker takes out of Redis."""

import os
import pickle
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from redis import Redis
from rq import Callback, Queue
from rq.serializers import JSONSerializer

from moderation.queueing import COMMENTS, JOBS
from tests.databases import until
from tests.services import Running, a_comment

# On the path of all its processes, as every module of the libraries is: whoever imports it leaves a trace.
PLANTED = """
import os, pathlib
pathlib.Path(os.environ["TRACE"]).touch()
def run(*_): pass
"""


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that is there once something planted has run."""
    return tmp_path_factory.mktemp("trace") / "it-ran"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, trace: Path) -> Iterator[Running]:
    """A first start by somebody whose umask keeps nobody out."""
    place = tmp_path_factory.mktemp("house")
    (place / "planted").mkdir()
    (place / "planted" / "planted.py").write_text(PLANTED)
    paths = os.pathsep.join(filter(None, [str(place / "planted"), os.environ.get("PYTHONPATH")]))
    before = os.umask(0)
    try:
        started = Running(place / "data", env={"PYTHONPATH": paths, "TRACE": str(trace)})
    finally:
        os.umask(before)
    yield started
    started.stop()


def redis_of(running: Running) -> tuple[Redis, Path]:
    """The private Redis, and its socket."""
    address = (running.folder / "redis" / "address").read_text()
    return Redis.from_url(address), Path(address.removeprefix("unix://"))


def test_nobody_else_on_the_machine_can_read_what_it_keeps(running: Running, tmp_path: Path) -> None:
    assert running.call("POST", "/v1/comments", a_comment("modes"))[0] == 202
    archive, export = tmp_path / "backup", tmp_path / "export.json"
    for command in (
        ["backup", str(archive), "--with-secrets"],
        ["privacy", "export", "--email", "ann@example.org", "--out", str(export)],
    ):
        line = [sys.executable, "-P", "-m", "moderation", *command, "--data", str(running.folder)]
        subprocess.run(line, check=True, capture_output=True, umask=0)
    kept = [running.folder, *running.folder.rglob("*"), redis_of(running)[1], archive, export]
    names = {path.name for path in kept}
    assert {"moderation.sqlite3", "moderation.sqlite3-wal", "secret_key", "credentials.json", "lock"} <= names
    assert {"redis.sock", "address", "appendonlydir", "backup"} <= names
    assert {path.name: oct(path.lstat().st_mode) for path in kept if path.lstat().st_mode & 0o077} == {}


class Evil:
    """Unpickled, it leaves the trace."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return open, (str(self.trace), "w")


def test_a_worker_does_only_what_our_doorbell_asks_for(running: Running, trace: Path) -> None:
    redis, _ = redis_of(running)
    jobs, ours, planted = Queue(COMMENTS, connection=redis, serializer=JSONSerializer), JOBS[COMMENTS], "planted.run"
    call = Callback(planted)
    pickled = jobs.create_job("json.loads")
    pickled.save()
    redis.hset(pickled.key, "data", zlib.compress(pickle.dumps(("json.loads", None, (Evil(trace),), {}))))
    put_in = [
        jobs.enqueue_call(planted),
        jobs.enqueue_call(ours, on_success=call, on_stopped=call),
        jobs.enqueue_call(ours, ("an argument",), on_failure=call),
    ]
    redis.rpush(jobs.key, pickled.id)
    done = {job.id: job for job in [*put_in, pickled]}
    last = jobs.enqueue_call(ours)
    until(lambda: last.get_status() is not None and last.get_status().value == "finished", 60, "the jobs to be done")
    assert not trace.exists()
    assert {done[job.id].get_status().value for job in (put_in[0], put_in[2])} == {"failed"}
    assert running.decided(a_comment("after"))["status"] == "approved"


def test_no_key_or_password_of_ours_is_in_a_log_or_in_redis_or_comes_back(running: Running) -> None:
    key, person = running.credentials["site_key"], running.credentials["moderator"]
    token, back = running.token(), []
    for shown in (key, token, person["password"]):
        in_all_places = {"Authorization": f"Bearer {shown}x", "X-Request-Id": shown, "Referer": f"http://a/{shown}"}
        for path in (f"/v1/comments/{shown}", f"/nothing/{shown}", f"/v1/events?after={shown}&key={shown}",
                     f"/v1alpha1/comments:analyze?key={shown}", f"/1.1/comment-check?api_key={shown}",
                     "/login"):  # fmt: skip
            url, data = running.base_url + path, {"email": f"{shown}@example.org", "password": shown, "text": shown}
            for answer in (
                requests.get(url, headers=in_all_places), requests.post(url, headers=in_all_places, json=data),
                requests.post(url, headers={"Authorization": f"Bearer {key}"}, data=f"{{{shown}"),
                requests.post(url, headers={"Accept": "text/html"}, data=data),
            ):  # fmt: skip
                assert answer.status_code < 500, path
                back.append(f"{answer.headers}{answer.text}")
    redis, _ = redis_of(running)
    kept = b"".join(name + (redis.dump(name) or b"") for name in redis.scan_iter()).decode("latin-1")
    secret_key = (running.folder / "secret_key").read_text().strip()
    for where, text in {"log": running.log.read_text(), "redis": kept, "answers": "".join(back)}.items():
        told = [name for name, word in {"site key": key, "token": token, "password": person["password"],
                                        "secret key": secret_key}.items() if word in text]  # fmt: skip
        assert told == [], where
