"""/audit without a browser: who may see it, what a filter finds, what an export holds and what it never does."""

import csv
import io
import json
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from moderation.domain import chain
from moderation.domain.lifecycle import Role
from moderation.services import audit_chain, sites
from moderation.services.accounts import Person as Moderator
from moderation.services.audit import audit_row, record_audit
from moderation.services.review import Act, act
from moderation.store.audit import AuditEvent
from moderation.store.queries import insert_rows
from moderation.store.session import Store, new_id, now_ms
from tests.integration.pages import HTML, Person
from tests.services import ABUSE, a_comment, bearer, make_moderator

KEYS = chain.keys("k" * 32)
DAY = 86_400_000


@pytest.fixture
def ann(store: Store, site: tuple[str, str]) -> Moderator:
    return make_moderator(store, site[0], "ann@example.org", Role.ADMIN)


@pytest.fixture
def admin(app: Flask, ann: Moderator) -> Person:
    return Person(app.test_client()).sign_in()


@pytest.fixture
def rejected(client: FlaskClient, site: tuple[str, str], work: Callable[[], int], store: Store, ann: Moderator) -> str:
    """A comment that Ann rejected as an insult."""
    answer = client.post("/v1/comments", json=a_comment("wp-7", ABUSE), headers=bearer(site[1]))
    work()
    comment_id = str(answer.json["id"])  # type: ignore[index]
    with store.write() as session:
        act(session, ann, [comment_id], Act("reject", None, "insult", "a private remark"), now_ms(), 0)
    return comment_id


def happen(store: Store, site_id: str, *actions: str, actor: str | None = None) -> None:
    with store.write() as session:
        for action in actions:
            record_audit(session, action, site_id=site_id, actor=actor, subject_id=new_id())


def rows(answer: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer)))


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.SENIOR])
def test_only_admins_see_the_trail(app: Flask, store: Store, site: tuple[str, str], role: Role) -> None:
    make_moderator(store, site[0], "eve@example.org", role)
    eve = Person(app.test_client()).sign_in("eve@example.org")
    assert eve.see("/audit").status_code == 403
    assert eve.send("/audit/export", form="csv").status_code == 403
    assert 'href="/audit"' not in eve.see("/review").text
    assert app.test_client().get("/audit", headers=HTML).status_code == 303


def test_the_trail_says_who_did_what(admin: Person, rejected: str) -> None:
    page = admin.see("/audit").text
    assert f'<a href="/review/{rejected}">ann rejected a comment: Insult</a>' in page
    assert "The policy held a comment" in page
    assert "A comment came in" in page
    assert "ann signed in" in page
    assert "Nothing is sealed yet." in page
    assert "a private remark" not in page
    assert ABUSE not in page


def test_the_state_of_the_chain(admin: Person, rejected: str, store: Store) -> None:
    audit_chain.seal_waiting(store, KEYS, until=lambda: False)
    assert "Not verified yet" in admin.see("/audit").text
    assert audit_chain.verify(store, KEYS).broken is None
    page = admin.see("/audit").text
    assert "Sealed up to" in page
    assert "Verified on" in page
    assert "not sealed yet" not in page
    with store.write() as session:
        session.scalars(select(AuditEvent).where(AuditEvent.place == 2)).one().action = "x.y"
    audit_chain.verify(store, KEYS)
    page = admin.see("/audit").text
    assert "The chain of this trail is broken" in page
    assert "place 2" in page


def test_filters(admin: Person, rejected: str, store: Store, site: tuple[str, str], ann: Moderator) -> None:
    happen(store, site[0], "policy.applied", "key.created", "frob.nicated")
    assert admin.see(f"/audit?about={rejected}").text.count("<li id=") == 3
    assert admin.see("/audit?about=wp-7").text.count("<li id=") == 3
    page = admin.see(f"/audit?who={ann.id}").text
    assert "ann rejected" in page
    assert "The policy" not in page.partition("<ol")[2]
    assert "ann rejected" not in admin.see("/audit?who=nobody").text
    assert admin.see("/audit?what=policy.applied").text.count("<li id=") == 2  # with the one of the new site
    assert admin.see(f"/audit?what=comment.rejected&who={ann.id}").text.count("<li id=") == 1
    assert "frob.nicated" in admin.see("/audit?what=frob.nicated").text
    assert "No event matches" in admin.see("/audit?to=2020-01-01").text
    assert "ann rejected" in admin.see("/audit?from=2020-01-01").text
    assert "No event matches" in admin.see("/audit?who=' OR 1=1 --").text
    assert admin.see("/audit?about=%00&who=%00x").status_code == 200


def test_the_last_day_is_part_of_the_range(admin: Person, store: Store, site: tuple[str, str]) -> None:
    noon = 20_000 * DAY + DAY // 2  # 2024-10-04
    row = audit_row("policy.applied", site_id=site[0], subject_id=None, actor=None, at=noon)
    with store.write() as session:
        insert_rows(session, AuditEvent, [row | {"id": f"{noon:012x}" + "0" * 20}])
    assert admin.see("/audit?from=2024-10-04&to=2024-10-04").text.count("<li id=") == 1
    assert admin.see("/audit?from=2024-10-05&to=2024-10-05").text.count("<li id=") == 0


@pytest.mark.parametrize(
    "query", ["from=yesterday", "to=2026-13-01", "before=x", "from=9999-99-99", "before=" + "g" * 32]
)
def test_what_does_not_fit_is_said(admin: Person, query: str) -> None:
    assert admin.see(f"/audit?{query}").status_code == 422
    assert admin.see("/audit?to=9999-12-31").status_code in (200, 422)


def test_pages_show_each_event_once(admin: Person, store: Store, site: tuple[str, str]) -> None:
    happen(store, site[0], *["example.kept"] * 120)
    seen: list[str] = []
    path: str | None = "/audit?what=example.kept"
    while path:
        page = admin.see(path).text
        seen += [part.partition('"')[0] for part in page.split('<li id="e-')[1:]]
        path = page.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
        if 'rel="next"' not in page:
            path = None
    assert len(seen) == len(set(seen)) == 120
    assert seen == sorted(seen, reverse=True)


def test_another_sites_events_are_not_there(admin: Person, store: Store, rejected: str) -> None:
    with store.write() as session:
        other, _ = sites.create_site(session, "other")
    bob = make_moderator(store, other.id, "bob@example.org", Role.ADMIN)
    happen(store, other.id, "policy.applied", actor=bob.id)
    eve = Person(admin.client.application.test_client()).sign_in("bob@example.org")
    assert rejected not in eve.see("/audit").text
    assert "No event matches" in eve.see(f"/audit?about={rejected}").text
    assert "No event matches" in eve.see("/audit?about=wp-7").text
    assert "bob" not in admin.see("/audit").text
    assert rejected not in eve.send("/audit/export", form="csv").text


def test_an_export_holds_what_the_filter_holds_and_is_audited(admin: Person, rejected: str, ann: Moderator) -> None:
    admin.see("/audit")
    answer = admin.send(f"/audit/export?who={ann.id}&what=comment.rejected", form="csv")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="audit-')
    (row,) = rows(answer.text)
    assert (row["person"], row["action"], row["subject"]) == ("ann", "comment.rejected", rejected)
    assert row["what"] == "ann rejected a comment: Insult"
    assert json.loads(row["data"])["reason"] == "insult"
    lines = [json.loads(line) for line in admin.send("/audit/export?about=wp-7", form="jsonl").text.splitlines()]
    assert [line["action"] for line in lines] == ["comment.rejected", "comment.held", "comment.received"]
    assert lines[0]["person_id"] == ann.id
    page = admin.see("/audit?what=audit.exported").text
    assert page.count("ann exported the audit trail") == 2
    exported = [
        json.loads(line) for line in admin.send("/audit/export?what=audit.exported", form="jsonl").text.splitlines()
    ]
    assert exported[1]["data"] == {"format": "jsonl", "filter": {"subject": "other"}}
    assert exported[2]["data"]["filter"] == {"person": ann.id, "action": "comment.rejected"}


def test_an_export_is_whole_and_holds_nothing_private(
    admin: Person, rejected: str, store: Store, site: tuple[str, str], client: FlaskClient
) -> None:
    client.post(f"/v1/comments/{rejected}/site-decision", headers=bearer(site[1]),
                json={"action": "approve", "by": "jo@paper.example", "reason": "=cmd()"})  # fmt: skip
    happen(store, site[0], *["example.kept"] * 2500)
    admin.see("/audit")
    with store.read() as session:
        ids = set(session.scalars(select(AuditEvent.id).where(AuditEvent.site_id == site[0])))
    exports = {form: admin.send("/audit/export", form=form).text for form in ("csv", "jsonl")}
    assert {row["id"] for row in rows(exports["csv"])} >= ids
    assert {json.loads(line)["id"] for line in exports["jsonl"].splitlines()} >= ids
    for text in exports.values():
        for private in ("jo@paper.example", "ann@example.org", "stupid idiot", "a private remark"):
            assert private not in text


def test_a_cell_that_is_a_formula_is_made_harmless(admin: Person, store: Store, site: tuple[str, str]) -> None:
    wicked = ("=HYPERLINK(1)", "+1", "-1", "@x", "\t=1", " =1")
    with store.write() as session:
        for subject in wicked:
            record_audit(session, "example.kept", site_id=site[0], subject_id=subject)
    admin.see("/audit")
    cells = {row["subject"] for row in rows(admin.send("/audit/export?what=example.kept", form="csv").text)}
    assert cells == {f"'{subject}" for subject in wicked}


def test_an_export_needs_the_pages_token_and_a_known_form(admin: Person) -> None:
    assert admin.client.post("/audit/export", data={"form": "csv"}, headers=HTML).status_code == 400
    assert admin.send("/audit/export", form="xlsx").status_code == 422
    assert admin.send("/audit/export?from=x", form="csv").status_code == 422
