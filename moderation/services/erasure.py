"""An author's right to be forgotten: what they wrote and what was noted about them goes, their places in threads stay.

Every comment of theirs is withdrawn, so that the site hears of it and takes it down, and then emptied: text, author,
address, scores, what events and decisions quote. The audit trail keeps its chain. That it was done stands in the list
of erasures as a keyed hash, so that a backup from before can't bring the author back.

It is done in slices and may be broken off at any time: the sweep goes on where it stopped.
"""

import hashlib
import hmac
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, select
from sqlalchemy.orm import Session

from moderation.errors import NotFound
from moderation.services import audit_chain, intake
from moderation.services.audit import record_audit
from moderation.services.emptying import empty
from moderation.services.intake import NewComment, author_key
from moderation.services.reports import known_reader
from moderation.store.audit import AuditEvent
from moderation.store.privacy import Erasing, Erasure
from moderation.store.session import Store, new_id, now_ms
from moderation.store.tables import Comment
from moderation.store.voices import Report
from moderation.store.workspace import AuthorStanding, Note

_AT_ONCE = 100
# How long a slice should hold the writer, and how few comments one may have for that.
_SLICE_SECONDS = 0.3
_FEWEST = 5


@dataclass(frozen=True)
class Author:
    """Whom to look for at a site: the keys of their comments, and those under which they reported others' comments."""

    site_id: str
    keys: frozenset[str]
    reporter_keys: frozenset[str] = field(default_factory=frozenset)


def find_author(session: Session, site_id: str, *, email: str | None = None, author_id: str | None = None) -> Author:
    """An author by e-mail address or by the site's own id for them. Raises NotFound where there is no trace.

    By e-mail also comments are found that came with an id and this address. It reads all comments of the site.
    """
    keys = {_key(author_id, email)}
    if email:
        theirs = func.lower(Comment.author_email) == email.strip().lower()
        keys |= set(session.scalars(select(Comment.author_key).where(Comment.site_id == site_id, theirs).distinct()))
    reporter = known_reader(site_id, author_id, email, None).key
    author = Author(site_id, frozenset(keys), frozenset({reporter}))
    if not any(session.scalar(query.limit(1)) for query in _traces(author)):
        raise NotFound("nothing is kept about such an author")
    return author


def audited(author: Author) -> ColumnElement[bool]:
    """Which audit events are about the author themselves."""
    # Sites are few: as an expression theirs tempts no planner to read all that ever was at one.
    here = func.coalesce(AuditEvent.site_id, "") == author.site_id
    return AuditEvent.subject_id.in_(author.keys) & here


def erase(store: Store, secret_keys: Sequence[str], author: Author, actor: str | None = None) -> int:
    """Erases an author for good; returns how many comments were emptied. Secret keys: that of now first."""
    done, _ = begin(store, secret_keys, author, actor)
    while resume(store, secret_keys):
        pass
    return done


def begin(
    store: Store, secret_keys: Sequence[str], author: Author, actor: str | None = None, *, seconds: float = math.inf
) -> tuple[int, bool]:
    """Begins to erase an author and goes on for about so long; how many comments were emptied, and whether more is left
    to the sweep. To SQLite's files the sweep goes in any case."""
    now = now_ms()
    with store.write() as session:
        _enter(session, secret_keys[0], author, actor, now)
        task = Erasing(
            id=new_id(), site_id=author.site_id, keys=sorted(author.keys), reporter_keys=sorted(author.reporter_keys),
            until=now, actor=actor,
        )  # fmt: skip
        session.add(task)
    return _go_on(store, secret_keys, task, time.monotonic() + seconds)


def resume(store: Store, secret_keys: Sequence[str], seconds: float = 1.0) -> bool:
    """Goes on with erasures that were broken off, or whose traces in SQLite's files are left; True: more is left."""
    end = time.monotonic() + seconds
    with store.read() as session:
        tasks = session.scalars(select(Erasing).order_by(Erasing.id).limit(_AT_ONCE)).all()
    if not tasks:
        return False
    for task in tasks:
        if _go_on(store, secret_keys, task, end)[1]:
            return True
    if store.forget_deleted(max(0.0, end - time.monotonic())):
        return True
    with store.write() as session:
        session.execute(delete(Erasing).where(Erasing.id.in_([task.id for task in tasks])))
    return len(tasks) == _AT_ONCE


def _go_on(store: Store, secret_keys: Sequence[str], task: Erasing, end: float) -> tuple[int, bool]:
    author = Author(task.site_id, frozenset(task.keys), frozenset(task.reporter_keys))
    done, size = 0, max(1, _AT_ONCE // 4)
    while True:
        with store.write() as session:
            began = time.monotonic()
            part, more = _slice(session, secret_keys, author, task.until, task.actor, at_once=size)
        took = time.monotonic() - began
        done += part
        if not more:
            return done, False
        if time.monotonic() >= end:
            return done, True
        size = min(_AT_ONCE, max(_FEWEST, min(2 * size, round(size * _SLICE_SECONDS / took))))
        time.sleep(took)  # those who wait for the database have their turn as well


def known_author(session: Session, site_id: str, key: str) -> Author:
    """An author by the key of their comments, with the reports that they made under the same id or address.

    Raises NotFound where the site has no comment of theirs.
    """
    mine = select(Comment.author_id, Comment.author_email).where(Comment.site_id == site_id, Comment.author_key == key)
    row = session.execute(mine.order_by(Comment.id.desc()).limit(1)).first()
    if row is None:
        raise NotFound("there is no such author")
    reporter = known_reader(site_id, row.author_id, row.author_email, None) if any(row) else None
    return Author(site_id, frozenset({key}), frozenset({reporter.key} if reporter else ()))


def apply_list(session: Session, secret_keys: Sequence[str], erasures: Sequence[Erasure]) -> int:
    """Erases again, in one transaction, whom a restored backup brought back; returns how many comments were emptied.

    What the same person wrote after their erasure stays.
    """
    done = 0
    for erasure in erasures:
        site = erasure.site_id
        known = set(session.scalars(select(Comment.author_key).where(Comment.site_id == site).distinct()))
        known |= set(session.scalars(select(Note.subject).where(Note.site_id == site).distinct()))
        known |= set(session.scalars(select(AuthorStanding.author_key).where(AuthorStanding.site_id == site)))
        readers = set(session.scalars(select(Report.reporter_key).where(Report.site_id == site).distinct()))
        hashes = {key: _hashes(secret_keys, site, key) for key in known | readers}
        author = Author(site, *(
            frozenset(key for key in some if erasure.author_hash in hashes[key]) for some in (known, readers)
        ))  # fmt: skip
        if author.keys or author.reporter_keys:
            more = True
            while more:
                part, more = _slice(session, secret_keys, author, erasure.erased_at, erasure.actor)
                done += part
    return done


def _key(author_id: str | None, email: str | None) -> str:
    return author_key(NewComment(
        external_id="", body="", format="plain", author_name="", author_email=email, author_url=None,
        author_id=author_id, article_url="",
    ))  # fmt: skip


def _hashes(secret_keys: Sequence[str], site_id: str, key: str) -> set[str]:
    said = f"erasure {site_id} {key}".encode()
    return {hmac.new(secret.encode(), said, hashlib.sha256).hexdigest() for secret in secret_keys}


def _traces(author: Author) -> list[Select[Any]]:
    return [
        select(Comment.id).where(Comment.site_id == author.site_id, Comment.author_key.in_(author.keys)),
        select(Note.id).where(Note.site_id == author.site_id, Note.subject.in_(author.keys)),
        select(AuthorStanding.set_at).where(
            AuthorStanding.site_id == author.site_id, AuthorStanding.author_key.in_(author.keys)
        ),
        select(Report.id).where(Report.site_id == author.site_id, Report.reporter_key.in_(author.reporter_keys)),
    ]


def _enter(session: Session, secret: str, author: Author, actor: str | None, now: int) -> None:
    """First of all, so that it is known whatever happens next; an erasure that is repeated counts until now."""
    for key in sorted(author.keys | author.reporter_keys):
        (entry,) = _hashes([secret], author.site_id, key)
        session.add(
            Erasure(id=new_id(), site_id=author.site_id, author_hash=entry, erased_at=now, actor=actor)
        )  # fmt: skip
    record_audit(session, "author.erased", site_id=author.site_id, actor=actor)


def _slice(
    session: Session,
    secret_keys: Sequence[str],
    author: Author,
    until: int,
    actor: str | None,
    *,
    at_once: int | None = None,
) -> tuple[int, bool]:
    """The next comments and what else is known; returns how many comments there were, and whether more is left."""
    now, at_once = now_ms(), at_once or _AT_ONCE
    more = _forget_person(session, author, until, actor, now)
    comments: list[Comment] = []
    for key in sorted(author.keys):  # one by one: of several an index gives no order, and all would be read each time
        mine = Comment.site_id == author.site_id, Comment.author_key == key, Comment.received_at <= until
        query = select(Comment).where(*mine).order_by(Comment.id).limit(at_once - len(comments)).with_for_update()
        comments += session.scalars(query)
        if len(comments) == at_once:
            break
    intake.withdraw_all(session, comments, now)
    empty(session, secret_keys, comments)
    return len(comments), more or len(comments) == at_once


def _forget_person(session: Session, author: Author, until: int, actor: str | None, now: int) -> bool:
    """What is known besides comments; True means that more is left."""
    site = author.site_id
    session.execute(delete(Note).where(Note.site_id == site, Note.subject.in_(author.keys), Note.created_at <= until))
    session.execute(delete(AuthorStanding).where(
        AuthorStanding.site_id == site, AuthorStanding.author_key.in_(author.keys), AuthorStanding.set_at <= until
    ))  # fmt: skip
    reports = select(Report).where(
        Report.site_id == site, Report.reporter_key.in_(author.reporter_keys), Report.created_at <= until
    )
    made = session.scalars(reports.limit(_AT_ONCE)).all()
    for report in made:
        report.reporter_key, report.reporter, report.text = report.id, None, None
    session.flush()
    about = select(AuditEvent.id).where(audited(author), AuditEvent.at <= until)
    ids = session.scalars(about.limit(_AT_ONCE)).all()
    if ids:
        audit_chain.erase(session, ids, actor, now)
    return _AT_ONCE in (len(made), len(ids))
