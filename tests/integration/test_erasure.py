"""An author is erased: nothing of theirs is left in any column, nor in SQLite's file; the chain holds, others stay."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from sqlalchemy import MetaData, Table, delete, func, select

from moderation.cli import main
from moderation.domain import chain
from moderation.domain.lifecycle import Role
from moderation.domain.standing import Standing
from moderation.errors import NotFound
from moderation.services import audit_chain, erasure, examples, intake, notes, outbox, reports, review, sites, standings
from moderation.services.accounts import Person
from moderation.services.erasure import find_author
from moderation.services.examples import NewExample
from moderation.services.options import set_options
from moderation.services.review import Act
from moderation.store.privacy import Erasure
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment, Event
from tests.services import ABUSE, a_comment, bearer, make_moderator

Site = tuple[str, str]
SECRET = "k" * 32
WORD = "zebrafinch"
NAME, EMAIL, AGENT = f"{WORD}-name", f"{WORD}@example.org", f"{WORD}-agent"
URL, IP = f"https://{WORD}.example/", "203.0.113.77"


def sent(external_id: str, body: str, **author: Any) -> dict[str, Any]:
    who = {"name": NAME, "email": EMAIL, "url": URL} | author
    return a_comment(external_id, body, author=who, ip=IP, user_agent=AGENT)


@pytest.fixture
def senior(store: Store, site: Site) -> Person:
    return make_moderator(store, site[0], "sue@example.org", Role.ADMIN)


@pytest.fixture
def lived(client: FlaskClient, store: Store, site: Site, work: Callable[[], int], senior: Person) -> dict[str, str]:
    """One author of whom there is something everywhere, and another one; external id -> id."""
    key = bearer(site[1])
    with store.write() as session:
        set_options(session, sites.find_site(session, site[0]), {"keep_ip": True})
    for body in (
        sent("fine", f"A fair point about {WORD}."), sent("rude", f"{ABUSE} {WORD}"),
        sent("known", f"My id and my {WORD}.", id="user-7"),
        a_comment("other", "Something else entirely."),
    ):  # fmt: skip
        assert client.post("/v1/comments", json=body, headers=key).status_code == 202
    work()
    with store.read() as session:
        ids = {row.external_id: row.id for row in session.execute(select(Comment.external_id, Comment.id))}
        author = session.get_one(Comment, ids["fine"]).author_key
    edited = client.put(f"/v1/comments/{ids['fine']}", json={"body": f"Edited, {WORD}."}, headers=key)
    assert edited.status_code == 202
    work()
    with store.write() as session:
        review.act(session, senior, [ids["rude"]], Act("reject", None, "insult", f"Note on {WORD}"), now_ms(), 0)
        notes.add(session, senior, ids["fine"], "author", f"They are {WORD}.", now_ms())
        standings.give(session, senior, author, Standing.HOLD, None, now_ms())
        labelled = NewExample("perspective", f"A fair point about {WORD}.", "m", {"TOXICITY": 0.0}, "o")
        examples.keep(session, site[0], labelled)
        other = intake.find(session, site[0], ids["other"], lock=True)
        reader = reports.known_reader(site[0], None, EMAIL, None)
        reports.file(session, other, reader, "spam", f"says {WORD}", now=now_ms())
        outbox.publish(session, now_ms())
        audit_chain.seal_batch(session, chain.keys(SECRET, ""), now_ms())
    return ids


def everything(store: Store) -> str:
    """All rows of all tables, as text."""
    with store.read() as session:
        meta = MetaData()
        meta.reflect(session.connection())
        rows = {name: [list(row) for row in session.execute(select(table))] for name, table in _plain(meta).items()}
    return json.dumps(rows, default=str)


def _plain(meta: MetaData) -> dict[str, Table]:
    return {name: table for name, table in meta.tables.items() if not name.startswith("comment_trigrams")}


def erase(store: Store, site: Site, **who: str) -> int:
    with store.read() as session:
        author = find_author(session, site[0], **who)
    return erasure.erase(store, [SECRET], author)


def test_nothing_of_them_is_left_anywhere(
    lived: dict[str, str], store: Store, site: Site, client: FlaskClient, database_url: str
) -> None:
    before = everything(store)
    for trace in (WORD, EMAIL, IP):
        assert trace in before
    assert erase(store, site, email=EMAIL.upper()) == 3
    after = everything(store)
    for trace in (WORD, EMAIL, IP):
        assert trace not in after, trace
    if store.sqlite:
        path = Path(database_url.removeprefix("sqlite:///"))
        for file in (path, path.with_name(path.name + "-wal")):
            assert not file.exists() or WORD.encode() not in file.read_bytes()
    answer = client.get(f"/v1/comments/{lived['rude']}", headers=bearer(site[1])).get_json()
    assert (answer["status"], answer["scores"]) == ("withdrawn", {})
    assert client.get(f"/v1/comments/{lived['other']}", headers=bearer(site[1])).get_json()["status"] == "approved"
    thread = client.get("/v1/threads?article_url=https://news.example/a", headers=bearer(site[1])).get_json()
    assert [one["author_name"] for one in thread["comments"]] == ["Ann"]


def test_the_site_hears_once_and_old_events_keep_their_shape(
    lived: dict[str, str], store: Store, site: Site, client: FlaskClient
) -> None:
    erase(store, site, email=EMAIL)
    with store.write() as session:
        outbox.publish(session, now_ms())
    events = client.get("/v1/events?limit=1000", headers=bearer(site[1])).get_json()["events"]
    gone = [event["data"]["external_id"] for event in events if event["type"] == "comment.withdrawn"]
    assert sorted(gone) == ["fine", "known", "rude"]
    for event in events:
        shown = event["data"].get("comment", event["data"])
        assert {"id", "external_id", "revision", "status", "scores", "decision"} <= set(shown)
    assert erase_again(store, site)
    with store.read() as session:
        withdrawn = select(func.count()).where(Event.type == "comment.withdrawn")
        assert session.scalar(withdrawn) == 3


def erase_again(store: Store, site: Site) -> bool:
    with store.read() as session, pytest.raises(NotFound):
        find_author(session, site[0], email=EMAIL)
    return True


def test_the_chain_holds_and_the_page_of_the_audit_says_so(lived: dict[str, str], store: Store, site: Site) -> None:
    erase(store, site, email=EMAIL)
    keys = chain.keys(SECRET, "")
    while audit_chain.seal_waiting(store, keys, until=lambda: False):
        pass
    found = audit_chain.verify(store, keys)
    assert found.broken is None
    assert found.erased > 0


def test_by_id_only_what_came_under_it(lived: dict[str, str], store: Store, site: Site) -> None:
    assert erase(store, site, author_id="user-7") == 1
    with store.read() as session:
        left = session.scalars(select(Comment.external_id).where(Comment.body.contains(WORD))).all()
    assert sorted(left) == ["fine", "rude"]
    with store.read() as session, pytest.raises(NotFound):
        find_author(session, site[0], author_id="user-8")


def test_broken_off_it_goes_on_where_it_stopped(
    lived: dict[str, str], store: Store, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "_AT_ONCE", 1)
    with store.read() as session:
        author = find_author(session, site[0], email=EMAIL)
    with store.write() as session:  # the process died after the first slice
        erasure._enter(session, SECRET, author, None, now_ms())
        assert erasure._slice(session, [SECRET], author, now_ms(), None) == (1, True)
    assert erase(store, site, email=EMAIL) == 2
    assert WORD not in everything(store)


def test_the_list_erases_again_what_a_backup_brings_back_and_not_what_came_later(
    lived: dict[str, str], store: Store, site: Site, client: FlaskClient, work: Callable[[], int]
) -> None:
    """The list is made with an older secret key, and its hashes fit the present rows: as after a restore."""
    with store.read() as session:
        author = find_author(session, site[0], email=EMAIL)
        now = now_ms()
        entries = [
            Erasure(id=f"{n:032}", site_id=site[0], author_hash=min(erasure._hashes([SECRET], site[0], key)),
                    erased_at=now, actor=None)
            for n, key in enumerate(sorted(author.keys | author.reporter_keys))
        ]  # fmt: skip
    later = sent("later", f"Back again, {WORD}.")
    with store.write() as session:
        new = intake.NewComment(
            external_id="later", body=later["body"], format="plain", author_name=NAME, author_email=EMAIL,
            author_url=None, author_id=None, article_url="https://news.example/a",
        )  # fmt: skip
        intake.submit(session, site[0], [new], now + 60_000)
    with store.write() as session:
        assert erasure.apply_list(session, ["another" * 8, SECRET], entries) == 3
    with store.read() as session:
        left = session.scalars(select(Comment.external_id).where(Comment.author_name == NAME)).all()
    assert left == ["later"]


def test_another_sites_author_stays(lived: dict[str, str], store: Store, site: Site) -> None:
    with store.write() as session:
        other, _ = sites.create_site(session, "other")
    with store.read() as session, pytest.raises(NotFound):
        find_author(session, other.id, email=EMAIL)


# ---- as an operator does it


@pytest.fixture
def run(database_url: str, redis_url: str, tmp_path: Path) -> Callable[..., Result]:
    env = {
        "MODERATION_DATABASE_URL": database_url, "MODERATION_REDIS_URL": redis_url, "MODERATION_SECRET_KEY": SECRET,
    }  # fmt: skip

    def command(*words: str, text: str | None = None) -> Result:
        return CliRunner().invoke(main, [*words, "--data", str(tmp_path)], input=text, env=env)

    return command


def test_what_is_kept_is_shown_as_a_document(lived: dict[str, str], run: Callable[..., Result], tmp_path: Path) -> None:
    out = tmp_path / "ann.json"
    answer = run("privacy", "export", "--email", EMAIL, "--out", str(out))
    assert answer.exit_code == 0, answer.output
    assert out.stat().st_mode & 0o777 == 0o600
    kept = json.loads(out.read_text())
    assert [one["external_id"] for one in kept["comments"]] == ["fine", "rude", "known"]
    fine, rude, _ = kept["comments"]
    assert (fine["body"], [one["body"] for one in fine["earlier"]]) == (
        f"Edited, {WORD}.", [f"A fair point about {WORD}."],
    )  # fmt: skip
    assert fine["author"] == {"name": NAME, "email": EMAIL, "url": URL, "id": None}
    assert [one["action"] for one in rude["decisions"]] == ["hold", "reject"]
    assert rude["decisions"][0]["scores"]["INSULT"] > 0.5
    assert ([one["text"] for one in kept["notes"]], kept["standing"][0]["standing"]) == ([f"They are {WORD}."], "hold")
    assert [one["text"] for one in kept["reports_made"]] == [f"says {WORD}"]
    assert "sue@example.org" not in out.read_text()
    again = run("privacy", "export", "--author-id", "user-7")
    assert [one["external_id"] for one in json.loads(again.output)["comments"]] == ["known"]


def test_who_is_asked_for_must_be_said_and_known(lived: dict[str, str], run: Callable[..., Result]) -> None:
    assert "give --email or --author-id" in run("privacy", "erase", "--yes").output
    assert "nothing is kept" in run("privacy", "export", "--email", "nobody@example.org").output
    assert run("privacy", "erase", "--email", EMAIL, text="n\n").exit_code == 1
    assert run("privacy", "export", "--email", EMAIL).exit_code == 0


@pytest.mark.parametrize("lost", [False, True])
def test_a_backup_from_before_does_not_bring_them_back(
    lived: dict[str, str], run: Callable[..., Result], store: Store, tmp_path: Path, lost: bool
) -> None:
    """With the database that knows of the erasure still there, and with nothing but the list that was kept apart."""
    backup, listed = tmp_path / "before.backup", tmp_path / "erasures.jsonl"
    assert run("backup", str(backup)).exit_code == 0
    assert "3 comments" in run("privacy", "erase", "--email", EMAIL, "--yes").output
    assert run("privacy", "list", "--out", str(listed)).exit_code == 0
    assert WORD not in listed.read_text()
    if lost:
        with store.write() as session:
            session.execute(delete(Erasure))
    apart = ["--erasures", str(listed)] if lost else []
    answer = run("restore", str(backup), "--force", *apart)
    assert answer.exit_code == 0, answer.output
    store.close()  # the file is another one now
    assert WORD not in everything(store)
    with store.read() as session:
        assert session.scalar(select(func.count()).select_from(Comment)) == 4
