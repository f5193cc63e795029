"""A comment that is taken in and decided in the process that received it, for callers that wait for the answer.

It joins the queue like any other: it is stored as pending, leased to this process in the same transaction, and decided
by the code that workers run. If the process dies in between, the lease ends and a worker decides it.
"""

from sqlalchemy.orm import Session

from moderation.scoring import Classifier
from moderation.services import decide, intake, leases
from moderation.services.intake import NewComment
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment, Decision

Standing = tuple[Comment, Decision | None]


def submit_and_decide(store: Store, classifier: Classifier, owner: str, site_id: str, comment: NewComment,
                      lease_ms: int) -> Standing:  # fmt: skip
    """The comment and the decision that stands on it, an older one if the same came before.

    The comment is still pending when the classifier failed on it alone, or when somebody else is at work on it.
    """
    with store.write() as session:
        now = now_ms()
        (result,) = intake.submit(session, site_id, [comment], now)
        taken = leases.lease_new(session, [result.id], owner, now + lease_ms) if result.created else []
    if taken:
        decide.decide_batch(store, classifier, owner, taken)
    with store.read() as session:
        return standing(session, site_id, result.id)


def standing(session: Session, site_id: str, comment_id: str) -> Standing:
    """A comment with its newest decision."""
    comment = intake.find(session, site_id, comment_id)
    return comment, intake.standing_decision(session, comment)
