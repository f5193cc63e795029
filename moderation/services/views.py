"""What the outside sees of a comment. The author's e-mail, address and user agent are in none of these."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from moderation.domain.lifecycle import Status
from moderation.services.rulings import Made
from moderation.store.tables import Comment, Decision


@lru_cache(maxsize=256)  # a batch is decided at one time
def iso(at: int) -> str:
    """Milliseconds since 1970 -> ISO 8601 in UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def comment_view(comment: Comment, decision: Decision | Made | None) -> dict[str, Any]:
    """A comment for its site: as GET, the feed and the webhook give it."""
    return view(comment.id, comment.external_id, comment.revision, comment.status, decision)


def view(id: str, external_id: str, revision: int, status: str, decision: Decision | Made | None) -> dict[str, Any]:
    """The same from its parts. Pending: no decision, no scores."""
    shown = decision if status not in (Status.PENDING, Status.WITHDRAWN) else None
    return {
        "id": id,
        "external_id": external_id,
        "revision": revision,
        "status": str(status),
        "scores": shown.scores if shown else {},
        "decision": decision_view(shown) if shown else None,
    }


def decision_view(decision: Decision | Made) -> dict[str, Any]:
    """A decision with the reasons that decided it."""
    return {
        "action": decision.action,
        "source": decision.source,
        "decided_at": iso(decision.decided_at),
        "policy_version": decision.policy_version,
        "scorer": decision.scorer,
        "reasons": [reason for signal in decision.signals if signal.get("decided") and (reason := reason_view(signal))],
    }


_INNER = frozenset({"decided", "kind", "outcome", "muted"})


def reason_view(signal: dict[str, Any]) -> dict[str, Any] | None:
    """A signal that decided, without the fields that it does not have; None for the others."""
    if not signal.get("decided"):
        return None
    return {name: value for name, value in signal.items() if name not in _INNER and value is not None}
