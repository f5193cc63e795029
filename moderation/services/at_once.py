"""A comment that is decided in the process that received it, for callers that wait for the answer.

It joins the queue like any other, with the decision that the code of the workers makes. The scores come first, without
the database's writer; then one transaction stores comment and decision, so that no worker ever sees it pending.
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from moderation import metrics
from moderation.domain.lifecycle import STATUS_AFTER, Outcome, Status
from moderation.domain.policy import evaluate
from moderation.domain.verdict import Facts
from moderation.scoring import Classifier
from moderation.services import background, decide, intake, leases, policies
from moderation.services.intake import NewComment
from moderation.services.leases import Leased
from moderation.services.rulings import Ruling
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
    fails on it alone: it is pending then, and left to the workers. `shut` says that the same words were approved
    before, and that nothing gets in now by that."""

    said: Said
    ruling: Ruling | None = None
    shut: bool = False


def look(store: Store, classifier: Classifier, site_id: str, comment: NewComment, *, edit: bool = False) -> Looked:
    """What stands on the comment if it came before, else what the policy says; nothing is written.

    An `edit` is of a comment that was there before: no article is closed to it, and no slow mode is on.
    """
    one = leases.unstored(site_id, comment, edit=edit)
    with store.read() as session:
        if known := _known(session, site_id, comment.external_id):
            shut = _shut(session, one) if known.status == Status.APPROVED else None
            return Looked(shut or known, shut=shut is not None)
    (scored,) = decide.score_in_halves(classifier, [one])
    if scored.judged is None and classifier.scorer is not None:
        return Looked(Said(Status.PENDING))
    with store.read() as session:
        ruling = decide.ruling(session, classifier, scored)
    return Looked(_said(ruling.outcome, ruling.signals, None), ruling)


def keep(store: Store, site_id: str, comment: NewComment, looked: Looked) -> Said:
    """Stores the comment with its decision, unless it came before; gives what stands."""
    if looked.shut:
        return looked.said
    with store.write() as session:
        now = now_ms()
        (result,) = intake.submit(session, site_id, [comment], now)
        if result.created and looked.ruling:
            decide.decide_new(session, result.id, looked.ruling, now)
        said = _known(session, site_id, comment.external_id) or looked.said
    if result.created:
        metrics.accepted("drop_in")
    return said


def _shut(session: Session, one: Leased) -> Said | None:
    """What people said once for all that keeps out even what was approved before; None where nothing does."""
    (known,) = background.gather(session, [one], {one.site_id: policies.current(session, one.site_id)}, now_ms())
    verdict = evaluate((), Facts(
        one.body.text, {}, standing=known.standing, article_closed=known.closed, article_held=known.hold_all,
        site_held=known.around.site_held, slow_mode=known.around.slow_mode,
    ))  # fmt: skip
    if verdict.outcome is Outcome.APPROVE:
        return None
    return Said(STATUS_AFTER[verdict.outcome], frozenset(signal.rule for signal in verdict.signals if signal.decided))


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
