"""Errors that a caller can act on. Each has a stable code; the API turns them into problem+json."""

from collections.abc import Mapping
from typing import Any


class ModerationError(Exception):
    """Base of all errors that are an answer, not a fault.

    `detail` is one sentence for a person and never holds a comment's text or an author's data.
    """

    status = 400
    code = "bad_request"

    def __init__(self, detail: str, *, code: str | None = None, extra: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.extra = dict(extra or {})


class Malformed(ModerationError):
    """The request can't be read at all."""

    status, code = 400, "malformed"


class Unauthorized(ModerationError):
    """No key or a wrong one."""

    status, code = 401, "unauthorized"


class Forbidden(ModerationError):
    """A valid key or session that may not do this."""

    status, code = 403, "forbidden"


class NotFound(ModerationError):
    """No such thing, or it belongs to another site."""

    status, code = 404, "not_found"


class Conflict(ModerationError):
    """The state has moved on; `extra` names who and what."""

    status, code = 409, "conflict"


class TooLarge(ModerationError):
    """The request is over a limit."""

    status, code = 413, "too_large"


class UnsupportedMedia(ModerationError):
    """Not JSON."""

    status, code = 415, "unsupported_media_type"


class Invalid(ModerationError):
    """A field has a value that can't be taken; `extra["field"]` names it."""

    status, code = 422, "invalid_field"


class TooMany(ModerationError):
    """A rate limit; `extra["retry_after"]` is in seconds."""

    status, code = 429, "rate_limited"


class Unavailable(ModerationError):
    """A part that this request needs is down."""

    status, code = 503, "unavailable"


class SetupError(Exception):
    """The service can't start or a command can't run; the message is one line for the operator."""
