"""What the tests of reports, statements and appeals share: a site with comments, its readers and its moderators."""

from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from moderation.services import intake, options, outbox, reports, review, sites
from moderation.services.accounts import Person
from moderation.services.links import Links
from moderation.services.review import Act
from moderation.store.audit import AuditEvent
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment
from moderation.store.voices import Report
from tests.services import a_comment, bearer

Site = tuple[str, str]
LINKS = Links("https://moderation.example", "k" * 32)
CIVIL = "Thank you, a clear summary."


class Room:
    """One site, spoken to by its services; `grace` is how long the site hears nothing of a ruling."""

    def __init__(self, store: Store, site: Site, work: Callable[[], int], client: FlaskClient) -> None:
        self.store, self.site, self.work, self.client = store, site, work, client
        self.grace = 0

    def comment(self, external_id: str = "c1", body: str = CIVIL, **more: Any) -> str:
        """Submits a comment and has it decided; returns its id."""
        sent = a_comment(external_id, body, **more)
        answer = self.client.post("/v1/comments", json=sent, headers=bearer(self.site[1]))
        assert answer.status_code == 202, answer.json
        self.work()
        return str(answer.get_json()["id"])

    def choose(self, **choices: Any) -> None:
        """Sets options of the site."""
        with self.store.write() as session:
            options.set_options(session, sites.find_site(session, self.site[0]), choices)

    def report(self, comment_id: str, reader: str = "r1", reason: str = "insult", text: str | None = None) -> bool:
        """Reports a comment; whether that was new."""
        with self.store.write() as session:
            comment = intake.find(session, self.site[0], comment_id, lock=True)
            known = reports.known_reader(self.site[0], reader, None, None)
            return reports.file(session, comment, known, reason, text, now=now_ms())[1]

    def rule(self, person: Person, comment_id: str, action: str, reason: str | None = None, note: str = "") -> None:
        """A moderator's ruling."""
        with self.store.write() as session:
            review.act(session, person, [comment_id], Act(action, None, reason, note or None), now_ms(), self.grace)

    def undo(self, person: Person) -> None:
        """Takes the person's last ruling back."""
        with self.store.write() as session:
            review.undo(session, person, now_ms())

    def edit(self, comment_id: str, body: str) -> None:
        """A new text, decided anew."""
        with self.store.write() as session:
            intake.edit(session, self.site[0], comment_id, body, now_ms())
        self.work()

    def status(self, comment_id: str) -> str:
        """Where the comment stands."""
        with self.store.read() as session:
            return session.get_one(Comment, comment_id).status

    def events(self, type: str = "") -> list[dict[str, Any]]:
        """What the site has heard, of one type or all; what is due is released first."""
        with self.store.write() as session:
            outbox.publish(session, now_ms())
        with self.store.read() as session:
            page = outbox.feed_page(session, self.site[0], "", 1000, LINKS)["events"]
        return [event for event in page if type in ("", event["type"])]

    def rows(self) -> list[Report]:
        """All reports, oldest first."""
        with self.store.read() as session:
            return list(session.scalars(select(Report).order_by(Report.id)))

    def outcomes(self) -> list[str | None]:
        """What became of each report."""
        return [report.outcome for report in self.rows()]

    def audited(self, action: str) -> list[dict[str, Any]]:
        """The data of the audit events of this kind."""
        with self.store.read() as session:
            rows = session.scalars(select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.id))
            return [row.data for row in rows]

    def statement_path(self, comment_id: str) -> str:
        """Path of the author's page about the last rejection that the site heard of."""
        told = [e["data"] for e in self.events("comment.rejected") if e["data"]["id"] == comment_id]
        return str(told[-1]["statement"]["url"]).removeprefix(LINKS.base_url)
