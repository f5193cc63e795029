"""Scorer and policy over labelled sentences."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from moderation.cli import main
from moderation.errors import SetupError
from moderation.scoring import Classifier
from moderation.services import measure, policies
from moderation.services.measure import Decided, Share


class _Shouting:
    """A scorer that finds capitals toxic."""

    name, version, attributes = "shouting", "1", ("TOXICITY",)

    def __init__(self) -> None:
        self.batches: list[int] = []

    def score(self, texts: Sequence[str]) -> list[dict[str, float]]:
        self.batches.append(len(texts))
        return [{"TOXICITY": 0.99 if text.isupper() else 0.01} for text in texts]

    def explain(self, text: str, attribute: str) -> list[object]:
        return []


def _line(text: str, label: str, **more: object) -> bytes:
    return json.dumps({"text": text, "label": label, **more}, ensure_ascii=False).encode() + b"\n"


def test_texts_are_decided_by_scorer_and_policy() -> None:
    scorer = _Shouting()
    policy = policies.compile_policy(policies.default_document(), None)
    lines = _line("FOOL", "abusive", kind="insult", swear=False) + _line("fool", "abusive") + _line("FINE", "civil")
    rows = measure.decide_all(Classifier("shouting@1", scorer), policy, measure.read(lines + b"\n" + lines * 120))  # type: ignore[arg-type]
    assert [row.held for row in rows[:3]] == [True, False, True]
    assert [row.right for row in rows[:3]] == [True, False, False]
    assert rows[0] == Decided("abusive", "insult", swear=False, held=True)
    assert rows[1].swear is None
    assert scorer.batches == [256, 107]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no labelled texts"),
        (b"\n \n", "no labelled texts"),
        (_line("a", "civil") + b"{", "line 2 is not JSON"),
        (b"\xff\xfe", "line 1 is not JSON"),
        (b"[1]", "line 1 is not an object with a text"),
        (b'{"text": 1, "label": "civil"}', "line 1 is not an object with a text"),
        (b'{"text": "\\ud800", "label": "civil"}', "lone surrogates"),
        (b'{"text": "private", "label": "rude"}', "label must be abusive or civil"),
    ],
)
def test_bad_lines_are_refused_without_their_text(data: bytes, said: str) -> None:
    with pytest.raises(SetupError, match=said) as raised:
        measure.read(data)
    assert "private" not in str(raised.value)


def test_a_line_separator_inside_a_text_ends_no_line() -> None:
    assert [one["text"] for one in measure.read(_line("one\u2028two", "civil"))] == ["one\u2028two"]


def test_share_and_interval() -> None:
    share = Share(8, 10)
    assert share.value == 0.8
    assert share.interval == pytest.approx((0.490, 0.943), abs=5e-4)  # Wilson's own formula, by hand
    assert Share(0, 5).interval[0] == 0.0
    assert Share(5, 5).interval[1] == 1.0


def test_table_goes_from_all_to_kinds() -> None:
    rows = [
        Decided("civil", "question", swear=None, held=False),
        Decided("civil", "question", swear=None, held=True),
        Decided("abusive", "threat", swear=True, held=True),
        Decided("abusive", "insult", swear=False, held=False),
    ]
    groups = [line.split(" | ")[0].strip("| ") for line in measure.table(rows).splitlines()[2:]]
    assert groups == [
        "all", "abusive", "civil", "abusive, with a swear word", "abusive, without a swear word",
        "abusive: insult", "abusive: threat", "civil: question",
    ]  # fmt: skip
    assert "| civil: question | 2 | 50.0% | 9.5% to 90.5% |" in measure.table(rows)
    assert "| abusive: threat | 1 | 100.0% |" in measure.table(rows)


def test_headlines_say_by_the_interval_what_was_reached() -> None:
    good = [Decided("abusive", "threat", swear=False, held=True)] * 400
    bad = [Decided("civil", "counter_speech", swear=False, held=True)] * 100
    functional, harmless, stories, against, clean = measure.headlines(good + bad, good[:1] + bad)
    assert (
        functional
        == "functional tests right: 80.0% (76.3% to 83.3%) of 500; at least 80% wanted: met, within the margin"
    )
    assert harmless.endswith("at least 60% wanted: fell short")
    assert stories.endswith("of 1; at least 80% wanted: met, within the margin")
    assert against.startswith("counter-speech and quoted abuse published: 0.0%")
    assert clean.endswith("of 401; at least 85% wanted: met")
    assert measure.headlines([], [])[0] == "functional tests right: nothing to measure"


def test_the_command_measures_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_bytes(
        _line("you stupid idiot", "abusive", kind="insult") + _line("a fine bridge", "civil", kind="praise")
    )
    result = CliRunner().invoke(main, ["evaluate", "--texts", str(path)])
    assert result.exit_code == 0, result.output
    assert "| all | 2 | 100.0% |" in result.output
    path.write_bytes(b"nothing")
    result = CliRunner().invoke(main, ["evaluate", "--texts", str(path)])
    assert result.exit_code != 0
