"""Pending comments -> decisions, in batches, each exactly once whatever dies.

A worker leases comments, scores them without holding a transaction, and writes the decisions for those
that are still its own. A lease that runs out, or whose process is gone, goes back to the queue.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, case, func, select, update
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import OUTCOME_OF, Outcome, Source, Status
from moderation.domain.policy import Facts, Signal, Verdict, evaluate
from moderation.domain.text import to_utf16
from moderation.scoring import Classifier, Judged
from moderation.services import leases, policies
from moderation.services.facts import find_email_addresses, find_links, find_phone_numbers
from moderation.services.leases import Leased
from moderation.services.plain_text import PlainText
from moderation.services.policies import CompiledPolicy
from moderation.services.record import Ruling, held_unscored, record
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment

log = logging.getLogger(__name__)

FAILURES_ALONE = 3
# Characters that are decided between two renewals of a lease, so that the slowest texts can't outlive it.
_PIECE = 200_000


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
) -> int:
    """Decides pending comments until none is left or `until()` says stop; returns how many were decided."""
    decided = 0
    while True:
        with store.write() as session:
            leased = leases.lease(session, owner, now_ms(), lease_ms)
        if not leased:
            return decided
        for piece in _pieces(leased):
            decided += decide_batch(store, classifier, owner, piece)
            after_batch()
            if len(piece) < len(leased):
                with store.write() as session:
                    leases.renew(session, owner, now_ms() + lease_ms)
        if until():
            return decided


def _pieces(leased: Sequence[Leased]) -> Iterator[list[Leased]]:
    piece: list[Leased] = []
    size = 0
    for comment in leased:
        piece.append(comment)
        size += len(comment.source)
        if size >= _PIECE:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def decide_batch(store: Store, classifier: Classifier, owner: str, leased: Sequence[Leased]) -> int:
    """Scores and decides leased comments; returns how many were decided."""
    return decide_scored(store, classifier, owner, score_in_halves(classifier, leased))


def decide_scored(store: Store, classifier: Classifier, owner: str, scored: Sequence[Scored]) -> int:
    """Decides leased comments that the classifier has looked at; returns how many were decided."""
    failed = [one.comment for one in scored if one.judged is None and classifier.scorer is not None]
    again = {comment.id for comment in failed if comment.attempts + 1 < FAILURES_ALONE}
    with store.read() as session:
        rulings = _verdicts(session, classifier, [one for one in scored if one.comment.id not in again])
    with store.write() as session:
        if again:
            _count_failure(session, owner, again)
        return _write(session, owner, rulings)


def ruling(session: Session, classifier: Classifier, one: Scored) -> Ruling:
    """What the policy says of a comment that is not stored yet."""
    return _verdicts(session, classifier, [one])[one.comment.id]


def decide_new(session: Session, comment_id: str, ruling: Ruling, now: int) -> None:
    """Decides a comment that this same transaction has inserted."""
    record(session, [_for_comment(ruling, session.get_one(Comment, comment_id))], now)


def score_in_halves(classifier: Classifier, leased: Sequence[Leased]) -> list[Scored]:
    """Scores a batch; one that fails is tried again in halves, down to the comment that can't be scored."""
    if classifier.scorer is None:
        return [Scored(comment, None) for comment in leased]
    try:
        judged = classifier.judge([comment.body.text for comment in leased])
    except Exception as error:  # whatever a scorer raises must not stop the queue
        if len(leased) == 1:
            log.error("comment %s can't be scored: %s", leased[0].id, type(error).__name__)
            return [Scored(leased[0], None)]
        middle = len(leased) // 2
        return score_in_halves(classifier, leased[:middle]) + score_in_halves(classifier, leased[middle:])
    return [Scored(comment, one) for comment, one in zip(leased, judged, strict=True)]


def verdict(policy: CompiledPolicy, text: str, judged: Judged | None, author: tuple[int, int] | None = None) -> Verdict:
    """The policy's answer for one text; `author` counts approved and rejected comments before, None if unknown."""
    facts = Facts(
        text, judged.scores if judged else None,
        links=find_links(text) if policy.asks("links") else None,
        email_addresses=find_email_addresses(text) if policy.asks("email_address") else None,
        phone_numbers=find_phone_numbers(text, policy.region or "US") if policy.asks("phone_number") else None,
        approved_before=author[0] if author else None,
        rejected_before=author[1] if author else None,
        language=judged.unserved if judged else None,
    )  # fmt: skip
    return evaluate(policy.rules, facts)


def signal_row(classifier: Classifier, signal: Signal, body: PlainText, source: str) -> dict[str, Any]:
    """A signal as it is stored and shown; spans are UTF-16 code units of the body as it was sent."""
    spans = signal.spans
    if signal.decided and signal.attribute and not spans:
        spans = classifier.explain(body.text, signal.attribute)
    in_body = to_utf16(source, [body.in_body(span) for span in spans]) if spans else []
    return {
        "rule": signal.rule, "kind": signal.kind, "outcome": signal.outcome.value if signal.outcome else None,
        "attribute": signal.attribute, "score": signal.score, "threshold": signal.threshold,
        "decided": signal.decided, "spans": [{"begin": span.begin, "end": span.end} for span in in_body],
        **({"language": signal.language} if signal.language else {}),
    }  # fmt: skip


def _verdicts(session: Session, classifier: Classifier, scored: Sequence[Scored]) -> dict[str, Ruling]:
    """Comment id -> what to decide; the comment in it is a placeholder until the write has locked the row."""
    authors = _author_counts(session, {(one.comment.site_id, one.comment.author_key) for one in scored})
    current = {site: policies.current(session, site) for site in {one.comment.site_id for one in scored}}
    rulings = {}
    for one in scored:
        comment = one.comment
        policy = current[comment.site_id]
        author = authors.get((comment.site_id, comment.author_key), (0, 0))
        try:
            rulings[comment.id] = _ruling(classifier, policy, one, author)
        except Exception as error:  # a check that fails must hold this comment and no other
            log.error("comment %s can't be checked: %s", comment.id, type(error).__name__)
            rulings[comment.id] = held_unscored(
                Comment(id=comment.id, revision=comment.revision), policy.version, "not_scored"
            )
    return rulings


def _ruling(classifier: Classifier, policy: CompiledPolicy, one: Scored, author: tuple[int, int]) -> Ruling:
    comment = one.comment
    judged = one.judged
    answer = verdict(policy, comment.body.text, judged, author)
    return Ruling(
        Comment(id=comment.id, revision=comment.revision), answer.outcome, Source.POLICY,
        # Also where the language is not served: the classifier did look, and there is nothing to do anew.
        policy_version=policy.version, scorer=classifier.name if judged else None,
        scores=(judged.scores if judged else None) or {},
        signals=[signal_row(classifier, signal, comment.body, comment.source) for signal in answer.signals],
        risk=round(answer.risk, 6),
    )  # fmt: skip


def _author_counts(session: Session, authors: set[tuple[str, str]]) -> dict[tuple[str, str], tuple[int, int]]:
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    for site_id in {site for site, _ in authors}:
        keys = [key for site, key in authors if site == site_id]
        rows = session.execute(
            select(
                Comment.author_key,
                func.sum(case((Comment.status == Status.APPROVED, 1), else_=0)),
                func.sum(case((Comment.status == Status.REJECTED, 1), else_=0)),
            ).where(Comment.site_id == site_id, Comment.author_key.in_(keys)).group_by(Comment.author_key)
        )  # fmt: skip
        counts |= {(site_id, key): (int(approved or 0), int(rejected or 0)) for key, approved, rejected in rows}
    return counts


def _mine(owner: str, ids: Sequence[str]) -> Any:
    return and_(Comment.id.in_(ids), Comment.status == Status.PENDING, Comment.lease_owner == owner)


def _count_failure(session: Session, owner: str, ids: set[str]) -> None:
    session.execute(
        update(Comment)
        .where(_mine(owner, sorted(ids)))
        .values(attempts=Comment.attempts + 1, lease_owner=None, lease_until=None)
        .execution_options(synchronize_session=False)
    )


def _write(session: Session, owner: str, rulings: dict[str, Ruling]) -> int:
    """Writes the verdicts of the comments that are still pending, unedited and leased to this worker."""
    mine = session.scalars(select(Comment).where(_mine(owner, sorted(rulings))).with_for_update()).all()
    final = [
        _for_comment(rulings[comment.id], comment)
        for comment in mine
        if rulings[comment.id].comment.revision == comment.revision
    ]
    record(session, final, now_ms())
    return len(final)


def _for_comment(ruling: Ruling, comment: Comment) -> Ruling:
    """An old comment keeps the status that it had at its site: history and label, no event, no queue."""
    imported = comment.imported_status
    outcome = OUTCOME_OF[Status(imported)] if imported else Outcome(ruling.outcome)
    return Ruling(
        comment, outcome, Source.SITE if imported else Source.POLICY, policy_version=ruling.policy_version,
        scorer=ruling.scorer, scores=ruling.scores, signals=ruling.signals, risk=ruling.risk, event=not imported,
    )  # fmt: skip
