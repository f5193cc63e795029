"""Reading what `mongoexport` writes of Coral's collections: JSON lines or one array, plain or extended JSON."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TextIO

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from moderation.services.fields import Body, ExternalId, Text, Title, Url

_LONGEST = 4 * 1024 * 1024  # characters of one document
_CHUNK = 1024 * 1024
_SCALARS = ("$oid", "$date", "$numberLong", "$numberInt", "$numberDouble", "$numberDecimal")


@dataclass(frozen=True)
class Bad:
    """A line that can't be used: `not_utf8`, `not_json`, `too_long`, `not_a_comment` or `bad_field`."""

    line: int
    code: str
    field: str = ""

    def __str__(self) -> str:
        return f"line {self.line}: {self.code}{f' ({self.field})' if self.field else ''}"


@dataclass(frozen=True)
class Skipped:
    """A comment that says nothing any more: `deleted` or `no_text`."""

    why: str


class OldComment(BaseModel):
    """A comment as Coral kept it. `body` is HTML; `score` (0..1) is Perspective's for the last revision, by `model`."""

    model_config = ConfigDict(frozen=True)

    id: ExternalId
    body: Body
    status: Literal["NONE", "APPROVED", "REJECTED", "PREMOD", "SYSTEM_WITHHELD"]
    created_at: Annotated[int, Field(ge=0, lt=7_258_118_400_000)] | None
    author_id: ExternalId | None
    story_id: ExternalId
    parent_id: ExternalId | None
    model: Annotated[Text, Field(max_length=100)] | None
    score: Annotated[float, Field(ge=0, le=1)] | None


class Story(BaseModel):
    """What the comments stand under."""

    id: ExternalId
    url: Url
    title: Title | None = None
    section: Annotated[Text, Field(max_length=200)] | None = None


def comments(path: Path) -> Iterator[OldComment | Skipped | Bad]:
    """The comments in a file of the collection `comments`, one at a time."""
    for line, document in _documents(path):
        yield document if isinstance(document, Bad) else _comment(line, document)


def stories(path: Path) -> Iterator[Story | Bad]:
    """The stories in a file of the collection `stories`."""
    for line, document in _documents(path):
        if isinstance(document, Bad):
            yield document
            continue
        about = _inside(document, "metadata")
        fields = {name: document.get(name) for name in ("id", "url")} | {n: about.get(n) for n in ("title", "section")}
        try:
            yield Story.model_validate(fields)
        except ValidationError as error:
            yield _bad_field(line, error)


def _comment(line: int, document: dict[str, Any]) -> OldComment | Skipped | Bad:
    revisions = document.get("revisions")
    if not document.get("id") or not isinstance(revisions, list):
        return Bad(line, "not_a_comment")
    if document.get("deletedAt") or not revisions:
        return Skipped("deleted")
    last = revisions[-1]
    if not isinstance(last, dict):
        return Bad(line, "not_a_comment")
    if not str(last.get("body") or "").strip():
        return Skipped("no_text")
    found = _inside(last, "metadata", "perspective")
    try:
        return OldComment.model_validate({
            "id": document["id"], "body": last["body"], "status": document.get("status"),
            "created_at": _millis(document.get("createdAt")), "author_id": document.get("authorID") or None,
            "story_id": document.get("storyID"), "parent_id": document.get("parentID") or None,
            "model": found.get("model"), "score": _scalar(found.get("score")),
        })  # fmt: skip
    except ValidationError as error:
        return _bad_field(line, error)


def _bad_field(line: int, error: ValidationError) -> Bad:
    return Bad(line, "bad_field", ".".join(map(str, error.errors()[0]["loc"])))


def _inside(value: Any, *names: str) -> dict[str, Any]:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _scalar(value: Any) -> Any:
    """The value in extended JSON's wrapping, where there is one."""
    while isinstance(value, dict) and len(value) == 1 and next(iter(value)) in _SCALARS:
        value = next(iter(value.values()))
    return value


def _millis(value: Any) -> Any:
    """A time as milliseconds; what is none stays as it is, and is refused by the model."""
    value = _scalar(value)
    try:
        if isinstance(value, float) and math.isfinite(value):
            return round(value)
        if not isinstance(value, str) or value.lstrip("-").isdigit():
            return value
        time = datetime.fromisoformat(value)
        return round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return value


def _documents(path: Path) -> Iterator[tuple[int, dict[str, Any] | Bad]]:
    """(line, object) for each document; a line that can't be read gives why."""
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
        first = file.readline(_LONGEST).strip()
        file.seek(0)
        # `--jsonArray` and `--pretty` spread documents over lines; otherwise a bad line costs no other.
        for line, value in _values(file) if first.startswith("[") or first == "{" else _lines(file):
            yield line, value if isinstance(value, dict | Bad) else Bad(line, "not_a_comment")


def _lines(file: TextIO) -> Iterator[tuple[int, Any]]:
    number = 0
    while text := file.readline(_LONGEST):
        number += 1
        if len(text) == _LONGEST and not text.endswith("\n"):
            while (rest := file.readline(_LONGEST)) and not rest.endswith("\n"):
                pass
            yield number, Bad(number, "too_long")
        elif text.strip():
            yield number, _parsed(number, text)


def _parsed(line: int, text: str) -> Any:
    if not _is_utf8(text):
        return Bad(line, "not_utf8")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return Bad(line, "not_json")


def _values(file: TextIO) -> Iterator[tuple[int, Any]]:
    """The objects of an array, or one after the other; the first that can't be read is the last that is looked at."""
    decoder, text, at, line = json.JSONDecoder(), "", 0, 1
    while True:
        begin = at
        while at < len(text) and text[at] in " \t\r\n,[]":
            at += 1
        line += text.count("\n", begin, at)
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            more = file.read(_CHUNK) if isinstance(error, ValueError) and len(text) - at < _LONGEST else ""
            if not more:
                if at < len(text):
                    yield line, Bad(line, "not_json")
                return
            text, at = text[at:] + more, 0
            continue
        if not _is_utf8(text[at:end]):
            value = Bad(line, "not_utf8")
        yield line, value
        line += text.count("\n", at, end)
        at = end


def _is_utf8(text: str) -> bool:
    """Whether no byte was left over when the text was decoded."""
    return text.isascii() or not any("\udc80" <= character <= "\udcff" for character in text)
