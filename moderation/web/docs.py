"""/docs: the OpenAPI document as a page, without script, and the moderators' keys."""

from typing import Any

from flask import Blueprint, current_app, render_template

from moderation.domain.lifecycle import ACTIONS, REJECT_REASONS

pages = Blueprint("docs", __name__)

_METHODS = ("get", "post", "put", "patch", "delete")


@pages.get("/docs")
def docs() -> str:
    """Every operation by tag, with its parameters, body and answers."""
    document: dict[str, Any] = current_app.api_doc  # type: ignore[attr-defined]
    return render_template(
        "docs.html", info=document["info"], groups=_groups(document), schemas=_schemas(document),
        actions=ACTIONS, reject_reasons=REJECT_REASONS,
    )  # fmt: skip


def _groups(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, operations in sorted(document["paths"].items()):
        for method in _METHODS:
            if method in operations:
                tag = (operations[method].get("tags") or ["Other"])[0]
                groups.setdefault(tag, []).append(_operation(path, method, operations[method]))
    return groups


def _operation(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    answers = [
        {"status": status, "text": answer.get("description", ""), "schema": _answer(answer)}
        for status, answer in sorted(operation.get("responses", {}).items())
    ]
    return {
        "method": method.upper(), "path": path, "id": f"{method}-{path.strip('/').replace('/', '-')}",
        "summary": operation.get("summary") or "", "text": operation.get("description") or "",
        "security": [name for needed in operation.get("security", []) for name in needed],
        "parameters": [
            {"name": p["name"], "in": p["in"], "required": p.get("required", False), "type": kind(p["schema"]),
             "text": p.get("description", "")}
            for p in operation.get("parameters", [])
        ],
        "body": ref(body),
        "answers": [answer for answer in answers if answer["schema"] != "Problem"],
        "errors": [answer["status"] for answer in answers if answer["schema"] == "Problem"],
    }  # fmt: skip


def _answer(answer: dict[str, Any]) -> str | None:
    for content in answer.get("content", {}).values():
        return ref(content.get("schema"))
    return None


def _schemas(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Name -> its text and fields."""
    return {
        name: {
            "text": schema.get("description", ""),
            "fields": [
                {"name": field, "type": kind(about), "ref": _inner(about),
                 "required": field in schema.get("required", []), "text": about.get("description", "")}
                for field, about in schema.get("properties", {}).items()
            ],
        }
        for name, schema in sorted(document.get("components", {}).get("schemas", {}).items())
    }  # fmt: skip


def ref(schema: dict[str, Any] | None) -> str | None:
    """The name of the schema that this one points at."""
    return str(schema["$ref"]).rpartition("/")[2] if schema and "$ref" in schema else None


def _inner(schema: dict[str, Any]) -> str | None:
    """The named schema somewhere in a field: itself, one of its kinds, or its items."""
    nested = [schema, *schema.get("anyOf", []), *schema.get("allOf", []), schema.get("items", {})]
    return next((name for one in nested if (name := ref(one))), None)


def kind(schema: dict[str, Any]) -> str:
    """A schema in a few words: its type, choices and limits."""
    if name := ref(schema):
        return name
    if kinds := schema.get("anyOf") or schema.get("allOf"):
        return " or ".join(dict.fromkeys(kind(one) for one in kinds))
    if choices := schema.get("enum"):
        return " | ".join(str(choice) for choice in choices)
    said = str(schema.get("type") or "anything")
    if said == "array":
        said = f"list of {kind(schema.get('items', {}))}"
    limits = {"minLength": "at least {} letters", "maxLength": "at most {} letters", "minimum": "from {}",
              "maximum": "to {}", "minItems": "at least {} items", "maxItems": "at most {} items"}  # fmt: skip
    return ", ".join([said, *(text.format(schema[name]) for name, text in limits.items() if name in schema)])
