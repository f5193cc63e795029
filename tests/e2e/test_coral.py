"""Coral's own requests, byte for byte, against the started service: the external phase, and Perspective's place."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.coral import AUTHOR, SECRET, headers, packed, phase
from tests.databases import until
from tests.services import ABUSE, Running

CIVIL = "Thank you, a clear summary."


@pytest.fixture
def running(start: Callable[..., Running]) -> Running:
    return start()


@pytest.fixture
def callback(running: Running) -> str:
    """The path that the command names for Coral, with the secret in place."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "moderation", "site", "coral", "--secret-stdin"], input=f"{SECRET}\n", text=True,
        capture_output=True, check=True, cwd=running.folder.parent,
        env=os.environ | {"MODERATION_DATABASE_URL": f"sqlite:///{running.folder}/moderation.sqlite3"},
    )  # fmt: skip
    assert SECRET not in done.stdout + done.stderr
    return str(json.loads(done.stdout)["callback_url"]).removeprefix("https://HOST")


def send(running: Running, path: str, data: bytes, given: dict[str, str]) -> tuple[int, Any]:
    """(status, JSON or None) of a POST of these bytes."""
    request = urllib.request.Request(running.base_url + path, data, given, method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        body = answer.read()
        return answer.status, json.loads(body) if body else None


def ask(running: Running, path: str, request: dict[str, Any]) -> tuple[int, Any]:
    data = packed(request)
    return send(running, path, data, headers(data))


def in_time(running: Running, path: str, request: dict[str, Any]) -> tuple[int, Any]:
    """The answer that was not late. A cold process or a busy machine may be late, and withholds without a reason then;
    a known comment gets what was decided."""
    late, said = (200, {"status": "SYSTEM_WITHHELD", "actions": []}), []

    def asked() -> bool:
        said.append(ask(running, path, request))
        return said[-1] != late

    until(asked, what="an answer in time")
    return said[-1]


def test_the_phase_withholds_what_moderators_find_in_the_queue(running: Running, callback: str) -> None:
    assert in_time(running, callback, phase(CIVIL)) == (204, None)
    assert in_time(running, callback, phase(ABUSE)) == (
        200, {"actions": [{"actionType": "FLAG", "reason": "COMMENT_DETECTED_TOXIC"}], "status": "SYSTEM_WITHHELD"},
    )  # fmt: skip
    token = running.token()
    _, queue = running.call("GET", "/v1/review/items", key=token)
    (item,) = queue["items"]
    assert item["comment"]["body"] == ABUSE
    assert item["comment"]["article"]["url"] == phase("")["story"]["url"]
    decided, _ = running.call(
        "POST", f"/v1/review/items/{item['id']}/actions", {"action": "approve", "version": item["version"]}, key=token
    )
    assert decided == 200
    assert in_time(running, callback, phase(ABUSE)) == (204, None)
    written = running.log.read_text()
    assert not [word for word in (SECRET, AUTHOR, ABUSE) if word in written]


def test_the_phase_needs_no_worker(running: Running, callback: str) -> None:
    assert in_time(running, callback, phase(CIVIL)) == (204, None)
    running.kill("worker", signal.SIGSTOP)
    try:
        text = "I walked there last week; the road is open again."
        assert in_time(running, callback, phase(text)) == (204, None)
    finally:
        running.kill("worker", signal.SIGCONT)


def test_in_perspectives_place_scores_and_decisions_go_where_they_belong(running: Running) -> None:
    key = running.credentials["site_key"]
    plain = {"Content-Type": "application/json"}
    asked = {
        "comment": {"text": ABUSE},
        "doNotStore": True,
        "requestedAttributes": {"TOXICITY": {}},
        "languages": ["en"],
    }
    path = f"/v1alpha1/comments:analyze?key={key}"
    status, answer = send(running, path, json.dumps(asked, separators=(",", ":")).encode(), plain)
    assert status == 200
    assert answer["attributeScores"]["TOXICITY"]["summaryScore"]["value"] > 0.8

    story = "https://news.example/a-story/?commentID=c1"
    about = {"url": story, "Coral_comment_id": "c1"}
    told: dict[str, Any] = {
        "comment": {"text": ABUSE}, "context": {"entries": [{"text": json.dumps(about)}]},
        "languages": ["en"],
        "communityId": "Coral:https://coral.news.example", "clientToken": "comment:c1",
    }  # fmt: skip
    path = f"/v1alpha1/comments:suggestscore?key={key}"
    for value in (0, 1):  # approved first; then another moderator rejects it
        told["attributeScores"] = {"TOXICITY": {"summaryScore": {"value": value}}}
        status, answer = send(running, path, json.dumps(told, separators=(",", ":")).encode(), plain)
        assert (status, answer["clientToken"]) == (200, "comment:c1")
    _, example = running.call("GET", "/v1/examples", key=key)  # one line, so one example
    assert (example["text"], example["labels"]) == (ABUSE, {"TOXICITY": 1.0})
    assert example["context"] == {"url": story, "comment_id": "c1", "community": told["communityId"]}
