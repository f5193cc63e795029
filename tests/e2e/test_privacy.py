"""E-mail, IP and user agent of an author get out nowhere, whatever is refused or breaks; bodies reach no log."""

import contextlib
import json
import re
import signal
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from moderation.services import sites
from moderation.store.session import Store
from moderation.store.tables import Comment, Site
from tests.databases import count, until
from tests.e2e.canaries import Canaries, Overheard, all_of_redis, attribute, fault_environment, refusals
from tests.integration.receiver import Receiver
from tests.integration.receiver import receiver as receiver  # a fixture
from tests.services import ABUSE, Running

PRIVATE = ("email", "ip", "agent")
ALL = (*PRIVATE, "name", "body")
PUBLIC_PAGES = [
    "/v1/threads?article_url=https://news.example/a", "/v1/events?limit=1000", "/v1/comments?external_id=first",
    "/demo", "/docs", "/openapi.json", "/readyz", "/healthz", "/login", "/review", "/metrics",
]  # fmt: skip


class Visitor:
    """Makes requests, each on a connection of its own, and keeps every answer with its headers."""

    def __init__(self, running: Running) -> None:
        self.answers: list[tuple[str, str]] = []
        self._running = running

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        given = headers or {"Content-Type": "application/json"}
        key = {"Authorization": f"Bearer {self._running.credentials['site_key']}"}
        data = body if isinstance(body, bytes) or body is None else requests.models.complexjson.dumps(body)
        answer = requests.request(method, self._running.base_url + path, data=data, headers=key | given)
        self.answers.append((f"{method} {path}", f"{answer.headers}\n{answer.text}"))
        return answer


def test_no_private_word_gets_out(start: Callable[..., Running], tmp_path: Path, receiver: Receiver) -> None:
    faults = fault_environment(tmp_path / "faults")
    running = start(
        "--demo",
        env=faults
        | {
            "MODERATION_WEBHOOK_ALLOW_PRIVATE": "1",
            "MODERATION_LOG_FORMAT": "json",
            "MODERATION_TRUSTED_PROXIES": "1",  # so that limits count addresses of our choice
        },
    )
    overheard = Overheard(running)
    store = Store(f"sqlite:///{running.folder / 'moderation.sqlite3'}")
    with store.write() as session:
        sites.set_webhook(session, session.get_one(Site, running.credentials["site_id"]), receiver.url)
    canaries, visitor = Canaries(), Visitor(running)
    accepted = take_in(visitor, canaries)
    decided(store)
    refuse(running, visitor, canaries)
    use_forms(running, visitor, canaries)
    for break_it in (break_database, break_jobs, break_scorer, kill_worker):
        break_it(running, visitor, canaries, Path(faults["BREAK_JOBS"]))
        decided(store)
    for path in PUBLIC_PAGES:
        assert visitor.ask("GET", path).status_code == 200, path
    until(lambda: len(set(receiver.ids())) >= count(store, told()), what="the webhooks")
    redis = all_of_redis(running)
    review = read_review(running, accepted)
    running.stop()
    log = running.log.read_text(errors="replace")
    store.close()
    assert {kind: len(words) > 20 for kind, words in canaries.made.items()} == dict.fromkeys(ALL, True)
    for where, text in visitor.answers:
        assert canaries.found(PRIVATE, text) == [], where
    for headers, body in receiver.got:
        assert canaries.found(PRIVATE, f"{headers} {body.decode()}") == []
    assert canaries.found(("ip", "agent"), review) == []
    assert canaries.found(("email",), review) != []  # the author panel, and only there
    assert canaries.found(ALL, redis) == []
    # At no time either: jobs, rings and counters of limits are there, and none of them knows anybody or any text.
    for word in ("wake:comments", "wake:webhooks", "rq:job", "workers.jobs.drain", "limits/", "/public", "/sign-in"):
        assert overheard.told(word), word
    assert canaries.found(ALL, "\n".join(overheard.commands)) == []
    assert overheard.told("127.0.0.1") == []
    assert canaries.found(ALL, log) == []
    # Messages are the same in text (tests/unit/test_logs.py has both); JSON says more besides.
    said = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    plain = [line for line in log.splitlines() if re.match(r"\d{4}-\d\d-", line)]
    assert {"moderation.access", "workers.jobs", "moderation.services.record"} <= {one["logger"] for one in said}
    assert plain == []


def told() -> Any:
    """Comments whose decision the webhook hears of: all but those of the demo, which were there before it."""
    return Comment.external_id.not_like("demo%") & Comment.decision_id.is_not(None)


def decided(store: Store) -> None:
    until(lambda: count(store, Comment.status == "pending") == 0, 60, "all to be decided")


def take_in(visitor: Visitor, canaries: Canaries) -> list[str]:
    """Comments that are accepted, one by one and as a batch; returns the ids of those that are held."""
    assert visitor.ask("POST", "/v1/comments", canaries.comment("first")).status_code == 202
    held = visitor.ask("POST", "/v1/comments", canaries.comment("bad", ABUSE))
    bad_item = canaries.comment("x") | {"format": canaries.new("agent")}
    batch = [canaries.comment(f"batch{n}") for n in range(20)] + [bad_item, canaries.comment("first")]
    assert visitor.ask("POST", "/v1/comments/batch", {"comments": batch}).status_code == 200
    id = held.json()["id"]
    visitor.ask("PUT", f"/v1/comments/{id}", {"body": f"{ABUSE} {canaries.new('body')}"})
    visitor.ask("GET", f"/v1/comments/{id}")
    return [id]


def refuse(running: Running, visitor: Visitor, canaries: Canaries) -> None:
    for status, method, path, body, headers in refusals(canaries):
        answer = visitor.ask(method, path, body, headers)
        assert answer.status_code == status, (method, path, answer.text)
    # What is no HTTP at all never reaches the app; the server's own log must not quote it either.
    host, port = running.base_url.removeprefix("http://").split(":")
    for junk in (f"{canaries.new('body')}\r\n\r\n", f"GET / HTTP/1.1\r\nX {canaries.new('agent')}: 1\r\n\r\n"):
        with socket.create_connection((host, int(port)), timeout=30) as raw:
            raw.sendall(junk.encode())
            while raw.recv(4096):
                pass


def use_forms(running: Running, visitor: Visitor, canaries: Canaries) -> None:
    """The demo's form without script and as its script does it, and the sign-in.

    What one typed into a form without script is shown to oneself again, so only the script's answers are kept.
    """
    browser = requests.Session()
    browser.headers.update({"User-Agent": canaries.new("agent"), "Origin": running.base_url})
    browser.headers["X-Forwarded-For"] = f"{canaries.new('ip')}::1"
    demo = browser.get(f"{running.base_url}/demo").text
    for email in (f"{canaries.new('email')}@example.org", canaries.new("email")):
        author = {"name": canaries.new("name"), "email": email}
        typed = author | {"body": canaries.new("body"), "url": ""}
        answer = browser.post(f"{running.base_url}/demo/comments", data=typed, allow_redirects=False)
        assert answer.status_code in (303, 422)
        sent = {"author": author, "body": canaries.new("body"), "article": {"url": f"{running.base_url}/demo"}}
        origin = {"Origin": running.base_url, "Content-Type": "application/json", "User-Agent": canaries.new("agent")}
        origin["X-Forwarded-For"] = f"{canaries.new('ip')}::1"
        headers = origin | {"Authorization": f"Bearer {attribute(demo, 'data-key')}"}
        assert visitor.ask("POST", "/v1/public/comments", sent, headers).status_code in (200, 201, 202, 422)
    sign_in(running, browser, {"email": f"{canaries.new('email')}@example.org", "password": canaries.new("body")})


def sign_in(running: Running, browser: requests.Session, who: dict[str, str]) -> requests.Response:
    token = attribute(browser.get(f"{running.base_url}/login").text, 'name="csrf_token" value')
    return browser.post(f"{running.base_url}/login", data=who | ({"csrf_token": token} if token else {}))


def break_database(running: Running, visitor: Visitor, canaries: Canaries, _file: Path) -> None:
    """A table is gone for a while: each request fails inside a statement that holds the comment."""
    with contextlib.closing(sqlite3.connect(running.folder / "moderation.sqlite3", timeout=30)) as database:
        database.execute("ALTER TABLE articles RENAME TO articles_away")
        try:
            for number in range(3):
                answer = visitor.ask("POST", "/v1/comments", canaries.comment(f"down{number}"))
                assert answer.status_code == 503
            assert visitor.ask("GET", "/v1/comments?external_id=first").status_code == 200
        finally:
            database.execute("ALTER TABLE articles_away RENAME TO articles")


def break_jobs(running: Running, visitor: Visitor, canaries: Canaries, file: Path) -> None:
    """Jobs, and the sweep that steps in for them, raise errors that quote the comments they hold."""
    file.touch()
    for number in range(3):
        assert visitor.ask("POST", "/v1/comments", canaries.comment(f"job{number}")).status_code == 202
    for fault in ("job drain: RuntimeError", "sweep: RuntimeError"):
        until(lambda fault=fault: fault in running.log.read_text(errors="replace"), 60, fault)
    file.unlink()


def break_scorer(running: Running, visitor: Visitor, canaries: Canaries, _file: Path) -> None:
    """The classifier raises an error that quotes the text; the comment is held."""
    answer = visitor.ask("POST", "/v1/comments", canaries.comment("unscored", "BREAK-SCORER"))
    held = lambda: visitor.ask("GET", f"/v1/comments/{answer.json()['id']}").json()["status"] == "held"
    until(held, 60, "the comment that can't be scored to be held")


def kill_worker(running: Running, visitor: Visitor, canaries: Canaries, _file: Path) -> None:
    batch = [canaries.comment(f"killed{n}", ABUSE if n % 2 else "Fine.") for n in range(200)]
    visitor.ask("POST", "/v1/comments/batch", {"comments": batch})
    running.kill("worker", signal.SIGKILL)


def read_review(running: Running, held: list[str]) -> str:
    """The moderators' pages, and their API. Only the author panel of a page shows the e-mail."""
    token = {"Authorization": f"Bearer {running.token()}"}
    api = requests.get(f"{running.base_url}/v1/review/items?limit=100", headers=token)
    assert api.status_code == 200
    assert "kanariemail" not in api.text
    browser = requests.Session()
    browser.headers["Origin"] = running.base_url
    sign_in(running, browser, running.credentials["moderator"])
    pages = [browser.get(f"{running.base_url}/review{path}") for path in ("", *(f"/{id}" for id in held))]
    assert {page.status_code for page in pages} == {200}
    for page in pages:
        outside, _, panel = page.text.partition('id="author-title"')
        assert "kanariemail" not in outside + panel.partition("</section>")[2]
    return api.text + "".join(f"{page.headers}{page.text}" for page in pages)
