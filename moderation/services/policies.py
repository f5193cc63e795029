"""Policies: their versions, and a document as rules for each place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import re2
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import HONEYPOT
from moderation.domain.text import Span
from moderation.domain.verdict import Look, Matcher, Rule
from moderation.errors import Conflict, NotFound
from moderation.services.audit import record_audit
from moderation.services.facts import compile_words
from moderation.services.policy_document import (
    Kind,
    PolicyDocument,
    RuleDocument,
    compile_pattern,
    default_document,
    parse,
    section_key,
    show,
)  # fmt: skip
from moderation.services.views import iso
from moderation.store.people import Moderator
from moderation.store.session import now_ms
from moderation.store.tables import Policy, Site

__all__ = [
    "CompiledPolicy", "Kind", "PolicyDocument", "RuleDocument", "apply", "compile_policy", "current",
    "default_document", "newest", "parse", "rollback", "show", "stored",
]  # fmt: skip

_MOST_PLACES = 1_000


@dataclass(frozen=True)
class CompiledPolicy:
    """Rules ready for `evaluate`: those for all comments, and by `at` those for a section or an article."""

    version: int | None
    rules: tuple[Rule, ...]
    sections: Mapping[str, Sequence[RuleDocument]] = field(default_factory=dict)
    articles: Mapping[str, Sequence[RuleDocument]] = field(default_factory=dict)
    _known: dict[tuple[str | None, str | None], "CompiledPolicy"] = field(default_factory=dict, compare=False)

    @cached_property
    def _kinds(self) -> frozenset[str]:
        return frozenset(rule.kind for rule in self.rules)

    @property
    def region(self) -> str | None:
        """The region of the first rule about phone numbers."""
        return next((rule.region for rule in self.rules if rule.kind == "phone_number"), None)

    @property
    def has_places(self) -> bool:
        """Whether any section or article has rules of its own."""
        return bool(self.sections or self.articles)

    def asks(self, *kinds: str) -> bool:
        """Whether any rule is of one of these kinds; facts that nobody asks for are not computed."""
        return not self._kinds.isdisjoint(kinds)

    def looks(self, kind: str) -> dict[Look, int]:
        """What rules of this kind count, anywhere on the site, each with the largest number that one asks for."""
        rules = [rule for rule in self.rules if rule.kind == kind]
        for overrides in (*self.sections.values(), *self.articles.values()):
            rules += [_rule(one) for one in overrides if one.enabled and one.kind == kind]
        looks: dict[Look, int] = {}
        for rule in rules:
            if rule.look is not None:
                looks[rule.look] = max(looks.get(rule.look, 0), rule.at_least)
        return looks

    def asks_anywhere(self, kind: str) -> bool:
        """As `asks`, also for what only a section or an article has."""
        places = (*self.sections.values(), *self.articles.values())
        return self.asks(kind) or any(one.enabled and one.kind == kind for rules in places for one in rules)

    def asking_also(self, other: "CompiledPolicy") -> "CompiledPolicy":
        """Asks for all facts that either of two policies asks for; only to gather them, not to decide by."""
        return CompiledPolicy(
            self.version, (*self.rules, *other.rules),
            _together(self.sections, other.sections), _together(self.articles, other.articles),
        )  # fmt: skip

    def at(self, section: str | None, article_url: str | None) -> "CompiledPolicy":
        """The rules for comments there. An article's rules go before its section's, and these before all others."""
        key = section_key(section) if section and self.sections else None
        place = key if key in self.sections else None, article_url if article_url in self.articles else None
        if place == (None, None):
            return self
        if place not in self._known:
            if len(self._known) >= _MOST_PLACES:
                self._known.clear()
            self._known[place] = self._narrowed(*place)
        return self._known[place]

    def _narrowed(self, section: str | None, article_url: str | None) -> "CompiledPolicy":
        named = {rule.name: rule for rule in self.rules if rule not in _UNSPOKEN}
        for place, overrides in (
            ("section", self.sections.get(section or "", ())), ("article", self.articles.get(article_url or "", ()))
        ):  # fmt: skip
            for one in overrides:
                if one.enabled:
                    named[one.name] = replace(_rule(one), place=place)
                else:
                    named.pop(one.name, None)
        return CompiledPolicy(self.version, _complete(list(named.values())))


def _together(
    one: Mapping[str, Sequence[RuleDocument]], other: Mapping[str, Sequence[RuleDocument]]
) -> dict[str, Sequence[RuleDocument]]:
    return {place: [*one.get(place, ()), *other.get(place, ())] for place in {*one, *other}}


# What a policy says if it says nothing: what was not checked, or fell into a trap, is never published unseen.
_UNSPOKEN = (Rule("not_scored", "not_scored"), Rule(HONEYPOT, HONEYPOT))


def compile_policy(document: dict[str, Any], version: int | None) -> CompiledPolicy:
    """A checked document -> rules with compiled matchers.

    A document that says nothing about comments without scores holds them: what was not checked is never published.
    """
    checked = PolicyDocument.model_validate(document)
    rules = [_rule(rule) for rule in checked.rules if rule.enabled]
    sections = {section_key(name): overrides for name, overrides in checked.sections.items()}
    return CompiledPolicy(version, _complete(rules), sections, checked.articles)


def _complete(rules: list[Rule]) -> tuple[Rule, ...]:
    spoken = {rule.kind for rule in rules}
    return (*rules, *(rule for rule in _UNSPOKEN if rule.kind not in spoken))


def current(session: Session, site_id: str) -> CompiledPolicy:
    """The newest policy of a site, compiled once for each version. Raises NotFound."""
    version = newest(session, site_id)
    if version is None:
        raise NotFound("this site has no policy")
    key = (site_id, version)
    if key not in _compiled:
        if len(_compiled) >= 1_000:
            _compiled.clear()
        _compiled[key] = compile_policy(stored(session, site_id, version).document, version)
    return _compiled[key]


# More pieces than this of one comment help nobody.
_MOST_WORDS = 100

_compiled: dict[tuple[str, int], CompiledPolicy] = {}


def newest(session: Session, site_id: str) -> int | None:
    """The number of the version that is in force."""
    return session.scalar(select(func.max(Policy.version)).where(Policy.site_id == site_id))


def stored(session: Session, site_id: str, version: int | None = None) -> Policy:
    """A version of a site's policy, the newest without a number. Raises NotFound."""
    query = select(Policy).where(Policy.site_id == site_id).order_by(Policy.version.desc()).limit(1)
    if version is not None:
        query = query.where(Policy.version == version)
    policy = session.scalar(query)
    if policy is None:
        raise NotFound("there is no such policy version")
    return policy


def apply(
    session: Session,
    site_id: str,
    document: dict[str, Any],
    actor: str | None = None,
    *,
    note: str | None = None,
    base: int | None = None,
) -> int:
    """Makes this checked document the site's policy; returns its version.

    `base` is the version that it was made from: raises Conflict naming who and what when there is a newer one.
    """
    # One at a time: two that count versions at once would find the same number.
    session.execute(select(Site.id).where(Site.id == site_id).with_for_update())
    last = newest(session, site_id) or 0
    if base is not None and base != last:
        raise _overtaken(session, site_id, base)
    session.add(Policy(
        site_id=site_id, version=last + 1, document=document, created_at=now_ms(), actor=actor, note=note or None,
    ))  # fmt: skip
    session.flush()
    record_audit(session, "policy.applied", site_id=site_id, actor=actor, data={"version": last + 1})
    return last + 1


def rollback(session: Session, site_id: str, version: int) -> int:
    """Makes an old version's document the newest version; returns its number."""
    return apply(session, site_id, stored(session, site_id, version).document)


def _overtaken(session: Session, site_id: str, base: int) -> Conflict:
    latest = stored(session, site_id)
    by = session.get(Moderator, latest.actor) if latest.actor else None
    return Conflict(
        f"the policy is at version {latest.version} by now, and this was made from version {base}",
        code="stale_version",
        extra={"version": latest.version, "by": by.name if by else None, "at": iso(latest.created_at)},
    )


def _rule(rule: RuleDocument) -> Rule:
    if rule.kind is None:
        raise ValueError("a rule without a kind can't be compiled")
    return Rule(
        rule.name, rule.kind, rule.action, rule.attribute, rule.hold, rule.reject, rule.at_least, rule.share,
        matcher=_MATCHERS[rule.kind](rule) if rule.kind in _MATCHERS else None, allow=tuple(rule.allow),
        region=rule.region if rule.kind == "phone_number" else None, look=_LOOKS[rule.kind](rule)
        if rule.kind in _LOOKS else None,
    )  # fmt: skip


def _find_words(regexp: "re2._Regexp[str]") -> Matcher:
    def matcher(text: str) -> Sequence[Span]:
        found: list[Span] = []
        place = 0
        # From the end of the word, not of the match: the mark behind one word is also the one before the next.
        while len(found) < _MOST_WORDS and (match := regexp.search(text, place)):
            found.append(Span(*match.span(1)))
            place = match.end(1)
        return found

    return matcher


def _find_all(regexp: "re2._Regexp[str]") -> Matcher:
    def matcher(text: str) -> Sequence[Span]:
        return [Span(*match.span()) for match in regexp.finditer(text)]

    return matcher


_LOOKS: dict[str, Callable[[RuleDocument], Look]] = {
    "flood": lambda rule: Look(rule.by, rule.seconds),
    "repeated_text": lambda rule: Look("author" if rule.same_author else "site", rule.hours * 3600),
}

_MATCHERS: dict[str, Callable[[RuleDocument], Matcher]] = {
    "words": lambda rule: _find_words(compile_words(rule.words)),
    "pattern": lambda rule: _find_all(compile_pattern(rule.pattern or "")),
}
