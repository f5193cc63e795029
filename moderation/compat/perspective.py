"""Perspective's interface: comments:analyze, comments:suggestscore, the discovery document, batches."""

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from flask import Blueprint, Response, json, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, NotFound

from moderation.api.auth import bearer
from moderation.compat import perspective_batch, perspective_discovery, perspective_errors, proto_json
from moderation.compat import perspective_requests as requests
from moderation.compat.keys import holder_of_any
from moderation.compat.perspective_errors import Refused, language_not_supported, refused
from moderation.compat.perspective_requests import Common, Wanted
from moderation.compat.proto_json import Message
from moderation.domain.attributes import asked as named
from moderation.domain.sentences import sentences
from moderation.domain.text import Span, to_utf16
from moderation.errors import ModerationError
from moderation.http import service
from moderation.scoring import ATTRIBUTES, LANGUAGES, Judged, language_of
from moderation.services import examples, options, policies, screening
from moderation.services.examples import NewExample
from moderation.services.verdicts import verdict

routes = Blueprint("perspective", __name__)

_ROOTS = ("/v1alpha1", "/$discovery", "/batch")
_BODY = 4 * 1024 * 1024  # bytes of one call
_MOST_SENTENCES = 100
_SURE = 0.5  # above it, a language is more than a guess


@routes.post("/v1alpha1/comments:analyze")
def analyze() -> Response:
    """Scores for a text, at once; no comment is made of it."""
    site_id = _site_id()
    message = _message()
    asked = requests.common(message)
    with service().store.read() as session:
        chosen, policy = options.options_of(session, site_id), policies.current(session, site_id)
        known = screening.known_of(session, site_id, policy, asked.text)
    strict = chosen.strict_attributes or request.args.get("strict") in ("1", "true")
    wanted = requests.wanted(message, ATTRIBUTES, strict)
    _check_languages(asked, wanted, chosen.strict_languages)
    pieces = sentences(asked.text, _MOST_SENTENCES) if message.flag("spanAnnotations") else []
    keep = chosen.keep_checked_text and not message.flag("doNotStore")
    classifier = service().classifier()
    texts = [asked.text, *(asked.text[piece.begin : piece.end] for piece in pieces)]
    # Whoever names a language is taken at their word, as Perspective does; what is not named is looked for.
    whole, *parts = screening.judge(classifier, texts, served_language=bool(asked.languages))
    if whole.scores is None:
        raise language_not_supported(_first(wanted), [whole.language], asked.languages)
    screened = screening.Screened(whole, verdict(policy, asked.text, whole, known), classifier.name)
    match = screening.match_of(service().settings.secret_key, site_id, asked.text)
    kept = requests.storable(asked.text) if keep else None
    service().checks.add(screening.check_row(site_id, "perspective", match, screened, text=kept))
    spans = _spans(asked.text, whole, list(zip(pieces, parts, strict=True)))
    scores = _attribute_scores(wanted, whole, spans)
    said = {"languages": asked.languages or list(LANGUAGES[:1]), "detectedLanguages": [whole.language]}
    return _answer({**({"attributeScores": scores} if scores else {}), **said, **_token(asked)})


@routes.post("/v1alpha1/comments:suggestscore")
def suggest_score() -> Response:
    """Keeps what the caller says of a text as a labelled example of the site."""
    site_id = _site_id()
    message = _message()
    asked = requests.common(message)
    labels: dict[str, float] = {}
    for label in requests.labels(message):
        name = named(label.name, ATTRIBUTES).attribute or label.name
        labels[name] = max(label.value, labels.get(name, 0.0))
    match = screening.match_of(service().settings.secret_key, site_id, asked.text)
    context = requests.context_ids(message)
    origin = f"token {asked.token}\0{message.text('communityId')}" if asked.token else f"text {match}"
    languages = tuple(requests.storable(language[:35]) for language in asked.languages[:20])
    example = NewExample(
        "perspective", requests.storable(asked.text), match, labels, origin, languages, context
    )  # fmt: skip
    with service().store.write() as session:
        examples.keep(session, site_id, example)
    detected, _ = language_of(asked.text)
    return _answer({**_token(asked), "requestedLanguages": asked.languages, "detectedLanguages": [detected]})


@routes.get("/$discovery/rest")
def discovery() -> Response:
    """The discovery document. It needs no key; a wrong one is told here already."""
    if any(_keys()):
        holder_of_any(_keys(), "score")
    if request.args.get("version", "v1alpha1") != "v1alpha1":
        raise NotFound("There is no such version.")
    return _answer(perspective_discovery.document(_root_url()))


@routes.post("/batch")
def batch() -> Response:
    """Several calls in one body."""
    return perspective_batch.answer(_ROOTS[:2])


def _keys() -> list[str | None]:
    args = request.args
    given = (args.get("key"), args.get("access_token"), args.get("oauth_token"))
    return [*given, request.headers.get("X-Goog-Api-Key"), bearer()]


def _site_id() -> str:
    keys = _keys()
    if not any(keys):
        raise perspective_errors.no_key()
    return holder_of_any(keys, "score").site_id


def _message() -> Message:
    request.max_content_length = _BODY
    return proto_json.read(request.get_data(cache=False))


def _check_languages(asked: Common, wanted: Sequence[Wanted], strict: bool) -> None:
    """Refuses languages that we don't have, and where the site is strict, a text that could be in any."""
    if asked.languages:
        if not requests.base_languages(asked.languages) & set(LANGUAGES):
            raise language_not_supported(_first(wanted), [], asked.languages)
    elif strict:
        code, confidence = language_of(asked.text)
        if code not in LANGUAGES or confidence <= _SURE:
            raise refused("Unable to detect language", "LANGUAGE_DETECTION_FAILED")


def _first(wanted: Sequence[Wanted]) -> str:
    return wanted[0].asked.name if wanted else "TOXICITY"


def _spans(text: str, whole: Judged, pieces: Sequence[tuple[Span, Judged]]) -> list[tuple[Span, Judged]]:
    """What to score apart, in UTF-16 code units; a sentence in another language has no score."""
    scored = [(span, judged) for span, judged in pieces if judged.scores is not None]
    scored = scored or [(Span(0, len(text)), whole)]
    units = to_utf16(text, [span for span, _ in scored])
    return list(zip(units, (judged for _, judged in scored), strict=True))


def _attribute_scores(
    wanted: Sequence[Wanted], whole: Judged, spans: Sequence[tuple[Span, Judged]]
) -> dict[str, object]:
    return {
        one.asked.name: {
            "summaryScore": _score(whole, one),
            "spanScores": [
                {"begin": span.begin, "end": span.end, "score": _score(judged, one)} for span, judged in spans
            ],
        }
        for one in wanted
        if _value(whole, one) >= one.threshold
    }


def _value(judged: Judged, wanted: Wanted) -> float:
    return (judged.scores or {})[wanted.asked.attribute or ""]


def _score(judged: Judged, wanted: Wanted) -> dict[str, object]:
    return {"value": _value(judged, wanted), "type": "PROBABILITY"}


def _token(asked: Common) -> dict[str, str]:
    return {} if asked.token is None else {"clientToken": asked.token}


def _answer(content: dict[str, object]) -> Response:
    response = Response(json.dumps(content))
    response.headers["Content-Type"] = "application/json; charset=UTF-8"
    return response


def _root_url() -> str:
    """Our address as this caller knows it: clients send everything to the one in the document.

    The configured one, unless that is just this machine's own, or the caller reached us by Google's name.
    """
    configured = urlsplit(service().settings.base_url)
    name = request.host.partition(":")[0]
    if not configured.hostname or _this_machine(configured.hostname) or name.endswith(".googleapis.com"):
        return request.host_url
    return service().settings.base_url.rstrip("/") + "/"


def _this_machine(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback or address.is_unspecified


@routes.before_app_request
def _no_such_call() -> Response | None:
    """A path below ours that there is not, or another method: no view of ours would see the error."""
    wrong = request.routing_exception
    if wrong is None:
        return None
    below = any(request.path == root or request.path.startswith(f"{root}/") for root in _ROOTS)
    if below and (wrong.code or 500) >= 400:
        return perspective_errors.of_http_exception(wrong)
    return None


routes.register_error_handler(Refused, perspective_errors.of_refused)
routes.register_error_handler(ModerationError, perspective_errors.of_error)
routes.register_error_handler(HTTPException, perspective_errors.of_http_exception)
routes.register_error_handler(SQLAlchemyError, perspective_errors.of_database)
routes.register_error_handler(Exception, perspective_errors.of_fault)
