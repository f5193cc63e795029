"""Held comments with scores of a test's own choice, by the functions that make them in the service."""

from collections.abc import Sequence

from sqlalchemy import select

from moderation.domain.lifecycle import Outcome, Source
from moderation.scoring import ATTRIBUTES
from moderation.services import intake
from moderation.services.accounts import Person
from moderation.services.intake import NewComment
from moderation.services.record import record
from moderation.services.review import Act, act
from moderation.services.rulings import Ruling
from moderation.store.session import Store, new_id, now_ms
from moderation.store.tables import Comment


def hold(store: Store, site_id: str, scores: Sequence[float], *, article: str = "a", section: str = "World",
         attribute: str = "TOXICITY") -> list[str]:  # fmt: skip
    """One held comment for each score of the attribute (0.01 for all others); their ids, in order."""
    now = now_ms()
    with store.write() as session:
        comments = [
            NewComment(
                external_id=new_id(), body=f"Something about {score}.", format="plain", author_name=f"Reader {n}",
                author_email="reader@example.org", author_url=None, author_id=None,
                article_url=f"https://news.example/{article}", article_title=article.title(), article_section=section,
                parent_external_id=None,
            )
            for n, score in enumerate(scores)
        ]  # fmt: skip
        ids = [one.id for one in intake.submit(session, site_id, comments, now)]
        stored = {one.id: one for one in session.scalars(select(Comment).where(Comment.id.in_(ids)))}
        record(session, [
            Ruling(stored[id], Outcome.HOLD, Source.POLICY, policy_version=1, scorer="test@1", risk=score,
                   scores=dict.fromkeys(ATTRIBUTES, 0.01) | {attribute: score})
            for id, score in zip(ids, scores, strict=True)
        ], now)  # fmt: skip
    return ids


def rule(store: Store, person: Person, ids: Sequence[str], action: str = "approve") -> None:
    """A moderator's ruling on each."""
    for id in ids:
        with store.write() as session:
            act(session, person, [id], Act(action, None, "insult" if action == "reject" else None), now_ms(), 0)
