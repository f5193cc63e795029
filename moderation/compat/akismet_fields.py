"""What an Akismet client sends: a form or JSON, in whatever charset, read leniently and within bounds."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from moderation.domain import json_text
from moderation.errors import Malformed, TooLarge

MOST_BYTES = 1024 * 1024  # WordPress forwards all that its own form and server hold
_MOST_FIELDS = 2_000
_YES = frozenset({"1", "true"})
# The other names of Python's codecs are no charsets of forms, and some of them are slow.
_CHARSET = re.compile(r"(us-ascii|iso-8859-\d+|latin1|windows-125\d|koi8-[ru]|shift_jis|euc-(jp|kr)|gbk|gb2312|big5)")


@dataclass(frozen=True)
class Fields:
    """The fields of one call; of a name that comes more than once the last value stands.

    No value holds NUL or a lone surrogate. `from_json` says how they came.
    """

    values: Mapping[str, str]
    from_json: bool = False

    def get(self, *names: str) -> str:
        """The first of these fields that holds anything but blanks, else an empty string."""
        return next((value for name in names if (value := self.values.get(name, "")).strip()), "")

    def yes(self, name: str) -> bool:
        """Whether the field says 1 or true."""
        return self.get(name).strip().lower() in _YES


def read_fields(request: Request) -> Fields:
    """The fields of this request: of its body, or of the query for GET. Raises Malformed or TooLarge."""
    if request.method in ("GET", "HEAD"):
        return Fields(_form(request.query_string, ""))
    request.max_content_length = MOST_BYTES
    try:
        if request.mimetype == "multipart/form-data":
            return Fields({name: _storable(values[-1]) for name, values in request.form.lists()})
        body = request.get_data()
    except RequestEntityTooLarge:
        raise TooLarge(f"the request may have {MOST_BYTES} bytes") from None
    if request.mimetype == "application/json" or body.lstrip()[:1] == b"{":
        return Fields(_json(body), from_json=True)
    return Fields(_form(body, request.mimetype_params.get("charset", "")))


def _form(body: bytes, charset: str) -> dict[str, str]:
    """A URL-encoded form. UTF-8 where it is that, whatever was declared; else as declared."""
    start = b"&".join(body.split(b"&", _MOST_FIELDS)[:_MOST_FIELDS]).decode("latin-1")
    pairs = parse_qsl(start, keep_blank_values=True, encoding="latin-1")  # one character a byte
    declared = next((value for name, value in pairs if name == "blog_charset"), "") or charset
    charset = declared.strip().lower()
    if not _CHARSET.fullmatch(charset):
        charset = "windows-1252"
    return {_decoded(name, charset): _decoded(value, charset) for name, value in pairs}


def _decoded(text: str, charset: str) -> str:
    raw = text.encode("latin-1")
    try:
        return _storable(raw.decode())
    except UnicodeDecodeError:
        pass
    try:
        return _storable(raw.decode(charset, "replace"))
    except LookupError:
        return _storable(raw.decode("latin-1"))


def _json(body: bytes) -> dict[str, str]:
    try:
        data = json.loads(body, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        raise Malformed("the body is not JSON") from None
    if json_text.deeper(data, json_text.DEEPEST):
        raise Malformed("the body has too many lists and objects in one another", code="too_deep")
    if not isinstance(data, dict):
        raise Malformed("the body must be a JSON object")
    return {_storable(name): value for name, given in data.items() if (value := _plain(given)) is not None}


def _plain(value: Any) -> str | None:
    """A value of JSON as a form would send it; None for what no field of ours is."""
    if isinstance(value, bool):
        return "1" if value else ""
    return _storable(value) if isinstance(value, str) else None


def _storable(text: str) -> str:
    """Without what a database or UTF-8 can't hold."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode()
