"""JSON as the API takes it: RFC 8259 to the letter, and no deeper, wider or more ambiguous than a program needs."""

import json
import math
from typing import Any, NoReturn

DEEPEST = 32
_LARGEST = 2**63 - 1  # what every database keeps
_DIGITS = 20


class Unreadable(ValueError):
    """Why a text is not taken, as a sentence that repeats nothing of it; `code` is an error's."""

    def __init__(self, detail: str, code: str = "malformed") -> None:
        super().__init__(detail)
        self.code = code


def loads(text: str | bytes) -> Any:
    """The value of a JSON text. Raises Unreadable.

    Refused are: more than DEEPEST lists and objects in one another, a name that comes twice in an object (programs
    differ in which of the two they take), NaN and the infinities, also as 1e999. A whole number over 64 bits becomes
    the float next to it, as JavaScript reads it.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        value = _DECODER.decode(text)
    except Unreadable:
        raise
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        raise Unreadable("the body is not JSON") from None
    # So few brackets can't be too deep; that spares nearly every body the walk.
    if text.count("{") + text.count("[") > DEEPEST and deeper(value, DEEPEST):
        raise _too_deep()
    return value


def _too_deep() -> Unreadable:
    return Unreadable(f"the body has more than {DEEPEST} lists and objects in one another", "too_deep")


def deeper(value: Any, most: int) -> bool:
    """Whether containers lie more than `most` deep in one another; without recursion."""
    layer = [value] if isinstance(value, dict | list) else []
    for _ in range(most):
        if not layer:
            return False
        inner = (part for box in layer for part in (box.values() if isinstance(box, dict) else box))
        layer = [part for part in inner if isinstance(part, dict | list)]
    return bool(layer)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Unreadable("a name comes twice in one object", "duplicate_name")
    return found


def _whole(digits: str) -> int | float:
    if len(digits) > _DIGITS or abs(number := int(digits)) > _LARGEST:
        return _broken(digits)
    return number


def _broken(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise Unreadable("a number is larger than can be kept")
    return number


def _no_number(_name: str) -> NoReturn:
    raise Unreadable("NaN and Infinity are no numbers of JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_whole, parse_float=_broken, parse_constant=_no_number
)  # fmt: skip
