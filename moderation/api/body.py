"""JSON bodies: read strictly, before any model sees them."""

from typing import Any

from flask import Response, request
from pydantic import ValidationError
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from moderation.errors import Malformed, TooLarge, UnsupportedMedia
from moderation.http import problem

SMALL = 256 * 1024
LARGE = 16 * 1024 * 1024


def require_json() -> None:
    """Before each request with a body: a JSON object of a fair size. Raises 400, 413 or 415."""
    if request.method not in ("POST", "PUT", "PATCH"):
        return
    limit = LARGE if request.path.endswith("/batch") else SMALL
    if (request.content_length or 0) > limit:
        raise TooLarge(f"the request may have {limit} bytes")
    bare = not request.content_length and not request.content_type and "Transfer-Encoding" not in request.headers
    if bare:  # a post without a body, such as a claim
        return
    if request.mimetype != "application/json" and not request.mimetype.endswith("+json"):
        raise UnsupportedMedia("send JSON with Content-Type: application/json")
    request.max_content_length = limit
    try:
        data = request.get_json()
    except RequestEntityTooLarge:
        raise TooLarge(f"the request may have {limit} bytes") from None
    except BadRequest:
        raise Malformed("the body is not JSON") from None
    if not isinstance(data, dict):
        raise Malformed("the body must be a JSON object")


def invalid(error: ValidationError) -> dict[str, Any]:
    """What is wrong with the first bad field; the value itself is never repeated."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "body"
    message = first["msg"].removeprefix("Value error, ")
    return {"code": "invalid_field", "field": field, "detail": f"{field}: {message}"}


def of_validation_error(error: ValidationError) -> Response:
    """422 for a body, path or query that does not fit."""
    wrong = invalid(error)
    return problem(422, wrong["code"], wrong["detail"], {"field": wrong["field"]})
