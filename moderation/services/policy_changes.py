"""What differs between two policy documents: rule by rule, and as text. Data only; the pages find the words."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from moderation.services.policy_document import show

Document = dict[str, Any]
Rule = dict[str, Any]

# Lists of which a change names the pieces that came and went.
_LISTS = ("words", "allow")
# Fields in the order in which people read them.
FIELDS = (
    "kind", "enabled", "attribute", "hold", "reject", "action", "at_least", "share", "words", "pattern", "region",
    "allow", "by", "seconds", "hours", "same_author",
)  # fmt: skip


@dataclass(frozen=True)
class FieldChange:
    """One field of a rule: its value before and after, None where it had none. For lists: what went, what came."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Change:
    """A rule that is new, gone or different. `scope` is rules, sections or articles; `place` names which of these."""

    what: Literal["added", "removed", "changed"]
    scope: str
    place: str
    rule: Rule
    fields: list[FieldChange] = field(default_factory=list)


def changes(before: Document, after: Document) -> list[Change]:
    """Every rule that differs, in the order of the documents."""
    found = list(_of_rules("rules", "", before.get("rules", []), after.get("rules", [])))
    for scope in ("sections", "articles"):
        old, new = before.get(scope, {}), after.get(scope, {})
        for place in [*new, *(place for place in old if place not in new)]:
            found += _of_rules(scope, place, old.get(place, []), new.get(place, []))
    return found


def text_diff(before: Document, after: Document) -> list[str]:
    """The lines of a unified diff of the two as files, without the head."""
    lines = difflib.unified_diff(show(before).splitlines(), show(after).splitlines(), lineterm="", n=2)
    return list(lines)[2:]


def _of_rules(scope: str, place: str, before: list[Rule], after: list[Rule]) -> Iterator[Change]:
    old = {rule["name"]: rule for rule in before}
    new = {rule["name"]: rule for rule in after}
    for name, rule in new.items():
        if name not in old:
            yield Change("added", scope, place, rule)
        elif fields := list(_of_fields(old[name], rule)):
            yield Change("changed", scope, place, rule, fields)
    for name, rule in old.items():
        if name not in new:
            yield Change("removed", scope, place, rule)


def _of_fields(before: Rule, after: Rule) -> Iterator[FieldChange]:
    for name in FIELDS:
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if name in _LISTS:
            gone, came = set(old or ()), set(new or ())
            yield FieldChange(name, [w for w in old or () if w not in came], [w for w in new or () if w not in gone])
        else:
            yield FieldChange(name, old, new)
