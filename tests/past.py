"""A site's past, made up at random: comments, verdicts, rulings, undos, written straight into the tables.

Ids begin with the time of their making, as those of the service do.
"""

import random
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from moderation.domain.lifecycle import STATUS_AFTER, Outcome, Source, Status
from moderation.services import sites
from moderation.store.queries import insert_rows
from moderation.store.session import Store
from moderation.store.tables import Article, Comment, Decision, HoldReason

RULES = ("insult", "threat", "spam_links", "not_scored")
REASONS = ("insult", "spam", "off_topic")
_MINUTE = 60_000


class Past:
    """Rows of one site in the making; `chance` decides all of it. `moderators` are ids."""

    def __init__(self, site_id: str, seed: int, moderators: tuple[str, ...]) -> None:
        self.chance = random.Random(seed)
        self.site_id = site_id
        self.moderators = moderators
        self.article = self.id_at(0)
        self.comments: list[dict[str, Any]] = []
        self.decisions: list[dict[str, Any]] = []
        self.reasons: list[dict[str, Any]] = []
        self._by_id: dict[str, dict[str, Any]] = {}

    def id_at(self, at: int) -> str:
        """A new id of something made then."""
        return f"{at:012x}{self.chance.getrandbits(80):020x}"

    def comment(self, at: int, until: int) -> None:
        """A comment of that time and all that became of it, up to `until`."""
        comment = {
            "id": self.id_at(at), "site_id": self.site_id, "external_id": self.id_at(at), "article_id": self.article,
            "author_name": "Reader", "author_key": f"{self.chance.randrange(500):064x}", "body": "A text.",
            "format": "plain", "revision": 1, "status": Status.PENDING.value, "version": 1, "created_at": at,
            "received_at": at, "attempts": 0, "decision_id": None, "decided_at": None, "risk": self.chance.random(),
            "escalated": False,
        }  # fmt: skip
        self.comments.append(comment)
        for step in self._steps(comment):
            at += self.chance.choice([2_000, 9_000, 4 * _MINUTE, 50 * _MINUTE, 9 * 60 * _MINUTE])
            if at >= until:
                return
            step(at)

    def _steps(self, comment: dict[str, Any]) -> list[Callable[[int], None]]:
        chance = self.chance
        verdict = chance.choices(list(Outcome), [60, 30, 10])[0]
        steps: list[Callable[[int], None]] = [lambda at: self.verdict(comment, verdict, at)]
        if verdict is Outcome.APPROVE and chance.random() < 0.1:
            steps.append(lambda at: self.decide(comment, Outcome.HOLD, Source.REPORT, at))
            verdict = Outcome.HOLD
        if verdict is Outcome.HOLD or chance.random() < 0.02:  # else a live one is taken down
            if chance.random() < 0.2 and verdict is Outcome.HOLD:
                steps.append(lambda at: self._ruled(comment, Outcome.HOLD, at, reason="escalate"))
            for _ in range(chance.choice([0, 1, 1, 1, 2])):
                steps.append(lambda at: self._ruled(comment, chance.choice([Outcome.APPROVE, Outcome.REJECT]), at))
                if chance.random() < 0.2:
                    steps.append(lambda at: self._undo(comment, at))
        return steps

    def verdict(self, comment: dict[str, Any], outcome: Outcome, at: int) -> None:
        """The policy's decision, with its reasons."""
        self.decide(comment, outcome, Source.POLICY, at)
        if outcome is not Outcome.APPROVE:
            for rule in self.chance.sample(RULES, self.chance.choice([1, 1, 2])):
                self.reasons.append({"comment_id": comment["id"], "rule": rule, "site_id": self.site_id,
                                     "attribute": None, "score": None})  # fmt: skip

    def _ruled(self, comment: dict[str, Any], outcome: Outcome, at: int, reason: str | None = None) -> None:
        source = self.chance.choices([Source.MODERATOR, Source.SITE, Source.APPEAL], [90, 5, 5])[0]
        source = Source.MODERATOR if outcome is Outcome.HOLD else source
        actor = None if source is Source.SITE else self.chance.choice(self.moderators)
        if outcome is Outcome.REJECT:
            reason = self.chance.choice(REASONS)
        self.decide(comment, outcome, source, at, actor=actor, reason=reason, batch=self.id_at(at))

    def _undo(self, comment: dict[str, Any], at: int) -> None:
        last = self._by_id[comment["decision_id"]]
        if last["source"] != Source.MODERATOR or last["undoes"]:
            return
        old = self._by_id[last["replaces"]]
        self.decide(comment, Outcome(old["action"]), Source.MODERATOR, at, actor=last["actor"], reason=old["reason"],
                     undoes=last["id"])  # fmt: skip

    def decide(self, comment: dict[str, Any], outcome: Outcome, source: Source, at: int, **more: Any) -> None:
        """One decision; `more` are columns of its row."""
        decision = {
            "id": self.id_at(at), "site_id": self.site_id, "comment_id": comment["id"], "revision": 1,
            "action": outcome.value, "source": source.value, "actor": None, "reason": None, "note": None,
            "decided_at": at, "policy_version": 1, "scorer": "linear@1", "scores": {"INSULT": 0.5}, "signals": [],
            "replaces": comment["decision_id"], "undoes": None, "batch": None,
        } | more  # fmt: skip
        self.decisions.append(decision)
        self._by_id[decision["id"]] = decision
        comment |= {"status": STATUS_AFTER[outcome].value, "decision_id": decision["id"], "decided_at": at,
                    "version": comment["version"] + 1}  # fmt: skip

    def write(self, session: Session) -> None:
        """Puts all rows in, once."""
        insert_rows(session, Article, [{"id": self.article, "site_id": self.site_id, "url": "https://news.example/past",
                                        "hold_all": False}])  # fmt: skip
        insert_rows(session, Comment, self.comments)
        insert_rows(session, Decision, self.decisions)
        insert_rows(session, HoldReason, self.reasons)


def begin(store: Store, *, seed: int, moderators: tuple[str, ...]) -> Past:
    """The past of a new site, with nothing in it yet."""
    with store.write() as session:
        site, _ = sites.create_site(session, f"past {seed}")
    return Past(site.id, seed, moderators)


def a_past(store: Store, comments: int, now: int, days: float, *, seed: int, moderators: tuple[str, ...]) -> Past:
    """A new site with so many comments, spread over so many days up to `now`, in the database."""
    past = begin(store, seed=seed, moderators=moderators)
    for at in sorted(past.chance.randrange(round(days * 86_400_000)) for _ in range(comments)):
        past.comment(now - round(days * 86_400_000) + at, now)
    with store.write() as session:
        past.write(session)
    return past
