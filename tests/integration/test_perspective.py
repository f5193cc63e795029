"""Perspective's interface, call by call."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from moderation.scoring import Classifier
from moderation.services import sites
from moderation.store.session import Store
from moderation.store.tables import Comment
from tests.integration.perspective import Ask, checks, error_of, request_for, set_options
from tests.integration.perspective import app as app  # a fixture
from tests.integration.perspective import ask as ask  # a fixture
from tests.services import ABUSE

SIX = ("TOXICITY", "SEVERE_TOXICITY", "IDENTITY_ATTACK", "INSULT", "PROFANITY", "THREAT")
GERMAN = "Das ist ein ganz gewöhnlicher Kommentar auf Deutsch, der nichts weiter sagt."


def test_the_usual_request(ask: Ask) -> None:
    answer = ask(request_for(ABUSE, *SIX, clientToken="t1"))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    said = answer.get_json()
    scores = said.pop("attributeScores")
    assert said == {"languages": ["en"], "detectedLanguages": ["en"], "clientToken": "t1"}
    assert list(scores) == list(SIX)
    for one in scores.values():
        assert set(one) == {"summaryScore", "spanScores"}
        assert one["spanScores"] == [{"begin": 0, "end": len(ABUSE), "score": one["summaryScore"]}]
        assert one["summaryScore"]["type"] == "PROBABILITY"
    assert scores["INSULT"]["summaryScore"]["value"] > 0.8 > scores["THREAT"]["summaryScore"]["value"]


def test_the_whole_request_in_the_other_spelling(ask: Ask) -> None:
    text = "Have a nice day. 😀 You stupid idiot!"
    body = {
        "comment": {"text": text, "type": 1}, "context": {"article_and_parent_comment": {"article": {"text": "a"}}},
        "requested_attributes": {"TOXICITY": {"score_type": "PROBABILITY", "score_threshold": "0.01"}},
        "span_annotations": True, "do_not_store": True, "client_token": "", "session_id": "s", "community_id": "c",
        "languages": ["EN-us"], "unheard_of": {"a": 1},
    }  # fmt: skip
    said = ask(body).get_json()
    assert (said["languages"], said["clientToken"]) == (["EN-us"], "")
    first, second = said["attributeScores"]["TOXICITY"]["spanScores"]
    # UTF-16 code units: the emoji counts two
    assert [(s["begin"], s["end"]) for s in (first, second)] == [(0, 16), (17, 37)]
    assert first["score"]["value"] < 0.2 < 0.8 < second["score"]["value"]


def test_a_sentence_in_another_language_has_no_score(ask: Ask) -> None:
    text = "This is a long and plain English sentence about the weather, and it goes on. " + GERMAN
    text += " And here is another plain English sentence that says nothing of interest to anybody."
    said = ask(request_for(text, "TOXICITY", spanAnnotations=True)).get_json()
    assert said["detectedLanguages"] == ["en"]
    spans = said["attributeScores"]["TOXICITY"]["spanScores"]
    assert [text[span["begin"] :][:4] for span in spans] == ["This", "And "]


@pytest.mark.parametrize("place", ["key", "access_token", "oauth_token", "X-Goog-Api-Key", "bearer"])
def test_the_key_in_every_place(client: FlaskClient, site: tuple[str, str], place: str) -> None:
    path, headers = "/v1alpha1/comments%3Aanalyze", {}
    if place == "bearer":
        headers = {"Authorization": f"Bearer {site[1]}"}
    elif place == "X-Goog-Api-Key":
        headers = {place: site[1]}
    else:
        path += f"?{place}={site[1]}"
    assert client.post(path, json=request_for("hello", "TOXICITY"), headers=headers).status_code == 200


def test_keys_that_do_not_open(client: FlaskClient, site: tuple[str, str], store: Store) -> None:
    path = "/v1alpha1/comments:analyze"
    wrong = error_of(client.post(f"{path}?key=nonsense"), 400, "INVALID_ARGUMENT")
    assert (wrong["message"], wrong["reason"]) == (
        "API key not valid. Please pass a valid API key.", "API_KEY_INVALID",
    )  # fmt: skip
    assert error_of(client.get("/$discovery/rest?key=nonsense"), 400, "INVALID_ARGUMENT")["reason"] == "API_KEY_INVALID"
    error_of(client.post(path), 403, "PERMISSION_DENIED")
    with store.write() as session:
        reader = sites.create_key(session, site[0], ("read",))
    error_of(client.post(f"{path}?key={reader}"), 403, "PERMISSION_DENIED")


NAMES = {
    "TOXICITY@6": "TOXICITY", "TOXICITY_EXPERIMENTAL": "TOXICITY", "INSULT_EXPERIMENTAL@2": "INSULT",
    "OBSCENE": "PROFANITY", "TOXICITY_FAST": "TOXICITY", "SPAM": "SPAM", "SEXUALLY_EXPLICIT": "SEXUALLY_EXPLICIT",
}  # fmt: skip


@pytest.mark.parametrize(("name", "attribute"), NAMES.items())
def test_other_names_are_answered_under_the_name_asked_for(ask: Ask, name: str, attribute: str) -> None:
    scores = ask(request_for(ABUSE, name, attribute)).get_json()["attributeScores"]
    assert scores[name] == scores[attribute]


@pytest.mark.parametrize("name", ["FLIRTATION", "LIKELY_TO_REJECT", "NUANCE_EXPERIMENTAL", "ATTACK_ON_AUTHOR"])
def test_what_we_do_not_have_is_left_out_or_refused(ask: Ask, store: Store, site: tuple[str, str], name: str) -> None:
    both = request_for("hello there", name, "TOXICITY")
    assert list(ask(both).get_json()["attributeScores"]) == ["TOXICITY"]
    assert ask(request_for("hello there", name)).get_json() == {"languages": ["en"], "detectedLanguages": ["en"]}
    refused = error_of(ask(both, query="&strict=1"), 400, "INVALID_ARGUMENT")
    assert refused["message"] == f"Attribute {name} does not support request languages: en"
    assert refused["languageNotSupportedByAttributeError"]["attribute"] == name
    set_options(store, site, strict_attributes="true")
    error_of(ask(both), 400, "INVALID_ARGUMENT")


def test_a_threshold_leaves_scores_out(ask: Ask) -> None:
    body = request_for("Thank you, a clear summary.", clientToken="t")
    body["requestedAttributes"] = {"TOXICITY": {"scoreThreshold": 0.9}, "INSULT": {"scoreThreshold": 0}}
    assert list(ask(body).get_json()["attributeScores"]) == ["INSULT"]
    del body["requestedAttributes"]["INSULT"]
    assert ask(body).get_json() == {"languages": ["en"], "detectedLanguages": ["en"], "clientToken": "t"}


REFUSALS = [
    ({}, "Comment must be non-empty.", "COMMENT_EMPTY"),
    (b"", "Comment must be non-empty.", "COMMENT_EMPTY"),
    (request_for(" \n", "TOXICITY"), "Comment must be non-empty.", "COMMENT_EMPTY"),
    (request_for("a" * 20_481, "TOXICITY"), "Comment text too long.", "COMMENT_TOO_LONG"),
    (request_for("é" * 10_241, "TOXICITY"), "Comment text too long.", "COMMENT_TOO_LONG"),
    (request_for("hello"), "Missing requested_attributes", "NO_REQUESTED_ATTRIBUTES"),
    (request_for("hello", "TOXICITY", "NICENESS"), "Unknown requested attribute: NICENESS", "INVALID_REQUEST"),
    (request_for("hello", "toxicity"), "Unknown requested attribute: toxicity", "INVALID_REQUEST"),
    (request_for("hello", "TOXICITY") | {"comment": {"text": "a", "type": "HTML"}},
     "Currently, only 'PLAIN_TEXT' comments are supported", "INVALID_REQUEST"),
    (request_for("hello", "TOXICITY") | {"comment": {"text": "a", "type": "PDF"}},
     "Unknown text type", "INVALID_REQUEST"),
    ({"comment": {"text": "a"}, "requestedAttributes": {"TOXICITY": {"scoreType": "PERCENTILE"}}},
     "Requested score type PERCENTILE is not supported by attribute TOXICITY", "INVALID_REQUEST"),
    (request_for("hello", "TOXICITY", context={"entries": [{"text": "a"}], "articleAndParentComment": {}}),
     "Context can have either entries or article_and_parent_comment, but both fields were populated.",
     "INVALID_REQUEST"),
    (request_for("hello", "TOXICITY", languages=["de", "fr"]),
     "Attribute TOXICITY does not support request languages: de, fr", "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE"),
    (request_for(GERMAN, "INSULT", "TOXICITY"),
     "Attribute INSULT does not support request languages: de", "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "message", "error_type"), REFUSALS, ids=range(len(REFUSALS)))
def test_refusals_word_for_word(ask: Ask, body: Any, message: str, error_type: str) -> None:
    detail = error_of(ask(body), 400, "INVALID_ARGUMENT")
    assert (detail["message"], detail["errorType"]) == (message, error_type)
    assert detail["@type"] == "type.googleapis.com/google.commentanalyzer.v1alpha1.Error"


def test_the_longest_text_is_taken(ask: Ask) -> None:
    assert ask("a " * 10_240).status_code == 200


def test_languages(ask: Ask, store: Store, site: tuple[str, str]) -> None:
    def about(text: str, *languages: str) -> Any:
        answer = error_of(ask(request_for(text, "TOXICITY@6", languages=languages)), 400, "INVALID_ARGUMENT")
        return answer["languageNotSupportedByAttributeError"]

    assert about(GERMAN) == {"detectedLanguages": ["de"], "attribute": "TOXICITY@6"}
    assert about("hello", "de") == {"requestedLanguages": ["de"], "attribute": "TOXICITY@6"}
    vouched = ask(request_for(GERMAN, "TOXICITY@6", languages=["en"])).get_json()
    assert (vouched["languages"], vouched["detectedLanguages"]) == (["en"], ["de"])
    assert 0 <= vouched["attributeScores"]["TOXICITY@6"]["summaryScore"]["value"] <= 1
    for text in ("yo hamburger", "Danke", "👍", "12:30"):
        assert ask(text).status_code == 200
    assert ask(request_for("hello", "TOXICITY", languages=["fr", "en-GB"])).get_json()["languages"] == ["fr", "en-GB"]
    set_options(store, site, strict_languages="true")
    detail = error_of(ask("hamburger"), 400, "INVALID_ARGUMENT")
    assert (detail["message"], detail["errorType"]) == ("Unable to detect language", "LANGUAGE_DETECTION_FAILED")
    assert ask("This is plainly what the readers of the paper think.").status_code == 200


def test_what_was_asked_is_kept_without_its_text(app: Flask, ask: Ask, store: Store) -> None:
    ask(request_for(ABUSE, "TOXICITY", doNotStore=False))
    (check,) = checks(app, store)
    assert (check.interface, check.text, check.outcome) == ("perspective", None, "hold")
    assert check.scores["TOXICITY"] > 0.8
    with store.read() as session:
        assert session.scalar(select(Comment.id)) is None


@pytest.mark.parametrize("forbidden", [True, False])
def test_text_is_kept_only_where_site_and_caller_allow_it(
    app: Flask, ask: Ask, store: Store, site: tuple[str, str], forbidden: bool
) -> None:
    set_options(store, site, keep_checked_text="true")
    ask(request_for("a\0b", "TOXICITY", doNotStore=forbidden))
    (check,) = checks(app, store)
    assert check.text == (None if forbidden else "a\N{REPLACEMENT CHARACTER}b")


def test_without_a_classifier_there_is_no_score(app: Flask, ask: Ask, store: Store) -> None:
    broken = Classifier("linear", None, "a file is missing")
    app.extensions["moderation"] = replace(app.extensions["moderation"], classifier=lambda: broken)
    answer = ask("hello")
    error_of(answer, 503, "UNAVAILABLE")
    assert answer.headers["Retry-After"] == "30"
    assert checks(app, store) == []
    label = {"comment": {"text": "hello"}, "attributeScores": {"TOXICITY": {"summaryScore": {"value": 1}}}}
    assert ask(label, "suggestscore").status_code == 200  # a label needs none


def test_a_text_that_the_classifier_fails_on(app: Flask, ask: Ask) -> None:
    class Failing:
        name, version = "failing", "1"

        def score(self, texts: list[str]) -> Any:
            raise ZeroDivisionError

    failing = Classifier("failing@1", Failing())  # type: ignore[arg-type]
    app.extensions["moderation"] = replace(app.extensions["moderation"], classifier=lambda: failing)
    error_of(ask("hello"), 503, "UNAVAILABLE")
