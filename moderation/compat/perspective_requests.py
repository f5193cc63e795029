"""What callers of Perspective ask, read and checked."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from moderation.compat.perspective_errors import Refused, language_not_supported, refused
from moderation.compat.proto_json import Message
from moderation.domain.attributes import Asked, asked
from moderation.services.fields import BODY_BYTES

_TEXT_TYPES = ("TEXT_TYPE_UNSPECIFIED", "PLAIN_TEXT", "HTML")
_SCORE_TYPES = ("SCORE_TYPE_UNSPECIFIED", "PROBABILITY", "STD_DEV_SCORE", "PERCENTILE", "RAW")
_MOST_NAMES = 100
_LONGEST_NAME = 100
_LONGEST_KEPT = 2048  # characters of an address or id


@dataclass(frozen=True)
class Common:
    """What both methods have. `token` is None where none was sent."""

    text: str
    languages: list[str]
    token: str | None


@dataclass(frozen=True)
class Wanted:
    """An attribute to answer, and the lowest score to give."""

    asked: Asked
    threshold: float


@dataclass(frozen=True)
class Label:
    """What the caller says a text has of an attribute, 0..1."""

    name: str
    value: float


def common(message: Message) -> Common:
    """Text, languages and token. Raises Refused as Perspective does for a text that it can't take."""
    comment = message.message("comment")
    text = comment.text("text")
    if not text.strip():
        raise refused("Comment must be non-empty.", "COMMENT_EMPTY")
    if len(text.encode()) > BODY_BYTES:
        raise refused("Comment text too long.", "COMMENT_TOO_LONG")
    _plain(comment)
    _context(message.message("context"))
    token = message.text("clientToken") if message.has("clientToken") else None
    return Common(text, message.texts("languages"), token)


def wanted(message: Message, served: Collection[str], strict: bool) -> list[Wanted]:
    """The attributes that we have, under the names that they were asked by; of the names that Perspective knows, the
    others are left out, or refused where the caller is `strict`. Raises Refused."""
    requested = _names(message, "requestedAttributes", "Missing requested_attributes")
    found: list[Wanted] = []
    for name, parameters in requested.items():
        one = asked(name, served)
        if not one.known:
            raise _unknown(name)
        score_type = parameters.choice("scoreType", _SCORE_TYPES)
        if score_type not in _SCORE_TYPES[:2]:
            kind = score_type or "unknown"
            raise refused(f"Requested score type {kind} is not supported by attribute {name}")
        threshold = parameters.number("scoreThreshold")
        if one.attribute:
            found.append(Wanted(one, 0.0 if threshold is None else threshold))
        elif strict:
            raise language_not_supported(name, [], message.texts("languages") or ["en"])
    return found


def labels(message: Message) -> list[Label]:
    """What was suggested: of each attribute the summary, else the strongest span. Raises Refused."""
    found = []
    for name, scores in _names(message, "attributeScores", "Missing attribute_scores").items():
        spans = [_span(name, span) for span in scores.messages("spanScores")]
        summary = _value(name, scores.message("summaryScore")) if scores.has("summaryScore") else None
        if summary is None and not spans:
            raise refused(f"Missing score for attribute {name}")
        found.append(Label(name, max(spans) if summary is None else summary))
    return found


def context_ids(message: Message) -> dict[str, str]:
    """Where the comment stands, as Coral puts it into the context: its address, its id and its parent's. No text."""
    found = {"community": message.text("communityId")[:_LONGEST_KEPT]}
    for entry in message.message("context").messages("entries")[:1]:
        try:
            said = json.loads(entry.text("text"))
        except (ValueError, RecursionError):
            continue
        if isinstance(said, dict):
            for name, key in _CORAL.items():
                value = said.get(key)
                found[name] = value[:_LONGEST_KEPT] if isinstance(value, str) else ""
    return {name: storable(value) for name, value in found.items() if value}


_CORAL = {"url": "url", "comment_id": "Coral_comment_id", "parent_id": "reply_to_id_Coral_comment_id"}


def storable(text: str) -> str:
    """The text without what a database can't hold: NUL, and halves of surrogate pairs."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def base_languages(languages: Sequence[str]) -> set[str]:
    """`en-US` and `EN_us` are `en`."""
    return {language.replace("_", "-").split("-")[0].lower() for language in languages}


def _names(message: Message, field: str, missing: str) -> dict[str, Message]:
    found = message.by_name(field)
    if not found:
        raise refused(missing, "NO_REQUESTED_ATTRIBUTES")
    if len(found) > _MOST_NAMES:
        raise refused(f"At most {_MOST_NAMES} attributes can be named")
    for name in found:
        if not name or len(name) > _LONGEST_NAME or not name.isprintable():
            raise _unknown(name[:_LONGEST_NAME])
    return found


def _unknown(name: str) -> Refused:
    return refused(f"Unknown requested attribute: {name}")


def _plain(entry: Message) -> None:
    kind = entry.choice("type", _TEXT_TYPES)
    if kind is None:
        raise refused("Unknown text type")
    if kind == "HTML":
        raise refused("Currently, only 'PLAIN_TEXT' comments are supported")


def _context(context: Message) -> None:
    entries = context.messages("entries")
    around = context.message("articleAndParentComment")
    if entries and context.has("articleAndParentComment"):
        raise refused("Context can have either entries or article_and_parent_comment, but both fields were populated.")
    for entry in (*entries, around.message("article"), around.message("parentComment")):
        entry.text("text")


def _span(name: str, span: Message) -> float:
    if span.number("begin") is None or span.number("end") is None:
        raise refused(f"Missing begin or end of a span score for attribute {name}")
    return _value(name, span.message("score"))


def _value(name: str, score: Message) -> float:
    value = score.number("value") or 0.0  # proto3 leaves a zero out
    if not 0 <= value <= 1:
        raise refused(f"The score for attribute {name} must lie between 0 and 1")
    if score.choice("type", _SCORE_TYPES) not in _SCORE_TYPES[:2]:
        raise refused(f"Only PROBABILITY scores can be suggested for attribute {name}")
    return value
