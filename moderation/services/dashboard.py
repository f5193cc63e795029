"""How moderation goes at a site, in figures over a span of time. Reads only; what was undone is not counted.

Times and durations are in milliseconds. Rulings are what people decided: moderators, the site's own staff, appeals.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from sqlalchemy import ColumnElement, case, exists, func, select
from sqlalchemy.orm import Session, aliased

from moderation.domain import figures
from moderation.domain.figures import FEWEST_PEOPLE
from moderation.domain.lifecycle import REJECT_REASONS, Outcome, Source, Status
from moderation.services import dashboard_parts as parts
from moderation.services.dashboard_parts import Share, Voices, Webhook, Worker, share
from moderation.store.tables import Comment, Decision, HoldReason

_HOUR, _DAY = 3_600_000, 86_400_000
# Name -> (length of a bar, how many bars); the newest is the hour or day that runs.
SPANS = {"24h": (_HOUR, 24), "7d": (_DAY, 7), "30d": (_DAY, 30)}

# The reason of a rejection whose reason is not ours: the site's staff write what they like.
ELSEWHERE = "elsewhere"

# So many rulings of a kind (by a moderator, approved; and so on) are looked at one by one, the newest.
MOST = 5_000

_BY_PEOPLE = (Source.MODERATOR, Source.SITE, Source.APPEAL)
_FINAL = (Outcome.APPROVE, Outcome.REJECT)


@dataclass(frozen=True)
class Span:
    """A stretch of time up to now, cut into bars of whole hours or days (UTC)."""

    name: str
    since: int
    until: int
    step: int

    @property
    def starts(self) -> range:
        """Where each bar begins."""
        return range(self.since, self.until, self.step)


def span(name: str, now: int) -> Span:
    """One of SPANS; KeyError for another name."""
    step, bars = SPANS[name]
    return Span(name, now - now % step - (bars - 1) * step, now, step)


@dataclass(frozen=True)
class Queue:
    """How many comments are held now, and since when the oldest of them has been here."""

    waiting: int
    oldest_at: int | None


@dataclass(frozen=True)
class Bar:
    """What was held and what people decided from `at` on, and the median time from one to the other."""

    at: int
    held: int
    decided: int
    median_ms: int | None


@dataclass(frozen=True)
class Waits:
    """From held to decided, over all that was decided."""

    decided: int
    median_ms: int | None
    p90_ms: int | None


@dataclass(frozen=True)
class Pace:
    """Median of the sessions' median times per decision: of the team, from three people on, and of who asks."""

    people: int
    sessions: int
    team_ms: int | None
    own_sessions: int
    own_ms: int | None


@dataclass(frozen=True)
class Rule:
    """`held` comments of the span were stopped by this rule; `overturned`: approved of what moderators ruled on."""

    rule: str
    held: int
    of_comments: float
    overturned: Share


@dataclass(frozen=True)
class Dashboard:
    """All of it. `reasons` are rejections by reason, `automatic` verdicts of the policy by outcome, `statuses` comments
    of the span by where they stand.

    Waits, pace, reasons and what was overturned are of the rulings since `looked_since`: of the whole span, unless
    there were too many to look at each.
    """

    span: Span
    looked_since: int
    queue: Queue
    flow: Sequence[Bar]
    waits: Waits
    pace: Pace
    reasons: dict[str, int]
    rules: Sequence[Rule]
    automatic: dict[str, int]
    statuses: dict[str, int]
    reports: Voices
    appeals: Voices
    webhook: Webhook
    workers: Sequence[Worker]


class _Ruled(NamedTuple):
    at: int
    action: str
    source: str
    reason: str | None
    actor: str | None
    batch: str | None
    waited: int | None  # None: it was not held


def dashboard(session: Session, site_id: str, person_id: str, span: Span, most: int = MOST) -> Dashboard:
    """The figures of a site, for one of its people; at `most` so many rulings of a kind are looked at one by one."""
    rulings, looked_since = _rulings(session, site_id, span, most)
    statuses = parts.statuses(session, site_id, span.since)
    waited = [ruled.waited for ruled in rulings if ruled.waited is not None]
    since, until = span.since, span.until
    return Dashboard(
        span=span, looked_since=looked_since, queue=_queue(session, site_id),
        flow=_flow(session, site_id, rulings, span),
        waits=Waits(len(waited), figures.median(waited), figures.p90(waited)), pace=_pace(rulings, person_id),
        reasons=_reasons(rulings), rules=_rules(session, site_id, span, looked_since, sum(statuses.values())),
        automatic=parts.automatic(session, site_id, since, until), statuses=statuses,
        reports=parts.reports(session, site_id, since), appeals=parts.appeals(session, site_id, since),
        webhook=parts.webhook(session, site_id, until), workers=parts.workers(session),
    )  # fmt: skip


def _queue(session: Session, site_id: str) -> Queue:
    held = select(Comment).where(Comment.site_id == site_id, Comment.status == Status.HELD)
    waiting = session.scalar(held.with_only_columns(func.count())) or 0
    return Queue(waiting, session.scalar(held.with_only_columns(Comment.received_at).order_by(Comment.id).limit(1)))


_after = aliased(Decision)


def _people_ruled(since: int, until: int) -> tuple[ColumnElement[bool], ...]:
    """Decisions by people that said yes or no in this time; taken back or not.

    What came in with its decision (an import) replaces nothing and is no ruling.
    """
    return (
        Decision.source.in_(_BY_PEOPLE), Decision.action.in_(_FINAL), Decision.decided_at >= since,
        Decision.decided_at < until, Decision.replaces.is_not(None), Decision.undoes.is_(None),
    )  # fmt: skip


def _standing(site_id: str, since: int, until: int) -> tuple[ColumnElement[bool], ...]:
    """Those of a site that nobody took back."""
    return (Decision.site_id == site_id, *_people_ruled(since, until), ~exists().where(_after.undoes == Decision.id))


def _rulings(session: Session, site_id: str, span: Span, most: int) -> tuple[list[_Ruled], int]:
    """In the order of time, from a time on that is given back: no kind of ruling has more than `most` of them since.

    Each costs a look at the decision before it, so an endless span would take endless time.
    """
    before, hold = aliased(Decision), aliased(Decision)
    held_first = (
        select(func.max(hold.decided_at))
        .where(hold.comment_id == Decision.comment_id, hold.id < Decision.id, hold.action == Outcome.HOLD,
               hold.source.in_([Source.POLICY, Source.REPORT]))
        .correlate(Decision).scalar_subquery()
    )  # fmt: skip
    # Escalated, or held anew by an undo: the wait began with the hold before that.
    direct = before.source.in_([Source.POLICY, Source.REPORT])
    held_at = case((direct, before.decided_at), else_=func.coalesce(held_first, before.decided_at))
    waited = case((before.action == Outcome.HOLD, Decision.decided_at - held_at))
    newest = (
        select(Decision.decided_at, Decision.action, Decision.source, Decision.reason, Decision.actor, Decision.batch,
               waited)
        .join(before, before.id == Decision.replaces)
        .where(*_standing(site_id, span.since, span.until))
        .order_by(Decision.decided_at.desc()).limit(most)
    )  # fmt: skip
    found: list[_Ruled] = []
    since = span.since
    for source, action in product(_BY_PEOPLE, _FINAL):  # one at a time: then an index has them in order
        rows = session.execute(newest.where(Decision.source == source, Decision.action == action)).all()
        found += [_Ruled(*row) for row in rows]
        if len(rows) == most:
            since = max(since, rows[-1].decided_at)
    return sorted((one for one in found if one.at >= since), key=lambda ruled: ruled.at), since


def _decided(session: Session, site_id: str, span: Span) -> dict[int, int]:
    """Number of the bar -> what people decided in it: all that an index has, less what was taken back."""
    bar = ((Decision.decided_at - span.since) // span.step).label("bar")
    ruled = select(bar, func.count()).where(*_people_ruled(span.since, span.until)).group_by("bar")
    counts = {row[0]: row[1] for row in session.execute(ruled.where(Decision.site_id == site_id))}
    # An undone ruling is younger than the span's beginning, and an id begins with the time of its making. The site is
    # put so that its index is not taken: the few that were undone are found by their ids.
    undone = select(_after.undoes).where(_after.undoes >= f"{span.since:012x}")
    for n, count in session.execute(
        ruled.where(Decision.id.in_(undone), func.coalesce(Decision.site_id, "") == site_id)
    ).all():
        counts[n] -= count
    return counts


def _held(session: Session, site_id: str, span: Span) -> dict[int, int]:
    """Number of the bar -> comments that the policy or a report put into the queue in it."""
    bar = ((Decision.decided_at - span.since) // span.step).label("bar")
    rows = session.execute(
        select(bar, func.count())
        .where(Decision.site_id == site_id, Decision.source.in_([Source.POLICY, Source.REPORT]),
               Decision.action == Outcome.HOLD, Decision.decided_at >= span.since, Decision.decided_at < span.until)
        .group_by("bar")
    )  # fmt: skip
    return {row[0]: row[1] for row in rows}


def _flow(session: Session, site_id: str, rulings: Sequence[_Ruled], span: Span) -> list[Bar]:
    held, decided = _held(session, site_id, span), _decided(session, site_id, span)
    waits: dict[int, list[int]] = defaultdict(list)
    for ruled in rulings:
        if ruled.waited is not None:
            waits[(ruled.at - span.since) // span.step].append(ruled.waited)
    return [
        Bar(at, held.get(n, 0), decided.get(n, 0), figures.median(waits[n])) for n, at in enumerate(span.starts)
    ]  # fmt: skip


def _pace(rulings: Sequence[_Ruled], person_id: str) -> Pace:
    deeds: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for ruled in rulings:
        if ruled.source == Source.MODERATOR and ruled.actor:
            deeds[ruled.actor].append((ruled.at, ruled.batch or ""))
    medians = {actor: found for actor, own in deeds.items() if (found := figures.session_medians(own))}
    everybody = [one for found in medians.values() for one in found]
    own = medians.get(person_id, [])
    team = figures.median(everybody) if len(medians) >= FEWEST_PEOPLE else None
    return Pace(len(medians), len(everybody), team, len(own), figures.median(own))


def _reasons(rulings: Sequence[_Ruled]) -> dict[str, int]:
    given = (r.reason if r.reason in REJECT_REASONS else ELSEWHERE for r in rulings if r.action == Outcome.REJECT)
    return dict(Counter(given).most_common())


def _rules(session: Session, site_id: str, span: Span, looked_since: int, comments: int) -> list[Rule]:
    held = {row[0]: row[1] for row in session.execute(
        select(HoldReason.rule, func.count())
        .where(HoldReason.site_id == site_id, HoldReason.comment_id >= f"{span.since:012x}")
        .group_by(HoldReason.rule)
    )}  # fmt: skip
    before = aliased(Decision)
    ruled: dict[str, Counter[str]] = defaultdict(Counter)
    for rule, action, count in session.execute(
        select(HoldReason.rule, Decision.action, func.count())
        .join(before, before.id == Decision.replaces)
        .join(HoldReason, HoldReason.comment_id == Decision.comment_id)
        .where(*_standing(site_id, looked_since, span.until), Decision.source == Source.MODERATOR,
               before.action == Outcome.HOLD)
        .group_by(HoldReason.rule, Decision.action)
    ):  # fmt: skip
        ruled[rule][action] = count
    return [
        Rule(rule, held.get(rule, 0), held.get(rule, 0) / comments if comments else 0.0,
             share(ruled[rule][Outcome.APPROVE], ruled[rule].total()))
        for rule in sorted({*held, *ruled}, key=lambda rule: (-held.get(rule, 0), rule))
    ]  # fmt: skip
