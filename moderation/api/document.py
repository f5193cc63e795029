"""The OpenAPI document: what the framework writes, with the errors that every operation of its kind can answer."""

from http import HTTPStatus
from typing import Any

from flask_openapi3.openapi import OpenAPI

from moderation.api.schemas import Problem

_SCHEMA = {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}


class Documented(OpenAPI):
    """The application with its document; an operation's `responses` name only the errors that are special to it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, validation_error_model=Problem, **kwargs)

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
    if "path" in places:
        found |= {404}
    if method in ("post", "put"):
        found |= {400, 413, 415}
    if places or "requestBody" in operation:
        found |= {422}
    return found | {503} if found else found
