"""Statements of reasons: made with each rejection, told to the site, shown to the author. See docs/statements.md."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from moderation.domain import statement as words
from moderation.domain.lifecycle import NOTE_FOR_AUTHOR, Outcome, Source, Status
from moderation.errors import NotFound
from moderation.services.history import in_effect, standing
from moderation.services.options import Options, options_of
from moderation.services.plain_text import plain_text
from moderation.services.rulings import Made, Subject
from moderation.services.views import iso
from moderation.store.tables import Article, Comment, Decision, Event, Revision, Site
from moderation.store.voices import Appeal, Report

DAY_MS = 86_400_000
# A link outlives the decision by so much, or the time for an appeal by half of it.
LINK_DAYS = 365

# Rules that say nothing of what the comment holds.
_NO_FINDING = frozenset({
    "not_scored", "language", "article_held", "author_held", "article_closed", "author_banned", "site_held",
    "slow_mode", "flood", "honeypot",
})  # fmt: skip


def compose(
    session: Session, rejected: Sequence[tuple[Comment | Subject, Made]], upheld: Counter[str]
) -> dict[str, dict[str, Any]]:
    """Decision id -> statement, for rejections that this transaction makes; `upheld` counts the reports of each."""
    ids = [comment.id for comment, _ in rejected]
    if not ids:
        return {}
    shown = set(session.scalars(
        select(Decision.comment_id).where(Decision.comment_id.in_(ids), Decision.action == Outcome.APPROVE).distinct()
    ))  # fmt: skip
    verdicts = {
        (verdict.comment_id, verdict.revision): verdict
        for verdict in session.scalars(
            select(Decision)
            .where(Decision.comment_id.in_(ids), Decision.source == Source.POLICY)
            .order_by(Decision.id)
        )
    }  # fmt: skip
    options = {site_id: options_of(session, site_id) for site_id in {comment.site_id for comment, _ in rejected}}
    statements = {}
    for comment, decision in rejected:
        first = in_effect(session, decision)
        if first.source != Source.SITE:  # an undo may bring that back
            statements[decision.id] = _statement(
                first, verdicts.get((comment.id, comment.revision)), options[comment.site_id],
                published=comment.id in shown, now=decision.decided_at,
                reports=upheld[decision.id] if first is decision else _upheld_before(session, first),
            )  # fmt: skip
    return statements


def _upheld_before(session: Session, decision: Decision | Made) -> int:
    return session.scalar(select(func.count()).where(Report.decision_id == decision.id)) or 0


def _statement(
    decision: Decision | Made, verdict: Decision | None, options: Options, *, published: bool, reports: int, now: int
) -> dict[str, Any]:
    by_program = decision.source == Source.POLICY
    statement: dict[str, Any] = {
        "restriction": {
            "kind": "removed" if published else "not_published", "scope": "everywhere", "duration": "indefinite",
        },
        "facts": {"found_by": "report" if reports else "own_initiative", "reports": reports},
        "automated": {"detection": by_program or _marked_by_program(verdict), "decision": by_program},
        "ground": {
            "kind": "illegal" if decision.reason == "illegal" else "house_rules", "codes": _codes(decision),
            "note": decision.note if decision.reason in NOTE_FOR_AUTHOR else None,
            "rules_url": options.house_rules_url or None,
        },
        "redress": {
            "appeal_until": iso(now + options.appeal_days * DAY_MS) if options.appeal_days else None,
            "more": options.redress_text or None,
        },
    }  # fmt: skip
    sentences = words.in_words(statement, words.plainly, english_day)
    sentences["ground"] += sentences.pop("rules")
    for part, said in sentences.items():
        statement[part]["text"] = " ".join(said)
    return statement


def _marked_by_program(verdict: Decision | None) -> bool:
    if verdict is None or verdict.action == Outcome.APPROVE:
        return False
    return any(signal.get("decided") and signal.get("kind") not in _NO_FINDING for signal in verdict.signals)


def _codes(decision: Decision | Made) -> list[str]:
    """What it was rejected for: the moderator's reason, or the rules that fired, as attributes or kinds of rule."""
    if decision.source != Source.POLICY:
        return [decision.reason] if decision.reason else []
    fired = [signal for signal in decision.signals if signal.get("decided")]
    return list(dict.fromkeys(str(signal.get("attribute") or signal.get("kind")).lower() for signal in fired))


def english_day(at: str) -> str:
    """An ISO time as a day in English."""
    return datetime.fromisoformat(at).strftime("%-d %B %Y")


@dataclass(frozen=True)
class Shown:
    """A statement with what its page says around it. `stands` says whether the comment is still rejected by it."""

    statement: dict[str, Any]
    decision: Decision
    comment: Comment
    site_name: str
    article: Article
    text: str
    appeal: Appeal | None
    stands: bool
    until: int | None

    def may_appeal(self, now: int) -> bool:
        """Whether its author may appeal now: once for each rejection, while it stands and there is time."""
        return self.stands and self.appeal is None and self.until is not None and now <= self.until


def shown(session: Session, decision_id: str, now: int) -> Shown:
    """The statement that the site was sent for this decision. Raises NotFound, also when its link is too old."""
    event = session.scalar(select(Event).where(Event.decision_id == decision_id))
    if event is None or "statement" not in event.data:
        raise NotFound("there is no such statement")
    statement = event.data["statement"]
    comment = session.get_one(Comment, event.comment_id)
    decision = session.get_one(Decision, decision_id)
    until = _millis(statement["redress"]["appeal_until"])
    if now > max(decision.decided_at + LINK_DAYS * DAY_MS, (until or 0) + LINK_DAYS // 2 * DAY_MS):
        raise NotFound("this link is too old")
    first = in_effect(session, decision)
    now_stands = standing(session, comment)
    return Shown(
        statement, decision, comment, session.get_one(Site, comment.site_id).name,
        session.get_one(Article, comment.article_id), _text(session, comment, decision.revision),
        session.scalar(select(Appeal).where(Appeal.decision_id == first.id)),
        stands=comment.status == Status.REJECTED and now_stands is not None and now_stands.id == first.id, until=until,
    )  # fmt: skip


def _millis(at: str | None) -> int | None:
    return round(datetime.fromisoformat(at).timestamp() * 1000) if at else None


def _text(session: Session, comment: Comment, revision: int) -> str:
    """The text that was decided on, also when it was edited since; nothing of a comment that was withdrawn."""
    if comment.status == Status.WITHDRAWN:
        return ""
    if comment.revision == revision:
        return plain_text(comment.body, comment.format).text
    old = session.get(Revision, (comment.id, revision))
    return plain_text(old.body, old.format).text if old else ""
