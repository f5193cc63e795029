"""After an outage: what is held only because nothing could score it goes back to pending and is decided anew."""

from sqlalchemy import Select, bindparam, delete, func, or_, select, update
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import HONEYPOT, MAY_RESCORE, Source, Status
from moderation.services import leases
from moderation.services.audit import audit_row
from moderation.services.decide import FAILURES_ALONE
from moderation.store.audit import AuditEvent
from moderation.store.queries import insert_rows
from moderation.store.tables import Comment, Decision, HoldReason

LIMIT = 1000


def rescore(session: Session, now: int, limit: int = LIMIT) -> int:
    """Puts back up to `limit` such comments, each with an audit event; returns how many.

    Call it only where a scorer works. Left alone is what a moderator or the site ruled on or a moderator has claimed,
    what is held for another reason as well, and what failed by itself. The verdict that follows names the old one.
    """
    rows = session.execute(_held_unscored(now).limit(limit)).all()
    if not rows:
        return 0
    ids = [row.id for row in rows]
    session.execute(delete(HoldReason).where(HoldReason.comment_id.in_(ids)))
    session.execute(
        update(Comment)
        .where(Comment.id.in_(ids))
        # Each time costs one of the tries, so that no comment goes round for ever.
        .values(
            status=Status.PENDING.value, received_at=now, decided_at=None, version=Comment.version + 1,
            attempts=Comment.attempts + 1, claimed_by=None, claimed_until=None,
        )
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    insert_rows(session, AuditEvent, [
        audit_row("comment.rescored", site_id=row.site_id, subject_id=row.id, actor=None, at=now,
                  data={"decision": row.decision_id})
        for row in rows
    ])  # fmt: skip
    return len(ids)


def _held_unscored(now: int) -> Select[str, str, str | None]:
    """Ids of held comments whose standing decision is the policy's, made without scores and for one reason."""
    mine = HoldReason.comment_id == Comment.id
    reasons = select(func.count()).where(mine).correlate(Comment).scalar_subquery()
    trapped = select(HoldReason.rule).where(mine, HoldReason.rule == HONEYPOT).correlate(Comment).exists()
    # Spelt out in the statement, or the partial index would not be used.
    by_policy = Decision.source == bindparam(None, Source.POLICY.value, literal_execute=True)
    return (
        select(Comment.id, Comment.site_id, Comment.decision_id)
        .join(Decision, (Decision.comment_id == Comment.id) & (Decision.id == Comment.decision_id))
        .where(
            by_policy, Decision.scorer.is_(None), Comment.status.in_(MAY_RESCORE), reasons == 1, ~trapped,
            Comment.attempts < FAILURES_ALONE - 1, Comment.deaths < leases.ENOUGH,
            or_(Comment.claimed_until.is_(None), Comment.claimed_until <= now),
        )
        .order_by(Comment.id)
        .with_for_update(skip_locked=True, of=Comment)
    )  # fmt: skip
