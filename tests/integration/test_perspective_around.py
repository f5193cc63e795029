"""Perspective's interface: what is around the calls."""

import json
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from moderation.scoring import Classifier
from moderation.store.session import Store
from tests.integration.perspective import Ask, error_of
from tests.integration.perspective import app as app  # a fixture
from tests.integration.perspective import ask as ask  # a fixture


@pytest.mark.parametrize(
    ("method", "path", "code", "status"),
    [
        ("GET", "/v1alpha1/comments:analyze", 405, "UNIMPLEMENTED"),
        ("DELETE", "/v1alpha1/comments:suggestscore", 405, "UNIMPLEMENTED"),
        ("POST", "/$discovery/rest", 405, "UNIMPLEMENTED"),
        ("GET", "/batch", 405, "UNIMPLEMENTED"),
        ("POST", "/v1alpha1/comments:translate", 404, "NOT_FOUND"),
        ("GET", "/v1alpha1", 404, "NOT_FOUND"),
        ("GET", "/v1alpha1/%0A", 404, "NOT_FOUND"),
        ("GET", "/$discovery/rest?version=v2", 404, "NOT_FOUND"),
        ("PUT", "/batch/commentanalyzer", 404, "NOT_FOUND"),
    ],
)
def test_other_paths_and_methods(client: FlaskClient, method: str, path: str, code: int, status: str) -> None:
    answer = client.open(path, method=method, headers={"Accept": "text/html"})
    error_of(answer, code, status)
    assert (code == 405) == ("Allow" in answer.headers)


def test_head_and_options(client: FlaskClient) -> None:
    assert client.head("/$discovery/rest").status_code == 200
    assert set(client.options("/v1alpha1/comments:analyze").headers["Allow"].split(", ")) == {"POST", "OPTIONS"}


def test_too_large(ask: Ask, client: FlaskClient) -> None:
    error_of(ask(b" " * (4 * 1024 * 1024 + 1)), 413, "INVALID_ARGUMENT")
    answer = client.post("/batch", data=b" " * (16 * 1024 * 1024 + 1), content_type="multipart/mixed; boundary=a")
    error_of(answer, 413, "INVALID_ARGUMENT")


def test_the_database_is_away(app: Flask, ask: Ask, tmp_path: Any) -> None:
    app.extensions["moderation"] = replace(
        app.extensions["moderation"], store=Store(f"sqlite:///{tmp_path}/none/x.sqlite3")
    )
    error_of(ask("hello"), 503, "UNAVAILABLE")


def test_a_fault_of_ours(app: Flask, ask: Ask) -> None:
    def fail() -> Classifier:
        raise ZeroDivisionError

    app.extensions["moderation"] = replace(app.extensions["moderation"], classifier=fail)
    error_of(ask("hello"), 500, "INTERNAL")


@pytest.mark.parametrize(
    ("configured", "host", "expected"),
    [
        ("", "10.0.0.5:8000", "http://10.0.0.5:8000/"),
        ("http://127.0.0.1:8000", "mod.example", "http://mod.example/"),
        ("https://mod.example", "internal:8000", "https://mod.example/"),
        ("https://mod.example/", "internal:8000", "https://mod.example/"),
        ("https://mod.example", "commentanalyzer.googleapis.com", "http://commentanalyzer.googleapis.com/"),
    ],
)
def test_the_document_leads_back_here(app: Flask, configured: str, host: str, expected: str) -> None:
    extension = app.extensions["moderation"]
    settings = extension.settings.model_copy(update={"base_url": configured})
    app.extensions["moderation"] = replace(extension, settings=settings)
    document = app.test_client().get("/$discovery/rest?version=v1alpha1", headers={"Host": host}).get_json()
    assert document["rootUrl"] == document["baseUrl"] == expected


def test_every_reference_of_the_document_has_a_shape(client: FlaskClient) -> None:
    document = client.get("/$discovery/rest").get_json()
    named = set(json.dumps(document).split('"$ref": "')[1:])
    assert {name.partition('"')[0] for name in named} <= set(document["schemas"])
    for method in document["resources"]["comments"]["methods"].values():
        assert client.options("/" + method["path"]).status_code == 200
