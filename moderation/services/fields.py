"""Limits of what a comment may carry, as pydantic types: the same for every way in."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field

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


def _in_range(time: datetime) -> datetime:
    if not 1970 <= time.year <= 2200:
        raise ValueError("must lie between 1970 and 2200")
    return time


# A pattern stands before the functions, for behind them it is missing in the OpenAPI document.
Text = Annotated[str, AfterValidator(_storable)]
Body = Annotated[Text, AfterValidator(_body), Field(description=f"at most {BODY_BYTES} bytes of UTF-8")]
Name = Annotated[Text, Field(min_length=1, max_length=200)]
Email = Annotated[str, Field(max_length=320, pattern=r"^[^@\s]+@[^@\s]+$"), AfterValidator(_storable)]
ExternalId = Annotated[Text, Field(min_length=1, max_length=200)]
Url = Annotated[str, Field(max_length=2048, pattern=r"^https?://[^\s]+$"), AfterValidator(_storable)]
Title = Annotated[Text, Field(max_length=500)]
Time = Annotated[datetime, AfterValidator(_in_range)]
