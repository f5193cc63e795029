"""Signs of life, and what /readyz says of each part."""

from collections.abc import Callable

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from moderation.scoring import Classifier
from moderation.store.queries import upsert
from moderation.store.tables import WorkerState

FRESH_MS = 15_000
_FORGET_MS = 86_400_000  # containers change their names


def sign_of_life(
    session: Session, name: str, classifier: Classifier, now: int, *, gone: Callable[[str], bool] = lambda _name: False
) -> None:
    """Notes that this worker (machine and process) lives, and how its classifier is; forgets those that are `gone`."""
    names = session.scalars(select(WorkerState.name)).all()
    ended = WorkerState.name.in_([one for one in names if one != name and gone(one)])
    session.execute(delete(WorkerState).where((WorkerState.seen_at < now - _FORGET_MS) | ended))
    row = {"name": name, "seen_at": now, "scorer": classifier.name, "scorer_error": classifier.error}
    upsert(session, WorkerState, row, ["name"], {name: row[name] for name in ("seen_at", "scorer", "scorer_error")})


def worker_states(session: Session, now: int) -> tuple[str, str]:
    """(worker, scorer): `ok`, or what is wrong; one worker without its scorer is enough, for it holds what it takes."""
    alive = select(WorkerState).where(WorkerState.seen_at >= now - FRESH_MS).order_by(WorkerState.seen_at.desc())
    states = session.scalars(alive).all()
    if not states:
        return "no worker has shown itself", "no worker"
    broken = [f"{state.scorer}: {state.scorer_error}" for state in states if state.scorer_error]
    return "ok", broken[0] if broken else "ok"
