"""Every operation of the OpenAPI document, fuzzed with what fits it and what does not: the answer is as it says.

Half of the generated requests are aimed at things that exist, else nearly every answer would be 404.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from schemathesis import Case, Response
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)  # fmt: skip

from moderation.app import create_app
from moderation.config import Settings
from moderation.scoring import Classifier
from moderation.services import accounts, health, sites
from moderation.services.accounts import Person
from moderation.store.session import Store, now_ms
from tests.services import ABUSE, PASSWORD, a_comment, bearer

Site = tuple[str, str]
Headers = dict[str, str]
PAGE = "https://news.example"
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    negative_data_rejection,
]  # fmt: skip


def document() -> schemathesis.BaseSchema:
    """The document of an app whose database is never opened."""
    app = create_app(Settings(database_url="sqlite:///unused.sqlite3", secret_key="k" * 32))
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app, config=SchemathesisConfig(seed=1))
    schema.config.generation.update(max_examples=25, deterministic=True, with_security_parameters=False)
    return schema


SCHEMA = document()


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    return Settings(
        database_url=database_url, redis_url=redis_url, secret_key="k" * 32, base_url="http://localhost",
        grace_seconds=0.0, sign_in_rate="100000 per minute", public_rate="100000 per minute",
    )  # fmt: skip


@pytest.fixture
def ids(app: Flask, store: Store, site: Site, classifier: Classifier, work: Callable[[], int]) -> list[str]:
    """Held comments, each of which a test may withdraw or rule on; a worker has just shown itself."""
    comments = [a_comment(f"c{n}", f"{ABUSE} {n}") for n in range(20)]
    answer = app.test_client().post("/v1/comments/batch", json={"comments": comments}, headers=bearer(site[1]))
    work()
    with store.write() as session:
        health.sign_of_life(session, "here", classifier, now_ms())
    return [result["id"] for result in answer.get_json()["results"]]


@pytest.fixture
def keys(store: Store, site: Site, person: Person) -> dict[str, Headers]:
    """What each kind of caller sends."""
    with store.write() as session:
        row = sites.find_site(session, site[0])
        sites.set_origins(session, row, [PAGE])
        token, _ = accounts.sign_in(session, person, 1.0)
        return {
            "site key": bearer(site[1]), "moderator": bearer(token), "no key": {},
            "publishable key": bearer(row.publishable_key) | {"Origin": PAGE},
        }  # fmt: skip


@pytest.fixture
def statuses() -> Iterator[set[int]]:
    """All statuses that an operation answered; one that never succeeded was not really tried."""
    seen: set[int] = set()
    yield seen
    assert {200, 202} & seen, seen


def aim(case: Case, ids: list[str]) -> None:
    """Replaces what names a thing by the name of one that exists, in about half of the requests."""
    number = sum(map(ord, repr((case.path_parameters, case.query, case.body))))
    if number % 2:
        return
    there = ids[number // 2 % len(ids)]
    for name in case.path_parameters:
        case.path_parameters[name] = there
    if "external_id" in case.query:
        case.query["external_id"] = f"c{number % len(ids)}"
    if "article_url" in case.query:
        case.query |= {"article_url": "https://news.example/a", "site": "test"}
    if isinstance(case.body, dict):
        real = {"item_ids": [there], "version": 2, "email": "ann@example.org", "password": PASSWORD}
        case.body |= {name: value for name, value in real.items() if type(case.body.get(name)) is type(value)}


def is_a_problem(response: Response) -> None:
    """Every error is a problem document with a stable code and the status of the answer."""
    problem: dict[str, Any] = response.json()
    assert response.headers["content-type"] == ["application/problem+json"]
    assert re.fullmatch("[a-z_]+", problem["code"])
    assert problem["status"] == response.status_code
    assert problem["detail"]


@SCHEMA.parametrize()
@hypothesis_settings(suppress_health_check=list(HealthCheck), deadline=None)
def test_every_operation_answers_as_the_document_says(
    case: Case, app: Flask, keys: dict[str, Headers], ids: list[str], statuses: set[int]
) -> None:
    aim(case, ids)
    needed = case.operation.definition.raw.get("security") or [{"no key": []}]
    headers = keys[next(iter(needed[0]))]
    response = case.call(app=app, headers=headers)
    statuses.add(response.status_code)
    unready = case.operation.path == "/readyz" and response.status_code == 503
    checks = [check for check in CHECKS if not (unready and check is not_a_server_error)]
    case.validate_response(response, checks=checks, headers=headers)
    if response.status_code >= 400 and not unready:
        is_a_problem(response)
