"""What a draft of a policy would change: the last comments under the present policy and under the draft.

Nothing is scored anew: the scores that were stored with the decisions are used, by the very code that decides.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import DECIDED, Outcome, Status
from moderation.domain.verdict import Signal, Verdict
from moderation.scoring import Judged
from moderation.services import background, leases, policies, verdicts
from moderation.services.articles import newest_ids
from moderation.services.background import Background
from moderation.services.facts import Reading
from moderation.services.plain_text import plain_text
from moderation.services.policies import CompiledPolicy
from moderation.store.tables import Comment, Decision

COMPARED = 1_000


@dataclass(frozen=True)
class Changed:
    """A comment that the draft would decide otherwise, and what decides it then and now."""

    comment: Comment
    before: Outcome
    after: Outcome
    reasons_before: Sequence[Signal]
    reasons_after: Sequence[Signal]


@dataclass(frozen=True)
class Preview:
    """`compared` comments were looked at; for `unsure` further ones it can't be told, for their scores are missing."""

    compared: int
    unsure: int
    changed: Sequence[Changed] = field(default_factory=list)

    @property
    def directions(self) -> dict[tuple[Outcome, Outcome], int]:
        """(before, after) -> how many comments."""
        return dict(Counter((one.before, one.after) for one in self.changed).most_common())


def preview(session: Session, site_id: str, document: dict[str, Any], now: int, most: int = COMPARED) -> Preview:
    """Compares a checked draft with the policy in force, over the newest comments that are decided."""
    present, draft = policies.current(session, site_id), policies.compile_policy(document, None)
    rows = session.execute(
        select(Comment, Decision)
        .outerjoin(Decision, Decision.id == Comment.decision_id)
        .where(Comment.id.in_(newest_ids(site_id, most, sorted(DECIDED))))
        .order_by(Comment.id.desc())
    ).all()
    usable = [(comment, judged) for comment, decision in rows if (judged := _judged(comment, decision))]
    known = _backgrounds(session, site_id, [comment for comment, _ in usable], draft, now)
    changed: list[Changed] = []
    unsure = len(rows) - len(usable)
    for (comment, judged), around in zip(usable, known, strict=True):
        here, there = (policy.at(around.section, around.article_url) for policy in (present, draft))
        different = set(here.rules) ^ set(there.rules)
        if judged.scores is not None and any(
            rule.attribute not in judged.scores for rule in different if rule.attribute
        ):
            unsure += 1
        elif different:
            read = Reading(plain_text(comment.body, comment.format).text)
            before, after = (verdicts.verdict_on(policy, read, judged, around) for policy in (present, draft))
            changed += _compare(comment, before, after)
    return Preview(len(rows) - unsure, unsure, changed)


def _compare(comment: Comment, before: Verdict, after: Verdict) -> list[Changed]:
    if before.outcome is after.outcome:
        return []
    return [Changed(comment, before.outcome, after.outcome, before.reasons, after.reasons)]


def _judged(comment: Comment, decision: Decision | None) -> Judged | None:
    """What the classifier said of this very revision; None where it did not run, or that is not known any more."""
    if decision is None or decision.scorer is None or decision.revision != comment.revision:
        return None
    if decision.scores:
        return Judged(comment.language or "und", dict(decision.scores))
    language = comment.language or next((s["language"] for s in decision.signals if s.get("language")), None)
    return Judged(language, None) if language else None


def _backgrounds(
    session: Session, site_id: str, comments: Sequence[Comment], draft: CompiledPolicy, now: int
) -> list[Background]:
    """As the decision gathers them; a comment itself does not count for its author's record."""
    every = policies.current(session, site_id).asking_also(draft)
    found = background.gather(session, [leases.of(one) for one in comments], {site_id: every}, now)
    return [_without_itself(comment, known) for comment, known in zip(comments, found, strict=True)]


def _without_itself(comment: Comment, known: Background) -> Background:
    approved, rejected = known.author or (0, 0)
    own = (comment.status == Status.APPROVED, comment.status == Status.REJECTED)
    return replace(known, author=(max(0, approved - own[0]), max(0, rejected - own[1])))
