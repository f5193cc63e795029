"""Words of war and of peoples must not hold a civil comment by themselves, at the default policy."""

import pytest

from moderation.domain.lifecycle import Outcome
from moderation.scoring import Classifier
from moderation.services import policies
from moderation.services.verdicts import verdict

NOUNS = [
    "shells", "missiles", "rockets", "bombing", "artillery", "drones", "tanks", "grenades", "mines", "weapons",
    "killing", "casualties", "soldiers", "war", "genocide", "terrorism", "occupation", "invasion", "torture", "corpses",
]  # fmt: skip
PEOPLES = [
    "Russians", "Ukrainians", "Koreans", "Chinese people", "Americans", "Iranians", "Israelis", "Palestinians",
    "Muslims", "Jews", "Christians", "Arabs", "Turks", "gay soldiers", "lesbians", "Black veterans", "women",
    "immigrants", "refugees", "transgender people",
]  # fmt: skip
ABOUT_NOUNS = [
    "The report on {} was well written.",
    "How many {} were counted in the article?",
    "I would like to read more about {} in the next issue.",
    "My grandfather spoke about {} until he died.",
]
ABOUT_PEOPLES = [
    "My neighbours are {} and they are worried about their families.",
    "Many {} read this paper too.",
    "The article quotes {} and officials from both countries.",
    "I spoke with {} about this yesterday, and it changed my mind.",
]


@pytest.fixture(scope="module")
def policy() -> policies.CompiledPolicy:
    return policies.compile_policy(policies.default_document(), None)


@pytest.mark.parametrize(
    ("sentences", "words"), [(ABOUT_NOUNS, NOUNS), (ABOUT_PEOPLES, PEOPLES)], ids=["war", "peoples"]
)
def test_a_civil_sentence_is_not_held_for_one_word(
    classifier: Classifier, policy: policies.CompiledPolicy, sentences: list[str], words: list[str]
) -> None:
    held: list[str] = []
    for sentence in sentences:
        texts = [sentence.format(word) for word in words]
        for text, scores in zip(texts, classifier.judge(texts), strict=True):
            if verdict(policy, text, scores).outcome is not Outcome.APPROVE:
                held.append(text)
    assert held == []
