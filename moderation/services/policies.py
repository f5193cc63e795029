"""Policies as data: reading, checking, versions, and turning a document into rules."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any, Literal

import re2
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Outcome
from moderation.domain.policy import Matcher, Rule
from moderation.domain.text import Span
from moderation.errors import Invalid, NotFound
from moderation.scoring import ATTRIBUTES
from moderation.services.audit import record_audit
from moderation.services.facts import compile_words
from moderation.store.session import now_ms
from moderation.store.tables import Policy

Kind = Literal[
    "score", "words", "pattern", "links", "email_address", "phone_number",
    "first_time_author", "repeat_offender", "trusted_author", "not_scored", "language",
]  # fmt: skip


class RuleDocument(BaseModel):
    """One rule as it stands in a policy file."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    kind: Kind
    action: Outcome = Outcome.HOLD
    attribute: str | None = None
    hold: float | None = Field(None, ge=0, le=1)
    reject: float | None = Field(None, ge=0, le=1)
    at_least: int = Field(1, ge=1, le=100_000)
    share: float = Field(0.0, ge=0, le=1)
    words: list[str] = Field(default_factory=list, max_length=20_000)
    pattern: str | None = Field(None, max_length=2_000)
    region: str = Field("US", pattern=r"^[A-Z]{2}$")
    allow: list[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]] = Field(default_factory=list, max_length=200)

    @field_validator("region", mode="before")
    @classmethod
    def _norway(cls, region: object) -> object:
        return "NO" if region is False else region  # YAML reads a bare NO as false

    @field_validator("allow", mode="before")
    @classmethod
    def _norwegian(cls, allow: object) -> object:
        return ["no" if code is False else code for code in allow] if isinstance(allow, list) else allow

    @model_validator(mode="after")
    def _complete(self) -> "RuleDocument":
        if self.kind == "score":
            if self.attribute not in ATTRIBUTES:
                raise ValueError(f"attribute must be one of {', '.join(ATTRIBUTES)}")
            if self.hold is None and self.reject is None:
                raise ValueError("a score rule needs hold or reject")
            if self.hold is not None and self.reject is not None and self.reject < self.hold:
                raise ValueError("reject must not be below hold")
        if self.kind == "words" and not any(word.strip("*") for word in self.words):
            raise ValueError("a words rule needs words")
        if self.kind == "pattern":
            _compile(self.pattern or "")
        return self


class PolicyDocument(BaseModel):
    """A whole policy file."""

    model_config = ConfigDict(extra="forbid")

    rules: list[RuleDocument] = Field(max_length=500)

    @model_validator(mode="after")
    def _unique(self) -> "PolicyDocument":
        names = [rule.name for rule in self.rules]
        if len(set(names)) != len(names):
            raise ValueError("two rules have the same name")
        return self


@dataclass(frozen=True)
class CompiledPolicy:
    """Rules ready for `evaluate`, and which facts they ask for."""

    version: int | None
    rules: tuple[Rule, ...]
    region: str | None

    def asks(self, *kinds: str) -> bool:
        """Whether any rule is of one of these kinds; facts that nobody asks for are not computed."""
        return any(rule.kind in kinds for rule in self.rules)


def parse(source: str) -> dict[str, Any]:
    """A policy file (YAML or JSON) -> its checked document. Raises Invalid with the place and the problem."""
    try:
        document = PolicyDocument.model_validate(yaml.safe_load(source))
    except yaml.YAMLError as error:
        raise Invalid(f"the policy is not YAML: {str(error).splitlines()[0]}", code="invalid_policy") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "policy"
        raise Invalid(f"{place}: {first['msg']}", code="invalid_policy", extra={"field": place}) from None
    return document.model_dump(mode="json", exclude_defaults=True)


def show(document: dict[str, Any]) -> str:
    """A document as the file that `parse` reads."""
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


@lru_cache(maxsize=1)
def default_document() -> dict[str, Any]:
    """The policy of a new site."""
    return parse(files("moderation").joinpath("default_policy.yaml").read_text("utf-8"))


def compile_policy(document: dict[str, Any], version: int | None) -> CompiledPolicy:
    """A checked document -> rules with compiled matchers.

    A document that says nothing about comments without scores holds them: what was not checked is never published.
    """
    rules = PolicyDocument.model_validate(document).rules
    region = next((rule.region for rule in rules if rule.kind == "phone_number"), None)
    compiled = [_rule(rule) for rule in rules]
    if all(rule.kind != "not_scored" for rule in compiled):
        compiled.append(Rule("not_scored", "not_scored"))
    return CompiledPolicy(version, tuple(compiled), region)


def current(session: Session, site_id: str) -> CompiledPolicy:
    """The newest policy of a site, compiled once for each version."""
    version = session.scalar(select(func.max(Policy.version)).where(Policy.site_id == site_id))
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


def stored(session: Session, site_id: str, version: int | None = None) -> Policy:
    """A version of a site's policy, the newest without a number. Raises NotFound."""
    query = select(Policy).where(Policy.site_id == site_id).order_by(Policy.version.desc()).limit(1)
    if version is not None:
        query = query.where(Policy.version == version)
    policy = session.scalar(query)
    if policy is None:
        raise NotFound("there is no such policy version")
    return policy


def apply(session: Session, site_id: str, document: dict[str, Any], actor: str | None = None) -> int:
    """Makes this checked document the site's policy; returns its version."""
    newest = session.scalar(select(func.max(Policy.version)).where(Policy.site_id == site_id)) or 0
    session.add(Policy(site_id=site_id, version=newest + 1, document=document, created_at=now_ms()))
    record_audit(session, "policy.applied", site_id=site_id, actor=actor, data={"version": newest + 1})
    return newest + 1


def rollback(session: Session, site_id: str, version: int) -> int:
    """Makes an old version's document the newest version; returns its number."""
    return apply(session, site_id, stored(session, site_id, version).document)


def _rule(rule: RuleDocument) -> Rule:
    return Rule(
        rule.name, rule.kind, rule.action, rule.attribute, rule.hold, rule.reject, rule.at_least, rule.share,
        matcher=_MATCHERS[rule.kind](rule) if rule.kind in _MATCHERS else None, allow=tuple(rule.allow),
    )  # fmt: skip


def _compile(pattern: str) -> "re2._Regexp[str]":
    if not pattern:
        raise ValueError("a pattern rule needs a pattern")
    try:
        return re2.compile(pattern)
    except re2.error as error:
        raise ValueError(f"the pattern is not a regular expression that RE2 takes: {error}") from None


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


_MATCHERS: dict[str, Callable[[RuleDocument], Matcher]] = {
    "words": lambda rule: _find_words(compile_words(rule.words)),
    "pattern": lambda rule: _find_all(_compile(rule.pattern or "")),
}
