"""Every operation of the OpenAPI document, fuzzed with what fits it and what does not: the answer is as it says.

With the right key, without one, and with a wrong one.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from schemathesis import Case

from moderation.config import Settings
from moderation.domain.lifecycle import Outcome, Role
from moderation.scoring import Classifier
from moderation.services import accounts, health, intake, notes, people, saved_queues, sites
from moderation.services.accounts import Person
from moderation.store.queries import insert_rows
from moderation.store.session import Store, new_id, now_ms
from moderation.store.tables import Comment
from moderation.store.voices import Appeal
from tests.integration.fuzzing import Fuzz, Headers
from tests.services import ABUSE, PASSWORD, a_comment, bearer

pytestmark = pytest.mark.timeout(1200)  # one test is the whole document; a busy machine is no mistake of the code
Site = tuple[str, str]
PAGE = "https://news.example"
SEED = int(os.environ.get("FUZZ_SEED", "1"))
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "4"))

# Operation -> check -> why it can't hold there.
_FIELDS = "positive_data_acceptance"
_CURSOR = "a cursor must be one that was given out"
_FILTER = "a filter's words must be of this site: names of its rules, sections and colleagues"
_ADDRESS = "what an e-mail address may be no pattern of ours says"
_POLICY = "a policy has a language of its own (docs/policy.md)"
NOT_CHECKED: dict[str, dict[str, str]] = {
    "GET /readyz": {"not_a_server_error": "503 is what it says of a part that is missing; here no Redis worker runs"},
    "POST /v1/comments/batch": {"allow_header_conformance": "its path also fits /v1/comments/{comment_id}"},
    "GET /v1/review/items": {_FIELDS: f"{_CURSOR}; {_FILTER}"},
    "GET /v1/review/count": {_FIELDS: _FILTER},
    "GET /v1/review/histogram": {_FIELDS: _FILTER},
    "POST /v1/review/queues": {_FIELDS: _FILTER},
    "POST /v1/review/items/{item_id}/assign": {_FIELDS: "it can be given to a colleague only"},
    "POST /v1/people/invitations": {_FIELDS: _ADDRESS},
    "POST /v1/public/comments": {_FIELDS: "the comment that is answered must be shown"},
    "POST /v1/review/authors/{author_key}/standing": {
        _FIELDS: "its end must lie ahead, and only a ban rejects what waits",
    },
    "POST /v1/review/policy": {_FIELDS: _POLICY},
    "POST /v1/review/policy/preview": {_FIELDS: _POLICY},
}


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    return Settings(
        database_url=database_url, redis_url=redis_url, secret_key="k" * 32, base_url="http://localhost",
        grace_seconds=0.0, sign_in_rate="100000 per minute", public_rate="100000 per minute",
        metrics_token="m" * 32,
    )  # fmt: skip


@pytest.fixture
def ids(app: Flask, store: Store, site: Site, classifier: Classifier, work: Callable[[], int]) -> list[str]:
    """Held comments, each of which a run may withdraw or rule on; a worker has just shown itself."""
    comments = [a_comment(f"c{n}", f"{ABUSE} {n}") for n in range(400)]
    comments.append(a_comment("gone", author={"name": "Gone", "email": "gone@example.org"}))  # who may be erased
    answer = app.test_client().post("/v1/comments/batch", json={"comments": comments}, headers=bearer(site[1]))
    work()
    with store.write() as session:
        health.sign_of_life(session, "here", classifier, now_ms())
    return [result["id"] for result in answer.get_json()["results"][:-1]]


@pytest.fixture
def said(store: Store, site: Site, ids: list[str]) -> dict[str, list[str]]:
    """What readers and authors may speak of: comments that are shown, and open appeals."""
    now, shown, appealed = now_ms(), ids[:40], ids[40:80]
    with store.write() as session:
        for comment in shown:
            intake.site_decision(session, site[0], comment, Outcome.APPROVE, None, None, now)
        rows = [
            {"id": new_id(), "site_id": site[0], "comment_id": comment, "decision_id": decision.id, "text": "Why?",
             "created_at": now}
            for comment in appealed
            for _, decision in [intake.site_decision(session, site[0], comment, Outcome.REJECT, None, None, now)]
        ]  # fmt: skip
        insert_rows(session, Appeal, rows)
    return {"comment_id": shown, "appeal_id": [row["id"] for row in rows]}


@pytest.fixture
def keys(store: Store, site: Site, person: Person) -> dict[str, Headers]:
    """What each kind of caller sends."""
    with store.write() as session:
        row = sites.find_site(session, site[0])
        sites.set_origins(session, row, [PAGE])
        people.set_role(session, site[0], person.id, Role.ADMIN, None)  # who may do everything
        token, _ = accounts.sign_in(session, person, 1.0)
        return {
            "site key": bearer(site[1]), "moderator": bearer(token), "no key": {},
            "publishable key": bearer(row.publishable_key) | {"Origin": PAGE},
            "metrics token": bearer("m" * 32),
        }  # fmt: skip


@pytest.fixture
def names(store: Store, site: Site, person: Person, ids: list[str], said: dict[str, list[str]]) -> dict[str, list[str]]:
    """Ids of what exists, by the name under which an operation's path takes them."""
    now = now_ms()
    with store.write() as session:
        queues = [saved_queues.save(session, person, f"q{n}", {}, shared=False, now=now).id for n in range(20)]
        written = [notes.add(session, person, ids[0], "comment", f"note {n}", now).note.id for n in range(20)]
        comment = session.get_one(Comment, ids[0])
        return {
            "comment_id": ids, "item_id": ids, "queue_id": queues, "note_id": written, "appeal_id": said["appeal_id"],
            "author_key": [comment.author_key], "article_id": [comment.article_id],
        }  # fmt: skip


@pytest.fixture
def fields(ids: list[str], said: dict[str, list[str]]) -> Callable[[Case, int], dict[str, Any]]:
    """Values of fields and query parameters that lead to something that exists."""

    def real(case: Case, number: int) -> dict[str, Any]:
        values: dict[str, Any] = {
            "item_ids": [ids[number % len(ids)]], "version": 2, "email": "ann@example.org", "password": PASSWORD,
            "document": {"rules": []}, "base": 1, "external_id": f"c{number % len(ids)}",
            "article_url": "https://news.example/a", "site": "test",
        }  # fmt: skip
        if case.operation.path.endswith("/public/reports"):
            values["comment_id"] = said["comment_id"][number // 2 % len(said["comment_id"])]
        if case.operation.path == "/v1/authors/erase":
            values["email"] = "gone@example.org"
        if case.operation.label == "POST /v1/comments":
            del values["external_id"]
            values |= {"article": a_comment("")["article"], "created_at": "2026-01-31T12:00:00Z"}
        return values

    return real


def test_every_operation_answers_as_the_document_says(
    app: Flask, keys: dict[str, Headers], names: dict[str, list[str]],
    fields: Callable[[Case, int], dict[str, Any]],
) -> None:  # fmt: skip
    fuzz = Fuzz(app, keys, names, fields, SEED, EXAMPLES)
    assert not (found := fuzz.failures(NOT_CHECKED)), f"{len(found)}:\n" + "\n".join(found)
    # 409 is past all checks of key and body: what was there before is in the way (a closed article, say).
    never = sorted(name for name, seen in fuzz.statuses.items() if not {200, 201, 202, 204, 409} & seen)
    assert not never, f"never succeeded, so not really tried: { {name: fuzz.statuses[name] for name in never} }"


@pytest.mark.parametrize("key", [{}, bearer("wrong" * 8)], ids=["no key", "a wrong key"])
def test_without_the_right_key_nothing_opens(
    key: Headers, app: Flask, keys: dict[str, Headers], names: dict[str, list[str]],
    fields: Callable[[Case, int], dict[str, Any]],
) -> None:  # fmt: skip
    fuzz = Fuzz(app, dict.fromkeys(keys, key), names, fields, SEED, 1, refused=True)
    assert not (found := fuzz.failures(NOT_CHECKED)), f"{len(found)}:\n" + "\n".join(found)
