"""Google's batches: multipart/mixed, each part a whole HTTP request; the answer is shaped alike."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from urllib.parse import unquote_to_bytes, urlsplit

from flask import Response, current_app, request
from werkzeug.datastructures import Headers

from moderation.compat.perspective_errors import refused
from moderation.store.session import new_id

_MOST = 1000  # calls in one batch: Google's clients send no more
_BODY = 16 * 1024 * 1024
_INHERITED = ("AUTHORIZATION", "X_GOOG_API_KEY")  # a call without a key of its own has the batch's
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_METHOD = re.compile(r"[A-Z]{3,10}")


@dataclass(frozen=True)
class _Call:
    """One request of a batch."""

    method: str
    target: str
    headers: Headers
    body: bytes


def answer(roots: tuple[str, ...]) -> Response:
    """Does every call of the request's body in turn, if its path lies below one of these. Raises Refused."""
    boundary = request.mimetype_params.get("boundary", "")
    if not request.mimetype.startswith("multipart/") or not 0 < len(boundary) <= 200:
        raise refused("The batch request is malformed: it must be multipart/mixed with a boundary.")
    request.max_content_length = _BODY
    parts = _parts(request.get_data(cache=False), boundary)
    if not parts:
        raise refused("The batch request is empty.")
    if len(parts) > _MOST:
        raise refused(f"The batch request holds more than {_MOST} calls.")
    edge = f"batch_{new_id()}".encode()
    done = b"".join(b"--" + edge + b"\r\n" + _done(part, roots) for part in parts)
    response = Response(done + b"--" + edge + b"--\r\n")
    response.headers["Content-Type"] = f"multipart/mixed; boundary={edge.decode()}"
    return response


def _parts(body: bytes, boundary: str) -> list[bytes]:
    """What stands between the delimiter lines."""
    delimiter = re.escape(b"--" + boundary.encode("utf-8", "replace"))
    pieces = re.split(rb"(?:\A|\r?\n)" + delimiter + rb"(--)?[ \t]{0,9}(?=\r?\n|\Z)", body)
    found: list[bytes] = []
    for closing, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        if closing:
            break
        found.append(piece.removeprefix(b"\r").removeprefix(b"\n"))
    return found


def _done(part: bytes, roots: tuple[str, ...]) -> bytes:
    """One part of the answer: the call's answer under the id of its part."""
    head, inner = _split(part)
    given = _headers(head).get("Content-ID", "").strip()
    content_id = f"Content-ID: <response-{given.removeprefix('<')}\r\n" if given else ""
    response = _call(_read(inner), roots)
    try:
        reason = HTTPStatus(response.status_code).phrase
    except ValueError:
        reason = "Unknown"
    payload = response.get_data()
    lines = (
        f"Content-Type: application/http\r\n{content_id}\r\nHTTP/1.1 {response.status_code} {reason}\r\n"
        f"Content-Type: {response.headers['Content-Type']}\r\nContent-Length: {len(payload)}\r\n\r\n"
    )
    return lines.encode("latin-1", "replace") + payload + b"\r\n"


def _read(part: bytes) -> _Call:
    """The request in a part; what can't be read becomes one that leads nowhere."""
    head, body = _split(part)
    first, _, rest = head.partition(b"\n")
    words = first.decode("latin-1").split()
    if len(words) < 2 or not _METHOD.fullmatch(words[0]):
        return _Call("GET", "", Headers(), b"")
    return _Call(words[0], words[1], _headers(rest), body)


def _split(part: bytes) -> tuple[bytes, bytes]:
    """Head and body; the blank line between them may be missing with the body."""
    head, *body = _BLANK_LINE.split(part.lstrip(b"\r\n"), 1)
    return head, body[0] if body else b""


def _headers(head: bytes) -> Headers:
    pairs = (line.partition(":") for line in head.decode("latin-1").splitlines())
    return Headers([(name.strip(), value.strip()) for name, colon, value in pairs if colon and name.strip()])


def _call(call: _Call, roots: tuple[str, ...]) -> Response:
    """The answer of this service to a call, as if it had come alone."""
    target = urlsplit(call.target.partition("#")[0]) if _readable(call.target) else urlsplit("")
    path = unquote_to_bytes(target.path).decode("latin-1")
    if not path.startswith(tuple(f"{root}/" for root in roots)):
        path = f"{roots[0]}/"  # nothing else can be called from a batch
    environ = {name: value for name, value in request.environ.items() if not name.startswith(("HTTP_", "werkzeug."))}
    environ |= {f"HTTP_{name}": request.environ[f"HTTP_{name}"] for name in ("HOST", *_INHERITED)
                if f"HTTP_{name}" in request.environ}  # fmt: skip
    environ |= {f"HTTP_{name}": call.headers[name.replace("_", "-")] for name in _INHERITED
                if name.replace("_", "-") in call.headers}  # fmt: skip
    environ |= {
        "REQUEST_METHOD": call.method, "PATH_INFO": path, "QUERY_STRING": target.query,
        "CONTENT_LENGTH": str(len(call.body)), "CONTENT_TYPE": call.headers.get("Content-Type", ""),
        "wsgi.input": BytesIO(call.body),
    }  # fmt: skip
    # An application context of its own, so that the call does not share `g` with the batch.
    with current_app.app_context(), current_app.request_context(environ):
        return current_app.full_dispatch_request()


def _readable(target: str) -> bool:
    try:
        urlsplit(target)
    except ValueError:
        return False
    return True
