"""A text that must not be stored is nowhere afterwards: not in the database, not in Redis, not in a log."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from moderation.services import options
from moderation.store.session import Store
from moderation.store.tables import Site
from tests.databases import until
from tests.e2e.canaries import all_of_redis, fault_environment
from tests.services import Running

SECRETS = ("canaryone", "canarytwo", "canarythree", "canaryfour", "canaryfive", "canarysix")


def test_nothing_is_left_of_it(start: Callable[..., Running], tmp_path: Path) -> None:
    running = start(env=fault_environment(tmp_path / "faults"))
    path = running.folder / "moderation.sqlite3"
    store = Store(f"sqlite:///{path}", pool_size=1)
    with store.write() as session:
        site = session.get_one(Site, running.credentials["site_id"])
        options.set_options(session, site, {"keep_checked_text": "true"})
    store.close()
    ask(running, {"comment": {"text": "This may be kept: keepsake."}, "requestedAttributes": {"TOXICITY": {}}})
    answers = [
        ask(running, body)
        for body in (
            private("You stupid idiot canaryone.", spanAnnotations=True, clientToken="canarytwo"),
            private("hello", sessionId="canarythree", context={"entries": [{"text": "canarythree"}]}),
            private("BREAK-SCORER canaryfour"),  # the classifier fails and quotes it
            private("canaryfour " * 3000),
            private("canaryfour", requestedAttributes={"canaryfour": {}}),
            private("Das ist ein deutscher Satz mit canaryfour und noch vielen anderen Wörtern darin."),
            b'{"doNotStore": true, "comment": {"text": "canaryfive',
            b'{"doNotStore": true, "comment": {"text": ["canaryfive"]}}',
            b'{"doNotStore": true, "comment": {"text": "canaryfive \xff"}}',
        )
    ]
    assert answers == [200, 200, 503, 400, 400, 400, 400, 400, 400]
    requests.post(f"{running.base_url}/batch", data=in_batch(running, private("canarysix is here")), headers={
        "Content-Type": "multipart/mixed; boundary=x", "X-Goog-Api-Key": running.credentials["site_key"],
    })  # fmt: skip
    until(lambda: b"keepsake" in database(running), what="the checks to be written")
    everything = database(running) + running.log.read_bytes() + all_of_redis(running).encode("latin-1")
    assert [secret for secret in SECRETS if secret.encode() in everything] == []
    assert running.credentials["site_key"] not in running.log.read_text()
    running.stop()
    everything = database(running) + running.log.read_bytes()
    assert [secret for secret in SECRETS if secret.encode() in everything] == []


def private(text: str, **more: Any) -> dict[str, Any]:
    return {"comment": {"text": text}, "requestedAttributes": {"TOXICITY": {}}, "doNotStore": True, **more}


def ask(running: Running, body: dict[str, Any] | bytes) -> int:
    """The status of an analyze call."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = f"{running.base_url}/v1alpha1/comments:analyze"
    return requests.post(url, params={"key": running.credentials["site_key"]}, data=data).status_code


def in_batch(running: Running, body: dict[str, Any]) -> bytes:
    head = "--x\r\nContent-Type: application/http\r\n\r\nPOST /v1alpha1/comments:analyze HTTP/1.1\r\n\r\n"
    return (head + json.dumps(body) + "\r\n--x--").encode()


def database(running: Running) -> bytes:
    """Every byte of the database's files, freed pages and the log of changes too."""
    return b"".join(path.read_bytes() for path in running.folder.glob("moderation.sqlite3*"))
