"""The rooms of the workspace: what stands in the navigation, and for whom. A new page needs one line here."""

from dataclasses import dataclass

from flask import Flask, g, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as marked

from moderation.domain.lifecycle import Role
from moderation.errors import Forbidden
from moderation.services import lock_down
from moderation.services.accounts import Person
from moderation.services.views import iso
from moderation.store.session import now_ms
from moderation.web import words
from moderation.web.session import reading


@dataclass(frozen=True)
class Room:
    """A page of the workspace: its name, its address, the least role that may see it, and its key after `g`."""

    name: str
    path: str
    role: Role
    key: str = ""


ROOMS = (
    Room(marked("Queue"), "/review", Role.MODERATOR, "q"),
    Room(marked("Batch"), "/by-score", Role.SENIOR, "b"),
    Room(marked("Reports"), "/reports", Role.MODERATOR, "r"),
    Room(marked("Appeals"), "/appeals", Role.MODERATOR, "p"),
    Room(marked("Articles"), "/articles", Role.MODERATOR, "a"),
    Room(marked("Authors"), "/authors", Role.MODERATOR, "u"),
    Room(marked("Rules"), "/policy", Role.SENIOR, "o"),
    Room(marked("Examples"), "/examples", Role.SENIOR, "x"),
    Room(marked("People"), "/people", Role.ADMIN, "m"),
    Room(marked("Domains"), "/domains", Role.ADMIN, "n"),
    Room(marked("Keys"), "/keys", Role.ADMIN, "k"),
    Room(marked("Dashboard"), "/dashboard", Role.SENIOR, "d"),
    Room(marked("Audit"), "/audit", Role.ADMIN, "l"),
)


def install(app: Flask) -> None:
    """Gives every template `person`, `rooms`, `room` (the path of the one that it belongs to), and words for times."""
    app.context_processor(_around)


def _around() -> dict[str, object]:
    person: Person | None = g.get("person")
    open_to = [room for room in ROOMS if person and person.role.includes(room.role)]
    inside = [room.path for room in ROOMS if request.path == room.path or request.path.startswith(f"{room.path}/")]
    here: dict[str, object] = {"person": person, "rooms": open_to, "room": max(inside, key=len, default=None)}
    here |= {"lock_down": _lock_down, "may_lock": person is not None and person.role.includes(lock_down.MAY)}
    return here | {"w": words, "iso": iso, "now": now_ms()}


def _lock_down() -> lock_down.LockDown | None:
    with reading() as session:
        return lock_down.standing(session, g.person.site_id)


def need(role: Role) -> None:
    """Raises Forbidden unless the signed-in moderator has at least this role."""
    person: Person = g.person
    if not person.role.includes(role):
        words = {Role.SENIOR: _("this page is for seniors and admins"), Role.ADMIN: _("this page is for admins")}
        raise Forbidden(words[role], code="role_needed")
