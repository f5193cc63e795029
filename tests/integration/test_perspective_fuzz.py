"""Whatever is sent to Perspective's routes: an answer of the contract's shape, soon, and never a fault."""

import json
from email.parser import BytesParser
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.integration.perspective import app as app  # a fixture

CALLS = ("/v1alpha1/comments:analyze", "/v1alpha1/comments:suggestscore")
PATHS = (*CALLS, "/$discovery/rest", "/batch")
FIELDS = [
    "comment", "text", "type", "context", "entries", "articleAndParentComment", "article", "parentComment", "languages",
    "requestedAttributes", "requested_attributes", "scoreType", "scoreThreshold", "attributeScores", "summaryScore",
    "spanScores", "begin", "end", "score", "value", "TOXICITY", "SPAM@3", "FLIRTATION", "NOPE", "doNotStore",
    "do_not_store", "clientToken", "sessionId", "communityId", "spanAnnotations", "",
]  # fmt: skip
NAMES = st.sampled_from(FIELDS)
TEXTS = st.text(max_size=40) | st.sampled_from(
    [
        "PLAIN_TEXT",
        "HTML",
        "RAW",
        "en",
        "de-AT",
        "true",
        "1e400",
        "nan",
        "\0",
        "\ud800",
        "\U0001f600" * 9,
        "a. " * 400,
        "x" * 21_000,
    ]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | TEXTS
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=25
)
QUERIES = st.sampled_from(["", "&strict=1", "&alt=json&prettyPrint=false", "&version=\0", "&key=%ff", "&fields=a(b"])
HEADERS = st.sampled_from([
    {}, {"Content-Type": "application/json; charset=utf-16"}, {"Content-Type": "multipart/form-data; boundary=a"},
    {"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Encoding": "gzip"}, {"Accept": "text/html"},
    {"Authorization": "Bearer \xff"}, {"X-Goog-Api-Key": "\x01"},
])  # fmt: skip

fuzzed = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@st.composite
def requests(draw: st.DrawFn) -> Any:
    """A request that is right but for one or two of its parts."""
    body = {
        "comment": {"text": "Some text. And more.", "type": "PLAIN_TEXT"}, "languages": ["en"],
        "requestedAttributes": {"TOXICITY": {"scoreThreshold": 0.5}}, "context": {"entries": [{"text": "{}"}]},
        "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1}, "spanScores": [{"begin": 0, "end": 1}]}},
        "spanAnnotations": True, "doNotStore": False, "clientToken": "a", "communityId": "b",
    }  # fmt: skip
    for _ in range(draw(st.integers(1, 2))):
        inner: Any = body
        while isinstance(inner, dict | list) and inner:
            keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
            key = draw(st.sampled_from(keys))
            if draw(st.booleans()) or not isinstance(inner[key], dict | list):
                inner[key] = draw(TREES)
                break
            inner = inner[key]
    return body


def nested(depth: int, opening: bytes, closing: bytes) -> bytes:
    return opening * depth + b"1" + closing * depth


DEEP = st.builds(
    nested, st.sampled_from([50, 990, 5_000, 300_000]), st.sampled_from([b"[", b'{"comment":', b"{a:"]),
    st.sampled_from([b"]", b"}", b""]),
)  # fmt: skip
BODIES = (
    st.binary(max_size=200)
    | st.text(alphabet='{}[]:,"\\ab1e.-\n \0', max_size=60).map(lambda text: text.encode())
    | (TREES | requests()).map(lambda tree: json.dumps(tree).encode())
    | DEEP
)


def sane(answer: TestResponse | tuple[int, bytes]) -> None:
    """Not a fault, and of the contract's shape."""
    code, body = (answer.status_code, answer.data) if isinstance(answer, TestResponse) else answer
    assert code in (200, 400, 403, 404, 405, 413), body
    if code == 200:
        assert isinstance(json.loads(body), dict)
        return
    error = json.loads(body)["error"]
    assert set(error) == {"code", "message", "status", "details"}
    assert (error["code"], bool(error["message"]), error["status"].isupper()) == (code, True, True)
    assert error["details"][0]["@type"].startswith("type.googleapis.com/google.")


@pytest.mark.parametrize("path", PATHS)
@fuzzed
@given(
    body=BODIES,
    query=QUERIES,
    headers=HEADERS,
    method=st.sampled_from(["POST"] * 9 + ["GET", "PUT", "PATCH", "DELETE"]),
)
def test_any_body(
    client: FlaskClient, site: tuple[str, str], path: str, body: bytes, query: str, headers: dict[str, str], method: str
) -> None:
    sane(client.open(f"{path}?key={site[1]}{query}", method=method, data=body, headers=headers))


@pytest.mark.parametrize("path", CALLS)
@fuzzed
@given(request=requests())
def test_nearly_right_requests(client: FlaskClient, site: tuple[str, str], path: str, request: Any) -> None:
    sane(client.open(f"{path}?key={site[1]}", method="POST", data=json.dumps(request)))


@fuzzed
@given(key=st.text(max_size=30), path=st.sampled_from(PATHS))
def test_any_key(client: FlaskClient, key: str, path: str) -> None:
    method = "GET" if "discovery" in path else "POST"
    sane(client.open(path, method=method, query_string={"key": key}))


@fuzzed
@given(
    rest=st.text(alphabet="/:%$@.?#\\ab1\0\né", max_size=12),
    root=st.sampled_from(["/v1alpha1/", "/$discovery/", "/batch/"]),
)
def test_any_path(client: FlaskClient, rest: str, root: str) -> None:
    answer = client.open(root + rest.replace("/", "%2F").replace("#", "%23"), method="POST")
    if answer.status_code != 308:
        sane(answer)


LINES = st.sampled_from([
    b"POST /v1alpha1/comments:analyze HTTP/1.1", b"POST /v1alpha1/comments:suggestscore?key=x", b"GET /$discovery/rest",
    b"POST /batch HTTP/1.1", b"GET /v1/comments HTTP/1.1", b"GET http://[ HTTP/1.1", b"POST /v1alpha1/../v1/events",
    b"POST /v1alpha1/%ff%00 HTTP/1.1", b"POST", b"", b"\xff\xff \xff", b"GET //v1alpha1/ HTTP/9.9",
])  # fmt: skip
HEADS = st.sampled_from([
    b"", b"Content-Type: application/json", b"Content-Type: text/plain\r\nHost: evil.example",
    b"Authorization: Bearer x", b"no colon", b": no name",
    b"Transfer-Encoding: chunked\r\nContent-Length: 99999999", b"\xff: \xff",
])  # fmt: skip
IDS = st.sampled_from(
    [b"", b"Content-ID: <a + 1>\r\n", b"Content-ID: b\r\n", b"content-id:\xff\x00\r\n", b"Content-ID\r\n"]
)
BREAKS = st.sampled_from([b"\r\n", b"\n"])
PARTS = st.builds(
    lambda given, line, head, end, body: (
        b"Content-Type: application/http\r\n" + given + b"\r\n" + line + end + head + end + end + body
    ),
    IDS, LINES, HEADS, BREAKS, BODIES,
)  # fmt: skip


@fuzzed
@given(parts=st.lists(PARTS | st.binary(max_size=60), max_size=4), last=st.sampled_from([b"--", b"", b"-- \r\n more"]),
       boundary=st.sampled_from(["a", "=== x", "a.b*(", "é", ""]))  # fmt: skip
def test_any_batch(client: FlaskClient, site: tuple[str, str], parts: list[bytes], last: bytes, boundary: str) -> None:
    edge = b"--" + boundary.encode()
    body = b"".join(edge + b"\r\n" + part + b"\r\n" for part in parts) + edge + last
    kind = f'multipart/mixed; boundary="{boundary}"'
    answer = client.open(f"/batch?key={site[1]}", method="POST", data=body, headers={
        "Content-Type": kind, "Authorization": f"Bearer {site[1]}",
    })  # fmt: skip
    if answer.status_code != 200:
        sane(answer)
        return
    for status, content in answers(answer):
        if status != 308:
            sane((status, content))


def answers(batch: TestResponse) -> list[tuple[int, bytes]]:
    """(status, body) of every call of a batch, read as mail is."""
    message = BytesParser().parsebytes(
        b"Content-Type: " + batch.headers["Content-Type"].encode() + b"\n\n" + batch.data
    )
    found = []
    for part in list(message.walk())[1:]:
        assert part.get_content_type() == "application/http"
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        head, _, body = payload.partition(b"\r\n\r\n")
        found.append((int(head.split(b" ", 2)[1]), body.rstrip(b"\r\n")))
    return found
