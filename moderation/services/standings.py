"""Standings of authors: always hold, ban until, trust. Said by people, in force for every comment from then on."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Status
from moderation.domain.standing import Standing, in_force, may_set
from moderation.errors import Conflict, Forbidden, Invalid, NotFound
from moderation.services import review
from moderation.services.accounts import Person
from moderation.services.audit import record_audit
from moderation.services.review import Act
from moderation.services.views import iso
from moderation.store.audit import AuditEvent
from moderation.store.people import Moderator
from moderation.store.queries import insert_new, one_of, upsert
from moderation.store.tables import Comment
from moderation.store.workspace import AuthorStanding

_ACTIONS = {Standing.HOLD: "author.held", Standing.BAN: "author.banned", Standing.TRUST: "author.trusted"}
_CLEARED = "author.cleared"
_MOST_WAITING = 500


@dataclass(frozen=True)
class Stands:
    """How an author stands now, and who said so when; `by` is a name."""

    standing: Standing
    until: int | None
    by: str | None
    since: int

    def view(self) -> dict[str, Any]:
        """The same as the moderators' API gives it."""
        until = None if self.until is None else iso(self.until)
        return {"standing": self.standing.value, "until": until, "by": self.by, "since": iso(self.since)}


@dataclass(frozen=True)
class Step:
    """One line of an author's history; `standing` None: it was lifted."""

    standing: Standing | None
    until: int | None
    by: str | None
    at: int


def in_force_of(session: Session, authors: Iterable[tuple[str, str]], now: int) -> dict[tuple[str, str], Standing]:
    """(site, author key) -> standing, for those of these authors who have one now."""
    found: dict[tuple[str, str], Standing] = {}
    by_site: dict[str, list[str]] = {}
    for site_id, key in authors:
        by_site.setdefault(site_id, []).append(key)
    for site_id, keys in by_site.items():
        query = select(AuthorStanding.author_key, AuthorStanding.standing, AuthorStanding.until)
        for row in session.execute(
            query.where(AuthorStanding.site_id == site_id, one_of(session, AuthorStanding.author_key, sorted(keys)))
        ):
            if standing := in_force(Standing(row.standing), row.until, now):
                found[site_id, row.author_key] = standing
    return found


def stands(session: Session, site_id: str, author_key: str, now: int) -> Stands | None:
    """How this author stands; None where nobody has said anything that still holds."""
    query = (
        select(AuthorStanding, Moderator.name)
        .outerjoin(Moderator, Moderator.id == AuthorStanding.set_by)
        .where(AuthorStanding.site_id == site_id, AuthorStanding.author_key == author_key)
    )
    row = session.execute(query.execution_options(populate_existing=True)).first()
    if row is None or in_force(Standing(row[0].standing), row[0].until, now) is None:
        return None
    return Stands(Standing(row[0].standing), row[0].until, row[1], row[0].set_at)


def give(
    session: Session, person: Person, author_key: str, standing: Standing, until: int | None, now: int,
    *, seen: int | None = None,
) -> Stands:  # fmt: skip
    """Gives an author of the person's site this standing, until a time or without end.

    `seen` is the `since` of the standing that the person saw (0: none); raises Conflict naming who and what when there
    is another by now. Raises NotFound, Forbidden for a role that may not, Invalid for a time that is over.
    """
    if until is not None and until <= now:
        raise Invalid("the time is over already", extra={"field": "until"})
    if not may_set(person.role, standing):
        raise _not_yours(standing)
    _require_author(session, person.site_id, author_key)
    row = {"site_id": person.site_id, "author_key": author_key, "standing": standing.value, "until": until,
           "set_by": person.id, "set_at": now}  # fmt: skip
    was = None
    if seen or not insert_new(session, AuthorStanding, [row], key="author_key"):
        before = _locked(session, person.site_id, author_key)
        was = before.standing if before else None
        _refuse(session, person, before, now, seen)
        upsert(session, AuthorStanding, row, ["site_id", "author_key"], row)
    data = {"until": until, "before": was}
    record_audit(session, _ACTIONS[standing], site_id=person.site_id, subject_id=author_key, actor=person.id, data=data)
    return Stands(standing, until, person.name, now)


def lift(session: Session, person: Person, author_key: str, now: int, *, seen: int | None = None) -> None:
    """Ends an author's standing; without one, nothing changes. Raises as `give` does."""
    _require_author(session, person.site_id, author_key)
    before = _locked(session, person.site_id, author_key)
    _refuse(session, person, before, now, seen)
    if before is None:
        return
    session.execute(delete(AuthorStanding).where(_is(person.site_id, author_key)))
    record_audit(session, _CLEARED, site_id=person.site_id, subject_id=author_key, actor=person.id,
                 data={"before": before.standing})  # fmt: skip


def reject_waiting(session: Session, person: Person, author_key: str, wanted: Act, now: int, grace_ms: int) -> int:
    """Rejects what waits of this author, as one batch that undoes as one; returns how many.

    What a colleague works on is left to them, and so is what lies beyond the first 500.
    """
    free = (Comment.claimed_by.is_(None)) | (Comment.claimed_by == person.id) | (Comment.claimed_until <= now)
    ids = session.scalars(
        select(Comment.id)
        .where(Comment.site_id == person.site_id, Comment.author_key == author_key,
               Comment.status == Status.HELD, free)
        .order_by(Comment.id)
        .limit(_MOST_WAITING)
    ).all()  # fmt: skip
    return review.act(session, person, ids, wanted, now, grace_ms) if ids else 0


def history(session: Session, site_id: str, author_key: str) -> list[Step]:
    """What was said of this author, the newest first, as the audit trail has it."""
    said = {action: standing for standing, action in _ACTIONS.items()}
    rows = session.execute(
        select(AuditEvent.action, AuditEvent.at, AuditEvent.data, Moderator.name)
        .outerjoin(Moderator, Moderator.id == AuditEvent.actor)
        .where(AuditEvent.subject_id == author_key, AuditEvent.site_id == site_id,
               AuditEvent.action.in_([*said, _CLEARED]))
        .order_by(AuditEvent.id.desc())
        .limit(50)
    )  # fmt: skip
    return [Step(said.get(row.action), row.data.get("until"), row.name, row.at) for row in rows]


def _is(site_id: str, author_key: str) -> Any:
    return (AuthorStanding.site_id == site_id) & (AuthorStanding.author_key == author_key)


def _locked(session: Session, site_id: str, author_key: str) -> AuthorStanding | None:
    query = select(AuthorStanding).where(_is(site_id, author_key)).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def _refuse(session: Session, person: Person, before: AuthorStanding | None, now: int, seen: int | None) -> None:
    """Whoever replaces a standing must be one who may lift it, and must have seen it."""
    live = None if before is None else in_force(Standing(before.standing), before.until, now)
    if not may_set(person.role, live):
        raise _not_yours(live)
    if seen is None or seen == (before.set_at if before and live else 0):
        return
    by = session.get(Moderator, before.set_by) if before and before.set_by else None
    raise Conflict(
        "the author's standing has changed since you saw it", code="stale_version",
        extra={"by": by.name if by else None, "standing": live.value if live else None},
    )  # fmt: skip


def _not_yours(standing: Standing | None) -> Forbidden:
    what = {Standing.BAN: "ban an author or lift a ban", Standing.TRUST: "trust an author or end that trust"}
    return Forbidden(f"only seniors and admins may {what.get(standing or Standing.BAN)}", code="role_needed")


def _require_author(session: Session, site_id: str, author_key: str) -> None:
    known = select(Comment.id).where(Comment.site_id == site_id, Comment.author_key == author_key).limit(1)
    if session.scalar(known) is None:
        raise NotFound("there is no such author")
