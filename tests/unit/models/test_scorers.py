"""What every registered scorer must do, whatever it is made of."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import ATTRIBUTES, DEFAULT_SCORER, SCORERS, Scorer, load_scorer

CIVIL = [
    "Muslims",
    "Jews",
    "gay",
    "kill",
    "bombing",
    "Russians",
    "The shells kill civilians.",
    "I am a gay man from Korea.",
]
ABUSIVE = ["you are a stupid idiot", "I will kill you", "Kill all Muslims", "kill all the Russians", "fuck you"]
HOSTILE = [
    "",
    " ",
    "\0",
    "\ud800 lone",
    "\u202eidiot\u202c",
    "e\u0301" * 500,
    "😀" * 3000,
    "a" * 20_480,
    "you idiot " * 2048,
    "<a&#1;@$1" * 5000,
    "ﷺ" * 200,
]
SCORES = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module", params=sorted(SCORERS))
def scorer(request: pytest.FixtureRequest) -> Iterator[Scorer]:
    return load_scorer(request.param)


def test_names(scorer: Scorer) -> None:
    assert isinstance(scorer, Scorer)
    assert SCORERS[scorer.name]
    assert scorer.version
    assert scorer.attributes == ATTRIBUTES
    assert DEFAULT_SCORER in SCORERS


def test_unknown_scorer_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        load_scorer("none such")


def test_no_texts(scorer: Scorer) -> None:
    assert scorer.score([]) == []


@given(texts=st.lists(st.text(max_size=200), max_size=8))
@SCORES
def test_any_text_scores_within_range_and_alone_as_in_a_batch(scorer: Scorer, texts: list[str]) -> None:
    together = scorer.score([*HOSTILE[:6], *texts])
    assert together == scorer.score([*HOSTILE[:6], *texts])
    for text, row in zip(texts, together[6:], strict=True):
        assert tuple(row) == scorer.attributes
        assert all(0.0 <= value <= 1.0 for value in row.values())
        assert row == pytest.approx(scorer.score([text])[0], abs=1e-6)


def test_hostile_texts_score_alone_as_in_a_batch(scorer: Scorer) -> None:
    alone = [scorer.score([text])[0] for text in HOSTILE]
    for order in (1, -1):
        batch = scorer.score(HOSTILE[::order])[::order]
        for one, other in zip(alone, batch, strict=True):
            assert one == pytest.approx(other, abs=1e-6)


def test_a_megabyte_and_many_texts(scorer: Scorer) -> None:
    long = "what a fine day, said the minister. " * (1_000_000 // 36)
    assert scorer.score([long])[0] == pytest.approx(scorer.score(["hello", long])[1], abs=1e-6)
    assert len(scorer.score(["one of many"] * 3000)) == 3000


def test_spans_lie_in_the_text(scorer: Scorer) -> None:
    for text in [*HOSTILE, *ABUSIVE]:
        for attribute in ("TOXICITY", "SPAM"):
            found = scorer.explain(text, attribute)
            assert len(found) <= 5
            assert all(0 <= s.begin < s.end <= len(text) and s.weight > 0 for s in found)


def test_unknown_attribute_is_a_key_error(scorer: Scorer) -> None:
    with pytest.raises(KeyError):
        scorer.explain("text", "KINDNESS")


def test_abuse_scores_above_words_of_war_and_peoples(scorer: Scorer) -> None:
    def worst(text: str) -> float:
        row = scorer.score([text])[0]
        return max(row["TOXICITY"], row["THREAT"], row["IDENTITY_ATTACK"])

    assert max(map(worst, CIVIL)) < min(map(worst, ABUSIVE))


def test_no_scikit_learn_at_run_time() -> None:
    code = (
        "import sys; from models import load_scorer; load_scorer().score(['you idiot']);"
        "bad = {'sklearn', 'scipy', 'pickle5', 'joblib'} & set(sys.modules); sys.exit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
