"""JSON by the rules of proto3: both spellings of a name, numbers as strings, enums by number, null for nothing."""

import json
import math
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from moderation.compat.perspective_errors import Refused, unreadable
from moderation.domain import json_text

# A string, or a bare name in front of a colon: Google's parser takes unquoted keys, and its quickstart used them.
# Nothing in here can go back and try again, so that no input is slow.
_STRING_OR_KEY = re.compile(r'"(?:[^"\\]|\\.)*+"?|(?<!\w)[A-Za-z_]\w*+(?=\s{0,9}:)', re.S)
_MOST_UNQUOTED = 64 * 1024  # characters of a body; people type such keys, programs don't
_DEEPEST = 100  # as protobuf's own parsers
_HUMP = re.compile(r"([A-Z])")


def read(data: bytes) -> "Message":
    """The message in a body; an empty body is an empty message. Raises Refused."""
    if not data.strip():
        return Message({}, "")
    try:
        text = data.decode("utf-8-sig")
        try:
            value = _loads(text)
        except json.JSONDecodeError:
            if len(text) > _MOST_UNQUOTED:
                raise
            value = _loads(_STRING_OR_KEY.sub(_quoted, text))
        json.dumps(value, ensure_ascii=False).encode()  # fails for half a surrogate pair, which is no text
        if json_text.deeper(value, _DEEPEST):
            raise ValueError("too deep")
    except (ValueError, RecursionError):
        raise unreadable("Invalid JSON payload received. It is not JSON in UTF-8, or nested too deeply.") from None
    if not isinstance(value, dict):
        raise unreadable("Invalid JSON payload received. Root element must be a message.")
    return Message(value, "")


def _loads(text: str) -> Any:
    return json.loads(text, parse_constant=_no_number)


def _no_number(_name: str) -> NoReturn:
    raise ValueError("not a number of JSON")


def _quoted(found: "re.Match[str]") -> str:
    return found[0] if found[0].startswith('"') else f'"{found[0]}"'


class Message:
    """An object of the body. Each getter takes a field's lowerCamelCase name, gives the default where it is missing,
    and raises Refused where its value has another type. Fields that nobody asks for are ignored."""

    def __init__(self, fields: dict[str, Any], path: str) -> None:
        self._fields, self._path = fields, path

    def has(self, name: str) -> bool:
        """Whether the field was sent with a value."""
        return self._get(name) is not None

    def text(self, name: str) -> str:
        """A string, by default an empty one."""
        value = self._get(name)
        if value is not None and not isinstance(value, str):
            raise self._wrong(name, "TYPE_STRING")
        return value or ""

    def texts(self, name: str) -> list[str]:
        """A list of strings; a lone one counts as a list of one."""
        values = self._get(name)
        values = [values] if isinstance(values, str) else [] if values is None else values
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise self._wrong(name, "TYPE_STRING")
        return values

    def flag(self, name: str) -> bool:
        """A boolean, by default false."""
        value = self._get(name)
        if value in ("true", "false"):
            return bool(value == "true")
        if value is not None and not isinstance(value, bool):
            raise self._wrong(name, "TYPE_BOOL")
        return bool(value)

    def number(self, name: str) -> float | None:
        """A finite number, also as a string."""
        value = self._get(name)
        if value is None:
            return None
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number):
            raise self._wrong(name, "TYPE_FLOAT")
        return number

    def choice(self, name: str, choices: Sequence[str]) -> str | None:
        """A value of an enum by name or number, by default the first; None for one that it does not have."""
        value = self._get(name)
        if value is None:
            return choices[0]
        if isinstance(value, int) and not isinstance(value, bool):
            return choices[value] if 0 <= value < len(choices) else None
        if not isinstance(value, str):
            raise self._wrong(name, "TYPE_ENUM")
        return value if value in choices else None

    def message(self, name: str) -> "Message":
        """A nested message, by default an empty one."""
        return self._message(name, self._get(name))

    def messages(self, name: str) -> list["Message"]:
        """A list of messages."""
        values = self._get(name)
        values = [] if values is None else values
        if not isinstance(values, list):
            raise self._wrong(name, "TYPE_MESSAGE")
        return [self._message(name, value) for value in values]

    def by_name(self, name: str) -> dict[str, "Message"]:
        """A map to messages, in the order that was sent."""
        values = self._get(name)
        values = {} if values is None else values
        if not isinstance(values, dict):
            raise self._wrong(name, "TYPE_MESSAGE")
        return {key: self._message(name, value) for key, value in values.items()}

    def _message(self, name: str, value: Any) -> "Message":
        if value is not None and not isinstance(value, dict):
            raise self._wrong(name, "TYPE_MESSAGE")
        return Message(value or {}, self._at(name))

    def _get(self, name: str) -> Any:
        value = self._fields.get(name)
        return self._fields.get(_snake(name)) if value is None else value

    def _at(self, name: str) -> str:
        return f"{self._path}.{_snake(name)}" if self._path else _snake(name)

    def _wrong(self, name: str, kind: str) -> Refused:
        return unreadable(f"Invalid value at '{self._at(name)}' ({kind})", self._at(name))


def _snake(name: str) -> str:
    return _HUMP.sub(r"_\1", name).lower()
