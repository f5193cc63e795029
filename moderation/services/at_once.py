"""A comment that is decided in the process that received it, for callers that wait for the answer.

It joins the queue like any other, with the decision that the code of the workers makes. The scores come first, without
the database's writer; then one transaction stores comment and decision, so that no worker ever sees it pending.
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import STATUS_AFTER, Outcome, Status
from moderation.scoring import Classifier
from moderation.services import decide, intake, leases
from moderation.services.intake import NewComment
from moderation.services.record import Ruling
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment


@dataclass(frozen=True)
class Said:
    """Where a comment stands and why: attributes, names of rules, or the reason that a person gave, in capitals."""

    status: Status
    reasons: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Looked:
    """What is said of a comment before it is stored. `ruling` is None if it is here already, or if the classifier
    fails on it alone: it is pending then, and left to the workers."""

    said: Said
    ruling: Ruling | None = None


def look(store: Store, classifier: Classifier, site_id: str, comment: NewComment) -> Looked:
    """What stands on the comment if it came before, else what the policy says; nothing is written."""
    with store.read() as session:
        if known := _known(session, site_id, comment.external_id):
            return Looked(known)
    (scored,) = decide.score_in_halves(classifier, [leases.unstored(site_id, comment)])
    if scored.judged is None and classifier.scorer is not None:
        return Looked(Said(Status.PENDING))
    with store.read() as session:
        ruling = decide.ruling(session, classifier, scored)
    return Looked(_said(ruling.outcome, ruling.signals, None), ruling)


def keep(store: Store, site_id: str, comment: NewComment, looked: Looked) -> Said:
    """Stores the comment with its decision, unless it came before; gives what stands."""
    with store.write() as session:
        now = now_ms()
        (result,) = intake.submit(session, site_id, [comment], now)
        if result.created and looked.ruling:
            decide.decide_new(session, result.id, looked.ruling, now)
        return _known(session, site_id, comment.external_id) or looked.said


def _known(session: Session, site_id: str, external_id: str) -> Said | None:
    query = select(Comment).where(Comment.site_id == site_id, Comment.external_id == external_id)
    comment = session.scalar(query.execution_options(populate_existing=True))
    if comment is None:
        return None
    decision = intake.standing_decision(session, comment)
    if decision is None or Status(comment.status) not in STATUS_AFTER.values():
        return Said(Status(comment.status))
    return _said(Outcome(decision.action), decision.signals, decision.reason)


def _said(outcome: Outcome, signals: list[dict[str, object]], by_person: str | None) -> Said:
    reasons = [str(signal.get("attribute") or signal["rule"]) for signal in signals if signal["decided"]]
    return Said(STATUS_AFTER[outcome], frozenset([by_person.upper()] if by_person else reasons))
