"""A policy as data: what a document may hold, how it is read and shown, and what is wrong with one."""

from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any, Literal

import re2
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from moderation.domain.lifecycle import HONEYPOT, Outcome
from moderation.domain.policy import ALWAYS
from moderation.errors import Invalid
from moderation.scoring import ATTRIBUTES
from moderation.services.facts import compile_words
from moderation.services.fields import Text, Url

Kind = Literal[
    "score", "words", "pattern", "links", "email_address", "phone_number",
    "first_time_author", "repeat_offender", "trusted_author", "not_scored", "language",
    "flood", "repeated_text", "bad_domain", "honeypot",
]  # fmt: skip

# What is always in force has these names among the reasons of a comment, so no rule of a document may.
_KEPT_NAMES = frozenset(ALWAYS)
# A policy that says nothing of these has a rule of that name all the same.
_KINDS_BY_NAME = frozenset({"not_scored", HONEYPOT})
_COUNTING = frozenset({"flood", "repeated_text"})
MOST_COUNTED = 1_000


class RuleDocument(BaseModel):
    """One rule as it stands in a policy file. One that is not enabled needs only its name."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    kind: Kind | None = None
    enabled: bool = True
    action: Outcome = Outcome.HOLD
    attribute: Text | None = None
    hold: float | None = Field(None, ge=0, le=1)
    reject: float | None = Field(None, ge=0, le=1)
    at_least: int = Field(1, ge=1, le=100_000)
    share: float = Field(0.0, ge=0, le=1)
    words: list[Text] = Field(default_factory=list, max_length=20_000)
    pattern: Text | None = Field(None, max_length=2_000)
    region: str = Field("US", pattern=r"^[A-Z]{2}$")
    allow: list[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]] = Field(default_factory=list, max_length=200)

    by: Literal["author", "address"] = "author"
    seconds: int = Field(60, ge=1, le=86_400)
    hours: int = Field(24, ge=1, le=168)
    same_author: bool = False

    @field_validator("region", mode="before")
    @classmethod
    def _norway(cls, region: object) -> object:
        return "NO" if region is False else region  # YAML reads a bare NO as false

    @field_validator("allow", mode="before")
    @classmethod
    def _norwegian(cls, allow: object) -> object:
        return ["no" if code is False else code for code in allow] if isinstance(allow, list) else allow

    @field_validator("words")
    @classmethod
    def _telling(cls, words: list[str]) -> list[str]:
        telling = [word for word in words if word.strip("* ")]  # nothing, or a mere star, would be found everywhere
        try:
            compile_words(telling or ["-"])
        except re2.error:
            raise ValueError("the list is too long") from None
        return telling

    @field_validator("pattern")
    @classmethod
    def _regular(cls, pattern: str | None) -> str | None:
        if pattern:
            compile_pattern(pattern)
        return pattern

    @model_validator(mode="after")
    def _complete(self) -> "RuleDocument":
        if self.kind is None and self.enabled:
            raise ValueError("kind is missing")
        if self.name in _KEPT_NAMES or (self.name in _KINDS_BY_NAME and self.kind not in (None, self.name)):
            raise ValueError(f"the name {self.name} is kept for what is always in force")
        if self.kind == "score":
            _check_lanes(self)
        if self.kind == "words" and not self.words:
            raise ValueError("a words rule needs words")
        if self.kind == "pattern" and not self.pattern:
            raise ValueError("a pattern rule needs a pattern")
        if self.kind in _COUNTING and not 2 <= self.at_least <= MOST_COUNTED:
            raise ValueError("a rule that counts comments needs at_least from 2 to 1000")
        return self


def _check_lanes(rule: RuleDocument) -> None:
    if rule.attribute not in ATTRIBUTES:
        raise ValueError(f"attribute must be one of {', '.join(ATTRIBUTES)}")
    if rule.hold is None and rule.reject is None:
        raise ValueError("a score rule needs hold or reject")
    if rule.hold is not None and rule.reject is not None and rule.reject < rule.hold:
        raise ValueError("reject must not be below hold")


def _unlike(rules: list[RuleDocument]) -> list[RuleDocument]:
    names = [rule.name for rule in rules]
    if len(set(names)) != len(names):
        raise ValueError("two rules have the same name")
    return rules


Section = Annotated[Text, Field(min_length=1, max_length=200)]
Overrides = Annotated[list[RuleDocument], Field(max_length=100)]


class PolicyDocument(BaseModel):
    """A whole policy file: the rules for all comments, and what is different in a section or under an article."""

    model_config = ConfigDict(extra="forbid")

    rules: list[RuleDocument] = Field(max_length=500)
    sections: dict[Section, Overrides] = Field(default_factory=dict, max_length=200)
    articles: dict[Url, Overrides] = Field(default_factory=dict, max_length=500)

    @field_validator("rules")
    @classmethod
    def _all_named(cls, rules: list[RuleDocument]) -> list[RuleDocument]:
        if any(rule.kind is None for rule in rules):
            raise ValueError("a rule for all comments needs a kind, also when it is not enabled")
        return _unlike(rules)

    @field_validator("sections", "articles")
    @classmethod
    def _unlike_there(cls, places: dict[str, list[RuleDocument]]) -> dict[str, list[RuleDocument]]:
        for rules in places.values():
            _unlike(rules)
        return places

    @field_validator("sections")
    @classmethod
    def _once_each(cls, sections: dict[str, list[RuleDocument]]) -> dict[str, list[RuleDocument]]:
        if len({section_key(name) for name in sections}) != len(sections):
            raise ValueError("a section is there twice")
        return sections


def section_key(name: str) -> str:
    """What two ways to write the same section have in common."""
    return " ".join(name.split()).casefold()


def compile_pattern(pattern: str) -> "re2._Regexp[str]":
    """Raises ValueError with what RE2 says."""
    try:
        options = re2.Options()
        options.log_errors = False  # it would print the pattern
        return re2.compile(pattern, options)
    except re2.error as error:
        raise ValueError(f"the pattern is not a regular expression that RE2 takes: {error}") from None


def read_yaml(source: str) -> Any:
    """YAML or JSON as plain data. Raises Invalid."""
    try:
        return yaml.safe_load(source)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        said = " ".join(str(error).split()) if isinstance(error, yaml.MarkedYAMLError) else type(error).__name__
        raise Invalid(f"the policy is not YAML: {said}", code="invalid_policy", extra={"problems": []}) from None


def check(data: Any) -> dict[str, Any]:
    """Plain data -> the checked document, without what is as it is by default.

    Raises Invalid with the first problem in words; `extra["problems"]` holds all, each with its place and words.
    """
    try:
        document = PolicyDocument.model_validate(data)
    except ValidationError as error:
        problems = [
            {"place": list(one["loc"]), "words": one["msg"].removeprefix("Value error, ")}
            for one in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        place = ".".join(map(str, problems[0]["place"])) or "policy"
        raise Invalid(
            f"{place}: {problems[0]['words']}", code="invalid_policy", extra={"field": place, "problems": problems}
        ) from None
    plain: dict[str, Any] = document.model_dump(mode="json", exclude_defaults=True)
    for places in (plain.get("sections", {}), plain.get("articles", {})):
        for name, rules in places.items():
            places[name] = [_just_off(rule) if rule.get("enabled") is False else rule for rule in rules]
    return plain


def _just_off(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule that is switched off in a place; what it would say else is said by the one that holds everywhere."""
    return {"name": rule["name"], "enabled": False}


def parse(source: str) -> dict[str, Any]:
    """A policy file (YAML or JSON) -> its checked document. Raises Invalid with the place and the problem."""
    return check(read_yaml(source))


def show(document: dict[str, Any]) -> str:
    """A document as the file that `parse` reads."""
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


@lru_cache(maxsize=1)
def default_document() -> dict[str, Any]:
    """The policy of a new site."""
    return parse(files("moderation").joinpath("default_policy.yaml").read_text("utf-8"))
