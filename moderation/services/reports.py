"""Readers' reports: taken in, weighed by the reporter's record, and listed by comment."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Float, case, cast, func, select
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Outcome, Source, Status, may_decide
from moderation.domain.voices import REPORT_REASONS, ReportOutcome, report_weight
from moderation.errors import Conflict, Invalid, NotFound
from moderation.services.audit import record_audit
from moderation.services.history import standing, standing_signals
from moderation.services.intake import find
from moderation.services.options import options_of
from moderation.services.paging import Paged, Place, paged
from moderation.services.queue_order import Key, Order
from moderation.services.record import record
from moderation.services.rulings import Ruling
from moderation.services.settle import BY_PEOPLE, reported_signal
from moderation.services.views import iso
from moderation.store.queries import insert_new, whole
from moderation.store.session import new_id
from moderation.store.tables import Article, Comment, Decision
from moderation.store.voices import Report

# A comment in one of these may be reported; of the others nobody has anything to decide.
_REPORTABLE = frozenset({Status.PENDING, Status.HELD, Status.APPROVED})
_SHOWN_TEXTS = 20


@dataclass(frozen=True)
class Reader:
    """Who reports: `key` recognises them, `name` is what the site may call them by (never an e-mail address)."""

    key: str
    name: str | None


def known_reader(site_id: str, id: str | None, email: str | None, name: str | None) -> Reader:
    """A reader that their site names; of an e-mail address only the hash is kept. Raises Invalid without any name."""
    kind, value = ("id", id) if id else ("email", (email or "").strip().casefold()) if email else ("name", name)
    if not value:
        raise Invalid("reporter: needs an id, an email or a name", extra={"field": "reporter"})
    digest = hashlib.blake2b(f"{site_id} {kind}:{value}".encode(), digest_size=32).hexdigest()
    return Reader(digest, id or name)


def file(
    session: Session, comment: Comment, reader: Reader, reason: str, text: str | None, *, now: int
) -> tuple[str, bool]:
    """Keeps a report of this comment, which the caller has locked; returns its id, and whether it is new.

    The same reader says nothing new on the same revision. A live comment goes back to the moderators when the
    reports weigh enough and nobody has looked since. Raises Invalid for a reason that is none, Conflict where there
    is nothing to decide.
    """
    if reason not in REPORT_REASONS:
        raise Invalid(f"reason must be one of {', '.join(REPORT_REASONS)}", extra={"field": "reason"})
    mine = Report.comment_id == comment.id, Report.revision == comment.revision, Report.reporter_key == reader.key
    if before := session.scalar(select(Report.id).where(*mine)):
        return before, False
    if Status(comment.status) not in _REPORTABLE:
        raise Conflict(
            f"the comment is {comment.status}", code="not_decidable", extra={"comment_status": comment.status}
        )
    (id,) = insert_new(session, Report, [{
        "id": new_id(), "site_id": comment.site_id, "comment_id": comment.id, "revision": comment.revision,
        "reporter_key": reader.key, "reporter": reader.name, "reason": reason, "text": text, "created_at": now,
        "outcome": None, "closed_at": None, "decision_id": None, "event_id": None,
    }])  # fmt: skip
    record_audit(session, "comment.reported", site_id=comment.site_id, subject_id=comment.id,
                 data={"report": id, "reason": reason, "revision": comment.revision})  # fmt: skip
    _hold_if_heavy(session, comment, now)
    return id, True


def file_by_page(
    session: Session, site_id: str, comment_id: str, reader: Reader, *, reason: str, text: str | None, now: int
) -> tuple[str, bool]:
    """The same for a reader of a page, who can report only what readers see. Raises NotFound for all else."""
    comment = find(session, site_id, comment_id, lock=True)
    mine = Report.comment_id == comment.id, Report.reporter_key == reader.key
    if comment.status != Status.APPROVED and session.scalar(select(Report.id).where(*mine).limit(1)) is None:
        raise NotFound("there is no such comment")
    return file(session, comment, reader, reason, text, now=now)


def _hold_if_heavy(session: Session, comment: Comment, now: int) -> None:
    if not may_decide(Source.REPORT, Status(comment.status)):
        return
    here = Report.site_id == comment.site_id, Report.comment_id == comment.id, Report.revision == comment.revision
    reports = session.scalars(select(Report).where(*here)).all()
    waiting = [report.reporter_key for report in reports if report.outcome is None]
    weights = _weights(session, comment.site_id, waiting)
    weight = sum(weights[key] for key in waiting)
    if weight + 1e-9 < options_of(session, comment.site_id).reports_hold_at:
        return
    decision = standing(session, comment)
    first = min(report.created_at for report in reports)
    if decision is not None and decision.source in BY_PEOPLE and decision.decided_at >= first:
        return  # a person has read it with the reports at hand; more of them change nothing
    record(session, [Ruling(
        comment, Outcome.HOLD, Source.REPORT, policy_version=decision.policy_version if decision else None,
        scorer=decision.scorer if decision else None, scores=dict(decision.scores) if decision else {},
        signals=[reported_signal(len(waiting), weight)], risk=max(comment.risk, weight / (weight + 1)),
    )], now)  # fmt: skip


def _weights(session: Session, site_id: str, keys: Sequence[str]) -> dict[str, float]:
    """How much each of these reporters' word counts at this site now."""
    closed = (
        select(Report.reporter_key, Report.outcome, func.count())
        .where(Report.site_id == site_id, Report.reporter_key.in_(set(keys)), _COUNTS)
        .group_by(Report.reporter_key, Report.outcome)
    )
    seen: Counter[tuple[str, str]] = Counter()
    for key, outcome, number in session.execute(closed):
        seen[key, str(outcome)] += number
    return {key: report_weight(seen[key, "upheld"], seen[key, "dismissed"]) for key in keys}


_COUNTS = Report.outcome.in_([ReportOutcome.UPHELD, ReportOutcome.DISMISSED])


@dataclass(frozen=True)
class Reported:
    """A comment with its open reports. `texts` are (reason, what the reader wrote, when), the newest first; `signals`
    are those of the decision that stands."""

    comment: Comment
    article: Article
    number: int
    weight: float
    since: int
    reasons: dict[str, int] = field(default_factory=dict)
    texts: Sequence[tuple[str, str, int]] = ()
    stale: int = 0
    seen: bool = False
    signals: Sequence[dict[str, Any]] = ()

    def view(self) -> dict[str, Any]:
        """The same as the moderators' API gives it."""
        comment = self.comment
        return {
            "id": comment.id, "version": comment.version, "external_id": comment.external_id,
            "status": comment.status, "body": comment.body, "format": comment.format,
            "author_name": comment.author_name, "article_url": self.article.url,
            "reports": self.number, "weight": round(self.weight, 3), "since": iso(self.since),
            "reasons": self.reasons, "about_earlier_text": self.stale,
            "texts": [{"reason": reason, "text": text, "at": iso(at)} for reason, text, at in self.texts],
        }  # fmt: skip


def listed(session: Session, site_id: str, limit: int = 50) -> Sequence[Reported]:
    """Comments with open reports, what weighs most first, the longest waiting first among equals."""
    return page(session, site_id, Place(limit)).rows


def page(session: Session, site_id: str, place: Place) -> Paged[Reported]:
    """A page of the same list. Raises Invalid for what is no cursor of it."""
    query, order = _grouped(session, site_id)
    found = paged(session, query, order, place)
    return Paged(_with_texts(session, site_id, [row[:5] for row in found.rows]), found.next, found.previous)


def is_live(session: Session, site_id: str, comment_id: str) -> bool:
    """Whether readers see this comment now."""
    query = select(Comment.status).where(Comment.id == comment_id, Comment.site_id == site_id)
    return session.scalar(query) == Status.APPROVED


def hold_at(session: Session, site_id: str) -> float:
    """The weight from which on reports hold a live comment at this site."""
    return options_of(session, site_id).reports_hold_at


def count(session: Session, site_id: str) -> int:
    """How many comments have open reports."""
    query = select(func.count(Report.comment_id.distinct())).where(Report.site_id == site_id, Report.outcome.is_(None))
    return session.scalar(query) or 0


def of_comment(session: Session, comment: Comment) -> Reported | None:
    """The open reports of one comment; None when there are none."""
    mine = Report.site_id == comment.site_id, Report.comment_id == comment.id, Report.outcome.is_(None)
    found = session.scalars(select(Report).where(*mine)).all()
    if not found:
        return None
    weights = _weights(session, comment.site_id, [report.reporter_key for report in found])
    weight, since = sum(weights[report.reporter_key] for report in found), min(report.created_at for report in found)
    row = (comment, session.get_one(Article, comment.article_id), len(found), weight, since)
    return _with_texts(session, comment.site_id, [row])[0]


def _grouped(session: Session, site_id: str) -> tuple[Any, Order]:
    waiting = select(Report.reporter_key).where(Report.site_id == site_id, Report.outcome.is_(None))
    upheld = func.sum(case((Report.outcome == ReportOutcome.UPHELD, 1), else_=0))
    records = (
        select(Report.reporter_key, func.count().label("closed"), upheld.label("upheld"))
        .where(Report.site_id == site_id, _COUNTS, Report.reporter_key.in_(waiting))
        .group_by(Report.reporter_key)
        .subquery()
    )
    # The same as domain.voices.report_weight, which a test compares it with.
    one = (func.coalesce(records.c.upheld, 0) + 1.0) / (func.coalesce(records.c.closed, 0) + 2.0)
    weight = func.sum(cast(one, Float)).label("weight")
    since = func.min(Report.created_at).label("since")
    open_ones = (
        select(Report.comment_id, func.count().label("number"), weight, since)
        .outerjoin(records, records.c.reporter_key == Report.reporter_key)
        .where(Report.site_id == site_id, Report.outcome.is_(None))
        .group_by(Report.comment_id)
        .subquery()
    )
    query = (
        select(Comment, Article, open_ones.c.number, open_ones.c.weight, open_ones.c.since)
        .join(open_ones, open_ones.c.comment_id == Comment.id)
        .join(Article, Article.id == Comment.article_id)
        .where(Comment.site_id == site_id)
    )
    # In thousandths: sums of the same weights may differ by a hair, and a cursor must find its place again.
    thousandths = whole(session, open_ones.c.weight * 1_000 + 0.5)
    return query, (Key(thousandths, True), Key(open_ones.c.since, False), Key(Comment.id, False))


def _with_texts(session: Session, site_id: str, rows: Sequence[Any]) -> list[Reported]:
    ids = [row[0].id for row in rows]
    if not ids:
        return []
    query = select(Report).where(Report.site_id == site_id, Report.comment_id.in_(ids), Report.outcome.is_(None))
    of: dict[str, list[Report]] = {id: [] for id in ids}
    for report in session.scalars(query.order_by(Report.id.desc())):
        of[report.comment_id].append(report)
    ruled = _seen_by_people(session, rows)
    signals = standing_signals(session, [row[0] for row in rows])
    return [
        Reported(
            comment, article, number, weight, since,
            dict(Counter(report.reason for report in of[comment.id]).most_common()),
            [(r.reason, r.text, r.created_at) for r in of[comment.id] if r.text][:_SHOWN_TEXTS],
            stale=sum(report.revision != comment.revision for report in of[comment.id]),
            seen=comment.id in ruled, signals=signals.get(comment.id, ()),
        )
        for comment, article, number, weight, since in rows
    ]  # fmt: skip


def _seen_by_people(session: Session, rows: Sequence[Any]) -> set[str]:
    """Live comments that a person let stand when they had been reported before."""
    live = [row[0].decision_id for row in rows if row[0].status == Status.APPROVED]
    by_people = select(Decision.comment_id).where(
        Decision.id.in_(live), Decision.source.in_(BY_PEOPLE), Decision.undoes.is_(None),
        select(Report.id).where(Report.decision_id == Decision.id).exists(),
    )  # fmt: skip
    return set(session.scalars(by_people))
