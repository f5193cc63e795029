"""The signed-in person's keys, as buttons, help and scripts take them from the page."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from flask import Flask, g

from moderation.domain import keys
from moderation.domain.keys import KEYS, Key, Scope
from moderation.services.preferences import Preferences
from moderation.web.rooms import ROOMS
from moderation.web.texts import gettext as _

_EVERYWHERE = ("rooms", "help")  # work on every page of the workspace


def table() -> tuple[Key, ...]:
    """Every key: those of the desk, and one for each page of the workspace that has one."""
    rooms = (Key(f"room_{room.path.strip('/')}", room.key, room.name, Scope.ROOM) for room in ROOMS if room.key)
    return (*KEYS, *rooms)


def install(app: Flask) -> None:
    """Gives every template `preferences`, `hint`, `key_help` and `key_map`."""
    app.context_processor(lambda: {
        "preferences": preferences(), "hint": hints().get, "key_help": key_help, "key_map": key_map,
    })  # fmt: skip


def preferences() -> Preferences:
    """What the person who makes this request has chosen; the defaults where nobody is signed in."""
    found: Preferences = g.get("preferences") or Preferences()
    return found


def _chosen() -> dict[str, list[str]]:
    return _keys_of(tuple(preferences().keys.items()))


@lru_cache(maxsize=1_000)
def _keys_of(own: tuple[tuple[str, str], ...]) -> dict[str, list[str]]:
    return keys.chosen(dict(own), table())


def hints() -> dict[str, str]:
    """The first key of each name as a button shows it; only those that there are, none where keys are off."""
    if not preferences().keys_on:
        return {}
    return {name: keys.shown(own[0]) for name, own in _chosen().items() if own}


def label(row: Key) -> str:
    """What a key does, in the language of the page."""
    return str(row.label) if row.scope is Scope.ROOM else _(row.label)


# What the desk's keys do on another page, by name; None is the desk itself, where all of them work.
Here = Mapping[str, object] | None


def _at(here: Here) -> list[tuple[Key, str]]:
    """The keys that work on a page, and what each does there."""
    if here is None:
        return [(row, label(row)) for row in table()]
    others = {row.name for row in table() if row.scope is Scope.ROOM} | set(_EVERYWHERE)
    return [(row, str(here.get(row.name) or label(row))) for row in table() if row.name in here or row.name in others]


def key_help(here: Here = None) -> dict[Scope, list[tuple[list[str], str]]]:
    """For the help: by scope, the keys as people read them and what they do."""
    chosen = _chosen()
    help: dict[Scope, list[tuple[list[str], str]]] = {}
    for row, does in _at(here):
        help.setdefault(row.scope, []).append(([keys.shown(key) for key in chosen[row.name]], does))
    return help


def key_map(here: Here = None) -> dict[str, Any]:
    """For the scripts: by scope, which key does what; `rooms` are the addresses."""
    chosen = _chosen()
    by_scope: dict[str, Any] = {scope.value: {} for scope in Scope}
    for row, _does in _at(here):
        by_scope[row.scope] |= dict.fromkeys(chosen[row.name], row.name)
    by_scope["rooms"] = {f"room_{room.path.strip('/')}": room.path for room in ROOMS}
    return by_scope
