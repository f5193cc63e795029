"""How rules combine, and that the default policy is as mild as it says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.domain.lifecycle import Outcome
from moderation.domain.policy import RULES, evaluate
from moderation.domain.text import Span
from moderation.domain.verdict import Facts, Look, Rule
from moderation.errors import Invalid
from moderation.scoring import ATTRIBUTES
from moderation.services import policies

SEVERITY = {Outcome.APPROVE: 0, Outcome.HOLD: 1, Outcome.REJECT: 2}
ONE = (Span(0, 1),)
BY_AUTHOR, ANYWHERE = Look("author", 60), Look("site", 3600)


def score(hold: float | None = None, reject: float | None = None) -> Rule:
    return Rule("toxicity", "score", attribute="TOXICITY", hold=hold, reject=reject)


def rule(kind: str, action: Outcome = Outcome.HOLD, **more: object) -> Rule:
    return Rule(kind, kind, action, **more)  # type: ignore[arg-type]


def finds(text: str) -> list[Span]:
    return list(ONE)


def finds_nothing(text: str) -> list[Span]:
    return []


CASES = [
    ("nothing fired", [score(hold=0.5)], Facts("x", {"TOXICITY": 0.4}), "approve"),
    ("at the threshold", [score(hold=0.5)], Facts("x", {"TOXICITY": 0.5}), "hold"),
    ("reject lane", [score(0.5, 0.9)], Facts("x", {"TOXICITY": 0.9}), "reject"),
    ("reject lane only", [score(reject=0.9)], Facts("x", {"TOXICITY": 0.8}), "approve"),
    ("attribute not scored", [score(hold=0.5)], Facts("x", {"INSULT": 1.0}), "approve"),
    ("not scored", [score(hold=0.5), rule("not_scored")], Facts("x"), "hold"),
    ("not scored, published by choice", [rule("not_scored", Outcome.APPROVE)], Facts("x"), "approve"),
    ("unserved language", [score(hold=0.5), rule("language")], Facts("x", language="de"), "hold"),
    ("unserved, rejected by choice", [rule("language", Outcome.REJECT)], Facts("x", language="de"), "reject"),
    (
        "an allowed language",
        [rule("language", allow=("de",)), rule("not_scored")],
        Facts("x", language="de"),
        "approve",
    ),
    ("another than allowed", [rule("language", allow=("de",))], Facts("x", language="fr"), "hold"),
    (
        "allowed, with a link",
        [rule("language", allow=("de",)), rule("links")],
        Facts("x", links=ONE, language="de"),
        "hold",
    ),
    ("no rule on languages", [score(hold=0.5), rule("not_scored")], Facts("x", language="de"), "hold"),
    ("not even on scores", [score(hold=0.5)], Facts("x", language="de"), "hold"),
    ("published unscored by choice", [rule("not_scored", Outcome.APPROVE)], Facts("x", language="de"), "approve"),
    ("a served language", [rule("language"), rule("not_scored")], Facts("x", {"TOXICITY": 0.1}), "approve"),
    ("unknown language", [rule("language"), rule("not_scored")], Facts("x"), "hold"),
    ("word", [rule("words", matcher=finds)], Facts("x"), "hold"),
    ("no word", [rule("words", Outcome.REJECT, matcher=finds_nothing)], Facts("x"), "approve"),
    ("pattern", [rule("pattern", Outcome.REJECT, matcher=finds)], Facts("x"), "reject"),
    ("too few links", [rule("links", at_least=2)], Facts("x", links=ONE), "approve"),
    ("enough links", [rule("links", at_least=1)], Facts("x", links=ONE), "hold"),
    ("links unknown", [rule("links", at_least=1)], Facts("x"), "approve"),
    ("e-mail", [rule("email_address")], Facts("x", email_addresses=ONE), "hold"),
    ("phone", [rule("phone_number")], Facts("x", phone_numbers=ONE), "hold"),
    ("first time", [rule("first_time_author")], Facts("x", approved_before=0), "hold"),
    ("known author", [rule("first_time_author")], Facts("x", approved_before=1), "approve"),
    ("unknown author", [rule("first_time_author")], Facts("x"), "approve"),
    ("offender", [rule("repeat_offender", at_least=2)], Facts("x", approved_before=9, rejected_before=2), "hold"),
    (
        "mostly good author",
        [rule("repeat_offender", at_least=2, share=0.5)],
        Facts("x", approved_before=9, rejected_before=2),
        "approve",
    ),
    ("offender unknown", [rule("repeat_offender")], Facts("x"), "approve"),
    ("flood", [rule("flood", at_least=3, look=BY_AUTHOR)], Facts("x", floods={BY_AUTHOR: 3}), "hold"),
    ("no flood yet", [rule("flood", at_least=3, look=BY_AUTHOR)], Facts("x", floods={BY_AUTHOR: 2}), "approve"),
    ("a flood elsewhere", [rule("flood", at_least=3, look=BY_AUTHOR)], Facts("x", floods={ANYWHERE: 9}), "approve"),
    ("flood unknown", [rule("flood", at_least=3, look=BY_AUTHOR)], Facts("x"), "approve"),
    (
        "said before",
        [rule("repeated_text", Outcome.REJECT, at_least=2, look=ANYWHERE)],
        Facts("x", repeats={ANYWHERE: 2}),
        "reject",
    ),
    ("said once", [rule("repeated_text", at_least=2, look=ANYWHERE)], Facts("x", repeats={ANYWHERE: 1}), "approve"),
    ("bad link", [rule("bad_domain")], Facts("x", links=ONE, bad_links=ONE), "hold"),
    ("bad website", [rule("bad_domain")], Facts("x", bad_links=(), bad_website=True), "hold"),
    ("bad website and link", [rule("bad_domain", at_least=2)], Facts("x", bad_links=ONE, bad_website=True), "hold"),
    ("a bad website alone", [rule("bad_domain", at_least=2)], Facts("x", bad_links=(), bad_website=True), "approve"),
    ("a link, but not a bad one", [rule("bad_domain")], Facts("x", links=ONE, bad_links=()), "approve"),
    ("trapped", [rule("honeypot", Outcome.REJECT)], Facts("x", trapped=True), "reject"),
    ("not trapped", [rule("honeypot")], Facts("x"), "approve"),
    ("lock-down", [rule("trusted_author")], Facts("x", approved_before=9, rejected_before=0, site_held=True), "hold"),
    ("slow mode", [], Facts("x", slow_mode=True), "hold"),
    (
        "reject over hold",
        [score(reject=0.5), rule("email_address")],
        Facts("x", {"TOXICITY": 1.0}, email_addresses=ONE),
        "reject",
    ),
    (
        "a trusted author meets a reject: a person decides",
        [score(reject=0.5), rule("trusted_author", at_least=5)],
        Facts("x", {"TOXICITY": 1.0}, approved_before=5, rejected_before=0),
        "hold",
    ),
    (
        "a trusted author does not lift a hold",
        [score(hold=0.5), rule("trusted_author", at_least=5)],
        Facts("x", {"TOXICITY": 1.0}, approved_before=5, rejected_before=0),
        "hold",
    ),
    (
        "trust is lost by a rejection",
        [score(reject=0.5), rule("trusted_author", at_least=5)],
        Facts("x", {"TOXICITY": 1.0}, approved_before=5, rejected_before=1),
        "reject",
    ),
]


@pytest.mark.parametrize(("rules", "facts", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_verdicts(rules: list[Rule], facts: Facts, expected: str) -> None:
    assert evaluate(rules, facts).outcome == expected


def test_every_kind_of_rule_is_tested_and_can_be_written_in_a_file() -> None:
    assert {one.kind for case in CASES for one in case[1]} == set(RULES)
    assert set(policies.Kind.__args__) == set(RULES)  # type: ignore[attr-defined]


def test_signals_that_did_not_decide_are_kept() -> None:
    verdict = evaluate(
        [score(0.5), rule("email_address", Outcome.REJECT)], Facts("x", {"TOXICITY": 0.6}, email_addresses=ONE)
    )
    assert [(signal.rule, signal.decided) for signal in verdict.signals] == [
        ("toxicity", False),
        ("email_address", True),
    ]
    assert [reason.rule for reason in verdict.reasons] == ["email_address"]


@pytest.mark.parametrize(
    ("scores", "expected"),
    [({"TOXICITY": 0.7}, 0.5), ({"THREAT": 0.08}, 0.5), ({"TOXICITY": 0.0, "THREAT": 0.0}, 0.0), (None, 0.5)],
)
def test_risk_is_a_half_at_the_threshold(scores: dict[str, float] | None, expected: float) -> None:
    rules = [score(hold=0.7), Rule("threat", "score", attribute="THREAT", hold=0.08), rule("not_scored")]
    assert evaluate(rules, Facts("x", scores)).risk == pytest.approx(expected, abs=1e-3)


def test_far_above_a_low_threshold_is_riskier_than_just_above_a_high_one() -> None:
    rules = [score(hold=0.7), Rule("threat", "score", attribute="THREAT", hold=0.08)]
    threat = evaluate(rules, Facts("x", {"TOXICITY": 0.1, "THREAT": 0.5})).risk
    assert threat > evaluate(rules, Facts("x", {"TOXICITY": 0.75, "THREAT": 0.0})).risk


limits = st.one_of(st.none(), st.floats(0, 1))


@st.composite
def score_rules(draw: st.DrawFn) -> list[Rule]:
    found = []
    for number in range(draw(st.integers(1, 4))):
        hold, reject = sorted((draw(st.floats(0, 1)), draw(st.floats(0, 1))))
        found.append(Rule(f"r{number}", "score", attribute=draw(st.sampled_from(ATTRIBUTES)), hold=hold, reject=reject))
    extra = draw(st.lists(st.sampled_from([
        rule("not_scored"), rule("trusted_author"), rule("links"), rule("bad_domain"), rule("honeypot"),
        rule("flood", at_least=10, look=BY_AUTHOR), rule("repeated_text", at_least=3, look=ANYWHERE),
    ]), unique=True))  # fmt: skip
    return found + extra


facts = st.builds(
    Facts,
    text=st.just("x"),
    scores=st.one_of(st.none(), st.fixed_dictionaries({name: st.floats(0, 1) for name in ATTRIBUTES})),
    links=st.sampled_from([None, (), ONE]),
    bad_links=st.sampled_from([None, (), ONE]),
    site_held=st.booleans(),
    slow_mode=st.booleans(),
    trapped=st.booleans(),
    floods=st.sampled_from([None, {}, {BY_AUTHOR: 1}, {BY_AUTHOR: 50}]),
    repeats=st.sampled_from([None, {}, {ANYWHERE: 1}, {ANYWHERE: 50}]),
    approved_before=st.sampled_from([None, 0, 5]),
    rejected_before=st.sampled_from([None, 0, 5]),
)


@given(score_rules(), facts, st.data())
def test_raising_a_threshold_never_makes_a_verdict_harsher(
    rules: list[Rule], known: Facts, data: st.DataObject
) -> None:
    from dataclasses import replace

    before = evaluate(rules, known).outcome
    place = data.draw(st.integers(0, len(rules) - 1).filter(lambda n: rules[n].kind == "score"))
    chosen = rules[place]
    hold = data.draw(st.floats(chosen.hold or 0, 1))
    reject = data.draw(st.floats(max(hold, chosen.reject or 0), 1))
    raised = [*rules[:place], replace(chosen, hold=hold, reject=reject), *rules[place + 1 :]]
    assert SEVERITY[evaluate(raised, known).outcome] <= SEVERITY[before]


@given(score_rules(), facts, st.integers(0, 5), st.integers(0, 5))
def test_counting_less_never_makes_a_verdict_harsher(rules: list[Rule], known: Facts, fewer: int, more: int) -> None:
    from dataclasses import replace

    verdicts = [
        evaluate(rules, replace(known, floods={BY_AUTHOR: number}, repeats={ANYWHERE: number})).outcome
        for number in sorted((fewer * 3, more * 3))
    ]
    assert SEVERITY[verdicts[0]] <= SEVERITY[verdicts[1]]


@given(score_rules(), facts)
def test_in_a_lock_down_nothing_is_published(rules: list[Rule], known: Facts) -> None:
    from dataclasses import replace

    assert evaluate(rules, replace(known, site_held=True)).outcome is not Outcome.APPROVE


@given(score_rules(), facts, st.randoms())
def test_the_order_of_the_rules_does_not_matter(rules: list[Rule], known: Facts, random: "st.Random") -> None:  # type: ignore[name-defined]
    shuffled = list(rules)
    random.shuffle(shuffled)
    assert evaluate(shuffled, known).outcome == evaluate(rules, known).outcome


@given(facts)
def test_the_default_policy_never_rejects_by_itself(known: Facts) -> None:
    policy = policies.compile_policy(policies.default_document(), 1)
    assert evaluate(policy.rules, known).outcome is not Outcome.REJECT


def test_the_default_policy_lets_a_first_comment_with_one_link_pass() -> None:
    policy = policies.compile_policy(policies.default_document(), 1)
    clean = Facts("x", dict.fromkeys(ATTRIBUTES, 0.0), links=ONE, approved_before=0, rejected_before=0)
    assert evaluate(policy.rules, clean).outcome is Outcome.APPROVE
    unknown = Facts("x", dict.fromkeys(ATTRIBUTES, 0.0))
    assert evaluate(policy.rules, unknown).outcome is Outcome.APPROVE


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("rules: [", "not YAML"),
        ("[]", "policy"),
        ("rules: [{name: a, kind: nonsense}]", "rules.0.kind"),
        ("rules: [{name: a, kind: score, attribute: NICE, hold: 1}]", "attribute must be one of"),
        ("rules: [{name: a, kind: score, attribute: INSULT}]", "needs hold or reject"),
        ("rules: [{name: a, kind: score, attribute: INSULT, hold: 0.9, reject: 0.5}]", "must not be below"),
        ("rules: [{name: a, kind: score, attribute: INSULT, hold: 2}]", "rules.0.hold"),
        ("rules: [{name: a, kind: pattern, pattern: '('}]", "RE2"),
        ("rules: [{name: a, kind: pattern, pattern: '(?=x)'}]", "RE2"),
        ("rules: [{name: a, kind: words, words: ['*']}]", "needs words"),
        ("rules: [{name: a, kind: links}, {name: a, kind: links}]", "same name"),
        ("rules: [{name: a, kind: links, typo: 1}]", "rules.0.typo"),
        ("rules: [{name: a, kind: flood}]", "at_least from 2"),
        ("rules: [{name: a, kind: flood, at_least: 5, by: mood}]", "rules.0.by"),
        ("rules: [{name: a, kind: flood, at_least: 5, seconds: 0}]", "rules.0.seconds"),
        ("rules: [{name: a, kind: repeated_text, at_least: 3, hours: 999}]", "rules.0.hours"),
        ("rules: [{name: honeypot, kind: links}]", "kept for"),
        ("rules: [{name: site_held, kind: links}]", "kept for"),
        ("!!python/object/apply:os.system [id]", "not YAML"),
    ],
)
def test_a_bad_policy_file_says_what_is_wrong(source: str, says: str) -> None:
    with pytest.raises(Invalid, match=says) as caught:
        policies.parse(source)
    assert caught.value.code == "invalid_policy"


def test_a_policy_survives_being_shown_and_read_again() -> None:
    document = policies.default_document()
    assert policies.parse(policies.show(document)) == document


def test_an_unserved_language_is_one_reason_and_says_which() -> None:
    (reason,) = evaluate([rule("language"), rule("not_scored")], Facts("x", language="de")).reasons
    assert (reason.rule, reason.language) == ("language", "de")
    (reason,) = evaluate([score(hold=0.5)], Facts("x", language="de")).reasons
    assert reason.kind == "not_scored"


@given(st.lists(st.sampled_from([score(0.1), rule("links"), rule("trusted_author", at_least=1)]), unique=True))
def test_an_unserved_language_is_never_published_unless_a_rule_says_so(rules: list[Rule]) -> None:
    facts = Facts("x", links=ONE, approved_before=9, rejected_before=0, language="de")
    assert evaluate(rules, facts).outcome is Outcome.HOLD
    assert evaluate([*rules, rule("not_scored")], facts).outcome is Outcome.HOLD


def test_languages_that_a_site_allows() -> None:
    document = policies.parse("rules: [{name: tongues, kind: language, allow: [de, no, nb]}]")
    compiled = policies.compile_policy(document, 1).rules[0]
    assert compiled.allow == ("de", "no", "nb")  # YAML reads a bare no as false
    with pytest.raises(Invalid, match=r"rules\.0\.allow\.0"):
        policies.parse("rules: [{name: tongues, kind: language, allow: [German]}]")


def test_a_policy_that_is_silent_on_comments_without_scores_holds_them() -> None:
    silent = policies.compile_policy(policies.parse("rules: [{name: many, kind: links, at_least: 3}]"), 1).rules
    assert evaluate(silent, Facts("text")).outcome is Outcome.HOLD
    assert evaluate(silent, Facts("text", scores={"INSULT": 0.9})).outcome is Outcome.APPROVE
    spoken = policies.parse("rules: [{name: unscored, kind: not_scored, action: approve}]")
    assert evaluate(policies.compile_policy(spoken, 1).rules, Facts("text")).outcome is Outcome.APPROVE
