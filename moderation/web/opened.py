"""The item in the middle of the desk with all that stands around it, as its templates show it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Role, Status
from moderation.http import service
from moderation.services import context, reports, watch
from moderation.services.claims import Colleague
from moderation.services.history import standing_signals
from moderation.services.known import Look
from moderation.services.plain_text import plain_text
from moderation.services.queue import Item
from moderation.store.tables import Comment
from moderation.web import changes, evidence, words
from moderation.web.keys import preferences
from moderation.web.marks import legend, pieces
from moderation.web.session import person
from moderation.web.texts import gettext as _
from moderation.web.veil import veil, veiled

_EXCERPT = 300


def opened(look: Look, item: Item) -> dict[str, Any]:
    """Everything that the item's templates show."""
    comment, session = item.comment, look.session
    around = context.context(session, comment)
    verdict, approval = around.verdict, around.author.approval
    signals = list(verdict.signals) if verdict else []
    beside = [*around.chain.shown, *around.replies.shown, *around.author.others]
    shown, quoted = pieces(comment.body, comment.format, signals)
    return {
        "comment": comment, "article": item.article, "around": around, "verdict": verdict,
        "pieces": shown, "legend": legend(shown), "lines": evidence.lines(verdict, quoted) if verdict else [],
        "signals": words.strongest_first(signals), "status": Status(comment.status),
        "veil": veil(preferences().blur, Status(comment.status), signals),
        "hidden": hidden_ids(session, beside),
        "for_senior": comment.escalated and person().role is Role.MODERATOR,
        "edits": changes.edits(comment, around.revisions),
        "approval": None if approval is None else words.percent(approval),
        "reported": reports.of_comment(session, comment), **_people(look, item),
    }  # fmt: skip


def _people(look: Look, item: Item) -> dict[str, Any]:
    """Who has it, who looks at it, whom it is assigned to and could be."""
    comment, me = item.comment, person()
    others = look.colleagues()
    looking = watch.present(look.session, me.site_id, look.now).get(comment.id, ())
    return {
        "claim": item.claim, "mine": bool(item.claim) and comment.claimed_by == me.id,
        "others_claim": bool(item.claim) and comment.claimed_by != me.id,
        "looking": [name for id, name in looking if id != me.id],
        "assigned": next((one for one in others if one.id == comment.assigned_to), None),
        "may_get": _may_get(others, comment), "may_take_over": me.role.includes(Role.SENIOR),
        "beat": round(min(20.0, service().settings.claim_seconds / 3) * 1000),
    }  # fmt: skip


def _may_get(others: Sequence[Colleague], comment: Comment) -> list[Colleague]:
    return [one for one in others if not comment.escalated or one.role.includes(Role.SENIOR)]


def hidden_ids(session: Session, comments: Sequence[Comment]) -> set[str]:
    """Ids of those whose beginning this person sees blurred where it stands in passing."""
    blur = preferences().blur
    held = [comment for comment in comments if comment.status == Status.HELD]
    signals = standing_signals(session, held) if blur == "severe" else {}
    return {one.id for one in comments if veiled(blur, one.status, signals.get(one.id, ()))}


def hidden_why(comment: Comment, signals: Sequence[dict[str, Any]]) -> str | None:
    """Why this person sees the comment blurred where it stands among others, as a sentence; None where they do not.
    `signals` are those of the decision that stands: a moderator's says nothing of how hard it is to read."""
    blur = preferences().blur
    why = veil(blur, Status(comment.status), signals)
    return why or (_("Hidden because it was rejected.") if veiled(blur, comment.status, signals) else None)


def excerpt(comment: Comment, length: int = _EXCERPT) -> str:
    """The beginning of a comment on one line."""
    text = " ".join(plain_text(comment.body, comment.format).text[: length * 4].split())
    return text[:length] + ("…" if len(text) > length else "")
