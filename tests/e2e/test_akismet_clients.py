"""Unmodified Akismet clients against the started service: each checks, is told, and finds its words counted."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.databases import until
from tests.e2e.clients.environments import SOURCES, node_client, python_client
from tests.services import Running

pytestmark = pytest.mark.clients

BLOG = "https://news.example/"
HAM = "Thank you, a clear summary of the briefing."
SPAM = "Earn $5000 a week from home! Click http://win.example/now http://win.example/go http://win.example/buy"
UNSCORED = "Das ist leider ein sehr langer deutscher Satz mit vielen Wörtern über den Krieg."
THANKS = "Thanks for making the web a better place."


def walk(running: Running, command: list[str | Path]) -> Any:
    """What a client was told, from the script that makes its calls."""
    given = {
        "url": running.base_url, "key": running.credentials["site_key"], "blog": BLOG, "ham": HAM, "spam": SPAM,
        "unscored": UNSCORED, "time_limit": 30.0,
    }  # fmt: skip
    done = subprocess.run(
        [str(part) for part in command], input=json.dumps(given), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def counted(running: Running, calls: int, spam: int) -> None:
    """Waits until the site's page shows so many checks; both texts were then labelled against the answer."""
    path = f"/1.2/key-sites?api_key={quote(running.credentials['site_key'])}"

    def row() -> Any:
        answer = running.call("GET", path, key=None)[1]
        (rows,) = (value for name, value in answer.items() if name[:2] == "20")
        return rows[0] if rows else {}

    until(lambda: row().get("api_calls") == str(calls), 60, "the checks to be written")
    assert row() == {
        "site": BLOG, "api_calls": str(calls), "spam": str(spam), "ham": str(calls - spam), "missed_spam": "1",
        "false_positives": "1", "is_revoked": False,
    }  # fmt: skip
    log = running.log.read_text()
    assert [word for word in (running.credentials["site_key"], "canary-9", "203.0.113.9", HAM) if word in log] == []


def test_akismet_of_pypi(start: Callable[..., Running]) -> None:
    service = start()
    said = walk(service, [python_client("akismet-python"), SOURCES / "akismet-python" / "walk.py"])
    expected = {
        "refused": True, "ham": "HAM", "spam": "SPAM", "test": "SPAM", "submit_spam": True, "submit_ham": True,
        "limit": "none",
    }  # fmt: skip
    assert said == {"sync": expected, "async": expected}
    counted(service, calls=4, spam=2)


@pytest.mark.node
def test_akismet_of_npm(start: Callable[..., Running]) -> None:
    service = start(env={"MODERATION_AKISMET_SITE": "site"})  # its checks carry no key
    said = walk(service, ["node", node_client("akismet-npm") / "walk.cjs"])
    assert said == {"valid": True, "wrong": False, "ham": False, "spam": True, "test": True}
    counted(service, calls=2, spam=1)


@pytest.mark.node
def test_cedx_akismet_of_npm(start: Callable[..., Running]) -> None:
    service = start()
    said = walk(service, ["node", node_client("akismet-cedx") / "walk.mjs"])
    assert said["plain"] == said["prefix"]
    assert "not scored" in said["plain"].pop("error")
    assert said["plain"] == {"valid": True, "wrong": False, "ham": "ham", "spam": "spam", "test": "spam"}
    counted(service, calls=4, spam=2)


@pytest.mark.node
def test_akismet_api_of_npm(start: Callable[..., Running]) -> None:
    service = start()
    said = walk(service, ["node", node_client("akismet-api") / "walk.cjs"])
    assert said == {
        "valid": True, "wrong": False, "ham": False, "spam": True, "trap": True, "test": True,
        "error": "Invalid API key", "submit_spam": THANKS, "submit_ham": THANKS,
    }  # fmt: skip
    counted(service, calls=2, spam=1)
