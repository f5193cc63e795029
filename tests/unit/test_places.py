"""Rules of a section or an article, and what people said of an author or an article: pure, for any facts."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.domain.lifecycle import Outcome, Role
from moderation.domain.policy import ALWAYS, MUTED_BY_TRUST, evaluate
from moderation.domain.standing import Standing, in_force, may_set
from moderation.domain.text import Span
from moderation.domain.verdict import Facts, Rule
from moderation.errors import Invalid
from moderation.scoring import ATTRIBUTES
from moderation.services import policies

ONE = (Span(0, 1),)
SEVERITY = {Outcome.APPROVE: 0, Outcome.HOLD: 1, Outcome.REJECT: 2}
SECTION, ARTICLE = "World", "https://news.example/a"
DOCUMENT = """
rules:
  - {name: insult, kind: score, attribute: INSULT, hold: 0.5}
  - {name: links, kind: links, at_least: 1}
sections:
  World:
    - {name: insult, kind: score, attribute: INSULT, hold: 0.9}
    - {name: threat, kind: score, attribute: THREAT, reject: 0.8}
  Sport:
    - {name: links, enabled: false}
articles:
  https://news.example/a:
    - {name: insult, kind: score, attribute: INSULT, hold: 0.1}
"""


def limits(policy: policies.CompiledPolicy) -> dict[str, float | None]:
    """Of the rules that the document names; every policy has some more."""
    return {rule.name: rule.hold for rule in policy.rules if rule.kind not in ("not_scored", "honeypot")}


@pytest.mark.parametrize(
    ("section", "article", "expected"),
    [
        (None, None, {"insult": 0.5, "links": None}),
        ("Other", "https://news.example/b", {"insult": 0.5, "links": None}),
        ("World", None, {"insult": 0.9, "links": None, "threat": None}),
        (" wORLD ", None, {"insult": 0.9, "links": None, "threat": None}),
        ("World", ARTICLE, {"insult": 0.1, "links": None, "threat": None}),
        (None, ARTICLE, {"insult": 0.1, "links": None}),
        ("Sport", None, {"insult": 0.5}),
    ],
)
def test_article_beats_section_beats_base(
    section: str | None, article: str | None, expected: dict[str, float | None]
) -> None:
    policy = policies.compile_policy(policies.parse(DOCUMENT), 1)
    assert limits(policy.at(section, article)) == expected
    assert policy.at(section, article) is policy.at(section, article)  # compiled once


def test_a_signal_says_where_its_rule_comes_from() -> None:
    policy = policies.compile_policy(policies.parse(DOCUMENT), 1).at("World", ARTICLE)
    signals = evaluate(policy.rules, Facts("x", {"INSULT": 0.3, "THREAT": 0.9}, links=ONE)).signals
    assert {signal.rule: signal.place for signal in signals} == {
        "insult": "article", "links": None, "threat": "section",
    }  # fmt: skip


def test_a_base_rule_that_is_off_can_be_on_in_a_section() -> None:
    policy = policies.compile_policy(policies.parse("""
        rules: [{name: links, kind: links, enabled: false}]
        sections: {World: [{name: links, kind: links, at_least: 2}]}
    """), 1)  # fmt: skip
    assert not policy.asks("links")
    assert policy.at("World", None).asks("links")


def test_what_was_not_checked_is_held_also_where_a_section_switches_that_rule_off() -> None:
    policy = policies.compile_policy(policies.parse("""
        rules: [{name: not_scored, kind: not_scored, action: reject}]
        sections: {World: [{name: not_scored, enabled: false}]}
        articles: {"https://news.example/a": [{name: by_choice, kind: not_scored, action: approve}]}
    """), 1)  # fmt: skip
    assert evaluate(policy.rules, Facts("x")).outcome is Outcome.REJECT
    assert evaluate(policy.at("World", None).rules, Facts("x")).outcome is Outcome.HOLD
    assert evaluate(policy.at("World", ARTICLE).rules, Facts("x")).outcome is Outcome.APPROVE


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{rules: [], sections: {World: [{name: a, kind: nonsense}]}}", "sections.World.0.kind"),
        ("{rules: [], sections: {World: [{name: a}]}}", "kind is missing"),
        ("{rules: [{name: a, enabled: false}]}", "needs a kind"),
        ("{rules: [], sections: {World: [{name: a, kind: links}, {name: a, kind: links}]}}", "same name"),
        ("{rules: [], sections: {World: [], WORLD: []}}", "there twice"),
        ("{rules: [], articles: {nowhere: []}}", "articles"),
        ("{rules: [{name: author_banned, kind: links}]}", "is kept"),
        ("{rules: [{name: not_scored, kind: links}]}", "is kept"),
        ('{rules: [{name: a, kind: words, words: ["a\\0"]}]}', "NUL"),
        ("{rules: [{name: a, kind: words, words: ['', '*', ' *']}]}", "needs words"),
        ("{rules: [{name: a, kind: pattern}]}", "needs a pattern"),
    ],
)
def test_a_bad_place_says_what_is_wrong(source: str, says: str) -> None:
    with pytest.raises(Invalid, match=says) as caught:
        policies.parse(source)
    assert caught.value.code == "invalid_policy"


def test_a_document_with_places_survives_being_shown() -> None:
    document = policies.parse(DOCUMENT)
    assert policies.parse(policies.show(document)) == document
    assert document["sections"]["Sport"] == [{"name": "links", "enabled": False}]


def test_the_longest_list_of_beginnings_still_compiles() -> None:
    words = [f"w{number:05d}ord*" for number in range(20_000)]
    document = policies.parse(policies.show({"rules": [{"name": "many", "kind": "words", "words": words}]}))
    matcher = policies.compile_policy(document, 1).rules[0].matcher
    assert matcher is not None
    assert matcher("a w01234ording b w99999ord") == [Span(2, 14)]


# --- for any rules and facts

names = st.sampled_from(["a", "b", "c"])
scores = st.fixed_dictionaries({name: st.floats(0, 1) for name in ATTRIBUTES})
facts = st.builds(
    Facts,
    text=st.just("x"),
    scores=st.one_of(st.none(), scores),
    links=st.sampled_from([None, (), ONE]),
    approved_before=st.sampled_from([None, 0, 5]),
    rejected_before=st.sampled_from([None, 0, 5]),
    language=st.sampled_from([None, "de"]),
    standing=st.sampled_from([None, *Standing]),
    article_closed=st.booleans(),
    article_held=st.booleans(),
)


@st.composite
def score_rule(draw: st.DrawFn) -> dict[str, Any]:
    hold, reject = sorted((draw(st.floats(0, 1)), draw(st.floats(0, 1))))
    return {"name": draw(names), "kind": "score", "attribute": draw(st.sampled_from(ATTRIBUTES)), "hold": hold,
            "reject": reject}  # fmt: skip


rule_lists = st.lists(score_rule(), max_size=3, unique_by=lambda rule: rule["name"])


@given(rule_lists.filter(bool), rule_lists, rule_lists, facts, st.data())
def test_raising_a_threshold_anywhere_never_makes_any_verdict_harsher(
    base: list[dict[str, Any]], section: list[dict[str, Any]], article: list[dict[str, Any]], known: Facts,
    data: st.DataObject,
) -> None:  # fmt: skip
    document = {"rules": base, "sections": {SECTION: section}, "articles": {ARTICLE: article}}
    before = policies.compile_policy(document, 1)
    where = data.draw(st.sampled_from([rules for rules in (base, section, article) if rules]))
    number = data.draw(st.integers(0, len(where) - 1))
    chosen = dict(where[number])
    chosen["hold"] = data.draw(st.floats(chosen["hold"], 1))
    chosen["reject"] = data.draw(st.floats(max(chosen["hold"], chosen["reject"]), 1))
    where[number] = chosen
    after = policies.compile_policy(document, 2)
    for place in ((None, None), (SECTION, None), (None, ARTICLE), (SECTION, ARTICLE)):
        old, new = (evaluate(policy.at(*place).rules, known).outcome for policy in (before, after))
        assert SEVERITY[new] <= SEVERITY[old]


any_rules = st.lists(
    st.one_of(
        st.builds(Rule, name=names, kind=st.sampled_from(sorted(MUTED_BY_TRUST | {"not_scored"})),
                  action=st.sampled_from([Outcome.HOLD, Outcome.REJECT])),
        st.builds(Rule, name=names, kind=st.just("score"), attribute=st.sampled_from(ATTRIBUTES), hold=st.floats(0, 1)),
        st.builds(Rule, name=names, kind=st.just("trusted_author")),
    ),
    max_size=5,
)  # fmt: skip


@given(any_rules, facts)
def test_a_ban_and_a_closed_article_reject_whatever_else_is_said(rules: list[Rule], known: Facts) -> None:
    for final in (replace(known, standing=Standing.BAN), replace(known, article_closed=True)):
        verdict = evaluate(rules, final)
        assert verdict.outcome is Outcome.REJECT
        assert {signal.kind for signal in verdict.reasons} & {"author_banned", "article_closed"}


@given(any_rules, facts)
def test_a_hold_by_people_is_never_published(rules: list[Rule], known: Facts) -> None:
    for held in (replace(known, standing=Standing.HOLD), replace(known, article_held=True)):
        assert evaluate(rules, held).outcome is not Outcome.APPROVE


@given(any_rules, facts)
def test_trust_never_makes_a_verdict_harsher_and_never_lets_abuse_through(rules: list[Rule], known: Facts) -> None:
    stranger = replace(known, standing=None, language=None)
    without, trusted = evaluate(rules, stranger), evaluate(rules, replace(stranger, standing=Standing.TRUST))
    assert SEVERITY[trusted.outcome] <= SEVERITY[without.outcome]
    reasons = {signal.kind for signal in without.signals if signal.outcome in (Outcome.HOLD, Outcome.REJECT)}
    if reasons - MUTED_BY_TRUST:
        assert trusted.outcome is not Outcome.APPROVE


def test_what_trust_mutes_is_still_on_record() -> None:
    verdict = evaluate([Rule("links", "links")], Facts("x", {}, links=ONE, standing=Standing.TRUST))
    assert verdict.outcome is Outcome.APPROVE
    assert [(one.rule, one.outcome, one.muted, one.decided) for one in verdict.signals] == [
        ("author_trusted", Outcome.APPROVE, False, True), ("links", Outcome.HOLD, True, False),
    ]  # fmt: skip


@pytest.mark.parametrize("rules", [[], [Rule("tongues", "language")]])
def test_a_trusted_author_may_write_in_any_language(rules: list[Rule]) -> None:
    known = Facts("x", language="de", standing=Standing.TRUST)
    assert evaluate([*rules, Rule("not_scored", "not_scored")], known).outcome is Outcome.APPROVE
    unscored = Facts("x", standing=Standing.TRUST)
    assert evaluate([*rules, Rule("not_scored", "not_scored")], unscored).outcome is Outcome.HOLD


def test_without_a_word_of_people_nothing_is_added() -> None:
    assert evaluate([], Facts("x", {})).signals == ()
    assert not any(known(Facts("x", {})) for _, known in ALWAYS.values())


@pytest.mark.parametrize(
    ("role", "may"),
    [(Role.MODERATOR, {Standing.HOLD}), (Role.SENIOR, set(Standing)), (Role.ADMIN, set(Standing))],
)
def test_who_may_say_what(role: Role, may: set[Standing]) -> None:
    assert {standing for standing in Standing if may_set(role, standing)} == may
    assert may_set(role, None)


def test_a_standing_ends_at_its_time() -> None:
    assert in_force(Standing.BAN, 1_000, 999) is Standing.BAN
    assert in_force(Standing.BAN, 1_000, 1_000) is None
    assert in_force(Standing.TRUST, None, 10**15) is Standing.TRUST
