"""What is kept about an author, for them to see: one JSON document, written piece by piece.

Other people's data is left out: who reported a comment, which moderator decided.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from moderation.services.erasure import Author, audited
from moderation.services.screening import match_of
from moderation.services.views import decision_view, iso
from moderation.store.audit import AuditEvent
from moderation.store.feedback import Check, Example
from moderation.store.tables import Article, Comment, Decision, Event, Revision
from moderation.store.voices import Appeal, Report
from moderation.store.workspace import AuthorStanding, Note

_AT_ONCE = 200
_Lines = Iterator[dict[str, Any]]


def document(session: Session, author: Author, secret_keys: Sequence[str], now: int) -> Iterator[str]:
    """The document, in pieces that are each a whole entry; however much there is, little of it is in memory."""
    parts = {
        "comments": _comments(session, author, secret_keys), "standing": _standing(session, author),
        "notes": _notes(session, author), "reports_made": _reports(session, author), "audit": _audit(session, author),
    }  # fmt: skip
    yield f'{{"site_id": "{author.site_id}", "made_at": "{iso(now)}"'
    for name, entries in parts.items():
        yield f',\n"{name}": ['
        for number, entry in enumerate(entries):
            yield ("" if number == 0 else ",") + "\n" + json.dumps(entry, ensure_ascii=False)
        yield "]"
    yield "}\n"


def _comments(session: Session, author: Author, secret_keys: Sequence[str]) -> _Lines:
    mine = select(Comment).where(Comment.site_id == author.site_id, Comment.author_key.in_(author.keys))
    after = ""
    while page := session.scalars(mine.where(Comment.id > after).order_by(Comment.id).limit(_AT_ONCE)).all():
        around = _around(session, author.site_id, page)
        elsewhere = _elsewhere(session, author.site_id, page, around[Revision], secret_keys)
        for comment in page:
            yield _comment(comment, {table: rows.get(comment.id, []) for table, rows in around.items()},
                           session.get_one(Article, comment.article_id)) | elsewhere[comment.id]  # fmt: skip
        after = page[-1].id
        session.expunge_all()


_Rows = dict[str, list[Any]]
_AROUND: dict[Any, Any] = {
    Revision: Revision.comment_id, Decision: Decision.comment_id, Report: Report.comment_id, Event: Event.comment_id,
    Appeal: Appeal.comment_id, Note: Note.subject, AuditEvent: AuditEvent.subject_id,
}  # fmt: skip


def _around(session: Session, site_id: str, page: Sequence[Comment]) -> dict[Any, _Rows]:
    """By table and comment, in their order, what there is about these comments: one query a table for all of them."""
    ids = [comment.id for comment in page]
    found: dict[Any, _Rows] = {}
    for table, of in _AROUND.items():
        rows: _Rows = found.setdefault(table, {})
        query = select(table).where(of.in_(ids))
        if table is Note:  # the subject of a note may be called alike at another site, a comment's id is one anywhere
            query = query.where(Note.site_id == site_id)
        for row in session.scalars(query.order_by(table.revision if table is Revision else table.id)):
            rows.setdefault(getattr(row, of.key), []).append(row)
    return found


def _comment(comment: Comment, around: dict[Any, list[Any]], article: Article) -> dict[str, Any]:
    return {
        "id": comment.id, "external_id": comment.external_id, "status": comment.status, "revision": comment.revision,
        "author": {"name": comment.author_name, "email": comment.author_email, "url": comment.author_url,
                   "id": comment.author_id},
        "ip": comment.ip, "user_agent": comment.user_agent, "language": comment.language,
        "created_at": iso(comment.created_at), "received_at": iso(comment.received_at),
        "article": {"url": article.url, "title": article.title}, "format": comment.format, "body": comment.body,
        "earlier": [{"revision": one.revision, "body": one.body, "replaced_at": iso(one.replaced_at)}
                    for one in around[Revision]],
        "decisions": [decision_view(one) | {"scores": one.scores, "reason": one.reason, "note": one.note}
                      for one in around[Decision]],
        "reports": [{"reason": one.reason, "created_at": iso(one.created_at), "outcome": one.outcome}
                    for one in around[Report]],
        "appeals": [{"text": one.text, "created_at": iso(one.created_at), "outcome": one.outcome, "answer": one.answer}
                    for one in around[Appeal]],
        "notes": [{"text": one.text, "created_at": iso(one.created_at)} for one in around[Note]],
        "told_to_the_site": [{"type": one.type, "at": iso(one.occurred_at)} for one in around[Event]],
        "audit": [{"action": one.action, "at": iso(one.at)} for one in around[AuditEvent]],
    }  # fmt: skip


def _elsewhere(
    session: Session, site_id: str, page: Sequence[Comment], earlier: _Rows, secret_keys: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """By comment, what drop-in interfaces were asked or told of the same texts."""
    matches = {
        comment.id: {
            match_of(secret, site_id, text)
            for text in [comment.body, *(one.body for one in earlier.get(comment.id, []))] if text
            for secret in secret_keys
        }
        for comment in page
    }  # fmt: skip
    every = sorted(set[str]().union(*matches.values()))
    checks, examples = (_matching(session, table, site_id, every) for table in (Check, Example))
    return {
        id: {
            "checks": [{"interface": one.interface, "at": iso(one.at), "scores": one.scores, "outcome": one.outcome}
                       for one in checks if one.match in mine],
            "examples": [{"interface": one.interface, "at": iso(one.updated_at), "labels": one.labels}
                         for one in examples if one.match in mine],
        }
        for id, mine in matches.items()
    }  # fmt: skip


def _matching(session: Session, table: Any, site_id: str, matches: Sequence[str]) -> Sequence[Any]:
    query = select(table).where(table.site_id == site_id, table.match.in_(matches))
    return session.scalars(query.order_by(table.id)).all()


def _standing(session: Session, author: Author) -> _Lines:
    mine = AuthorStanding.site_id == author.site_id, AuthorStanding.author_key.in_(author.keys)
    for one in session.scalars(select(AuthorStanding).where(*mine)):
        until = None if one.until is None else iso(one.until)
        yield {"standing": one.standing, "since": iso(one.set_at), "until": until}


def _notes(session: Session, author: Author) -> _Lines:
    mine = Note.site_id == author.site_id, Note.subject.in_(author.keys)
    for one in session.scalars(select(Note).where(*mine).order_by(Note.id)):
        yield {"text": one.text, "created_at": iso(one.created_at)}


def _reports(session: Session, author: Author) -> _Lines:
    mine = Report.site_id == author.site_id, Report.reporter_key.in_(author.reporter_keys)
    for one in session.scalars(select(Report).where(*mine).order_by(Report.id)):
        yield {
            "comment_id": one.comment_id, "called": one.reporter, "reason": one.reason, "text": one.text,
            "created_at": iso(one.created_at), "outcome": one.outcome,
        }  # fmt: skip


def _audit(session: Session, author: Author) -> _Lines:
    for one in session.scalars(select(AuditEvent).where(audited(author)).order_by(AuditEvent.id)):
        yield {"action": one.action, "at": iso(one.at)}
