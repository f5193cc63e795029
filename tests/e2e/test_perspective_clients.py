"""Google's own clients, unmodified, against the started service: they find it by its discovery document alone."""

import json
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.clients.environments import SOURCES, node_client, python_client
from tests.services import ABUSE, Running

pytestmark = pytest.mark.clients

CALM = "A careful summary, and a fair one."
GERMAN = "Das ist ein ganz gewöhnlicher Kommentar auf Deutsch, der nichts weiter sagt."


def walk(running: Running, command: list[str | Path]) -> Any:
    """What a client was told, from the script that makes its calls."""
    given = {
        "url": running.base_url, "key": running.credentials["site_key"], "calm": CALM, "abuse": ABUSE, "german": GERMAN,
    }  # fmt: skip
    done = subprocess.run(
        [str(part) for part in command], input=json.dumps(given), capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-2000:]
    log = running.log.read_text()
    assert [word for word in (running.credentials["site_key"], CALM, "stupid") if word in log] == []
    return json.loads(done.stdout)


def value(said: Any, name: str) -> float:
    """The summary score of an answer."""
    return float(said["answer"]["attributeScores"][name]["summaryScore"]["value"])


def check(said: Any) -> None:
    """What every client must have been told."""
    assert said["calm"]["answer"]["clientToken"] == "t1"
    assert said["calm"]["answer"]["languages"] == said["abuse"]["answer"]["detectedLanguages"] == ["en"]
    assert value(said["calm"], "TOXICITY") < 0.1 < 0.8 < value(said["abuse"], "TOXICITY")
    spans = said["spans"]["answer"]["attributeScores"]["TOXICITY"]["spanScores"]
    # The emoji before the second sentence is two of JavaScript's characters.
    assert [(span["begin"], span["end"]) for span in spans] == [
        (0, len(CALM)),
        (len(CALM) + 1, len(CALM) + 4 + len(ABUSE)),
    ]
    assert spans[0]["score"]["value"] < 0.1 < 0.8 < spans[1]["score"]["value"]
    details = said["german"]["details"][0]
    assert (said["german"]["code"], details["errorType"]) == (400, "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE")
    assert details["languageNotSupportedByAttributeError"] == {"detectedLanguages": ["de"], "attribute": "TOXICITY"}
    assert said["wrong key"]["code"] == 400
    assert said["wrong key"]["reason"] == "API key not valid. Please pass a valid API key."
    assert said["wrong key"]["details"][0]["reason"] == "API_KEY_INVALID"
    assert said["label"]["answer"] == {
        "clientToken": "comment:1", "requestedLanguages": [], "detectedLanguages": ["en"],
    }  # fmt: skip


def labels(running: Running) -> list[tuple[str, str]]:
    """Text and labels of the examples that the service keeps."""
    with closing(sqlite3.connect(running.folder / "moderation.sqlite3")) as database:
        return database.execute("SELECT text, labels FROM examples").fetchall()


def test_google_api_python_client(start: Callable[..., Running]) -> None:
    running = start()
    said = walk(running, [python_client("perspective-python"), SOURCES / "perspective-python" / "walk.py"])
    alone, batch = said["alone"], said["batch"]
    check(alone)
    assert list(alone["abuse"]["answer"]["attributeScores"]) == ["TOXICITY", "OBSCENE", "INSULT_EXPERIMENTAL"]
    assert alone["empty"] == {
        "code": 400, "reason": "Comment must be non-empty.",
        "details": [{
            "@type": "type.googleapis.com/google.commentanalyzer.v1alpha1.Error", "errorType": "COMMENT_EMPTY",
        }],
    }  # fmt: skip
    assert alone["unknown"]["reason"] == "Unknown requested attribute: NICENESS"
    assert set(batch) == {"calm", "abuse", "spans", "empty", "german", "unknown"}
    for name, answer in batch.items():
        assert answer == {part: alone[name][part] for part in answer}
    assert labels(running) == [(ABUSE, '{"TOXICITY": 1.0}')]


@pytest.mark.node
def test_googleapis_of_npm(start: Callable[..., Running]) -> None:
    running = start()
    check(walk(running, ["node", node_client("perspective-npm") / "walk.cjs"]))
    assert labels(running) == [(ABUSE, '{"TOXICITY": 1.0}')]
