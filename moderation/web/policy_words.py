"""Words for policies: rules, their fields, and what differs between two versions."""

from typing import Any

from babel.lists import format_list
from flask_babel import gettext as _
from flask_babel import lazy_gettext as marked

from moderation.domain.lifecycle import Outcome
from moderation.domain.verdict import Signal
from moderation.services.policy_changes import FIELDS, Change, FieldChange
from moderation.web.policy_form import Group
from moderation.web.words import ATTRIBUTE_WORDS, RULE_WORDS, language_name, locale, number, said

OUTCOME_WORDS = {
    Outcome.APPROVE: marked("Approve"),
    Outcome.HOLD: marked("Hold"),
    Outcome.REJECT: marked("Reject"),
}
# (before, after) -> a heading for that many comments.
DIRECTION_WORDS = {
    ("approve", "hold"): marked("held instead of approved"),
    ("approve", "reject"): marked("rejected instead of approved"),
    ("hold", "approve"): marked("approved instead of held"),
    ("hold", "reject"): marked("rejected instead of held"),
    ("reject", "approve"): marked("approved instead of rejected"),
    ("reject", "hold"): marked("held instead of rejected"),
}

FIELD_WORDS: dict[str, str] = {
    "hold": marked("Hold from"),
    "reject": marked("Reject from"),
    "at_least": marked("At least"),
    "share": marked("Share of all that was decided"),
    "words": marked("Words, one a line"),
    "pattern": marked("Pattern"),
    "region": marked("Numbers as dialled in"),
    "allow": marked("Languages that go through unscored"),
    "seconds": marked("Within so many seconds"),
    "by": marked("By"),
    "hours": marked("Within so many hours"),
    "same_author": marked("Of the same author only"),
    "action": marked("Then"),
    "name": marked("Name"),
}
# Fields that are chosen from a list: value -> its words.
CHOICES: dict[str, dict[str, str]] = {
    "action": {outcome.value: words for outcome, words in OUTCOME_WORDS.items()},
    "by": {"author": marked("one author"), "address": marked("one network address")},
    "same_author": {"no": marked("no, anybody’s"), "yes": marked("yes")},
}
HINTS: dict[str, str] = {
    "words": marked("A star at the end stands for any further letters: idiot*"),
    "pattern": marked("A regular expression in RE2's syntax"),
    "region": marked("Two capital letters, like US"),
    "allow": marked("Codes, like de, fr"),
    "share": marked("0 to 1"),
}
# What a rule of a kind looks at, for whoever adds one.
ABOUT: dict[str, str] = {
    "score": marked("From a limit on, what the classifier says decides. 0 to 1; a lower limit catches more."),
    "words": marked("Whole words or phrases; capital or small letters make no difference."),
    "pattern": marked("Texts that a regular expression finds."),
    "links": marked("Comments with this many web addresses."),
    "email_address": marked("Comments with e-mail addresses in the text."),
    "phone_number": marked("Comments with phone numbers in the text."),
    "first_time_author": marked("Authors with fewer approved comments than this."),
    "repeat_offender": marked("Authors with this many rejected comments, if these are that share of all."),
    "trusted_author": marked("Authors with this many approved comments and none rejected: approve outright."),
    "language": marked("Comments in a language that the classifier can't score."),
    "flood": marked("So many comments or more in a short time, this one counted."),
    "repeated_text": marked("The same or nearly the same text, so many times or more, this one counted."),
    "bad_domain": marked("Links to domains of the list that an operator loaded, or to anything below them."),
    "honeypot": marked("A field was filled in that people don’t see. Without a rule such comments are held."),
    "not_scored": marked("Comments that the classifier could not look at, in an outage say."),
}
# What the check says of a document, in words that the catalogues know.
PROBLEMS = {
    "reject must not be below hold": marked("“Reject from” must not be below “Hold from”."),
    "a score rule needs hold or reject": marked("Enter at least one limit, or take the rule away."),
    "a words rule needs words": marked("Enter at least one word, or take the rule away."),
    "a pattern rule needs a pattern": marked("Enter a pattern, or take the rule away."),
    "two rules have the same name": marked("Two rules here have the same name."),
    "the list is too long": marked("This list is too long."),
    "a rule that counts comments needs at_least from 2 to 1000": marked("“At least” must be from 2 to 1,000 here."),
    "a section is there twice": marked("A section is there twice."),
}
_FIELD_PROBLEMS = {
    "hold": marked("Enter a number from 0 to 1, like 0.7."),
    "reject": marked("Enter a number from 0 to 1, like 0.7, or nothing."),
    "share": marked("Enter a number from 0 to 1, like 0.5."),
    "at_least": marked("Enter a whole number from 1 to 100,000."),
    "seconds": marked("Enter a whole number from 1 to 86,400."),
    "hours": marked("Enter a whole number from 1 to 168."),
    "region": marked("Enter two capital letters, like US."),
    "allow": marked("Enter language codes of two or three small letters, like de, fr."),
    "name": marked("Use small letters, digits and _, beginning with a letter."),
    "action": marked("Choose what happens then."),
}


def label(rule: dict[str, Any]) -> str:
    """What a rule is called on the page: its attribute or kind, with its name where there may be several."""
    attribute, kind, name = rule.get("attribute"), rule.get("kind") or "", str(rule.get("name", ""))
    if attribute in ATTRIBUTE_WORDS:
        said = str(ATTRIBUTE_WORDS[attribute][0])
        return said if name == attribute.lower() else _("%(kind)s “%(name)s”", kind=said, name=name)
    if kind not in RULE_WORDS:
        return name.replace("_", " ").capitalize()
    if kind == name:
        return str(RULE_WORDS[kind][0])
    return _("%(kind)s “%(name)s”", kind=RULE_WORDS[kind][0], name=name)


def problem(field: str, words: str) -> str:
    """What is wrong with a field, so that somebody can mend it."""
    if words in PROBLEMS:
        return str(PROBLEMS[words])
    return str(_FIELD_PROBLEMS.get(field) or said(words))


def explain(groups: list[Group]) -> list[tuple[str, str, str]]:
    """Turns the problems of a form into words for people; returns (id of the field, its rule, what is wrong)."""
    listed = []
    for group in groups:
        if group.error:
            group.error = problem("", group.error)
            listed.append((f"{group.key}-title", group.place or _("Rules"), group.error))
        for place, row in enumerate(group.rows):
            row.errors = {name: problem(name, words) for name, words in row.errors.items()}
            said = label({"attribute": row.attribute, "kind": row.kind, "name": row.name})
            listed += [(f"{group.key}.{place}.{name or 'error'}", said, words) for name, words in row.errors.items()]
    return listed


def place(scope: str, name: str) -> str:
    """Where a rule holds."""
    if scope == "sections":
        return _("In the section %(name)s", name=name)
    return _("Under the article %(name)s", name=name) if scope == "articles" else _("For all comments")


def change(one: Change) -> list[str]:
    """A changed rule in words, one line for each thing that is different."""
    if one.what == "removed":
        return [_("taken away")]
    if one.what == "added":
        return [_("switched off here") if one.rule.get("enabled") is False else _added(one)]
    return [_field(one.rule, field) for field in one.fields]


def _added(one: Change) -> str:
    said = []
    for name in FIELDS:
        if name in FIELD_WORDS and one.rule.get(name) is not None:
            value = one.rule[name]
            shown = _listed(name, value) if isinstance(value, list) else _value(name, value)
            said.append(shown if name in ("words", "pattern") else f"{FIELD_WORDS[name]} {shown}")
    what = format_list(said, locale=locale())
    if one.scope == "rules":
        return _("new: %(what)s", what=what) if said else _("new")
    return _("here: %(what)s", what=what) if said else _("in force here")


def _field(rule: dict[str, Any], field: FieldChange) -> str:
    if field.field == "enabled":
        return _("switched off") if field.after is False else _("switched on")
    if field.field in ("words", "allow"):
        return _pieces(field)
    name = str(FIELD_WORDS.get(field.field, field.field))
    before = _value(field.field, field.before) if field.before is not None else _default(field.field)
    after = _value(field.field, field.after) if field.after is not None else _default(field.field)
    return _("%(field)s: %(before)s → %(after)s", field=name, before=before, after=after)


def _default(name: str) -> str:
    defaults = {
        "at_least": "1", "share": "0", "region": "US", "action": _value("action", "hold"), "seconds": "60",
        "by": _value("by", "author"), "hours": "24", "same_author": _value("same_author", False),
    }  # fmt: skip
    return defaults.get(name, _("none"))


def _value(name: str, value: Any) -> str:
    if name == "action":
        return str(OUTCOME_WORDS[Outcome(value)]).lower()
    if name in CHOICES:
        return str(CHOICES[name][{True: "yes", False: "no"}.get(value, value)])
    return f"{value:g}" if isinstance(value, float) else str(value)


_SHOWN_WORDS = 8


def _pieces(field: FieldChange) -> str:
    came, gone = (_listed(field.field, pieces) for pieces in (field.after, field.before))
    if came and gone:
        return _("added %(came)s, took away %(gone)s", came=came, gone=gone)
    return _("added %(came)s", came=came) if came else _("took away %(gone)s", gone=gone)


def _listed(name: str, pieces: list[str]) -> str:
    shown = [language_name(one) if name == "allow" else f"“{one}”" for one in pieces[:_SHOWN_WORDS]]
    if len(pieces) > _SHOWN_WORDS:
        shown.append(_("%(number)s more", number=len(pieces) - _SHOWN_WORDS))
    return str(format_list(shown, locale=locale())) if shown else ""


def because(signals: tuple[Signal, ...]) -> str:
    """What decides, in a few words: names of rules with their scores."""
    said = []
    for signal in signals:
        name = label({"attribute": signal.attribute, "kind": signal.kind, "name": signal.rule})
        said.append(name if signal.score is None else f"{name} {number(signal.score)}")
    return ", ".join(said)
