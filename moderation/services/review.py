"""What moderators do: claim, release, rule, undo. Each is one transaction that checks what it saw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import (
    ACTIONS,
    NOTE_FOR_AUTHOR,
    OUTCOME_OF,
    REJECT_REASONS,
    Action,
    Outcome,
    Role,
    Source,
    Status,
)  # fmt: skip
from moderation.errors import Conflict, Forbidden, Invalid, NotFound
from moderation.services import assignments, deeds
from moderation.services.accounts import Person
from moderation.services.audit import record_audit
from moderation.services.record import record
from moderation.services.rulings import Ruling
from moderation.services.views import iso
from moderation.store.people import Moderator
from moderation.store.session import new_id
from moderation.store.tables import Comment, Decision, Event


@dataclass(frozen=True)
class Act:
    """What a moderator wants done. `version` is the item's version that the moderator saw; None skips that check.

    `versions` says the same for each item of a batch, by its id.
    """

    action: str
    version: int | None = None
    reason: str | None = None
    note: str | None = None
    versions: Mapping[str, int] | None = None

    def seen(self, comment_id: str) -> int | None:
        """The version of this item that the moderator saw, if they say so."""
        return self.version if self.versions is None else self.versions.get(comment_id)


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
    action = checked(wanted)
    comments = _locked(session, person, comment_ids)
    for comment in comments:
        _refuse_stale(session, comment, wanted.seen(comment.id))
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


def undo(
    session: Session, person: Person, now: int, deed: str | None = None, *, partly: bool = False
) -> list[str]:  # fmt: skip
    """Takes the moderator's last action or batch back; returns the comments' ids.

    What stood before stands again, as a new decision. Inside the grace the site hears nothing of either;
    later it gets the event of the restored status, which says what it reverses. Raises Conflict when
    someone has ruled since, NotFound when there is nothing to undo. `deed` names the action that the moderator means
    (services.deeds); it is refused while a newer one could still be undone. `partly` takes back what still stands.
    """
    if not partly and (given := deeds.assigned_last(session, person, deed)):
        return assignments.take_back(session, person, given)
    last = deeds.rows(session, person, deed)
    comments = {comment.id: comment for comment in _locked(session, person, [d.comment_id for d in last])}
    if partly:
        last = [one for one in last if deeds.stands(session, comments[one.comment_id], one)] or last
    restored = _standing_of(session, [decision.replaces for decision in last])
    heard = _take_back_events(session, last)
    rulings = []
    for decision in last:
        comment = comments[decision.comment_id]
        if comment.status == Status.WITHDRAWN:
            raise _moved_on(session, comment, "the comment was withdrawn since", code="withdrawn")
        if not deeds.stands(session, comment, decision):
            raise _moved_on(session, comment, "someone has decided since")
        old = restored[decision.replaces or ""]
        told = heard.get(decision.id)
        rulings.append(Ruling(
            comment, Outcome(old.action), Source.MODERATOR, actor=person.id, reason=old.reason, note=old.note,
            policy_version=old.policy_version, scorer=old.scorer, scores=dict(old.scores), signals=list(old.signals),
            undoes=decision.id, event=told is not None, reverses=told,
        ))  # fmt: skip
    record(session, rulings, now)
    # What a senior lifted waits for a senior again.
    _mark_escalated(session, [comments[r.comment.id] for r in rulings if r.reason == "escalate"])
    assignments.give_back(session, person, last)
    return [ruling.comment.id for ruling in rulings]


def checked(wanted: Act) -> Action:
    """The action that is wanted. Raises Invalid when there is none such, or a reason or note is missing."""
    action = ACTIONS.get(wanted.action)
    if action is None:
        raise Invalid(f"action must be one of {', '.join(ACTIONS)}", extra={"field": "action"})
    if action.needs_reason and wanted.reason not in REJECT_REASONS:
        raise Invalid(f"reason must be one of {', '.join(REJECT_REASONS)}", extra={"field": "reason"})
    if wanted.reason in NOTE_FOR_AUTHOR and not (wanted.note or "").strip():
        raise Invalid(f"the reason {wanted.reason} needs a note", extra={"field": "note"})
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
        raise Forbidden(
            "this item was escalated; a senior moderator decides", code="role_needed", extra={"id": comment.id}
        )


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
    _mark_escalated(session, comments)
    for comment in comments:
        record_audit(
            session, "comment.escalated", site_id=comment.site_id, subject_id=comment.id, actor=person.id
        )  # fmt: skip


def _mark_escalated(session: Session, comments: Sequence[Comment]) -> None:
    session.execute(update(Comment).where(Comment.id.in_([c.id for c in comments])).values(escalated=True))


def _standing(session: Session, comments: Sequence[Comment]) -> dict[str, Decision]:
    return _standing_of(session, [comment.decision_id for comment in comments])


def _standing_of(session: Session, ids: Sequence[str | None]) -> dict[str, Decision]:
    query = select(Decision).where(Decision.id.in_([id for id in ids if id]))
    return {decision.id: decision for decision in session.scalars(query)}


def _take_back_events(session: Session, decisions: Sequence[Decision]) -> dict[str, str]:
    """Removes the events that wait out their grace; returns those that the site has heard already, by decision."""
    theirs = Event.decision_id.in_([decision.id for decision in decisions])
    waiting = delete(Event).where(theirs, Event.position.is_(None))
    session.execute(waiting.execution_options(synchronize_session=False))
    return {row.decision_id: row.id for row in session.execute(select(Event.decision_id, Event.id).where(theirs))}
