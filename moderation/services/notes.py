"""What moderators tell each other about a comment or its author. Notes are never shown outside of the workspace."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from moderation.errors import Forbidden, Invalid, NotFound
from moderation.services.accounts import Person
from moderation.services.audit import record_audit
from moderation.store.people import Moderator
from moderation.store.session import new_id
from moderation.store.tables import Comment
from moderation.store.workspace import Note

About = Literal["comment", "author"]
LONGEST = 2000
_SHOWN = 50


@dataclass(frozen=True)
class Written:
    """A note, what it is about, and who wrote it."""

    note: Note
    about: About
    by: str


def about(session: Session, comment: Comment) -> Sequence[Written]:
    """The notes about this comment and about its author, the newest first."""
    rows = session.execute(
        select(Note, Moderator.name)
        .join(Moderator, Moderator.id == Note.moderator_id)
        .where(Note.site_id == comment.site_id, Note.subject.in_([comment.id, comment.author_key]))
        .order_by(Note.id.desc())
        .limit(_SHOWN)
    )
    return [Written(note, "comment" if note.subject == comment.id else "author", name) for note, name in rows]


def listed(session: Session, person: Person, comment_id: str) -> Sequence[Written]:
    """The same for one of the person's site. Raises NotFound."""
    return about(session, _comment(session, person, comment_id))


def add(session: Session, person: Person, comment_id: str, subject: str, text: str, now: int) -> Written:
    """A new note about the comment or its author. Raises NotFound, Invalid."""
    comment = _comment(session, person, comment_id)
    text = text.replace("\0", "").strip()
    if not text:
        raise Invalid("a note needs some text", extra={"field": "text"})
    if len(text) > LONGEST:
        raise Invalid(f"a note has at most {LONGEST} characters", extra={"field": "text"})
    kind: About = "author" if subject == "author" else "comment"
    if subject != kind:
        raise Invalid("about must be comment or author", extra={"field": "about"})
    note = Note(
        id=new_id(), site_id=person.site_id, subject=comment.author_key if kind == "author" else comment.id,
        moderator_id=person.id, text=text, created_at=now,
    )  # fmt: skip
    session.add(note)
    session.flush()
    record_audit(session, "note.added", site_id=person.site_id, subject_id=comment.id, actor=person.id,
                 data={"note": note.id, "about": kind})  # fmt: skip
    return Written(note, kind, person.name)


def delete(session: Session, person: Person, note_id: str) -> None:
    """Deletes a note of one's own. Raises NotFound, Forbidden."""
    note = session.get(Note, note_id)
    if note is None or note.site_id != person.site_id:
        raise NotFound("there is no such note")
    if note.moderator_id != person.id:
        raise Forbidden("only who wrote a note can delete it", code="not_yours")
    session.delete(note)
    record_audit(session, "note.deleted", site_id=person.site_id, subject_id=note.id, actor=person.id)


def _comment(session: Session, person: Person, comment_id: str) -> Comment:
    comment = session.get(Comment, comment_id)
    if comment is None or comment.site_id != person.site_id:
        raise NotFound("there is no such review item")
    return comment
