"""The policy: rules over scores and facts -> one verdict with its reasons. Pure.

How rules combine: a rule speaks only when it fires; nothing fired means approve; otherwise the strongest
outcome wins (reject over hold). An explicit approve that meets a reject is a disagreement, and a person
decides: hold. Every signal is kept, also those that did not decide. What people said of an author or an article is
always in force and in no policy (ALWAYS); a ban and a closed article reject whatever else was said.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from moderation.domain.lifecycle import Outcome
from moderation.domain.standing import Standing
from moderation.domain.text import Span
from moderation.domain.verdict import Facts, Look, Rule, Signal, Verdict


def _score(rule: Rule, facts: Facts) -> Signal | None:
    """Lanes of one attribute: below `hold` nothing, from `hold` on hold, from `reject` on reject."""
    if facts.scores is None or rule.attribute is None or rule.attribute not in facts.scores:
        return None
    score = facts.scores[rule.attribute]
    if rule.reject is not None and score >= rule.reject:
        return Signal(rule.name, rule.kind, Outcome.REJECT, rule.attribute, score, rule.reject)
    if rule.hold is not None and score >= rule.hold:
        return Signal(rule.name, rule.kind, Outcome.HOLD, rule.attribute, score, rule.hold)
    nearest = rule.hold if rule.hold is not None else rule.reject
    return Signal(rule.name, rule.kind, None, rule.attribute, score, nearest)


def _matches(rule: Rule, facts: Facts) -> Signal | None:
    """A word list or a pattern; the matcher is compiled outside, on an engine without backtracking."""
    return _found(rule, rule.matcher(facts.text) if rule.matcher else None)


def _links(rule: Rule, facts: Facts) -> Signal | None:
    return _found(rule, facts.links)


def _email_address(rule: Rule, facts: Facts) -> Signal | None:
    return _found(rule, facts.email_addresses)


def _phone_number(rule: Rule, facts: Facts) -> Signal | None:
    return _found(rule, facts.phone_numbers)


def _found(rule: Rule, spans: Sequence[Span] | None) -> Signal | None:
    if spans is None or len(spans) < rule.at_least:
        return None
    return Signal(rule.name, rule.kind, rule.action, spans=tuple(spans))


def _first_time_author(rule: Rule, facts: Facts) -> Signal | None:
    """Fewer than `at_least` approved comments so far."""
    if facts.approved_before is None or facts.approved_before >= rule.at_least:
        return None
    return Signal(rule.name, rule.kind, rule.action)


def _repeat_offender(rule: Rule, facts: Facts) -> Signal | None:
    """At least `at_least` rejected comments, and at least `share` of all that were decided."""
    if facts.rejected_before is None or facts.approved_before is None:
        return None
    decided = facts.rejected_before + facts.approved_before
    if facts.rejected_before < rule.at_least or facts.rejected_before < rule.share * decided:
        return None
    return Signal(rule.name, rule.kind, rule.action)


def _trusted_author(rule: Rule, facts: Facts) -> Signal | None:
    """At least `at_least` approved comments and none rejected."""
    if facts.approved_before is None or facts.rejected_before is None:
        return None
    if facts.approved_before < rule.at_least or facts.rejected_before > 0:
        return None
    return Signal(rule.name, rule.kind, Outcome.APPROVE)


def _not_scored(rule: Rule, facts: Facts) -> Signal | None:
    """The classifier could not run on this comment."""
    unscored = facts.scores is None and facts.language is None
    return Signal(rule.name, rule.kind, rule.action) if unscored else None


def _language(rule: Rule, facts: Facts) -> Signal | None:
    """The comment is in a language that is not scored, and not in one of `allow`."""
    if facts.language is None or facts.language in rule.allow:
        return None
    return Signal(rule.name, rule.kind, rule.action, language=facts.language)


def _flood(rule: Rule, facts: Facts) -> Signal | None:
    """At least `at_least` comments by one author or from one address within a time."""
    return _counted(rule, facts.floods)


def _repeated_text(rule: Rule, facts: Facts) -> Signal | None:
    """The same or nearly the same text at least `at_least` times within a time."""
    return _counted(rule, facts.repeats)


def _counted(rule: Rule, counts: Mapping[Look, int] | None) -> Signal | None:
    if counts is None or rule.look is None or (found := counts.get(rule.look)) is None or found < rule.at_least:
        return None
    return Signal(rule.name, rule.kind, rule.action, number=found, seconds=rule.look.seconds)


def _bad_domain(rule: Rule, facts: Facts) -> Signal | None:
    """At least `at_least` links to domains of the operator's list, the author's website counted in."""
    if facts.bad_links is None or len(facts.bad_links) + facts.bad_website < rule.at_least:
        return None
    return Signal(rule.name, rule.kind, rule.action, spans=tuple(facts.bad_links))


def _honeypot(rule: Rule, facts: Facts) -> Signal | None:
    """A field was filled that people don't see."""
    return Signal(rule.name, rule.kind, rule.action) if facts.trapped else None


# Kind -> function. To add a kind: a function above, one line here, its words in RULE_WORDS.
RULES: dict[str, Callable[[Rule, Facts], Signal | None]] = {
    "score": _score,
    "words": _matches,
    "pattern": _matches,
    "links": _links,
    "email_address": _email_address,
    "phone_number": _phone_number,
    "first_time_author": _first_time_author,
    "repeat_offender": _repeat_offender,
    "trusted_author": _trusted_author,
    "not_scored": _not_scored,
    "language": _language,
    "flood": _flood,
    "repeated_text": _repeated_text,
    "bad_domain": _bad_domain,
    "honeypot": _honeypot,
}


# Kind -> what it says where this is known of the author or the article; its words are in RULE_WORDS too.
ALWAYS: dict[str, tuple[Outcome, Callable[[Facts], bool]]] = {
    "article_closed": (Outcome.REJECT, lambda facts: facts.article_closed),
    "author_banned": (Outcome.REJECT, lambda facts: facts.standing is Standing.BAN),
    "site_held": (Outcome.HOLD, lambda facts: facts.site_held),
    "article_held": (Outcome.HOLD, lambda facts: facts.article_held),
    "slow_mode": (Outcome.HOLD, lambda facts: facts.slow_mode),
    "author_held": (Outcome.HOLD, lambda facts: facts.standing is Standing.HOLD),
    "author_trusted": (Outcome.APPROVE, lambda facts: facts.standing is Standing.TRUST),
}
# Nothing outvotes these.
FINAL = frozenset({"article_closed", "author_banned"})
# What does not count against an author whom people trust: habits and acquaintance. Abuse and word lists still do.
MUTED_BY_TRUST = frozenset({
    "links", "email_address", "phone_number", "language", "first_time_author", "repeat_offender",
})  # fmt: skip


def evaluate(rules: Sequence[Rule], facts: Facts) -> Verdict:
    """All rules over one comment -> the verdict; the order of the rules does not matter."""
    trusted = facts.standing is Standing.TRUST
    if facts.language is not None and not trusted and all(rule.kind != "language" for rule in rules):
        rules, facts = _without_word_on_language(rules), replace(facts, language=None)
    signals = [Signal(kind, kind, outcome) for kind, (outcome, known) in ALWAYS.items() if known(facts)]
    for rule in rules:
        if (signal := RULES[rule.kind](rule, facts)) is not None:
            muted = trusted and signal.outcome is not None and rule.kind in MUTED_BY_TRUST
            signals.append(signal._replace(place=rule.place, muted=muted) if muted or rule.place else signal)
    speaking = [signal for signal in signals if signal.outcome is not None and not signal.muted]
    fired = {signal.outcome for signal in speaking if signal.outcome is not None}
    final = any(signal.kind in FINAL for signal in speaking)
    outcome = Outcome.REJECT if final else _combine(fired)
    decisive = fired if not final and {Outcome.APPROVE, Outcome.REJECT} <= fired else {outcome}
    return Verdict(outcome, tuple(
        signal._replace(decided=True) if signal.outcome in decisive and not signal.muted else signal
        for signal in signals
    ))  # fmt: skip


def _without_word_on_language(rules: Sequence[Rule]) -> Sequence[Rule]:
    """A policy that says nothing about languages treats such a comment as not scored, and must not publish it."""
    if any(rule.kind == "not_scored" for rule in rules):
        return rules
    return [*rules, Rule("not_scored", "not_scored")]


def _combine(fired: set[Outcome]) -> Outcome:
    if Outcome.REJECT in fired:
        return Outcome.HOLD if Outcome.APPROVE in fired else Outcome.REJECT
    return Outcome.HOLD if Outcome.HOLD in fired else Outcome.APPROVE
