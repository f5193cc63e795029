"""A site on which something of everything has happened, with chosen words in every field that people fill."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from sqlalchemy import select

from moderation.domain.lifecycle import Role
from moderation.domain.standing import Standing
from moderation.services import (
    accounts,
    appeals,
    articles,
    batches,
    invitations,
    notes,
    outbox,
    policies,
    reports,
    review,
    saved_queues,
    sites,
    standings,
)  # fmt: skip
from moderation.services.accounts import Person
from moderation.services.histogram import Scope
from moderation.services.links import statement_token
from moderation.services.review import Act
from moderation.store.feedback import Example
from moderation.store.people import Invitation, SignIn
from moderation.store.session import Store, new_id, now_ms
from moderation.store.tables import Base, Comment, Decision
from moderation.store.voices import Appeal
from tests.services import ABUSE, PASSWORD, bearer


@dataclass
class Populated:
    """What there is: `ids` by the name that a route gives to its parameter, `pages` on which the words must show."""

    site_id: str
    ids: dict[str, str] = field(default_factory=dict)
    pages: list[str] = field(default_factory=list)

    def state(self, store: Store) -> dict[str, list[Any]]:
        """Every row of this site, by table: what nobody from elsewhere may change."""
        with store.read() as session:
            return {
                table.name: sorted(map(repr, session.execute(select(table).where(table.c.site_id == self.site_id))))
                for table in Base.metadata.sorted_tables if "site_id" in table.c
            }  # fmt: skip


def populate(
    app: Flask, store: Store, site: tuple[str, str], work: Callable[[], int], words: str, url: str
) -> Populated:
    """Fills this site; `words` go into all texts and names, `url` into all addresses that need not be checked."""
    client, made = app.test_client(), Populated(site[0])
    query = words.replace(" ", "/")

    def send(number: int, body: str, **more: Any) -> str:
        comment = {
            "external_id": f"{number} {words}", "body": f"{body} {words}",
            "author": {"name": words, "email": f"reader{number}@example.org", "url": url, "id": f"{number} {words}"},
            "article": {"url": f"https://news.example/{number % 2}?{query}", "title": words, "section": words},
            "ip": words[:64], "user_agent": words,
        } | more  # fmt: skip
        answer = client.post("/v1/comments", json=comment, headers=bearer(site[1]))
        assert answer.status_code == 202, answer.json
        return str(answer.json["id"])  # type: ignore[index]

    held = [send(number, ABUSE) for number in range(4)]
    held.append(send(4, f"<p>{ABUSE}</p>", format="html", parent_external_id=f"0 {words}"))
    fine = send(5, "Thank you, a clear summary.")
    gone = send(6, ABUSE)
    work()
    edit = client.put(f"/v1/comments/{held[0]}", json={"body": f"{ABUSE} Again. {words}"}, headers=bearer(site[1]))
    assert edit.status_code == 202
    client.post(f"/v1/comments/{fine}/site-decision", headers=bearer(site[1]),
                json={"action": "approve", "by": words[:200], "reason": words[:200]})  # fmt: skip
    work()
    boss = _boss(store, site[0], words)
    with store.write() as session:
        _work_of_moderators(session, made, boss, words, held)
        review.act(session, boss, [gone], Act("reject", reason="other", note=words), now_ms(), 0)
        reader = reports.known_reader(site[0], f"reader {words}"[:190], None, None)
        reports.file(session, session.get_one(Comment, fine), reader, "other", words, now=now_ms())
        outbox.publish(session, now_ms())
    with store.write() as session:
        rejected = session.get_one(Comment, gone).decision_id or ""
        appeals.file(session, rejected, words, now_ms())
        made.ids["appeal_id"] = session.scalar(select(Appeal.id).where(Appeal.comment_id == gone)) or ""
        about = session.get_one(Comment, held[0])
        made.ids |= {"item_id": held[0], "comment_id": fine, "article_id": about.article_id, "key": about.author_key,
                     "author_key": about.author_key, "deed": "approve", "outcome": "overturn"}  # fmt: skip
        accounts.sign_in(session, boss, 1)
        made.ids["moderator_id"] = boss.id
        of_boss = select(SignIn.id).where(SignIn.moderator_id == boss.id)
        made.ids["sign_in_id"] = session.scalar(of_boss.order_by(SignIn.created_at.desc()).limit(1)) or ""
    made.ids["key_id"] = sites.digest(site[1])[:8]
    made.ids["token"] = statement_token(str(app.secret_key), _first_rejection(store, gone))
    made.pages = [
        *(f"/review/{id}" for id in [*held, fine, gone]), f"/statement/{made.ids['token']}",
        f"/authors/{made.ids['key']}", f"/articles/{made.ids['article_id']}", f"/by-score/{made.ids['batch_id']}",
        "/review?status=any", "/articles", "/reports", "/appeals", "/people", "/policy", "/audit", "/dashboard",
        "/keys", "/domains", "/examples", "/by-score", "/account", "/settings",
    ]  # fmt: skip
    return made


def _boss(store: Store, site_id: str, words: str) -> Person:
    with store.write() as session:
        email = f"boss{new_id()[-6:]}@example.org"
        accounts.create_moderator(session, site_id, email, PASSWORD, Role.ADMIN, words[:60])
    with store.read() as session:
        return accounts.check_password(session, email, PASSWORD)


def _work_of_moderators(session: Any, made: Populated, boss: Person, words: str, held: list[str]) -> None:
    now = now_ms()
    review.act(session, boss, [held[1]], Act("escalate", note=words), now, 0)
    made.ids["note_id"] = notes.add(session, boss, held[0], "comment", words, now).note.id
    notes.add(session, boss, held[0], "author", words, now)
    made.ids["queue_id"] = saved_queues.save(session, boss, words[:60], {"q": words}, shared=True, now=now).id
    invitations.invite(session, boss, f"guest{new_id()[-6:]}@example.org", Role.MODERATOR)
    invited = select(Invitation.id).where(Invitation.site_id == boss.site_id)
    made.ids["invitation_id"] = session.scalar(invited) or ""
    about = session.get_one(Comment, held[2])
    standings.give(session, boss, about.author_key, Standing.HOLD, None, now)
    articles.do(session, boss, about.article_id, "hold", now)
    document = policies.default_document()
    rules = [*document["rules"], {"name": "listed", "kind": "words", "words": [words[:60]]}]
    policies.apply(session, boss.site_id, document | {"rules": rules}, actor=boss.id, note=words)
    wanted = batches.Wanted(Scope("TOXICITY"), 0, 1, "reject", "other", words)
    made.ids["batch_id"] = batches.begin(session, boss, wanted, now).id
    session.add(Example(
        id=new_id(), site_id=boss.site_id, interface="perspective", origin=new_id(), match=new_id(), text=words,
        labels={"TOXICITY": 1.0, words[:40]: 0.5}, languages=[words[:8]], context={"url": words}, created_at=now,
        updated_at=now,
    ))  # fmt: skip


def _first_rejection(store: Store, comment_id: str) -> str:
    with store.read() as session:
        query = select(Decision.id).where(Decision.comment_id == comment_id, Decision.action == "reject")
        return session.scalar(query.order_by(Decision.id).limit(1)) or ""
