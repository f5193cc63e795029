"""JSON as proto3 reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.compat.perspective_errors import Refused
from moderation.compat.proto_json import Message, read

ENUM = ("NONE", "ONE", "TWO")


def test_both_spellings_of_a_name_and_null_for_nothing() -> None:
    message = read(b'{"clientToken": "a", "do_not_store": true, "score_type": null, "other": [1]}')
    assert (message.text("clientToken"), message.flag("doNotStore"), message.text("scoreType")) == ("a", True, "")
    assert message.has("doNotStore")
    assert not message.has("scoreType")


@pytest.mark.parametrize("body", [b"", b" \n", b"{}", b"null"])
def test_nothing_is_an_empty_message(body: bytes) -> None:
    if body == b"null":
        with pytest.raises(Refused):
            read(body)
    else:
        assert not read(body).has("comment")


def test_numbers_as_strings_and_enums_by_number() -> None:
    message = read(b'{"a": "0.5", "b": 1, "c": "TWO", "d": "true", "e": 7, "f": "SIX"}')
    assert (message.number("a"), message.number("b"), message.number("missing")) == (0.5, 1.0, None)
    assert (message.choice("b", ENUM), message.choice("c", ENUM), message.choice("missing", ENUM)) == (
        "ONE", "TWO", "NONE",
    )  # fmt: skip
    assert message.choice("e", ENUM) is message.choice("f", ENUM) is None
    assert message.flag("d") is True


def test_unquoted_names_are_read_and_strings_left_alone() -> None:
    message = read(b'{comment: {text: "a: {b: \\"c: d"}, languages: ["en"]}')
    assert message.message("comment").text("text") == 'a: {b: "c: d'
    assert message.texts("languages") == ["en"]


NO_JSON = [
    b"{", b"[1]", b"1", b'"a"', b"{'a': 1}", b'{"a": NaN}', b'{"a": -Infinity}', b'{"a": 01}', b"\xff\xfe",
    b'{"a": "\xff"}',     b'{"a": "\\ud800"}', b'{"\\udfff": 1}',
    b'{"a": ' + b"9" * 5000 + b"}", b"[" * 100_000, b'{"a":' * 100_000, b"{a",
    b"{a:1}{b:2}", b'{"a": "\n"}',
]  # fmt: skip


@pytest.mark.parametrize("body", NO_JSON, ids=range(len(NO_JSON)))
def test_what_is_not_json_is_refused_with_a_detail(body: bytes) -> None:
    with pytest.raises(Refused, match=r"^Invalid JSON payload received") as error:
        read(body)
    assert error.value.code == 400
    assert error.value.detail["fieldViolations"]


@pytest.mark.parametrize(
    ("getter", "value"),
    [
        ("text", 1), ("text", []), ("flag", 1), ("flag", "yes"), ("number", True), ("number", "x"), ("number", [1]),
        ("number", "nan"), ("number", 1e999), ("number", 10**400), ("texts", [1]), ("texts", {}), ("message", [1]),
        ("message", "a"), ("messages", {"a": 1}), ("messages", [1]), ("by_name", [1]), ("by_name", {"a": 1}),
    ],
)  # fmt: skip
def test_a_wrong_type_is_refused_with_the_fields_place_and_not_its_value(getter: str, value: object) -> None:
    message = Message({"outer": {"innerField": value}}, "").message("outer")
    with pytest.raises(Refused, match=r"^Invalid value at 'outer.inner_field' \(TYPE_[A-Z]+\)$") as error:
        getattr(message, getter)("innerField")
    assert error.value.detail["fieldViolations"][0]["field"] == "outer.inner_field"


def test_a_choice_of_the_wrong_type_is_refused() -> None:
    with pytest.raises(Refused, match="TYPE_ENUM"):
        Message({"a": [1]}, "").choice("a", ENUM)


@given(st.binary(max_size=300) | st.text(alphabet='{}[]:,"\\ab1e.-\n ', max_size=60).map(str.encode))
def test_whatever_comes_is_read_or_refused(body: bytes) -> None:
    try:
        message: Message | Refused = read(body)
    except Refused as error:
        message = error
    assert isinstance(message, Message) or message.code == 400


@pytest.mark.parametrize("piece", [b'"', b'\\"', b"a", b"a ", b"a:", b"{a:", b"[", b"{", b"1", b","])
def test_no_body_takes_long(piece: bytes) -> None:
    body = b'{"a":' + piece * (4_000_000 // len(piece))  # takes minutes where an expression goes back and tries again
    with pytest.raises(Refused):
        read(body)
