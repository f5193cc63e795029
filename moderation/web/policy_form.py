"""A policy as a form: its rules as rows of fields, what was typed into them, and what is wrong with that."""

import re
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from moderation.scoring import ATTRIBUTES

# Kind -> the fields that a person sets, in their order; a rule's name, kind, attribute and `enabled` stand besides.
FIELDS_OF: dict[str, tuple[str, ...]] = {
    "score": ("hold", "reject"),
    "words": ("words", "action"),
    "pattern": ("pattern", "action"),
    "links": ("at_least", "action"),
    "email_address": ("at_least", "action"),
    "phone_number": ("at_least", "region", "action"),
    "first_time_author": ("at_least", "action"),
    "repeat_offender": ("at_least", "share", "action"),
    "trusted_author": ("at_least",),
    "language": ("allow", "action"),
    "not_scored": ("action",),
    "flood": ("at_least", "seconds", "by", "action"),
    "repeated_text": ("at_least", "hours", "same_author", "action"),
    "bad_domain": ("at_least", "action"),
    "honeypot": ("action",),
}
_BY_DEFAULT = {
    "at_least": "1", "action": "hold", "region": "US", "share": "0", "seconds": "60", "by": "author", "hours": "24",
    "same_author": "no",
}  # fmt: skip
# What a new row of a kind says, as docs/policy.md proposes it.
_PROPOSED = {"flood": {"at_least": "10"}, "repeated_text": {"at_least": "3"}}
# A yes or no is chosen from a list.
_YES = {"yes": True, "no": False}
_NUMBERS = ("hold", "reject", "share", "at_least")
_ROW = re.compile(r"(rules|[sa]\d{1,4})\.(\d{1,4})\.name")
_PLACE = re.compile(r"([sa])(\d{1,4})\.place")
_SCOPES = {"s": "sections", "a": "articles"}


@dataclass
class Row:
    """One rule. `fields` hold what stands in the form, as text; `errors` are words by field, "" for the whole rule."""

    name: str
    kind: str
    attribute: str
    enabled: bool
    fields: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def shown(self) -> tuple[str, ...]:
        """The fields that this kind of rule has."""
        return FIELDS_OF.get(self.kind, ())


@dataclass
class Group:
    """Rules of one place. `key` begins the names of its fields; `scope` is rules, sections or articles."""

    key: str
    scope: str
    place: str
    rows: list[Row]
    error: str = ""


def of_document(document: dict[str, Any]) -> list[Group]:
    """A checked document -> what its form shows; the rules for all comments come first."""
    kinds = {rule["name"]: rule for rule in document.get("rules", [])}
    groups = [Group("rules", "rules", "", [_row_of(rule, kinds) for rule in document.get("rules", [])])]
    for letter, scope in _SCOPES.items():
        for number, (place, rules) in enumerate(document.get(scope, {}).items()):
            groups.append(Group(f"{letter}{number}", scope, place, [_row_of(rule, kinds) for rule in rules]))
    return groups


def of_form(form: MultiDict[str, str]) -> list[Group]:
    """What was typed -> the same."""
    groups = {"rules": Group("rules", "rules", "", [])}
    for name, place in form.items():
        if found := _PLACE.fullmatch(name):
            key = found[1] + found[2]
            groups[key] = Group(key, _SCOPES[found[1]], place.strip(), [])
    for key, number in sorted((m[1], int(m[2])) for name in form if (m := _ROW.fullmatch(name)) and m[1] in groups):
        groups[key].rows.append(_typed(form, f"{key}.{number}."))
    first = ("rules", "s", "a")
    return sorted(
        groups.values(), key=lambda group: (first.index(group.key.rstrip("0123456789")), len(group.key), group.key)
    )


def to_data(groups: list[Group]) -> dict[str, Any]:
    """The rows as a document, not checked yet; places that have no rules are left out."""
    data: dict[str, Any] = {"rules": [_data(row) for row in groups[0].rows]}
    for group in groups[1:]:
        if group.rows:
            rules = [_data(row) if row.enabled else {"name": row.name, "enabled": False} for row in group.rows]
            data.setdefault(group.scope, {})[group.place] = rules
    return data


def place_problems(groups: list[Group], problems: list[dict[str, Any]]) -> list[str]:
    """Puts each problem beside its field; returns the words of those that have none."""
    rest = []
    for problem in problems:
        place, words = problem["place"], problem["words"]
        group, inner = _group_of(groups, place)
        number = inner[0] if inner else None
        if group is None:
            rest.append(words)
        elif isinstance(number, int) and number < len(group.rows):
            row = group.rows[number]
            name = str(inner[1]) if len(inner) > 1 else ""
            row.errors.setdefault(name if name in row.shown or name == "name" else "", words)
        else:
            group.error = group.error or words
    return rest


def add_rule(groups: list[Group], key: str, wanted: str) -> None:
    """A new row in a group: `wanted` is a kind, a score's attribute, or `=name` for a rule that holds everywhere."""
    group = next((one for one in groups if one.key == key), None)
    if group is None:
        return
    base = next((row for row in groups[0].rows if wanted == f"={row.name}"), None)
    if base is not None:
        group.rows.append(Row(base.name, base.kind, base.attribute, True, dict(base.fields)))
        return
    attribute = wanted if wanted in ATTRIBUTES else ""
    kind = "score" if attribute else wanted
    if kind not in FIELDS_OF:
        return
    taken = {row.name for one in groups for row in one.rows}
    name = _free_name(attribute.lower() or kind, taken)
    fields = {name: _BY_DEFAULT.get(name, "") for name in FIELDS_OF[kind]} | _PROPOSED.get(kind, {})
    group.rows.append(Row(name, kind, attribute, True, fields))


def add_place(groups: list[Group], scope: str, place: str) -> bool:
    """A new section or article without rules yet; False where there is no name or it is there already."""
    place = place.strip()
    if (
        scope not in _SCOPES.values()
        or not place
        or any(one.scope == scope and one.place.casefold() == place.casefold() for one in groups)
    ):
        return False
    letter = next(letter for letter, name in _SCOPES.items() if name == scope)
    number = 1 + max((int(one.key[1:]) for one in groups if one.scope == scope), default=-1)
    groups.append(Group(f"{letter}{number}", scope, place, []))
    groups.sort(key=lambda one: ("rules", "sections", "articles").index(one.scope))
    return True


def remove(groups: list[Group], which: str) -> None:
    """Takes away a row (`rules.3`) or a whole place (`s0`)."""
    key, _, number = which.partition(".")
    for group in groups:
        if group.key == key and number.isdigit() and int(number) < len(group.rows):
            del group.rows[int(number)]
    if not number and key != "rules":
        groups[:] = [group for group in groups if group.key != key]


def _row_of(rule: dict[str, Any], kinds: dict[str, dict[str, Any]]) -> Row:
    like = rule if "kind" in rule else kinds.get(rule["name"], {}) | rule
    kind = like.get("kind", "")
    fields = {name: _text(like.get(name), name) for name in FIELDS_OF.get(kind, ())}
    return Row(rule["name"], kind, like.get("attribute", ""), rule.get("enabled", True), fields)


def _text(value: Any, name: str) -> str:
    if value is None:
        return _BY_DEFAULT.get(name, "")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ("\n" if name == "words" else ", ").join(map(str, value))
    return str(value)


def _typed(form: MultiDict[str, str], prefix: str) -> Row:
    kind = form.get(prefix + "kind", "")
    fields = {name: form.get(prefix + name, "").replace("\r\n", "\n") for name in FIELDS_OF.get(kind, ())}
    name, attribute = form.get(prefix + "name", "").strip(), form.get(prefix + "attribute", "")
    return Row(name, kind, attribute, prefix + "enabled" in form, fields)


def _data(row: Row) -> dict[str, Any]:
    data: dict[str, Any] = {"name": row.name, "enabled": row.enabled}
    if row.kind:
        data["kind"] = row.kind
    if row.kind == "score":
        data["attribute"] = row.attribute
    for name, typed in row.fields.items():
        if name == "words":
            data[name] = [word.strip() for word in typed.split("\n") if word.strip()]
        elif name == "allow":
            data[name] = re.split(r"[\s,;]+", typed.strip()) if typed.strip() else []
        elif name == "same_author":
            data[name] = _YES.get(typed, typed)
        elif typed.strip():
            data[name] = typed.strip().replace(",", ".") if name in _NUMBERS else typed.strip()
    return data


def _group_of(groups: list[Group], place: list[Any]) -> tuple[Group | None, list[Any]]:
    if place[:1] == ["rules"]:
        return groups[0], place[1:]
    for group in groups[1:]:
        if place[:2] == [group.scope, group.place]:
            return group, place[2:]
    return None, place


def _free_name(wanted: str, taken: set[str]) -> str:
    names = [wanted, *(f"{wanted}_{number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)
