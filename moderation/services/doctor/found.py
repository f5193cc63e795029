"""What a check gets to look at, and what it says."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from moderation.config import Settings
from moderation.store.session import Store


class State(StrEnum):
    """How a part is. A warning does not stop the service now."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """What one check found: `says` what is, `todo` what to do about it (empty when all is well)."""

    state: State
    says: str
    todo: str = ""


@dataclass(frozen=True)
class Context:
    """The installation: its settings, and the data folder of `moderation up` where there is one."""

    settings: Settings
    folder: Path | None = None

    @cached_property
    def store(self) -> Store:
        """The database; opening it makes no connection."""
        return Store(self.settings.database_url, pool_size=4)

    @property
    def sqlite_file(self) -> Path | None:
        """The file of the database, when it is SQLite."""
        return Path(self.store.engine.url.database or "") if self.store.sqlite else None


@dataclass(frozen=True)
class Check:
    """One question: its name, how it is answered, and how many seconds that may take.

    `needs` names a check whose failure makes this one pointless. `patient`: not to be done in time is no fault.
    """

    name: str
    look: Callable[[Context], Finding]
    seconds: float = 10.0
    needs: str | None = None
    patient: bool = False


def ok(says: str) -> Finding:
    """All is well."""
    return Finding(State.OK, says)


def warning(says: str, todo: str) -> Finding:
    """It works, and should not stay so."""
    return Finding(State.WARNING, says, todo)


def wrong(says: str, todo: str) -> Finding:
    """It does not work, or is dangerous."""
    return Finding(State.WRONG, says, todo)
