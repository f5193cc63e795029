"""Perspective's interface, comments:suggestscore."""

import json
from typing import Any

import pytest
from flask import Flask

from moderation.store.session import Store
from tests.integration.perspective import Ask, checks, error_of, examples
from tests.integration.perspective import app as app  # a fixture
from tests.integration.perspective import ask as ask  # a fixture
from tests.services import ABUSE


def as_coral(text: str, value: float, comment: str = "c1") -> dict[str, Any]:
    """What Coral sends after a moderator's decision."""
    context = {
        "url": "https://news.example/a?commentID=c1",
        "reply_to_id_Coral_comment_id": "",
        "Coral_comment_id": comment,
    }
    return {
        "comment": {"text": text}, "context": {"entries": [{"text": json.dumps(context)}]},
        "attributeScores": {"TOXICITY": {"summaryScore": {"value": value}}}, "languages": ["en"],
        "communityId": "Coral:https://coral.example", "clientToken": f"comment:{comment}",
    }  # fmt: skip


def test_a_decision_in_coral_becomes_an_example(app: Flask, ask: Ask, store: Store) -> None:
    ask(ABUSE)
    answer = ask(as_coral(ABUSE, 1), "suggestscore")
    assert (answer.status_code, answer.get_json()) == (
        200, {"clientToken": "comment:c1", "requestedLanguages": ["en"], "detectedLanguages": ["en"]},
    )  # fmt: skip
    (example,) = examples(store)
    assert (example.text, example.labels, example.languages) == (ABUSE, {"TOXICITY": 1.0}, ["en"])
    assert example.context == {
        "community": "Coral:https://coral.example", "url": "https://news.example/a?commentID=c1", "comment_id": "c1",
    }  # fmt: skip
    assert example.match == checks(app, store)[0].match


def test_the_same_comment_again_replaces_the_label(ask: Ask, store: Store) -> None:
    for text, value, comment in ((ABUSE, 1, "c1"), (ABUSE, 0, "c1"), (ABUSE, 1, "c2")):
        ask(as_coral(text, value, comment), "suggestscore")
    assert [example.labels for example in examples(store)] == [{"TOXICITY": 0.0}, {"TOXICITY": 1.0}]


def test_without_a_token_the_text_counts(ask: Ask, store: Store) -> None:
    for text, value in (("one text", 1), ("one  text", 0), ("another", 1)):
        body = {"comment": {"text": text}, "attributeScores": {"INSULT": {"summaryScore": {"value": value}}}}
        assert ask(body, "suggestscore").get_json() == {"requestedLanguages": [], "detectedLanguages": ["en"]}
    assert [example.labels for example in examples(store)] == [{"INSULT": 0.0}, {"INSULT": 1.0}]


def test_labels_stand_under_our_names_or_the_callers(ask: Ask, store: Store) -> None:
    def span(value: float) -> dict[str, Any]:
        return {"begin": 0, "end": 2, "score": {"value": value}}

    scores = {
        "OBSCENE": {"summaryScore": {}}, "TOXICITY@6": {"summaryScore": {"value": "0.25", "type": "PROBABILITY"}},
        "FLIRTATION": {"spanScores": [span(0.5), span(1)]}, "OUR_OWN": {"summaryScore": {"value": 1}},
    }  # fmt: skip
    ask({"comment": {"text": "a\0b"}, "attribute_scores": scores, "clientToken": "a\0"}, "suggestscore")
    (example,) = examples(store)
    assert example.labels == {"PROFANITY": 0.0, "TOXICITY": 0.25, "FLIRTATION": 1.0, "OUR_OWN": 1.0}


BAD_LABELS = [
    {}, {"TOXICITY": {}}, {"TOXICITY": {"summaryScore": {"value": 1.5}}},
    {"TOXICITY": {"summaryScore": {"value": "x"}}},
    {"": {"summaryScore": {"value": 1}}}, {"A" * 101: {"summaryScore": {"value": 1}}},
    {"A\0": {"summaryScore": {"value": 1}}}, {"TOXICITY": {"summaryScore": {"value": 1, "type": "RAW"}}},
    {"TOXICITY": {"spanScores": [{"end": 1, "score": {"value": 1}}]}}, {"TOXICITY": {"summaryScore": {"value": -0.1}}},
    {f"A{n}": {"summaryScore": {"value": 1}} for n in range(101)},
]  # fmt: skip


@pytest.mark.parametrize("scores", BAD_LABELS, ids=range(len(BAD_LABELS)))
def test_labels_that_can_not_be(ask: Ask, store: Store, scores: Any) -> None:
    error_of(ask({"comment": {"text": "hello"}, "attributeScores": scores}, "suggestscore"), 400, "INVALID_ARGUMENT")
    assert examples(store) == []


def test_context_that_is_no_ids_is_not_kept(ask: Ask, store: Store) -> None:
    for n, said in enumerate(("The article's text.", '{"url": 1, "author": "Ann"}', "[" * 10_000, '["a"]')):
        body = as_coral("hello", 1, str(n)) | {"context": {"entries": [{"text": said}]}}
        assert ask(body, "suggestscore").status_code == 200
    assert {tuple(example.context) for example in examples(store)} == {("community",)}
