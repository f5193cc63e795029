"""What each moderator has chosen for the pages: keys, theme, language, blur. It is kept with the person."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sqlalchemy.orm import Session

from moderation.domain.keys import Key, refusals
from moderation.errors import Invalid
from moderation.services.accounts import Person
from moderation.services.audit import record_audit
from moderation.store.people import Moderator

BLURS = ("off", "severe", "all")
THEMES = ("auto", "light", "dark")
ROWS = range(10, 101)
_LANGUAGE = re.compile(r"[a-zA-Z_]{2,12}")
_LONGEST_KEYS = 60


@dataclass(frozen=True)
class Preferences:
    """A person's choices. `keys` has only those that differ from the default, by name; an empty one has no key.

    `rows` is how many comments a page of the queue lists; `language` is empty where the browser's is taken;
    `advance` opens the next comment after a decision; with `quick_reject`, the reject key twice takes the reason that
    the classifier is surest of.
    """

    keys_on: bool = True
    keys: Mapping[str, str] = field(default_factory=dict)
    blur: str = "off"
    theme: str = "auto"
    language: str = ""
    rows: int = 30
    advance: bool = True
    quick_reject: bool = False


def of(settings: Mapping[str, Any]) -> Preferences:
    """The choices in a moderator's settings; what is missing or no longer possible is as if never chosen."""
    given = {part.name: settings[part.name] for part in fields(Preferences) if part.name in settings}
    kept = {name: value for name, value in given.items() if not _wrong(name, value)}
    return Preferences(**kept)


def save(session: Session, person: Person, wanted: Preferences, table: Sequence[Key]) -> None:
    """Keeps these choices. Raises Invalid with `extra["field"]`, for keys also `extra["keys"]`, name -> BadKey."""
    for name, value in asdict(wanted).items():
        if _wrong(name, value):
            raise Invalid(f"{name} can't be {str(value)[:40]!r}", extra={"field": name})
    defaults = {key.name: key.default for key in table}
    own = {name: keys for name, keys in wanted.keys.items() if keys.split() != defaults.get(name, keys).split()}
    if bad := refusals(own, table):
        raise Invalid("a key can do one thing only", extra={"field": "keys", "keys": bad})
    moderator = session.get_one(Moderator, person.id)
    before = of(moderator.settings)
    now = asdict(wanted) | {"keys": own}
    moderator.settings = dict(moderator.settings) | now
    changed = [name for name, value in now.items() if value != getattr(before, name)]
    if changed:
        record_audit(session, "moderator.preferences_changed", site_id=person.site_id, subject_id=person.id,
                     actor=person.id, data={"changed": changed})  # fmt: skip


def _wrong(name: str, value: Any) -> bool:
    if name in ("keys_on", "advance", "quick_reject"):
        return not isinstance(value, bool)
    if name == "keys":
        return not isinstance(value, dict) or any(
            not isinstance(keys, str) or len(keys) > _LONGEST_KEYS for keys in value.values()
        )
    if name == "rows":
        return not isinstance(value, int) or value not in ROWS
    if name == "language":
        return not isinstance(value, str) or (bool(value) and not _LANGUAGE.fullmatch(value))
    return value not in (BLURS if name == "blur" else THEMES)
