"""Pending comments -> decisions, in batches, each exactly once whatever dies.

A worker leases comments, scores them without holding a transaction, and writes the decisions for those
that are still its own. A lease that runs out, or whose process is gone, goes back to the queue.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import and_, select, update
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import OUTCOME_OF, Source, Status
from moderation.scoring import Classifier, Judged, ScorerDied
from moderation.services import background, fingerprints, leases, policies
from moderation.services.background import Background
from moderation.services.leases import Holder, Leased
from moderation.services.policies import CompiledPolicy
from moderation.services.record import record
from moderation.services.rulings import Ruling, Subject, held_unscored
from moderation.services.second_thread import SecondThread
from moderation.services.verdicts import signal_row, verdict
from moderation.store.queries import one_of
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment

log = logging.getLogger(__name__)

FAILURES_ALONE = 3
# Characters that are scored and written as one, so that what is in hand, three at most, can't outlive its lease.
_PIECE = 100_000


class Written(NamedTuple):
    """How many of a batch were decided, and what was leased in the same transaction."""

    decided: int
    leased: Sequence[Leased]


@dataclass(frozen=True)
class Scored:
    """A leased comment and what the classifier says; None means that it failed on it."""

    comment: Leased
    judged: Judged | None


def drain(
    store: Store,
    classifier: Classifier,
    owner: str,
    *,
    lease_ms: int,
    until: Callable[[], bool],
    after_batch: Callable[[], None],
    full: Callable[[], object] = lambda: None,
) -> int:
    """Decides pending comments until none is left or `until()` says stop; returns how many were decided.

    A batch is written while the next one is scored. What is in hand is decided before this returns, and let go where
    it fails. `after_batch` is called beside the scorer, `full` when a whole batch was there to take, so that more
    may be waiting.
    """
    decided, holder = 0, Holder(owner, lease_ms)

    def write(scored: Sequence[Scored], *, more: bool) -> Written:
        leased: list[Leased] = []
        take = (lambda session: leased.extend(holder.take_more(session))) if more else None
        written = Written(decide_scored(store, classifier, owner, scored, first=take), leased)
        after_batch()
        return written

    with _letting_go(store, owner), SecondThread[Written]() as second:
        while True:
            with store.write() as session:
                leased: Sequence[Leased] = holder.take(session)
            if not leased:
                return decided
            hand = deque(_pieces(leased))
            while hand or second.busy:
                if len(leased) >= leases.BATCH:
                    full()
                scored = score_in_halves(classifier, hand.popleft()) if hand else []
                written = second.wait() or Written(0, ())
                decided, leased = decided + written.decided, written.leased
                hand.extend(_pieces(leased))
                if scored:
                    second.begin(partial(write, scored, more=len(hand) < 2 and not until()))
            if until():
                return decided


@contextmanager
def _letting_go(store: Store, owner: str) -> Iterator[None]:
    """What is in hand when this fails or is stopped goes back at once; only the scorer's death is held against it."""
    try:
        yield
    except BaseException as error:
        with suppress(Exception), store.write() as session:
            if isinstance(error, ScorerDied):
                leases.give_back(session, [owner])
            else:
                leases.let_go(session, owner)
        raise


def _pieces(leased: Sequence[Leased]) -> Iterator[list[Leased]]:
    piece: list[Leased] = []
    size = 0
    for comment in leased:
        piece.append(comment)
        size += len(comment.source)
        if size >= _PIECE or len(piece) == leases.BATCH:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def decide_scored(
    store: Store, classifier: Classifier, owner: str, scored: Sequence[Scored],
    *, first: Callable[[Session], None] | None = None,
) -> int:  # fmt: skip
    """Decides leased comments that the classifier has looked at; returns how many were decided.

    `first` is done in the same transaction, before locks are taken that others wait for.
    """
    failed = [one.comment for one in scored if one.judged is None and classifier.scorer is not None]
    tried = [comment for comment in failed if comment.deaths < leases.ENOUGH]
    again = {comment.id for comment in tried if comment.attempts + 1 < FAILURES_ALONE}
    with store.read() as session:
        current = _policies(session, scored)
    fingerprints.keep(store, [one.comment for one in scored], current, now_ms())
    with store.read() as session:
        rulings = _verdicts(session, classifier, current, [one for one in scored if one.comment.id not in again])
    with store.write() as session:
        if again:
            _count_failure(session, owner, again)
        if first:
            first(session)
        return _write(session, owner, rulings)


def ruling(session: Session, classifier: Classifier, one: Scored) -> Ruling:
    """What the policy says of a comment that is not stored yet."""
    return _verdicts(session, classifier, _policies(session, [one]), [one])[one.comment.id]


def decide_new(session: Session, comment_id: str, ruling: Ruling, now: int) -> None:
    """Decides a comment that this same transaction has inserted."""
    comment = session.get_one(Comment, comment_id)
    policy = policies.current(session, comment.site_id)
    fingerprints.keep_all(session, [leases.of(comment)], {comment.site_id: policy}, now)
    record(session, [_for_comment(ruling, comment)], now)


def score_in_halves(classifier: Classifier, leased: Sequence[Leased]) -> list[Scored]:
    """Scores a batch; one that fails is tried again in halves, down to the comment that can't be scored.

    A comment with which enough processes have died is not looked at any more.
    """
    if classifier.scorer is None or any(one.deaths >= leases.ENOUGH for one in leased[:1]):  # such a one comes alone
        return [Scored(comment, None) for comment in leased]
    try:
        judged = classifier.judge([comment.body.text for comment in leased])
    except Exception as error:  # whatever a scorer raises must not stop the queue
        if len(leased) == 1:
            log.error("a comment can't be scored: %s", type(error).__name__, extra={"comment_id": leased[0].id})
            return [Scored(leased[0], None)]
        middle = len(leased) // 2
        return score_in_halves(classifier, leased[:middle]) + score_in_halves(classifier, leased[middle:])
    return [Scored(comment, one) for comment, one in zip(leased, judged, strict=True)]


def _policies(session: Session, scored: Sequence[Scored]) -> dict[str, CompiledPolicy]:
    return {site: policies.current(session, site) for site in {one.comment.site_id for one in scored}}


def _verdicts(
    session: Session, classifier: Classifier, current: dict[str, CompiledPolicy], scored: Sequence[Scored]
) -> dict[str, Ruling]:
    """Comment id -> what to decide; the comment in it is a placeholder until the write has locked the row."""
    backgrounds = background.gather(session, [one.comment for one in scored], current, now_ms())
    rulings = {}
    for one, known in zip(scored, backgrounds, strict=True):
        comment = one.comment
        policy = current[comment.site_id]
        try:
            rulings[comment.id] = _ruling(classifier, policy, one, known)
        except Exception as error:  # a check that fails must hold this comment and no other
            log.error("a comment can't be checked: %s", type(error).__name__, extra={"comment_id": comment.id})
            rulings[comment.id] = held_unscored(Subject(comment.id, comment.revision), policy.version, "not_scored")
    return rulings


def _ruling(classifier: Classifier, policy: CompiledPolicy, one: Scored, known: Background) -> Ruling:
    comment = one.comment
    judged = one.judged
    answer = verdict(policy, comment.body.text, judged, known)
    return Ruling(
        Subject(comment.id, comment.revision), answer.outcome, Source.POLICY,
        # Also where the language is not served: the classifier did look, and there is nothing to do anew.
        policy_version=policy.version, scorer=classifier.name if judged else None,
        scores=(judged.scores if judged else None) or {},
        signals=[signal_row(classifier, signal, comment.body, comment.source) for signal in answer.signals],
        risk=round(answer.risk, 6), language=judged.language if judged else None,
    )  # fmt: skip


def _mine(session: Session, owner: str, ids: Sequence[str]) -> Any:
    return and_(one_of(session, Comment.id, ids), Comment.status == Status.PENDING, Comment.lease_owner == owner)


def _count_failure(session: Session, owner: str, ids: set[str]) -> None:
    session.execute(
        update(Comment)
        .where(_mine(session, owner, sorted(ids)))
        .values(attempts=Comment.attempts + 1, lease_owner=None, lease_until=None)
        .execution_options(synchronize_session=False)
    )


def _write(session: Session, owner: str, rulings: dict[str, Ruling]) -> int:
    """Writes the verdicts of the comments that are still pending, unedited and leased to this worker."""
    rows = select(*_SUBJECT).where(_mine(session, owner, sorted(rulings))).with_for_update()
    final = [
        _for_comment(rulings[subject.id], subject)
        for subject in (Subject(*row) for row in session.execute(rows))
        if rulings[subject.id].comment.revision == subject.revision
    ]
    record(session, final, now_ms(), publish=True)
    return len(final)


_SUBJECT = [getattr(Comment, name) for name in Subject._fields]


def _for_comment(ruling: Ruling, comment: Comment | Subject) -> Ruling:
    """An old comment keeps the status that it had at its site: history and label, no event, no queue."""
    ruling.comment = comment
    if imported := comment.imported_status:
        ruling.outcome, ruling.source, ruling.event = OUTCOME_OF[Status(imported)], Source.SITE, False
    return ruling
