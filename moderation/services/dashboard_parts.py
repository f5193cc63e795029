"""What the dashboard shows besides decisions: reports and appeals, the webhook, the workers."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Outcome, Source, Status
from moderation.domain.shares import Rulings
from moderation.domain.voices import AppealOutcome, ReportOutcome
from moderation.store.tables import Comment, Decision, Delivery, Site, WorkerState
from moderation.store.voices import Appeal, Report

_DAY = 86_400_000
# Beyond this many it matters no more how many.
COUNTED = 10_000


@dataclass(frozen=True)
class Share:
    """`count` of `of`; the share with its 95 % interval is None while there are too few to tell."""

    count: int
    of: int
    share: float | None
    low: float | None
    high: float | None


def share(count: int, of: int) -> Share:
    """The share of `count` in `of`."""
    counted = Rulings(approved=of - count, rejected=count)
    return Share(count, of, counted.share, *counted.interval) if counted.enough else Share(count, of, None, None, None)


@dataclass(frozen=True)
class Voices:
    """Reports or appeals of the span; `granted`: how many were found right, of those that were decided.

    `moot` ones had lost their object before.
    """

    made: int
    open: int
    moot: int
    granted: Share


@dataclass(frozen=True)
class Webhook:
    """`set`: the site has one. `waiting` deliveries are due or wait to be tried again (COUNTED at most), `retried` of
    them had a try; of the events of the last day `failed` were not taken at their last try, `given_up` for good."""

    set: bool
    waiting: int
    retried: int
    failed: int
    given_up: int
    last_success_at: int | None
    last_status: int | None
    last_error: str | None


@dataclass(frozen=True)
class Worker:
    """A worker's last sign of life, and whether its classifier works; its machine's name is nobody's business."""

    seen_at: int
    scorer: str
    scorer_works: bool


def automatic(session: Session, site_id: str, since: int, until: int) -> dict[str, int]:
    """What the policy decided by itself, by outcome."""
    rows = session.execute(
        select(Decision.action, func.count())
        .where(Decision.site_id == site_id, Decision.source == Source.POLICY, Decision.action.in_(list(Outcome)),
               Decision.decided_at >= since, Decision.decided_at < until)
        .group_by(Decision.action)
    )  # fmt: skip
    counts = {row[0]: row[1] for row in rows}
    return {str(outcome): counts.get(outcome, 0) for outcome in Outcome}


def statuses(session: Session, site_id: str, since: int) -> dict[str, int]:
    """The comments that came in since, by where they stand."""
    # Ids begin with the time of their making, so for each status this is one range of an index.
    rows = session.execute(
        select(Comment.status, func.count())
        .where(Comment.site_id == site_id, Comment.status.in_(list(Status)), Comment.id >= f"{since:012x}")
        .group_by(Comment.status)
    )
    counts = {row[0]: row[1] for row in rows}
    return {str(status): counts.get(status, 0) for status in Status}


def reports(session: Session, site_id: str, since: int) -> Voices:
    """Readers' reports; one that is upheld was right."""
    return _voices(_outcomes(session, Report, site_id, since), ReportOutcome.UPHELD, ReportOutcome.DISMISSED)


def appeals(session: Session, site_id: str, since: int) -> Voices:
    """Authors' appeals; one that overturned the rejection was right."""
    return _voices(_outcomes(session, Appeal, site_id, since), AppealOutcome.OVERTURN, AppealOutcome.UPHOLD)


def _voices(outcomes: dict[str, int], granted: str, refused: str) -> Voices:
    yes, no, waits = outcomes.get(granted, 0), outcomes.get(refused, 0), outcomes.get("", 0)
    made = sum(outcomes.values())
    return Voices(made, waits, made - yes - no - waits, share(yes, yes + no))


def _outcomes(session: Session, table: type[Report] | type[Appeal], site_id: str, since: int) -> dict[str, int]:
    """Reports or appeals made since, by what became of them; an empty outcome is open."""
    rows = session.execute(
        select(table.outcome, func.count())
        .where(table.id >= f"{since:012x}", table.site_id == site_id)  # ids begin with the time of their making
        .group_by(table.outcome)
    )
    return {row[0] or "": row[1] for row in rows}


def webhook(session: Session, site_id: str, now: int) -> Webhook:
    """How the deliveries to the site's webhook go."""
    mine = Delivery.site_id == site_id
    waiting = select(Delivery.attempts).where(mine, Delivery.next_at > 0).limit(COUNTED)  # so that its index is taken
    attempts = session.scalars(waiting).all()
    tried = select(Delivery.last_status, Delivery.last_error).where(mine, Delivery.attempts > 0)
    last = session.execute(tried.order_by(Delivery.event_id.desc()).limit(1)).first()
    taken = select(Delivery.delivered_at).where(mine, Delivery.delivered_at.is_not(None))
    of_last_day = select(Delivery.next_at).where(
        mine, Delivery.event_id >= f"{now - _DAY:012x}", Delivery.attempts > 0, Delivery.delivered_at.is_(None)
    )
    failed = session.scalars(of_last_day).all()
    return Webhook(
        set=session.get_one(Site, site_id).webhook_url is not None,
        waiting=len(attempts), retried=sum(count > 0 for count in attempts),
        failed=len(failed), given_up=sum(at is None for at in failed),
        last_success_at=session.scalar(taken.order_by(Delivery.event_id.desc()).limit(1)),
        last_status=last.last_status if last else None, last_error=last.last_error if last else None,
    )  # fmt: skip


def workers(session: Session) -> Sequence[Worker]:
    """The workers of this installation that have shown themselves in the last day, the newest sign first."""
    states = session.scalars(select(WorkerState).order_by(WorkerState.seen_at.desc())).all()
    return [Worker(state.seen_at, state.scorer, state.scorer_error is None) for state in states]
