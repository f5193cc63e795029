"""Authors' appeals: one for each rejection, decided by somebody else than who rejected."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Outcome, Role, Source, Status, may_decide
from moderation.domain.voices import AppealOutcome
from moderation.errors import Conflict, Forbidden, Invalid, NotFound
from moderation.services.accounts import Person
from moderation.services.audit import record_audit
from moderation.services.history import in_effect, standing
from moderation.services.intake import find
from moderation.services.paging import Paged, Place, paged
from moderation.services.queue_order import Key
from moderation.services.record import record
from moderation.services.rulings import Made, Ruling
from moderation.services.settle import appeal_event
from moderation.services.statements import shown
from moderation.services.views import comment_view, iso
from moderation.store.people import Membership, Moderator
from moderation.store.queries import insert_new, insert_rows
from moderation.store.session import new_id
from moderation.store.tables import Article, Comment, Decision, Event
from moderation.store.voices import Appeal

TEXT_LENGTH = 2000


def file(session: Session, decision_id: str, text: str, now: int) -> None:
    """Keeps an author's appeal against the rejection that a statement is about.

    Raises NotFound for a statement that is none, Invalid for an empty or a long text, Conflict when there can't be
    an appeal: one was made, it is too late, or the rejection stands no more.
    """
    text = text.replace("\r\n", "\n").strip()
    if not 0 < len(text) <= TEXT_LENGTH or "\0" in text:
        raise Invalid(f"text: write between 1 and {TEXT_LENGTH} letters", extra={"field": "text"})
    about = shown(session, decision_id, now)
    comment = find(session, about.comment.site_id, about.comment.id, lock=True)
    session.refresh(comment)
    about = shown(session, decision_id, now)
    if not about.may_appeal(now):
        raise Conflict("there can be no appeal against this decision now", code="not_appealable")
    first = in_effect(session, about.decision)
    (id,) = insert_new(session, Appeal, [{
        "id": new_id(), "site_id": comment.site_id, "comment_id": comment.id, "decision_id": first.id, "text": text,
        "created_at": now, "outcome": None, "answer": None, "answered_by": None, "answered_at": None,
        "ruling_id": None, "event_id": None,
    }])  # fmt: skip
    record_audit(session, "appeal.filed", site_id=comment.site_id, subject_id=comment.id,
                 data={"appeal": id, "decision": first.id})  # fmt: skip


@dataclass(frozen=True)
class Waiting:
    """An open appeal with what it is about. `by` is who rejected, None for the policy; `barred` says why the person
    who looks may not decide it, None when they may."""

    appeal: Appeal
    comment: Comment
    article: Article
    decision: Decision
    by: str | None
    barred: str | None

    def view(self) -> dict[str, Any]:
        """The same as the moderators' API gives it."""
        comment, decision = self.comment, self.decision
        return {
            "id": self.appeal.id, "text": self.appeal.text, "created_at": iso(self.appeal.created_at),
            "comment": {
                "id": comment.id, "external_id": comment.external_id, "status": comment.status, "body": comment.body,
                "format": comment.format, "author_name": comment.author_name, "article_url": self.article.url,
            },
            "ruling": {"source": decision.source, "by": self.by, "reason": decision.reason, "note": decision.note,
                       "decided_at": iso(decision.decided_at)},
            "may_decide": self.barred is None,
        }  # fmt: skip


def listed(session: Session, person: Person, limit: int = 50) -> Sequence[Waiting]:
    """Open appeals at the person's site, oldest first."""
    return page(session, person, Place(limit)).rows


def page(session: Session, person: Person, place: Place) -> Paged[Waiting]:
    """A page of the same list. Raises Invalid for what is no cursor of it."""
    query = (
        select(Appeal, Comment, Article, Decision, Moderator.name)
        .join(Comment, Comment.id == Appeal.comment_id)
        .join(Article, Article.id == Comment.article_id)
        .join(Decision, Decision.id == Appeal.decision_id)
        .outerjoin(Moderator, Moderator.id == Decision.actor)
        .where(Appeal.site_id == person.site_id, Appeal.outcome.is_(None))
    )
    found = paged(session, query, (Key(Appeal.id, False),), place)
    rows = [
        Waiting(appeal, comment, article, decision, name or (decision.actor and "somebody who has left"),
                _barred(session, person, comment, decision))
        for appeal, comment, article, decision, name, _key in found.rows
    ]  # fmt: skip
    return Paged(rows, found.next, found.previous)


def count(session: Session, site_id: str) -> int:
    """How many appeals are open."""
    query = select(func.count()).select_from(Appeal).where(Appeal.site_id == site_id, Appeal.outcome.is_(None))
    return session.scalar(query) or 0


def decide(session: Session, person: Person, appeal_id: str, *, outcome: str, answer: str | None, now: int) -> Appeal:
    """Upholds the rejection, or overturns it and publishes the comment.

    Raises NotFound, Invalid without an answer where one is due, Forbidden for whoever rejected it, Conflict when it
    was decided meanwhile.
    """
    answer = (answer or "").replace("\r\n", "\n").strip() or None
    _check(outcome, answer)
    appeal = session.scalar(select(Appeal).where(Appeal.id == appeal_id, Appeal.site_id == person.site_id))
    if appeal is None:
        raise NotFound("there is no such appeal")
    comment = find(session, person.site_id, appeal.comment_id, lock=True)
    session.refresh(comment)
    session.refresh(appeal)
    if appeal.outcome is not None or not may_decide(Source.APPEAL, Status(comment.status)):
        raise _decided(session, appeal)
    first = session.get_one(Decision, appeal.decision_id)
    if barred := _barred(session, person, comment, first):
        raise Forbidden(barred, code="own_ruling")
    alone = {"alone": True} if person.id in _rejected_by(session, comment, first) else {}
    appeal.outcome, appeal.answer = AppealOutcome(outcome), answer
    appeal.answered_by, appeal.answered_at = person.id, now
    session.flush()
    old = session.get(Decision, comment.decision_id) if comment.decision_id else None
    decision: Decision | Made | None = old
    if outcome == AppealOutcome.OVERTURN:
        decision = _publish(session, comment, person, old, now)
        appeal.ruling_id = decision.id
    row = appeal_event(comment, appeal, comment_view(comment, decision), now)
    session.flush()
    insert_rows(session, Event, [row])
    record_audit(session, "appeal.decided", site_id=comment.site_id, subject_id=comment.id, actor=person.id,
                 data={"appeal": appeal.id, "outcome": outcome} | alone)  # fmt: skip
    return appeal


def _check(outcome: str, answer: str | None) -> None:
    if outcome not in (AppealOutcome.UPHOLD, AppealOutcome.OVERTURN):
        raise Invalid("outcome must be uphold or overturn", extra={"field": "outcome"})
    if outcome == AppealOutcome.UPHOLD and not answer:
        raise Invalid("say to the author why the rejection stands", extra={"field": "answer"})
    if answer and (len(answer) > TEXT_LENGTH or "\0" in answer):
        raise Invalid(f"answer: {TEXT_LENGTH} letters at most", extra={"field": "answer"})


def _publish(session: Session, comment: Comment, person: Person, old: Decision | None, now: int) -> Made:
    """The comment is approved by the appeal."""
    (decision,) = record(session, [Ruling(
        comment, Outcome.APPROVE, Source.APPEAL, actor=person.id,
        policy_version=old.policy_version if old else None, scorer=old.scorer if old else None,
        scores=dict(old.scores) if old else {},
    )], now)  # fmt: skip
    session.refresh(comment)
    return decision


def _rejected_by(session: Session, comment: Comment, first: Decision) -> set[str | None]:
    """The moderators who rejected it: at first, and anew since."""
    by = (first, standing(session, comment))
    return {decision.actor for decision in by if decision and decision.source == Source.MODERATOR}


def _barred(session: Session, person: Person, comment: Comment, first: Decision) -> str | None:
    """Why this person may not decide it: they rejected it themselves, and somebody else is there who could."""
    if person.id not in _rejected_by(session, comment, first):
        return None
    others = session.scalar(select(func.count()).select_from(Membership).where(
        Membership.site_id == person.site_id, Membership.moderator_id != person.id
    ))  # fmt: skip
    if others == 0 and person.role is Role.ADMIN:
        return None
    return "you rejected this comment yourself; another moderator decides the appeal"


def _decided(session: Session, appeal: Appeal) -> Conflict:
    by = session.get(Moderator, appeal.answered_by) if appeal.answered_by else None
    said = f"this appeal was decided by {by.name}" if by else "the comment is not rejected any more"
    return Conflict(
        said, code="decided_since", extra={"id": appeal.id, "by": by.name if by else None, "action": appeal.outcome},
    )  # fmt: skip
