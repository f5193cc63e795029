"""Limits of what a comment may carry, as pydantic types: the same for every way in."""

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from moderation.domain.text import one_line

BODY_BYTES = 20_480


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain NUL")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("must not contain lone surrogates")
    return text


def _body(text: str) -> str:
    if len(text.encode("utf-8", "surrogatepass")) > BODY_BYTES:
        raise ValueError(f"must have at most {BODY_BYTES} bytes of UTF-8")
    if not text.strip():
        raise ValueError("must not be empty")
    return text


def _written(time: object) -> object:
    """A bare number could be seconds or milliseconds; the document says how a time is written."""
    if isinstance(time, int | float) or (isinstance(time, str) and not re.match(r"\d{4}-\d\d-\d\d", time)):
        raise ValueError("must be a time such as 2026-01-31T12:00:00Z")
    return time


def _line(text: str) -> str:
    return one_line(text) if text.strip() else text


def _whole(number: object) -> object:
    """JSON knows one kind of number: 2.0 is 2."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _in_range(time: datetime) -> datetime:
    if not 1970 <= time.year <= 2200:
        raise ValueError("must lie between 1970 and 2200")
    return time


def one_of(*names: str, alone: bool = False) -> dict[str, Any]:
    """For a model's JSON Schema: at least one of these fields has a text, or with `alone` exactly one of them."""
    given = [{"required": [name], "properties": {name: {"type": "string"}}} for name in names]
    return {"oneOf" if alone else "anyOf": given}


# Regular expressions differ in whether U+0085 and U+FEFF are space; so patterns name them.
# A pattern stands before the functions, for behind them it is missing in the OpenAPI document.
Text = Annotated[str, AfterValidator(_storable)]
# The document says what `_body` checks: something that is not space.
Body = Annotated[
    Text, AfterValidator(_body),
    Field(description=f"at most {BODY_BYTES} bytes of UTF-8", json_schema_extra={"pattern": r"\S"}),
]  # fmt: skip
# With it `Field(strict=True)` takes every whole number of JSON, but no text, and neither true nor false.
WHOLE = BeforeValidator(_whole)
Name = Annotated[Text, Field(min_length=1, max_length=200), AfterValidator(one_line)]
Email = Annotated[
    str, Field(max_length=320, pattern=r"^[^@\s\u0085\ufeff]+@[^@\s\u0085\ufeff]+$"), AfterValidator(_storable),
]  # fmt: skip
ExternalId = Annotated[Text, Field(min_length=1, max_length=200)]
Url = Annotated[str, Field(max_length=2048, pattern=r"^https?://[^\s\u0085\ufeff]+$"), AfterValidator(_storable)]
Title = Annotated[Text, Field(max_length=500), AfterValidator(_line)]
Line = Annotated[Text, Field(max_length=200), AfterValidator(_line)]
Time = Annotated[datetime, BeforeValidator(_written), AfterValidator(_in_range)]
