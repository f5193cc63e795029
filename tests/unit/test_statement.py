"""What a statement of reasons says, and how much a reporter's word counts."""

import re
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.domain.lifecycle import NOTE_FOR_AUTHOR, REJECT_REASONS
from moderation.domain.policy import ALWAYS, RULES
from moderation.domain.statement import GROUNDS, in_words, plainly
from moderation.domain.voices import REPORT_REASONS, AppealOutcome, ReportOutcome, report_weight
from moderation.scoring import ATTRIBUTES
from moderation.services.links import Links, read_statement_token, statement_token
from moderation.services.statements import english_day
from moderation.web.reports import NEAREST

counts = st.integers(min_value=0, max_value=10**6)


@given(counts, counts)
def test_a_weight_is_between_nothing_and_everything(upheld: int, dismissed: int) -> None:
    weight = report_weight(upheld, dismissed)
    assert 0 < weight < 1
    assert report_weight(upheld + 1, dismissed) > weight > report_weight(upheld, dismissed + 1)
    assert weight + report_weight(dismissed, upheld) == pytest.approx(1)


def test_a_new_reporter_is_in_the_middle() -> None:
    assert report_weight(0, 0) == 0.5


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_only_the_record_counts_not_its_order(record: list[bool]) -> None:
    weight = report_weight(sum(record), len(record) - sum(record))
    assert (weight > 0.5) == (sum(record) * 2 > len(record))


def test_every_reason_has_words_for_the_author() -> None:
    needed = set(REJECT_REASONS) - {"other"} | {attribute.lower() for attribute in ATTRIBUTES}
    assert needed - set(GROUNDS) == set()
    says_something = {"links", "email_address", "phone_number", "words", "pattern", "repeat_offender"}
    assert says_something <= set(RULES)
    assert says_something | {"article_closed", "author_banned"} <= set(GROUNDS)
    assert {"article_closed", "author_banned"} <= set(ALWAYS)
    assert set(REJECT_REASONS) >= NOTE_FOR_AUTHOR
    assert set(NEAREST) == set(REPORT_REASONS)
    assert set(NEAREST.values()) <= set(REJECT_REASONS)


def statement(**more: Any) -> dict[str, Any]:
    return {
        "restriction": {"kind": "removed"}, "facts": {"found_by": "report", "reports": 2},
        "automated": {"detection": True, "decision": False},
        "ground": {"kind": "house_rules", "codes": ["insult", "made_up"], "note": None, "rules_url": None},
        "redress": {"appeal_until": "2026-12-09T10:00:00.000Z", "more": None},
    } | more  # fmt: skip


def test_all_parts_of_article_17_are_there() -> None:
    said = in_words(statement(), plainly, english_day)
    assert [name for name, sentences in said.items() if not sentences] == ["rules"]
    assert said["ground"] == [
        "It breaks the house rules: an insult, something that the rules do not allow."
    ]  # fmt: skip
    assert said["redress"][0].startswith("Until 9 December 2026 you can ask for a second look")


@pytest.mark.parametrize("text", ["100 % sure", "%(name)s", "<b>{}</b>", "%s %d"])
def test_what_people_wrote_is_never_read_as_a_pattern(text: str) -> None:
    ground = {"kind": "illegal", "codes": ["illegal"], "note": text, "rules_url": "https://a.example/%20x"}
    said = in_words(statement(ground=ground, redress={"appeal_until": None, "more": text}), plainly, english_day)
    assert said["ground"] == [f"We think that it is illegal. The ground: {text}"]
    assert said["rules"] == ["The house rules: https://a.example/%20x"]
    assert said["redress"][-1] == text
    own = {"kind": "house_rules", "codes": ["other"], "note": text, "rules_url": None}
    said = in_words(statement(ground=own), plainly, english_day)
    assert said["ground"] == [f"It breaks the house rules. In the moderator’s words: {text}"]


@given(st.text(max_size=80), st.text(min_size=1, max_size=40))
def test_a_link_is_ours_or_nothing(token: str, other: str) -> None:
    key, made = "k" * 32, statement_token("k" * 32, "a" * 32)
    assert read_statement_token(key, made) == "a" * 32
    assert read_statement_token(key, token) is None or token == made
    assert read_statement_token(other, made) is None


def test_without_an_address_there_is_no_link() -> None:
    assert Links("", "k" * 32).statement("a" * 32) is None
    assert (Links("https://m.example/", "k" * 32).statement("a" * 32) or "").startswith("https://m.example/statement/")


def test_outcomes_are_those_of_the_docs() -> None:
    page = (files("moderation").joinpath("../docs/statements.md")).read_text("utf-8")
    for word in (*ReportOutcome, *AppealOutcome, *REPORT_REASONS):
        assert f"`{word}`" in page, word


@pytest.mark.parametrize("name", ["statement", "statement_gone", "reports", "appeals", "_reports"])
def test_every_text_of_the_pages_can_be_translated(name: str) -> None:
    source = (files("moderation.web") / "templates" / f"{name}.html").read_text("utf-8")
    for code in (r"{#.*?#}", r"{% block body_class %}.*?{% endblock %}", r"{% trans.*?{% endtrans %}", r"{%.*?%}",
                 r"{{.*?}}", r"<[^>]*>"):  # fmt: skip
        source = re.sub(code, "", source, flags=re.S)
    assert re.findall(r"[A-Za-z]{2,}", source) == []
