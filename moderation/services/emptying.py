"""Takes out of comments all that says who wrote what; the rows stay, as places in a thread and as figures."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from moderation.services.screening import match_of
from moderation.services.views import view
from moderation.store.abuse import Fingerprint
from moderation.store.feedback import Check, Example
from moderation.store.tables import Comment, Decision, Event, HoldReason, Revision
from moderation.store.voices import Appeal, Report
from moderation.store.workspace import HeldScore, Note

# What an event about a report or an appeal still says of it.
_KEPT = ("id", "outcome", "reverses")


def empty(session: Session, secret_keys: Sequence[str], comments: Sequence[Comment]) -> None:
    """Empties these comments, which the caller has locked and withdrawn."""
    if not comments:
        return
    ids = [comment.id for comment in comments]
    _forget_texts(session, secret_keys, comments, ids)
    for table in (HoldReason, HeldScore, Fingerprint, Revision):
        session.execute(delete(table).where(table.comment_id.in_(ids)))
    session.execute(delete(Note).where(Note.site_id == comments[0].site_id, Note.subject.in_(ids)))
    session.execute(update(Report).where(Report.comment_id.in_(ids)).values(text=None))
    session.execute(update(Appeal).where(Appeal.comment_id.in_(ids)).values(text="", answer=None))
    session.execute(
        update(Decision).where(Decision.comment_id.in_(ids)).values(reason=None, note=None, scores={}, signals=[])
    )
    _empty_events(session, {comment.id: comment for comment in comments})
    session.execute(update(Comment), [
        {"id": id, "author_name": "", "author_email": None, "author_url": None, "author_id": None,
         # Nobody's: neither another author's, nor one and the same for all who were erased.
         "author_key": id + id, "ip": None, "user_agent": None, "body": "", "language": None}
        for id in ids
    ])  # fmt: skip
    session.expire_all()


def _forget_texts(session: Session, secret_keys: Sequence[str], comments: Sequence[Comment], ids: list[str]) -> None:
    """What was checked or labelled of the same texts: by the keyed hash that such rows carry, or by the text."""
    site_id = comments[0].site_id
    texts = [comment.body for comment in comments]
    texts += session.scalars(select(Revision.body).where(Revision.comment_id.in_(ids))).all()
    matches = [match_of(secret, site_id, text) for secret in secret_keys for text in texts if text]
    for table in (Check, Example):
        for same in (table.match.in_(matches), table.text.in_([text for text in texts if text])):
            session.execute(delete(table).where(table.site_id == site_id, same))


def _empty_events(session: Session, comments: dict[str, Comment]) -> None:
    events = session.scalars(select(Event).where(Event.comment_id.in_(comments))).all()
    changed = [{"id": event.id, "data": _bare(event, comments[event.comment_id])} for event in events]
    if changed:
        session.execute(update(Event), changed)


def _bare(event: Event, comment: Comment) -> dict[str, Any]:
    """An event's data in its shape, with ids and outcome only."""
    was = event.data.get("comment", event.data)
    shown = view(comment.id, comment.external_id, int(was.get("revision", comment.revision)), was["status"], None)
    parts = {
        name: {key: event.data[name][key] for key in _KEPT if key in event.data[name]}
        for name in ("report", "appeal") if name in event.data
    }  # fmt: skip
    reverses = {"reverses": event.data["reverses"]} if "reverses" in event.data else {}
    return ({"comment": shown} | parts if parts else shown) | reverses
