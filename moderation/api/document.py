"""The OpenAPI document: what the framework writes, with the errors that every operation of its kind can answer."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Request
from flask.json.provider import DefaultJSONProvider
from flask_openapi3.openapi import OpenAPI

from moderation.api.schemas import Problem
from moderation.domain import json_text
from moderation.errors import Malformed

_SCHEMA = {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}


class StrictJson(DefaultJSONProvider):
    """Reads what programs send as `domain.json_text` does, and writes it in the order that we give."""

    sort_keys = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """The value of a JSON text. Raises json_text.Unreadable, a ValueError."""
        return json_text.loads(s)


class JsonRequest(Request):
    """Says what is wrong with a body that is not taken."""

    def on_json_loading_failed(self, e: ValueError | None) -> Any:
        """Raises Malformed, or what the framework raises for another content type."""
        if isinstance(e, json_text.Unreadable):
            raise Malformed(str(e), code=e.code) from None
        return super().on_json_loading_failed(e)


class Documented(OpenAPI):
    """The application with its document; an operation's `responses` name only the errors that are special to it."""

    json_provider_class = StrictJson
    request_class = JsonRequest

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, validation_error_model=Problem, **kwargs)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """No view of ours is a coroutine; to find that out of each costs a twentieth of the time of a short request."""
        return func

    def generate_spec_json(self) -> None:
        """Makes the document, once."""
        super().generate_spec_json()  # type: ignore[no-untyped-call]
        for operations in self.spec_json["paths"].values():
            for method, operation in operations.items():
                operation["responses"] = _responses(method, operation)


def _responses(method: str, operation: dict[str, Any]) -> dict[str, Any]:
    """Answers by status: those that the operation names, and the errors of its kind."""
    answers: dict[str, Any] = dict(operation["responses"])
    answers.pop("422")  # the framework's own, of a shape that is not ours
    for status in _errors(method, operation) - {int(status) for status in answers}:
        answers[str(status)] = {"description": HTTPStatus(status).phrase, "content": {"application/json": _SCHEMA}}
    for answer in answers.values():
        if answer.get("content") == {"application/json": _SCHEMA}:
            answer["content"] = {"application/problem+json": _SCHEMA}
    return dict(sorted(answers.items()))


def _errors(method: str, operation: dict[str, Any]) -> set[int]:
    places = {parameter["in"] for parameter in operation.get("parameters", [])}
    found: set[int] = set()
    if operation.get("security"):
        found |= {401, 403}
    if {"site key": []} in operation.get("security", []):
        found |= {429}
    if "path" in places:
        found |= {404}
    if method in ("post", "put", "patch"):
        found |= {400, 413, 415}
    if places or "requestBody" in operation:
        found |= {422}
    return found | {503} if found else found
