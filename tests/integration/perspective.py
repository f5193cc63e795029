"""What the tests of Perspective's interface share."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from moderation.scoring import Classifier
from moderation.services import options
from moderation.store.feedback import Check, Example
from moderation.store.session import Store
from moderation.store.tables import Site

Ask = Callable[..., TestResponse]


@pytest.fixture
def app(app: Flask, classifier: Classifier) -> Flask:
    """The app with the quick classifier, loaded once for all tests."""
    app.extensions["moderation"] = replace(app.extensions["moderation"], classifier=lambda: classifier)
    return app


@pytest.fixture
def ask(client: FlaskClient, site: tuple[str, str]) -> Ask:
    """Posts to a method; a text alone becomes a request for TOXICITY."""

    def post(body: Any, method: str = "analyze", query: str = "", **more: Any) -> TestResponse:
        if isinstance(body, str):
            body = {"comment": {"text": body}, "requestedAttributes": {"TOXICITY": {}}}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return client.post(f"/v1alpha1/comments:{method}?key={site[1]}{query}", data=data, **more)

    return post


def request_for(text: str, *names: str, **more: Any) -> dict[str, Any]:
    return {"comment": {"text": text}, "requestedAttributes": {name: {} for name in names}, **more}


def error_of(answer: TestResponse, code: int, status: str) -> dict[str, Any]:
    """The first detail of an error that has Google's shape."""
    assert answer.status_code == code
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    error: dict[str, Any] = answer.get_json()["error"]
    assert set(error) == {"code", "message", "status", "details"}
    assert (error["code"], error["status"]) == (code, status)
    detail: dict[str, Any] = error["details"][0]
    assert detail["@type"].startswith("type.googleapis.com/google.")
    return detail | {"message": error["message"]}


def set_options(store: Store, site: tuple[str, str], **choices: str) -> None:
    with store.write() as session:
        options.set_options(session, session.get_one(Site, site[0]), choices)


def checks(app: Flask, store: Store) -> list[Check]:
    app.extensions["moderation"].checks.flush()
    with store.read() as session:
        return list(session.scalars(select(Check).order_by(Check.id)))


def examples(store: Store) -> list[Example]:
    with store.read() as session:
        return list(session.scalars(select(Example).order_by(Example.id)))
