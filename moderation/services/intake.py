"""Comments in: submitted, edited, withdrawn. Core inserts only on this path."""

import hashlib
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Outcome, Source, Status, may_decide, may_edit
from moderation.errors import Conflict, NotFound
from moderation.services.audit import audit_row, record_audit
from moderation.services.record import forget_waiting_scores, record, withdrawn_event
from moderation.services.rulings import Made, Ruling
from moderation.services.settle import settle_gone
from moderation.store.audit import AuditEvent
from moderation.store.queries import insert_new, insert_rows, update_rows, upsert
from moderation.store.session import new_id
from moderation.store.tables import Article, Comment, Decision, Event, Revision


@dataclass(frozen=True)
class NewComment:
    """A checked comment from a site; times are milliseconds since 1970 UTC."""

    external_id: str
    body: str
    format: str
    author_name: str
    author_email: str | None
    author_url: str | None
    author_id: str | None
    article_url: str
    article_title: str | None = None
    article_lead: str | None = None
    article_section: str | None = None
    article_published_at: int | None = None
    parent_external_id: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    created_at: int | None = None
    imported_status: str | None = None
    trapped: bool = False


@dataclass(frozen=True)
class Submitted:
    """What became of a submission. `created` False: the same comment was here before; `conflict`: another one was."""

    id: str
    external_id: str
    revision: int
    created: bool
    conflict: bool = False


# An article as a comment tells of it: its id, title, lead, section, when it was published.
ArticleTold = tuple[str, str | None, str | None, str | None, int | None]


def submit(
    session: Session, site_id: str, comments: Sequence[NewComment], now: int, *, told: Container[ArticleTold] = ()
) -> list[Submitted]:
    """Keeps these comments as pending, each at most once for its external id; one answer for each, same order.

    Articles that were `told` of in the same words a moment ago, and kept, are not looked at again.
    """
    rows = [_comment_row(site_id, comment, now) for comment in comments]
    _keep_articles(session, site_id, [comment for comment in comments if article_told(site_id, comment) not in told])
    first = {row["external_id"]: row for row in reversed(rows)}
    # In one order everywhere, so that two batches that share comments can't lock each other out.
    inserted = insert_new(session, Comment, sorted(first.values(), key=lambda row: row["external_id"]))
    if inserted:
        insert_rows(session, AuditEvent, [
            audit_row("comment.received", site_id=site_id, subject_id=id, actor=None, at=now) for id in sorted(inserted)
        ])  # fmt: skip
    return _answers(session, site_id, rows, inserted)


def edit(session: Session, site_id: str, comment_id: str, body: str, now: int) -> Comment:
    """A new body makes the next revision, which is decided anew. Raises NotFound, or Conflict when withdrawn."""
    comment = find(session, site_id, comment_id, lock=True)
    if not may_edit(Status(comment.status)):
        raise Conflict("the comment was withdrawn", code="withdrawn")
    insert_rows(session, Revision, [
        {"comment_id": comment.id, "revision": comment.revision, "body": comment.body, "format": comment.format,
         "replaced_at": now}
    ])  # fmt: skip
    session.execute(
        update(Comment).where(Comment.id == comment.id).values(
            body=body, revision=comment.revision + 1, version=comment.version + 1, status=Status.PENDING.value,
            received_at=now, attempts=0, deaths=0, imported_status=None, decision_id=None, decided_at=None,
            lease_owner=None, lease_until=None, claimed_by=None, claimed_until=None, escalated=False, assigned_to=None,
        )
    )  # fmt: skip
    forget_waiting_scores(session, [comment.id])
    record_audit(session, "comment.edited", site_id=site_id, subject_id=comment.id,
                 data={"revision": comment.revision + 1})  # fmt: skip
    session.refresh(comment)
    settle_gone(session, [comment], now)
    return comment


def withdraw(session: Session, site_id: str, comment_id: str, now: int) -> Comment:
    """Takes a comment back for good; a second time changes nothing. Raises NotFound."""
    comment = find(session, site_id, comment_id, lock=True)
    withdraw_all(session, [comment], now)
    return comment


def withdraw_all(session: Session, comments: Sequence[Comment], now: int) -> None:
    """The same for comments that the caller has locked; those that were taken back before stay as they are."""
    fresh = [comment for comment in comments if comment.status != Status.WITHDRAWN]
    if not fresh:
        return
    ids = [comment.id for comment in fresh]
    update_rows(session, Comment, [
        {"id": comment.id, "status": Status.WITHDRAWN.value, "version": comment.version + 1, "lease_owner": None,
         "lease_until": None, "claimed_by": None, "claimed_until": None, "escalated": False, "assigned_to": None}
        for comment in fresh
    ])  # fmt: skip
    forget_waiting_scores(session, ids)
    insert_rows(session, Event, [withdrawn_event(comment, now) for comment in fresh])
    insert_rows(session, AuditEvent, [
        audit_row("comment.withdrawn", site_id=comment.site_id, subject_id=comment.id, actor=None, at=now)
        for comment in fresh
    ])  # fmt: skip
    session.scalars(select(Comment).where(Comment.id.in_(ids)).execution_options(populate_existing=True)).all()
    settle_gone(session, fresh, now)


def site_decision(
    session: Session, site_id: str, comment_id: str, outcome: Outcome, by: str | None, reason: str | None, now: int
) -> tuple[Comment, Made]:
    """What the site's own staff decided there. Raises NotFound, or Conflict when withdrawn."""
    comment = find(session, site_id, comment_id, lock=True)
    if not may_decide(Source.SITE, Status(comment.status)):
        raise Conflict(f"the comment is {comment.status}", code="not_decidable")
    before = session.get(Decision, comment.decision_id) if comment.decision_id else None
    decision = record(session, [Ruling(
        comment, outcome, Source.SITE, actor=by, reason=reason,
        policy_version=before.policy_version if before else None,
        scorer=before.scorer if before else None, scores=before.scores if before else {},
        signals=[{"rule": reason, "decided": True}] if reason else [],
    )], now)[0]  # fmt: skip
    session.refresh(comment)
    return comment, decision


def find(session: Session, site_id: str, comment_id: str, *, lock: bool = False) -> Comment:
    """A comment of this site. Raises NotFound also for another site's."""
    query = select(Comment).where(Comment.id == comment_id, Comment.site_id == site_id)
    comment = session.scalar(query.with_for_update() if lock else query)
    if comment is None:
        raise NotFound("there is no such comment")
    return comment


def find_by_external_id(session: Session, site_id: str, external_id: str) -> Comment:
    """A comment by the site's own id for it. Raises NotFound."""
    comment = session.scalar(
        select(Comment).where(Comment.site_id == site_id, Comment.external_id == external_id)
    )  # fmt: skip
    if comment is None:
        raise NotFound("there is no such comment")
    return comment


def standing_decision(session: Session, comment: Comment) -> Decision | None:
    """The newest decision on the comment's present revision."""
    return session.get(Decision, comment.decision_id) if comment.decision_id else None


def article_id(site_id: str, url: str) -> str:
    """The id of an article follows from its site and address, so that no look-up is needed."""
    return hashlib.blake2b(f"{site_id} {url}".encode(), digest_size=16).hexdigest()


def article_told(site_id: str, comment: NewComment) -> ArticleTold:
    """What this comment tells of its article."""
    return (
        article_id(site_id, comment.article_url), comment.article_title, comment.article_lead,
        comment.article_section, comment.article_published_at,
    )  # fmt: skip


def author_key(comment: NewComment) -> str:
    """Who the author is to the site: its own id for them, else the e-mail address; hashed, as it is an index only."""
    who = f"id:{comment.author_id}" if comment.author_id else f"email:{(comment.author_email or '').strip().casefold()}"
    return hashlib.blake2b(who.encode(), digest_size=32).hexdigest()


def _comment_row(site_id: str, comment: NewComment, now: int) -> dict[str, Any]:
    return {
        "id": new_id(), "site_id": site_id, "external_id": comment.external_id,
        "article_id": article_id(site_id, comment.article_url), "parent_external_id": comment.parent_external_id,
        "author_name": comment.author_name, "author_email": comment.author_email, "author_url": comment.author_url,
        "author_id": comment.author_id, "author_key": author_key(comment), "ip": comment.ip,
        "user_agent": comment.user_agent, "body": comment.body, "format": comment.format, "revision": 1,
        "status": Status.PENDING.value, "version": 1, "created_at": comment.created_at or now, "received_at": now,
        "attempts": 0, "imported_status": comment.imported_status, "lease_owner": None, "lease_until": None,
        "decision_id": None, "decided_at": None, "risk": 0.0, "escalated": False, "trapped": comment.trapped,
        "claimed_by": None, "claimed_until": None,
    }  # fmt: skip


_KNOWN = select(Article.id, Article.title, Article.lead, Article.section, Article.published_at).where(
    Article.id.in_(bindparam("ids", expanding=True))
)


def _keep_articles(session: Session, site_id: str, comments: Sequence[NewComment]) -> None:
    """New articles are added; a title that came later or changed is taken over."""
    if not comments:
        return
    newest = {comment.article_url: comment for comment in comments}
    rows: list[dict[str, Any]] = [
        {"id": article_id(site_id, url), "site_id": site_id, "url": url, "title": comment.article_title,
         "lead": comment.article_lead, "section": comment.article_section, "published_at": comment.article_published_at}
        for url, comment in sorted(newest.items())
    ]  # fmt: skip
    known = {article.id: article for article in session.execute(_KNOWN, {"ids": [row["id"] for row in rows]})}
    for row in rows:
        fields = {name: row[name] for name in ("title", "lead", "section", "published_at") if row[name] is not None}
        old = known.get(row["id"])
        if old is None or any(getattr(old, name) != value for name, value in fields.items()):
            upsert(session, Article, row, ["id"], fields or {"url": row["url"]})


_COMPARED = ("body", "author_name", "author_email", "author_url", "author_id", "article_id", "parent_external_id")


def _answers(session: Session, site_id: str, rows: list[dict[str, Any]], inserted: set[str]) -> list[Submitted]:
    others = [row["external_id"] for row in rows if row["id"] not in inserted]
    before: dict[str, Any] = {}
    if others:
        before = {
            comment.external_id: comment
            for comment in session.execute(
                select(Comment.id, Comment.external_id, Comment.revision, *(getattr(Comment, c) for c in _COMPARED))
                .where(Comment.site_id == site_id, Comment.external_id.in_(others))
            )
        }  # fmt: skip
    answers = []
    for row in rows:
        if row["id"] in inserted:
            answers.append(Submitted(row["id"], row["external_id"], 1, created=True))
            continue
        old = before[row["external_id"]]
        differs = any(getattr(old, name) != row[name] for name in _COMPARED)
        answers.append(Submitted(old.id, old.external_id, old.revision, created=False, conflict=differs))
    return answers
