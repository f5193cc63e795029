"""The keys of the desk: one row for each thing that a key can do. Scripts, help, buttons and settings read KEYS.

A key is written as a browser names it: `a`, `J` (with Shift), `?`, `Enter`, `alt+a`; several are parted by spaces.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from moderation.domain.lifecycle import ACTIONS, REJECT_REASONS
from moderation.domain.text import N_


class Scope(StrEnum):
    """When a key counts; two keys only meet where their scope is the same."""

    DESK = "desk"
    REASON = "reason"  # while the reasons of a rejection are offered
    ROOM = "room"  # after the key of `rooms`


@dataclass(frozen=True)
class Key:
    """One thing that a key does; `default` is empty where it has none unless somebody gives it one."""

    name: str
    default: str
    label: str
    scope: Scope = Scope.DESK


KEYS: tuple[Key, ...] = (
    *(Key(action.name, action.hotkey, action.label) for action in ACTIONS.values()),
    Key("undo", "u", N_("Undo your last action")),
    Key("done", "l", N_("Your last actions")),
    Key("next", "j", N_("Next comment")),
    Key("previous", "k", N_("Previous comment")),
    Key("reveal", "Enter", N_("Show a blurred comment")),
    Key("claim", "c", N_("Claim or release")),
    Key("assign", "s", N_("Assign")),
    Key("note", "n .", N_("Write a note")),
    Key("article", "o", N_("Open the article")),
    Key("thread", "t", N_("All comments of the article")),
    Key("search", "/", N_("Search")),
    Key("select", "x", N_("Select this comment")),
    Key("select_next", "J", N_("Select on to the next")),
    Key("select_previous", "K", N_("Select on to the previous")),
    Key("select_all", "*", N_("Select all that are listed")),
    Key("rooms", "g", N_("Go to a page, with a second key")),
    Key("help", "?", N_("This help")),
    *(Key(f"reject_{code}", key, label, Scope.REASON) for code, (key, label) in REJECT_REASONS.items()),
)

_NAMED = {
    name.lower(): name for name in ("Enter", "Delete", "Backspace", "Insert", "Home", "End", "PageUp", "PageDown")
}
_MODIFIERS = ("ctrl", "alt", "shift")
_MOST = 3


def canonical(typed: str) -> str | None:
    """A key as scripts compare it, from how people write it (`Shift+j`, `enter`); None for what can't be one.

    Tab, Escape, the arrows and the space bar belong to the browser. Shift is part of the letter or sign that it gives.
    """
    typed = typed.strip()
    last = "+" if typed.endswith("+") else typed.rpartition("+")[2]
    held = [part.lower() for part in typed.removesuffix(last).split("+") if part]
    named = _NAMED.get(last.lower())
    if not set(held) <= set(_MODIFIERS) or not (named or (len(last) == 1 and last.isprintable() and last != " ")):
        return None
    if "shift" in held and not named:
        if not last.isalpha():
            return None
        last = last.upper()
        held.remove("shift")
    return "+".join([part for part in _MODIFIERS if part in held] + [named or last])


def shown(key: str) -> str:
    """A key as people read it; it can be typed like that as well."""
    last = "+" if key.endswith("+") else key.rpartition("+")[2]
    held = [part.capitalize() for part in key.removesuffix(last).split("+") if part]
    if len(last) == 1 and last != last.lower():
        held.append("Shift")
    return "+".join([*held, last])


@dataclass(frozen=True)
class BadKey:
    """Why a key was refused: `taken_by` names the other one that has it, None where it is no key at all."""

    key: str
    taken_by: str | None = None


def refusals(keys: Mapping[str, str], table: Sequence[Key]) -> dict[str, BadKey]:
    """What speaks against this map, by name. A name of which the map says nothing keeps its default."""
    bad: dict[str, BadKey] = {}
    taken: dict[tuple[Scope, str], str] = {}
    for row in table:
        for typed in keys.get(row.name, row.default).split()[:_MOST]:
            key = canonical(typed)
            if key is None:
                bad[row.name] = BadKey(typed)
                continue
            other = taken.setdefault((row.scope, key), row.name)
            if other != row.name:
                bad[row.name] = BadKey(key, other)
                bad.setdefault(other, BadKey(key, row.name))
    return bad


def chosen(keys: Mapping[str, str], table: Iterable[Key]) -> dict[str, list[str]]:
    """The keys of each name, the person's or the default."""
    return {row.name: [c for typed in keys.get(row.name, row.default).split() if (c := canonical(typed))]
            for row in table}  # fmt: skip
