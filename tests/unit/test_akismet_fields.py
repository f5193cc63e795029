"""How a call of an Akismet client is read: forms and JSON, charsets, odd booleans, bounds."""

import json
from io import BytesIO
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from flask import Request
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from moderation.compat.akismet_fields import MOST_BYTES, Fields, read_fields
from moderation.errors import Malformed, TooLarge

FORM = "application/x-www-form-urlencoded"


def read(body: bytes | str, content_type: str | None = FORM, method: str = "POST", **more: Any) -> Fields:
    data = body.encode() if isinstance(body, str) else body
    builder = EnvironBuilder(method=method, content_type=content_type, input_stream=BytesIO(data), **more)
    return read_fields(Request(builder.get_environ() | {"CONTENT_LENGTH": str(len(data))}))


@pytest.mark.parametrize("kind", [FORM, f"{FORM}; charset=UTF-8", "charset=utf-8", "text/plain", None, "a/b;;=", ""])
def test_a_form_is_read_whatever_it_is_called(kind: str | None) -> None:
    assert read("blog=https%3A%2F%2Fa.example&comment_content=a+b%0Ac", kind).values == {
        "blog": "https://a.example", "comment_content": "a b\nc",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "yes"), [("1", True), ("true", True), ("True", True), ("0", False), ("false", False), ("", False)]
)
def test_booleans_as_programs_write_them(said: str, yes: bool) -> None:
    assert read(f"is_test={said}").yes("is_test") is yes


@pytest.mark.parametrize(("said", "yes"), [(True, True), (1, True), ("1", True), (False, False), (None, False)])
def test_booleans_in_json(said: Any, yes: bool) -> None:
    assert read(json.dumps({"is_test": said}), "application/json").yes("is_test") is yes


@pytest.mark.parametrize("names", [("context",) * 2, ("context[]",) * 2, ("context[0]", "context[1]")])
def test_lists_in_all_spellings_disturb_nothing(names: tuple[str, str]) -> None:
    body = urlencode([("blog", "b"), *((f"comment_{name}", "news") for name in names), ("user_ip", "")])
    assert {"blog": "b", "user_ip": ""}.items() <= read(body).values.items()


@pytest.mark.parametrize(
    ("charset", "content_type"),
    [("ISO-8859-1", FORM), ("windows-1252", FORM), ("", f"{FORM}; charset=iso-8859-1"), ("nonsense", FORM)],
)
def test_the_charset_is_the_declared_one(charset: str, content_type: str) -> None:
    body = f"comment_content=caf%E9&blog_charset={charset}"
    assert read(body, content_type).get("comment_content") == "café"


def test_a_body_in_another_alphabet() -> None:
    body = f"blog_charset=koi8-r&comment_content={quote('мир'.encode('koi8-r'))}"
    assert read(body).get("comment_content") == "мир"


@pytest.mark.parametrize("charset", ["UTF-8", "ISO-8859-1", "koi8-r", "idna", "punycode", "unicode_escape", "rot13"])
def test_what_is_utf_8_is_read_as_that_whatever_was_declared(charset: str) -> None:
    assert read(f"blog_charset={charset}&comment_content=caf%C3%A9 %F0%9F%99%82").get("comment_content") == "café 🙂"


def test_raw_bytes_and_broken_escapes_are_kept() -> None:
    assert read("a=é&b=%zz&c=%&d=%4&=e&f").values == {"a": "é", "b": "%zz", "c": "%", "d": "%4", "": "e", "f": ""}


def test_the_last_of_a_name_stands() -> None:
    assert read("blog=a&blog=b").get("blog") == "b"


def test_the_first_field_that_holds_anything() -> None:
    assert read("comment_type=+&content_type=forum-post").get("comment_type", "content_type") == "forum-post"


def test_json_by_its_looks() -> None:
    fields = read('{"comment_content": "a", "user_id": 7, "deep": {"a": []}}', FORM)
    assert fields == Fields({"comment_content": "a", "user_id": "7"}, from_json=True)


def test_parts_of_a_form() -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="blog"\r\n\r\nb\r\n--x--\r\n'
    assert read(body, "multipart/form-data; boundary=x").values == {"blog": "b"}


def test_the_query_counts_for_get_only() -> None:
    assert read("", None, "GET", query_string="api_key=k").get("api_key") == "k"
    assert read("", None, "POST", query_string="api_key=k").get("api_key") == ""


@pytest.mark.parametrize("body", ["", "{", "[]", "[" * 200_000, '"a"', '{"a": NaN', b"\xff\xfe", "1" * 10_000])
def test_what_is_no_json_object(body: bytes | str) -> None:
    with pytest.raises(Malformed):
        read(body, "application/json")


def test_bounds() -> None:
    with pytest.raises(TooLarge):
        read("a" * (MOST_BYTES + 1))
    assert len(read("&".join(f"f{number}=" for number in range(9_000))).values) == 2_000


@given(st.binary(max_size=300), st.sampled_from(["", "koi8-r", "shift_jis", "big5", "iso-8859-99", "euc-jp"]))
def test_whatever_comes_can_be_stored(body: bytes, charset: str) -> None:
    values = read(b"blog_charset=" + charset.encode() + b"&" + body).values
    text = "".join((*values, *values.values()))
    assert "\0" not in text
    text.encode()


@given(st.dictionaries(st.text(max_size=9), st.text(max_size=9)))
def test_json_text_can_be_stored(content: dict[str, str]) -> None:
    lone = json.dumps(content | {"lone": "\ud800\0"})
    text = "".join(read(lone, "application/json").values.values())
    assert "\0" not in text
    text.encode()
