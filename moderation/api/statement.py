"""The shape of a statement of reasons. The parts are those of Article 17(3) of the EU's Digital Services Act."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel


class RestrictionOut(BaseModel):
    """(a) What was done to the comment, where and for how long."""

    kind: Literal["not_published", "removed"]
    scope: Literal["everywhere"]
    duration: Literal["indefinite"]
    text: str


class FactsOut(BaseModel):
    """(b) How it was found; `reports` counts the readers' reports that the decision upheld."""

    found_by: Literal["report", "own_initiative"]
    reports: int
    text: str


class AutomatedOut(BaseModel):
    """(c) Whether a program found it, and whether a program decided."""

    detection: bool
    decision: bool
    text: str


class GroundOut(BaseModel):
    """(d), (e) What it is said to break. `codes` are reasons, attributes or kinds of rule in lower case.

    `note` is the law for something illegal, or the words that a moderator chose for the author.
    """

    kind: Literal["house_rules", "illegal"]
    codes: list[str]
    note: str | None
    rules_url: str | None
    text: str


class RedressOut(BaseModel):
    """(f) What the author can do; `more` is the site's own text."""

    appeal_until: datetime | None
    more: str | None
    text: str


class StatementOut(BaseModel):
    """Why a comment was rejected. `url` is the author's page, null while the service does not know its own address."""

    url: str | None
    restriction: RestrictionOut
    facts: FactsOut
    automated: AutomatedOut
    ground: GroundOut
    redress: RedressOut
