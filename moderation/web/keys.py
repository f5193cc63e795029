"""The signed-in person's keys, as buttons, help and scripts take them from the page."""

from functools import lru_cache
from typing import Any

from flask import Flask, g

from moderation.domain import keys
from moderation.domain.keys import KEYS, Key, Scope
from moderation.services.preferences import Preferences
from moderation.web.rooms import ROOMS
from moderation.web.texts import gettext as _


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


def key_help() -> dict[Scope, list[tuple[list[str], str]]]:
    """For the help: by scope, the keys as people read them and what they do."""
    chosen = _chosen()
    help: dict[Scope, list[tuple[list[str], str]]] = {scope: [] for scope in Scope}
    for row in table():
        help[row.scope].append(([keys.shown(key) for key in chosen[row.name]], label(row)))
    return help


def key_map() -> dict[str, Any]:
    """For the scripts: by scope, which key does what; `rooms` are the addresses."""
    chosen = _chosen()
    by_scope: dict[str, Any] = {scope.value: {} for scope in Scope}
    for row in table():
        by_scope[row.scope] |= dict.fromkeys(chosen[row.name], row.name)
    by_scope["rooms"] = {f"room_{room.path.strip('/')}": room.path for room in ROOMS}
    return by_scope
