"""Errors as callers of Perspective know them: `{"error": {code, message, status, details}}`.

Every one has `details[0]`: clients read it unasked, and branch on its `errorType` or `reason`.
"""

import logging
from collections.abc import Sequence
from typing import Any

from flask import Response, json
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from moderation.errors import ModerationError, Unauthorized

_SERVICE = "commentanalyzer.googleapis.com"
_TYPE = "type.googleapis.com/"
_STATUS = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 405: "UNIMPLEMENTED",
    409: "ABORTED", 413: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE",
}  # fmt: skip


class Refused(Exception):
    """An answer with this HTTP status, message and first detail."""

    def __init__(self, code: int, message: str, detail: dict[str, Any]) -> None:
        super().__init__(message)
        self.code, self.message, self.detail = code, message, detail


def refused(message: str, error_type: str = "INVALID_REQUEST", **more: Any) -> Refused:
    """400 with an error type of Perspective's own."""
    kind = f"{_TYPE}google.commentanalyzer.v1alpha1.Error"
    return Refused(400, message, {"@type": kind, "errorType": error_type, **more})


def unreadable(message: str, field: str = "") -> Refused:
    """400 for what is not JSON, or a field of the wrong type. The message never repeats the value."""
    violation = {"field": field, "description": message} if field else {"description": message}
    return Refused(400, message, {"@type": f"{_TYPE}google.rpc.BadRequest", "fieldViolations": [violation]})


def language_not_supported(attribute: str, detected: Sequence[str], requested: Sequence[str]) -> Refused:
    """400 for an attribute that there is not in this language. Retry loops drop exactly the attribute it names."""
    about: dict[str, Any] = {"detectedLanguages": list(detected)} if detected else {}
    about |= {"requestedLanguages": list(requested)} if requested else {}
    languages = ", ".join(requested if requested and not detected else detected)
    return refused(
        f"Attribute {attribute} does not support request languages: {languages}",
        "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
        languageNotSupportedByAttributeError=about | {"attribute": attribute},
    )


def wrong_key() -> Refused:
    """400, as Google answers a key that it does not know."""
    return Refused(400, "API key not valid. Please pass a valid API key.", _info("API_KEY_INVALID"))


def no_key() -> Refused:
    """403, as Google answers a call without a key."""
    return Refused(
        403,
        "Method doesn't allow unregistered callers (callers without established identity). "
        "Please use API Key or other form of API consumer identity to call this API.",
        _info("API_KEY_MISSING"),
    )


def _info(reason: str) -> dict[str, Any]:
    kind = f"{_TYPE}google.rpc.ErrorInfo"
    return {"@type": kind, "reason": reason, "domain": "googleapis.com", "metadata": {"service": _SERVICE}}


def of_refused(error: Refused) -> Response:
    """The answer to an error of this interface."""
    body = {
        "code": error.code, "message": error.message, "status": _STATUS.get(error.code, "UNKNOWN"),
        "details": [error.detail],
    }  # fmt: skip
    response = Response(json.dumps({"error": body}), error.code)
    response.headers["Content-Type"] = "application/json; charset=UTF-8"
    if error.code == 413:  # the rest of the body was not read, so the connection is of no use any more
        response.headers["Connection"] = "close"
    return response


def of_error(error: ModerationError) -> Response:
    """The answer to an error of ours."""
    if isinstance(error, Unauthorized):
        return of_refused(wrong_key())
    code = error.status if error.status in _STATUS else 400
    message = f"The service is currently unavailable: {error.detail}." if code == 503 else error.detail
    answer = of_refused(Refused(code, message, _info(error.code.upper())))
    if "retry_after" in error.extra:
        answer.headers["Retry-After"] = str(error.extra["retry_after"])
    return answer


def of_http_exception(error: HTTPException) -> Response:
    """The answer to an error of the framework's: no such path, another method, too large."""
    code = error.code or 500
    answer = of_refused(Refused(code, error.description or error.name, _info(error.name.upper().replace(" ", "_"))))
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            answer.headers[name] = value
    return answer


def of_database(error: SQLAlchemyError) -> Response:
    """The answer while the database can't be used."""
    logging.getLogger("moderation").error("database: %s", type(error).__name__, exc_info=error)
    answer = of_refused(Refused(503, "The service is currently unavailable.", _info("DATABASE_UNAVAILABLE")))
    answer.headers["Retry-After"] = "5"
    return answer


def of_fault(error: Exception) -> Response:
    """The answer to a fault of ours; the log has where, never what the code had in hand."""
    logging.getLogger("moderation").error("fault", exc_info=error)
    return of_refused(Refused(500, "Internal error encountered.", _info("INTERNAL_ERROR")))
