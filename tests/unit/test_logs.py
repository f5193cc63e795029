"""Log lines: one object a line in JSON, ids in both forms, and nothing of what an exception quotes in either."""

import io
import json
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from moderation import logs
from moderation.app import create_app
from moderation.config import Settings

SECRET = "kanarigeheimvogel"


@pytest.fixture(params=["text", "json"])
def lines(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[str]]]:
    """What was logged to standard error in this form since the last call."""
    said = io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    before, hooks = logging.getLogger().handlers[:], (sys.excepthook, threading.excepthook)
    logging.getLogger().handlers[:] = []  # they would be closed
    logs.log_to_stderr(request.param)

    def since() -> list[str]:
        text = said.getvalue()
        said.seek(0)
        said.truncate()
        return text.splitlines()

    yield since
    logging.captureWarnings(False)
    logging.getLogger().handlers[:] = before
    sys.excepthook, threading.excepthook = hooks
    logs._form[:] = ["text"]
    logs.begin()


def form() -> str:
    return logs._form[0]


def test_a_line_says_what_it_is_about(lines: Callable[[], list[str]]) -> None:
    logs.begin(request_id="r1")
    logs.note(comment_ids=["c1", "c2"], email=SECRET)
    logging.getLogger("moderation.services.x").warning("late by %d", 5, extra={"event_id": "e1", "body": SECRET})
    logs.begin()
    logging.getLogger("others.library").warning("plain")
    first, second = lines()
    if form() == "text":
        assert first.endswith(" WARNING moderation.services.x: late by 5 [request_id=r1 comment_ids=c1,c2 event_id=e1]")
        assert second.endswith(" WARNING others.library: plain")
        return
    said = json.loads(first)
    assert said.pop("time").endswith("+00:00")
    assert said == {
        "level": "warning", "logger": "moderation.services.x", "message": "late by 5", "request_id": "r1",
        "comment_ids": ["c1", "c2"], "event_id": "e1",
    }  # fmt: skip
    assert set(json.loads(second)) == {"time", "level", "logger", "message"}


def test_an_exception_is_its_kind_and_where_never_its_text(lines: Callable[[], list[str]]) -> None:
    try:
        try:
            raise KeyError(SECRET)
        except KeyError as error:
            raise ValueError(SECRET) from error
    except ValueError as error:
        logging.getLogger("x").error("fault", exc_info=error)
        sys.excepthook(type(error), error, error.__traceback__)
    warnings.warn("an old name", DeprecationWarning, stacklevel=1)
    said = lines()
    assert SECRET not in "\n".join(said)
    assert "ValueError" in "\n".join(said)
    assert any("test_logs.py" in line for line in said)
    if form() == "json":
        faults = [json.loads(line) for line in said]
        assert [fault["level"] for fault in faults[:2]] == ["error", "critical"]
        assert faults[0]["exception"] == "ValueError"


def test_lines_of_services_carry_the_id_of_their_request(lines: Callable[[], list[str]]) -> None:
    app = create_app(Settings(database_url="sqlite:///unused.sqlite3", secret_key="k" * 32))

    def deep() -> str:
        logging.getLogger("moderation.services.deep").warning("said in a service")
        raise ValueError(SECRET)

    app.add_url_rule("/deep", "deep", deep)
    client(app).get("/deep", headers={"X-Request-Id": "0123456789abcdef"})
    client(app).get("/healthz")
    said = lines()
    about = [line for line in said if "0123456789abcdef" in line]
    assert [
        word for word in ("said in a service", "fault", "GET /deep 500") if not any(word in one for one in about)
    ] == []
    assert SECRET not in "\n".join(said)
    assert "GET /healthz 200" in said[-1]
    if form() == "json":
        access: dict[str, Any] = json.loads(about[-1])
        assert (access["method"], access["route"], access["status"], access["request_id"]) == (
            "GET", "/deep", 500, "0123456789abcdef",
        )  # fmt: skip
        assert access["ms"] >= 0
    logging.getLogger("x").warning("after it")
    assert "_id" not in lines()[0]


def client(app: Flask) -> Any:
    return app.test_client()


def test_what_keeps_a_part_from_starting_is_json_too() -> None:
    env = {"MODERATION_LOG_FORMAT": "json", "MODERATION_SECRET_KEY": "short", "PATH": ""}
    done = subprocess.run([sys.executable, "-P", "-m", "moderation", "web"], env=env, capture_output=True, text=True)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["level"] == "critical"
