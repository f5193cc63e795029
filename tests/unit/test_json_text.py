"""What is JSON for us, and what each text means that other readers differ in."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.domain.json_text import DEEPEST, Unreadable, deeper, loads

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(VALUES)
def test_what_json_writes_is_read_as_it_was(value: object) -> None:
    assert loads(json.dumps(value)) == value
    assert loads(json.dumps(value).encode()) == value


@given(st.text(max_size=40) | st.text(alphabet='{}[]:,"\\u1eN-', max_size=40) | st.binary(max_size=40))
def test_any_text_is_read_or_unreadable(text: str | bytes) -> None:
    code = ""
    try:
        loads(text)
    except Unreadable as error:
        code = error.code
    assert code in ("", "malformed", "too_deep", "duplicate_name")


@pytest.mark.parametrize(
    ('text', 'code'),
    [
        ('{"body": "a", "body": "b"}', "duplicate_name"),
        ('[{"a": {"x": 1, "\\u0078": 2}}]', "duplicate_name"),
        ("NaN", "malformed"), ("[Infinity]", "malformed"), ('{"a": -Infinity}', "malformed"), ("[1e999]", "malformed"),
        ("9" * 400, "malformed"), ("9" * 5000, "malformed"), ("", "malformed"), (b"\xff", "malformed"),
        ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "too_deep"), ("[" * 100_000, "too_deep"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "too_deep"), ('[{"a":' * DEEPEST + "1" + "}]" * DEEPEST, "too_deep"),
    ],
)  # fmt: skip
def test_what_is_refused(text: str | bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        loads(text)
    assert refused.value.code == code


def test_what_has_a_meaning() -> None:
    assert loads("[" * DEEPEST + "]" * DEEPEST)
    assert loads("9223372036854775807") == 2**63 - 1
    assert (loads("9223372036854775808"), type(loads("9" * 30))) == (float(2**63), float)
    assert loads(b'\xef\xbb\xbf{"a": "\\ud83d\\ude00"}') == {"a": "😀"}
    assert math.isclose(loads("1e308"), 1e308)


@given(st.integers(0, 8), st.integers(1, 8))
def test_depth_is_counted_in_lists_and_objects(depth: int, most: int) -> None:
    value: object = 1
    for number in range(depth):
        value = [value, 2] if number % 2 else {"a": value, "b": "[[["}
    assert deeper(value, most) is (depth > most)
