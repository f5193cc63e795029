"""A desk's day at random: whatever readers, moderators, the site and the worker may do, in any order, many at once."""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from moderation.domain import chain
from moderation.domain.lifecycle import REJECT_REASONS, Outcome, Role
from moderation.domain.standing import Standing
from moderation.domain.voices import REPORT_REASONS
from moderation.errors import ModerationError
from moderation.scoring import Classifier
from moderation.services import (
    appeals,
    articles,
    audit_chain,
    claims,
    decide,
    intake,
    notes,
    outbox,
    reports,
    review,
    standings,
)  # fmt: skip
from moderation.services.intake import NewComment
from moderation.services.review import Act
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment, Decision
from moderation.store.voices import Appeal
from tests.services import ABUSE, make_moderator

KEYS = chain.keys("k" * 32, "")
GRACE_MS = 20
_TEXTS = (
    ABUSE, "You are an idiot and everybody knows it.", "What a stupid, worthless liar.", "Shut your damn mouth.",
    "I will find you and break your legs.", "Thank you, a clear summary.", "The second paragraph has a wrong date.",
    "Buy cheap watches at www.cheap.example and www.more.example and www.most.example now!",
    "Ich habe den Artikel gelesen und finde ihn sehr gut geschrieben.", "Write to me: me@example.org",
)  # fmt: skip


class Day:
    """A site with three moderators and their readers. `live` does one random thing after the other."""

    def __init__(self, store: Store, site_id: str, classifier: Classifier) -> None:
        self.store, self.site_id, self.classifier = store, site_id, classifier
        self.people = [make_moderator(store, site_id, f"{role}@example.org", role) for role in Role]
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def live(self, seed: int, operations: int) -> None:
        """One reader or colleague; a refusal in words is an answer, anything else is a fault."""
        chance = random.Random(seed)
        deeds, weights = zip(*_DEEDS.items(), strict=True)
        for number in range(operations):
            (deed,) = chance.choices(deeds, weights)
            try:
                deed(self, chance, f"{seed}-{number}")
            except ModerationError as error:
                self.refused[f"{deed.__name__} {error.code}"] += 1
            else:
                self.done[deed.__name__] += 1

    def some(self, chance: random.Random, many: int = 1) -> list[Comment]:
        """Comments to do something to; mostly recent ones, so that people meet on them."""
        with self.store.read() as session:
            query = select(Comment).where(Comment.site_id == self.site_id).order_by(Comment.id.desc()).limit(60)
            recent = session.scalars(query).all()
        return chance.sample(recent, min(many, len(recent)))

    def submit(self, chance: random.Random, name: str) -> None:
        comments = [
            NewComment(
                f"{name}-{n}", chance.choice(_TEXTS), "plain", f"Reader {chance.randrange(9)}",
                f"{chance.randrange(9)}@example.org", None, None, f"https://news.example/{chance.randrange(4)}",
                article_section=chance.choice(["World", "Sport"]),
            )
            for n in range(chance.randint(1, 3))
        ]  # fmt: skip
        with self.store.write() as session:
            intake.submit(session, self.site_id, comments, now_ms())

    def work(self, chance: random.Random, name: str) -> None:
        decide.drain(self.store, self.classifier, f"test:{name}", lease_ms=30_000, until=lambda: True,
                     after_batch=lambda: None)  # fmt: skip

    def publish(self, chance: random.Random, _name: str) -> None:
        with self.store.write() as session:
            outbox.publish(session, now_ms())

    def seal(self, chance: random.Random, _name: str) -> None:
        audit_chain.seal_waiting(self.store, KEYS, until=lambda: True)

    def rule(self, chance: random.Random, _name: str) -> None:
        many = self.some(chance, chance.choice([1, 1, 1, 1, 4]))
        action = chance.choice(["approve", "reject", "reject", "escalate"])
        versions = {one.id: one.version - (chance.random() < 0.05) for one in many}
        wanted = Act(action, None, chance.choice(list(REJECT_REASONS)), "as I see it", versions)
        with self.store.write() as session:
            review.act(session, chance.choice(self.people), [one.id for one in many], wanted, now_ms(), GRACE_MS)

    def undo(self, chance: random.Random, _name: str) -> None:
        with self.store.write() as session:
            review.undo(session, chance.choice(self.people), now_ms())

    def claim(self, chance: random.Random, _name: str) -> None:
        person, (one,) = chance.choice(self.people), self.some(chance)
        with self.store.write() as session:
            if chance.random() < 0.3:
                review.release(session, person, one.id, now_ms())
            else:
                review.claim(session, person, one.id, now_ms(), chance.choice([1, 50, 1000]))

    def assign(self, chance: random.Random, _name: str) -> None:
        to = chance.choice([None, *(person.id for person in self.people)])
        with self.store.write() as session:
            claims.assign(session, chance.choice(self.people), self.some(chance)[0].id, to)

    def note(self, chance: random.Random, _name: str) -> None:
        about = chance.choice(["comment", "author"])
        with self.store.write() as session:
            notes.add(session, chance.choice(self.people), self.some(chance)[0].id, about, "a note", now_ms())

    def stand(self, chance: random.Random, _name: str) -> None:
        person, key = chance.choice(self.people), self.some(chance)[0].author_key
        with self.store.write() as session:
            if chance.random() < 0.6:
                standings.lift(session, person, key, now_ms())
            else:
                standings.give(session, person, key, chance.choice(list(Standing)), now_ms() + 40, now_ms())

    def article(self, chance: random.Random, _name: str) -> None:
        deed: Any = chance.choice(["close", "open", "open", "hold", "release", "release"])
        with self.store.write() as session:
            articles.do(session, chance.choice(self.people), self.some(chance)[0].article_id, deed, now_ms())

    def report(self, chance: random.Random, _name: str) -> None:
        reader = reports.known_reader(self.site_id, f"reader {chance.randrange(12)}", None, None)
        with self.store.write() as session:
            comment = intake.find(session, self.site_id, self.some(chance)[0].id, lock=True)
            reports.file(session, comment, reader, chance.choice(list(REPORT_REASONS)), "look", now=now_ms())

    def appeal(self, chance: random.Random, _name: str) -> None:
        rejected = [one for one in self.some(chance, 20) if one.status == "rejected"]
        with self.store.write() as session:
            appeals.file(session, rejected[0].decision_id if rejected else "0" * 32, "please", now_ms())

    def answer(self, chance: random.Random, _name: str) -> None:
        with self.store.read() as session:
            open_ones = session.scalars(select(Appeal.id).where(Appeal.outcome.is_(None)).limit(20)).all()
        wanted, outcome = chance.choice([*open_ones, "0" * 32]), chance.choice(["uphold", "overturn"])
        with self.store.write() as session:
            appeals.decide(session, chance.choice(self.people), wanted, outcome=outcome, answer="so", now=now_ms())

    def edit(self, chance: random.Random, _name: str) -> None:
        with self.store.write() as session:
            intake.edit(session, self.site_id, self.some(chance)[0].id, chance.choice(_TEXTS), now_ms())

    def withdraw(self, chance: random.Random, _name: str) -> None:
        with self.store.write() as session:
            intake.withdraw(session, self.site_id, self.some(chance)[0].id, now_ms())

    def site_rules(self, chance: random.Random, _name: str) -> None:
        with self.store.write() as session:
            intake.site_decision(
                session, self.site_id, self.some(chance)[0].id, chance.choice(list(Outcome)), "Eve", None, now_ms()
            )  # fmt: skip


_DEEDS: dict[Callable[[Day, random.Random, str], None], int] = {
    Day.submit: 14, Day.work: 6, Day.publish: 3, Day.seal: 2, Day.rule: 24, Day.undo: 9, Day.claim: 8, Day.assign: 5,
    Day.note: 3, Day.stand: 3, Day.article: 3, Day.report: 9, Day.appeal: 4, Day.answer: 3, Day.edit: 2,
    Day.withdraw: 1, Day.site_rules: 2,
}  # fmt: skip


def settle(day: Day) -> None:
    """What a worker would do in the end: decide what is pending, publish what is due, seal what is not sealed."""
    decide.drain(day.store, day.classifier, "test:end", lease_ms=30_000, until=lambda: False, after_batch=lambda: None)
    with day.store.write() as session:
        while outbox.publish(session, now_ms() + 2 * GRACE_MS):
            pass
    audit_chain.seal_waiting(day.store, KEYS, until=lambda: False)


def standing(session: Any, comment: Comment) -> Decision | None:
    """The decision that stands."""
    return session.get(Decision, comment.decision_id) if comment.decision_id else None
