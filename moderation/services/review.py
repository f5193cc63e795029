"""What moderators do: claim, release, rule, undo. Each is one transaction that checks what it saw."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import ACTIONS, OUTCOME_OF, REJECT_REASONS, Action, Outcome, Role, Source, Status
from moderation.errors import Conflict, Forbidden, Invalid, NotFound
from moderation.services.accounts import Person
from moderation.services.audit import record_audit
from moderation.services.record import Ruling, record
from moderation.services.views import iso
from moderation.store.session import new_id
from moderation.store.tables import Comment, Decision, Event, Moderator


@dataclass(frozen=True)
class Act:
    """What a moderator wants done. `version` is the item's version that the moderator saw; None skips that check."""

    action: str
    version: int | None = None
    reason: str | None = None
    note: str | None = None


def claim(session: Session, person: Person, comment_id: str, now: int, claim_ms: int) -> Comment:
    """Takes an item, or keeps it longer. Raises Conflict naming who has it."""
    comment = _locked(session, person, [comment_id])[0]
    _refuse_others_claim(session, person, comment, now)
    comment.claimed_by, comment.claimed_until = person.id, now + claim_ms
    session.flush()
    return comment


def release(session: Session, person: Person, comment_id: str, now: int) -> Comment:
    """Gives an item back. Raises Conflict when another moderator has it."""
    comment = _locked(session, person, [comment_id])[0]
    _refuse_others_claim(session, person, comment, now)
    comment.claimed_by = comment.claimed_until = None
    session.flush()
    return comment


def act(session: Session, person: Person, comment_ids: Sequence[str], wanted: Act, now: int, grace_ms: int) -> int:
    """Does one action to these items, all or none; returns how many. They undo as one.

    Raises Invalid for an unknown action or reason, Conflict naming who and what when an item has moved on.
    """
    action = _checked(wanted)
    comments = _locked(session, person, comment_ids)
    for comment in comments:
        _refuse_stale(session, comment, wanted.version)
        _refuse_others_claim(session, person, comment, now)
        _refuse_transition(person, comment, action)
    before = _standing(session, comments)
    batch = new_id()
    record(session, [
        _ruling(comment, before.get(comment.decision_id or ""), wanted, actor=person.id, batch=batch, delay_ms=grace_ms)
        for comment in comments
    ], now)  # fmt: skip
    if action.outcome is None:
        _escalate(session, person, comments)
    return len(comments)


def undo(session: Session, person: Person, now: int) -> list[str]:
    """Takes the moderator's last action or batch back; returns the comments' ids.

    What stood before stands again, as a new decision. Inside the grace the site hears nothing of either;
    later it gets the event of the restored status, which says what it reverses. Raises Conflict when
    someone has ruled since, NotFound when there is nothing to undo.
    """
    last = _last_batch(session, person)
    comments = {comment.id: comment for comment in _locked(session, person, [d.comment_id for d in last])}
    restored = _standing_of(session, [decision.replaces for decision in last])
    rulings = []
    for decision in last:
        comment = comments[decision.comment_id]
        if comment.decision_id != decision.id or comment.revision != decision.revision:
            raise _moved_on(session, comment, "someone has decided since")
        if comment.status == Status.WITHDRAWN:
            raise _moved_on(session, comment, "the comment was withdrawn since", code="withdrawn")
        old = restored[decision.replaces or ""]
        told = _take_back_event(session, decision)
        rulings.append(Ruling(
            comment, Outcome(old.action), Source.MODERATOR, actor=person.id, reason=old.reason, note=old.note,
            policy_version=old.policy_version, scorer=old.scorer, scores=dict(old.scores), signals=list(old.signals),
            undoes=decision.id, event=told is not None, reverses=told,
        ))  # fmt: skip
    record(session, rulings, now)
    return list(comments)


def _checked(wanted: Act) -> Action:
    action = ACTIONS.get(wanted.action)
    if action is None:
        raise Invalid(f"action must be one of {', '.join(ACTIONS)}", extra={"field": "action"})
    if action.needs_reason and wanted.reason not in REJECT_REASONS:
        raise Invalid(f"reason must be one of {', '.join(REJECT_REASONS)}", extra={"field": "reason"})
    if wanted.reason == "other" and not (wanted.note or "").strip():
        raise Invalid("the reason other needs a note", extra={"field": "note"})
    return action


def _locked(session: Session, person: Person, comment_ids: Sequence[str]) -> list[Comment]:
    """These comments under lock, in the order asked for. Raises NotFound when one is not of the person's site."""
    query = select(Comment).where(Comment.id.in_(comment_ids), Comment.site_id == person.site_id)
    found = {comment.id: comment for comment in session.scalars(query.order_by(Comment.id).with_for_update())}
    if missing := [id for id in comment_ids if id not in found]:
        raise NotFound("there is no such review item", extra={"id": missing[0]})
    return [found[id] for id in dict.fromkeys(comment_ids)]


def _refuse_stale(session: Session, comment: Comment, version: int | None) -> None:
    if version is not None and comment.version != version:
        raise _moved_on(session, comment, "the item has changed since you saw it", code="stale_version")


def _refuse_others_claim(session: Session, person: Person, comment: Comment, now: int) -> None:
    if comment.claimed_by in (None, person.id) or (comment.claimed_until or 0) <= now:
        return
    holder = session.get_one(Moderator, comment.claimed_by).name
    raise Conflict(
        f"{holder} has this item", code="claimed",
        extra={"id": comment.id, "by": holder, "until": iso(comment.claimed_until or now)},
    )  # fmt: skip


def _refuse_transition(person: Person, comment: Comment, action: Action) -> None:
    if Status(comment.status) not in action.starts_from:
        raise Conflict(
            f"a comment that is {comment.status} can't be {action.done.lower()}", code="not_decidable",
            extra={"id": comment.id, "comment_status": comment.status, "version": comment.version},
        )  # fmt: skip
    if comment.escalated and person.role is Role.MODERATOR:
        raise Forbidden("this item was escalated; a senior moderator decides", code="role_needed")


def _moved_on(session: Session, comment: Comment, detail: str, code: str = "decided_since") -> Conflict:
    """Who did what to the comment last, for whoever came too late."""
    decision = session.get(Decision, comment.decision_id) if comment.decision_id else None
    by = decision.source if decision else None
    if decision and decision.source == Source.MODERATOR and decision.actor:
        person = session.get(Moderator, decision.actor)
        by = person.name if person else by
    return Conflict(detail, code=code, extra={
        "id": comment.id, "by": by, "action": decision.action if decision else None, "comment_status": comment.status,
        "version": comment.version,
    })  # fmt: skip


def _ruling(comment: Comment, old: Decision | None, wanted: Act, *, actor: str, batch: str, delay_ms: int) -> Ruling:
    """An action as a decision. One that leaves the status as it is (escalate) says nothing new to the site."""
    outcome = ACTIONS[wanted.action].outcome
    stays = outcome is None
    kept = list(old.signals) if old else []
    given = [{"rule": wanted.reason, "decided": True}] if wanted.reason else []
    return Ruling(
        comment, outcome or OUTCOME_OF[Status(comment.status)], Source.MODERATOR, actor=actor,
        reason=wanted.action if stays else wanted.reason, note=wanted.note,
        policy_version=old.policy_version if old else None, scorer=old.scorer if old else None,
        scores=dict(old.scores) if old else {}, batch=batch, delay_ms=delay_ms,
        signals=kept if stays else given, event=not stays,
    )  # fmt: skip


def _escalate(session: Session, person: Person, comments: Sequence[Comment]) -> None:
    """Marks items that have just been decided again as held; the mark is what only a senior may lift."""
    session.execute(update(Comment).where(Comment.id.in_([c.id for c in comments])).values(escalated=True))
    for comment in comments:
        record_audit(
            session, "comment.escalated", site_id=comment.site_id, subject_id=comment.id, actor=person.id
        )  # fmt: skip


def _standing(session: Session, comments: Sequence[Comment]) -> dict[str, Decision]:
    return _standing_of(session, [comment.decision_id for comment in comments])


def _standing_of(session: Session, ids: Sequence[str | None]) -> dict[str, Decision]:
    query = select(Decision).where(Decision.id.in_([id for id in ids if id]))
    return {decision.id: decision for decision in session.scalars(query)}


def _last_batch(session: Session, person: Person) -> list[Decision]:
    undone = select(Decision.undoes).where(Decision.actor == person.id, Decision.undoes.is_not(None))
    mine = and_(Decision.actor == person.id, Decision.source == Source.MODERATOR, Decision.undoes.is_(None),
                Decision.replaces.is_not(None), Decision.id.not_in(undone))  # fmt: skip
    last = session.scalar(select(Decision).where(mine).order_by(Decision.id.desc()).limit(1))
    if last is None:
        raise NotFound("there is nothing to undo", code="nothing_to_undo")
    same = or_(Decision.id == last.id, Decision.batch == last.batch)
    return list(session.scalars(select(Decision).where(mine, same).order_by(Decision.id)))


def _take_back_event(session: Session, decision: Decision) -> str | None:
    """Removes the event that waits out its grace; returns the id of one that the site has heard already."""
    waiting = delete(Event).where(Event.decision_id == decision.id, Event.position.is_(None)).returning(Event.id)
    if session.scalar(waiting) is not None:
        return None
    return session.scalar(select(Event.id).where(Event.decision_id == decision.id))
