"""Backups of a service with something of everything in it: made under load, restored elsewhere, compared row by row."""

import gzip
import json
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import create_engine, func, inspect, select, text
from sqlalchemy.orm import Session

from moderation import cli_backup
from moderation.app import create_app
from moderation.cli import main
from moderation.config import Settings
from moderation.domain import chain
from moderation.scoring import Classifier
from moderation.services import audit_chain, decide, health, outbox
from moderation.services.backup import Secrets, backup, postgresql, restore
from moderation.services.backup.archive import read_manifest
from moderation.store import schema
from moderation.store.people import SignIn
from moderation.store.privacy import Erasure
from moderation.store.session import Store, now_ms
from moderation.store.tables import Comment, Event, Feed, Site, WorkerState
from tests.databases import PostgreSQL, until
from tests.integration.populated import populate
from tests.services import PASSWORD, a_comment, bearer

KEY = "k" * 32
Run = Callable[..., Result]
# What a restore changes on purpose; each has its own assertion.
CHANGED = {"sign_ins", "workers", "feed", "audit_chain"}


@pytest.fixture
def run(tmp_path: Path, redis_url: str) -> Run:
    def invoke(url: str, *arguments: str, **more: str) -> Result:
        env = {"MODERATION_DATABASE_URL": url, "MODERATION_SECRET_KEY": KEY, "MODERATION_REDIS_URL": redis_url} | more
        data = ["--data", str(tmp_path / "folder")] if arguments[0] in ("backup", "restore") else []
        return CliRunner().invoke(main, [*arguments, *data], env=env, catch_exceptions=False)

    return invoke


@pytest.fixture
def elsewhere(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Address of another database with nothing in it, not even tables."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'another place' / 'copy.sqlite3'}"
    server: PostgreSQL = request.getfixturevalue("postgresql")
    url = server.new_database()
    with Store(url, pool_size=1).write() as session:
        session.execute(text("DROP SCHEMA public CASCADE"))
        session.execute(text("CREATE SCHEMA public"))
    return url


def rows(store: Store) -> dict[str, list[str]]:
    """Every row of every table, as text, in order; but for the index of texts, which has its own tests."""
    with store.read() as session:
        names = [n for n in inspect(session.connection()).get_table_names() if not n.startswith("comment_t")]
        return {name: sorted(map(repr, session.execute(text(f"SELECT * FROM {name}")))) for name in names}


def make_newer(session: Session) -> None:
    """As a program that has not been written yet would leave it, when no older one can work with it."""
    session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    session.execute(text("UPDATE compatibility SET oldest = '9999'"))


class Load:
    """Clients that post without a pause; `accepted` are the external ids that got their 202."""

    def __init__(self, app: Flask, key: str) -> None:
        self.accepted: set[str] = set()
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._post, args=(app, key, n)) for n in range(3)]
        for thread in self._threads:
            thread.start()

    def _post(self, app: Flask, key: str, client: int) -> None:
        number, browser = 0, app.test_client()
        while not self._end.is_set():
            name, number = f"load-{client}-{number}", number + 1
            answer = browser.post("/v1/comments", json=a_comment(name), headers=bearer(key))
            assert answer.status_code == 202
            self.accepted.add(name)

    def stop(self) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(60)


@pytest.fixture
def load(app: Flask, site: tuple[str, str]) -> Iterator[Callable[[], Load]]:
    begun: list[Load] = []

    def begin() -> Load:
        begun.append(Load(app, site[1]))
        return begun[-1]

    yield begin
    for one in begun:
        one.stop()


def test_made_under_load_it_holds_all_that_was_accepted_before(
    run: Run, app: Flask, store: Store, site: tuple[str, str], work: Any, load: Callable[[], Load], database_url: str,
    elsewhere: str, tmp_path: Path, person: object,
) -> None:  # fmt: skip
    populate(app, store, site, work, "words", "https://news.example/x")
    clients = load()
    until(lambda: len(clients.accepted) > 100, 60, "the clients")
    before, file = set(clients.accepted), tmp_path / "made.backup"
    made = run(database_url, "backup", str(file))
    assert made.exit_code == 0, made.output
    while_it_was_made = len(clients.accepted) - len(before)
    clients.stop()
    assert while_it_was_made > 0
    assert file.stat().st_mode & 0o777 == 0o600
    manifest = read_manifest(file)
    assert run(elsewhere, "restore", str(file)).exit_code == 0
    copy = Store(elsewhere)
    there, here = rows(copy), rows(store)
    names = {external_id for (external_id,) in copy_of(copy, Comment.external_id)}
    assert before <= names <= clients.accepted | {n for (n,) in copy_of(store, Comment.external_id)}
    assert {name: len(some) for name, some in there.items() if name not in CHANGED | {"audit_events"}} == {
        name: count for name, count in manifest.counts.items() if name not in CHANGED | {"audit_events"}
    }
    for table in set(there) - CHANGED - {"audit_events", "articles"}:  # rows are only added by this load
        assert set(there[table]) <= set(here[table]), table
    copy.close()


def copy_of(store: Store, *columns: Any) -> list[Any]:
    with store.read() as session:
        return list(session.execute(select(*columns)))


def test_destroyed_and_restored_every_row_is_there_and_it_goes_on(
    run: Run, app: Flask, store: Store, site: tuple[str, str], work: Any, database_url: str, elsewhere: str,
    tmp_path: Path, person: object, classifier: Classifier, redis_url: str,
) -> None:  # fmt: skip
    populate(app, store, site, work, "wörds 🎯", "https://news.example/x")
    app.test_client().post("/v1/comments", json=a_comment("leased"), headers=bearer(site[1]))
    with store.write() as session:
        session.execute(
            text("UPDATE comments SET lease_owner = 'gone:1', lease_until = 9999999999999 WHERE status = 'pending'")
        )
        health.sign_of_life(session, "gone", classifier, now_ms() - 60_000)
    audit_chain.seal_waiting(store, chain.keys(KEY, ""), lambda: False)
    before, file = rows(store), tmp_path / "quiet.backup"
    made = run(database_url, "backup", str(file), "--with-secrets")
    assert made.exit_code == 0, made.output
    destroy(store)
    for url, force in ((elsewhere, ()), (database_url, ("--force",))):
        answer = run(url, "restore", str(file), *force)
        assert answer.exit_code == 0, answer.output
        restored = Store(url)
        after = rows(restored)
        for table in set(before) - CHANGED - {"audit_events", "comments"}:
            assert after[table] == before[table], table
        free = [row.replace("'gone:1'", "None").replace("9999999999999", "None") for row in before["comments"]]
        assert after["comments"] == free
        assert set(before["audit_events"]) < set(after["audit_events"])
        with restored.read() as session:
            assert session.scalar(select(func.count()).select_from(SignIn)) == 0
            assert session.scalar(select(func.count()).select_from(WorkerState)) == 0
        goes_on(restored, url, site, classifier, redis_url)
        restored.close()
    assert (tmp_path / "folder" / "secret_key").read_text() == KEY


def destroy(store: Store) -> None:
    """What a disk does when it dies."""
    if store.sqlite:
        file = Path(store.engine.url.database or "")
        store.close()
        file.write_bytes(b"no database any more" * 1000)
        file.with_name(file.name + "-wal").unlink(missing_ok=True)
        return
    with store.write() as session:
        session.execute(text("DELETE FROM audit_events"))
        session.execute(text("DROP TABLE decisions CASCADE"))
    store.close()


def goes_on(store: Store, url: str, site: tuple[str, str], classifier: Classifier, redis_url: str) -> None:
    """It takes comments in, decides them, tells of them where readers have not been yet; its chain holds."""
    with store.read() as session:
        seen = session.scalar(select(func.max(Event.position))) or 0
    app = create_app(Settings(database_url=url, redis_url=redis_url, secret_key=KEY, base_url="http://localhost"))
    client = app.test_client()
    id = client.post("/v1/comments", json=a_comment("after"), headers=bearer(site[1])).json["id"]  # type: ignore[index]
    decide.drain(store, classifier, "test:1", lease_ms=30_000, until=lambda: False, after_batch=lambda: None)
    with store.write() as session:
        assert session.scalars(select(Feed)).one().last_position >= 1_000_000_000
        outbox.publish(session, now_ms() + 60_000)
    feed = client.get(f"/v1/events?after={seen + 1000}", headers=bearer(site[1])).json
    assert id in [event["data"]["id"] for event in feed["events"]]  # type: ignore[index]
    assert client.post(
        "/v1/auth/tokens", json={"email": "ann@example.org", "password": PASSWORD}
    ).status_code in (200, 201)  # fmt: skip
    audit_chain.seal_waiting(store, chain.keys(KEY, ""), lambda: False)
    found = audit_chain.verify(store, chain.keys(KEY, ""))
    assert (found.broken, found.unsealed) == (None, 0)
    app.extensions["moderation"].store.close()


def test_what_is_refused_changes_nothing(
    run: Run, store: Store, client: Any, site: tuple[str, str], database_url: str, elsewhere: str, tmp_path: Path,
    classifier: Classifier,
) -> None:  # fmt: skip
    client.post("/v1/comments", json=a_comment(), headers=bearer(site[1]))
    file = tmp_path / "one.backup"
    assert run(database_url, "backup", str(file)).exit_code == 0
    whole = file.read_bytes()

    def refused(url: str, *arguments: str) -> str:
        state = rows(store)
        answer = run(url, *arguments)
        assert (answer.exit_code, len(answer.output.splitlines())) == (1, 1), answer.output
        assert rows(store) == state
        return answer.output

    assert "there already" in refused(database_url, "backup", str(file))
    assert file.read_bytes() == whole
    assert "can't be written" in refused(database_url, "backup", str(tmp_path / "nowhere" / "x"))
    assert "not empty" in refused(database_url, "restore", str(file))
    assert "there is no" in refused(database_url, "restore", str(tmp_path / "none"), "--force")
    for name, content in {
        "cut": whole[: len(whole) // 2], "empty": b"", "other": b"not a backup" * 99, "gz": gzip.compress(b"x" * 9999),
        "bits": whole[: len(whole) // 2] + bytes(b ^ 255 for b in whole[len(whole) // 2 : len(whole) // 2 + 9])
        + whole[len(whole) // 2 + 9 :],
    }.items():  # fmt: skip
        (tmp_path / name).write_bytes(content)
        assert "damaged" in refused(database_url, "restore", str(tmp_path / name), "--force"), name
    with store.write() as session:
        health.sign_of_life(session, "here", classifier, now_ms())
    assert "stop web and workers" in refused(database_url, "restore", str(file), "--force")
    with store.write() as session:
        session.execute(text("DELETE FROM workers"))
        make_newer(session)
    assert "newer version" in refused(database_url, "backup", str(tmp_path / "newer"))
    assert sorted(path.name for path in tmp_path.glob(".*")) == []


def test_a_backup_of_the_version_before_is_brought_up(run: Run, elsewhere: str, tmp_path: Path) -> None:
    old = Store(elsewhere if "postgres" in elsewhere else f"sqlite:///{tmp_path / 'old.sqlite3'}", pool_size=1)
    config = schema._config()
    config.attributes["engine"] = old.engine
    command.upgrade(config, "0007")
    with old.write() as session:
        session.execute(text("INSERT INTO sites (id, name, created_at, publishable_key, origins, options,"
                             " coral_secrets)"
                             " VALUES ('s', 'old', 1, 'pk', '[]', '{}', '[]')"))  # fmt: skip
    backup(old, tmp_path / "old.backup", Secrets(KEY, {}))
    old.close()
    answer = run(elsewhere, "restore", str(tmp_path / "old.backup"), "--force")
    assert answer.exit_code == 0, answer.output
    restored = Store(elsewhere, pool_size=1)
    assert schema.check(restored) is None
    assert copy_of(restored, Site.name, Site.hold_all) == [("old", False)]
    restored.close()


def test_a_backup_of_a_newer_version_is_refused(
    run: Run, store: Store, client: Any, site: tuple[str, str], database_url: str, elsewhere: str, tmp_path: Path
) -> None:
    """Also after it was loaded: what was there is back."""
    client.post("/v1/comments", json=a_comment("kept"), headers=bearer(site[1]))
    ours = rows(store)
    with store.write() as session:
        make_newer(session)
    backup(store, tmp_path / "newer.backup", Secrets(KEY, {}))
    answer = run(elsewhere, "restore", str(tmp_path / "newer.backup"))
    assert (answer.exit_code, "newer version" in answer.output) == (1, True)
    with create_engine(elsewhere).connect() as connection:
        assert inspect(connection).get_table_names() == []
    with store.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :now"), {"now": head()})
        session.execute(text("UPDATE compatibility SET oldest = '0008'"))
    answer = run(database_url, "restore", str(tmp_path / "newer.backup"), "--force")
    assert (answer.exit_code, "newer version" in answer.output) == (1, True)
    assert rows(store) == ours
    assert client.post("/v1/comments", json=a_comment("after"), headers=bearer(site[1])).status_code == 202


def head() -> str:
    return str(ScriptDirectory.from_config(schema._config()).get_current_head())


def test_a_disk_that_is_full_leaves_nothing_half_written(database_url: str, store: Store, tmp_path: Path) -> None:
    """The kernel refuses files of more than 20 kB to this process, as a full disk would."""

    def little() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    folder = tmp_path / "to"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-P", "-m", "moderation", "backup", str(folder / "b"), "--data", str(tmp_path)],
        env={"MODERATION_DATABASE_URL": database_url, "MODERATION_SECRET_KEY": KEY, "PATH": "/usr/bin",
             "PYTHONDONTWRITEBYTECODE": "1"},  # a bytecode file would be cut, too
        capture_output=True, text=True, preexec_fn=little, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert list(folder.iterdir()) == []


def test_the_password_is_on_no_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program in pg_dump's place notes what it is told; it can't be reached, so nothing else happens."""
    told = tmp_path / "told"
    program = tmp_path / "pg_dump"
    program.write_text(f'#!/bin/sh\necho "$@" > {told}\necho "$PGPASSWORD" >> {told}\nexit 1\n')
    program.chmod(0o755)
    engine = Store("postgresql://ann:geheim@db.example:5433/news?sslmode=require", pool_size=1).engine
    with pytest.raises(Exception, match="pg_dump failed"):
        postgresql._run(engine, str(program), "--format=custom")
    assert told.read_text().splitlines() == ["--format=custom", "geheim"]


def test_the_manifest_is_json_for_anybody(run: Run, store: Store, database_url: str, tmp_path: Path) -> None:
    assert run(database_url, "backup", str(tmp_path / "b")).exit_code == 0
    listed = subprocess.run(["tar", "-xzOf", str(tmp_path / "b"), "manifest.json"], capture_output=True, check=True)
    said = json.loads(listed.stdout)
    assert said["kind"] == store.engine.dialect.name
    assert KEY not in listed.stdout.decode()


@pytest.mark.postgresql
def test_who_owns_only_the_database_can_back_it_up_and_restore_it(
    run: Run, postgresql: PostgreSQL, tmp_path: Path
) -> None:
    """As at a hosting service: no superuser, a password in the address."""
    with postgresql._connect() as connection:
        connection.execute("DROP DATABASE IF EXISTS plain WITH (FORCE)")
        connection.execute("DROP ROLE IF EXISTS plain")
        connection.execute("CREATE ROLE plain LOGIN PASSWORD 'geheim'")
        connection.execute("CREATE DATABASE plain OWNER plain")
    url = postgresql.url("plain").replace("test@", "plain:geheim@")
    assert run(url, "db", "upgrade").exit_code == 0
    assert run(url, "site", "create", "Herald").exit_code == 0
    file = tmp_path / "plain.backup"
    for arguments in (["backup", str(file)], ["restore", str(file), "--force"], ["restore", str(file), "--force"]):
        answer = run(url, *arguments)
        assert answer.exit_code == 0, answer.output
    store = Store(url, pool_size=1)
    assert copy_of(store, Site.name) == [("Herald",)]
    with store.read() as session:
        assert session.scalar(text("SELECT count(*) FROM pg_indexes WHERE indexname = 'ix_comments_text'")) == 1
    store.close()


def test_erasures_of_after_the_backup_are_handed_to_what_applies_them(
    run: Run, store: Store, site: tuple[str, str], database_url: str, tmp_path: Path
) -> None:
    """Those that the database knows before it is replaced, and those of a file; each once, and they stay known."""
    file, listed = tmp_path / "before.backup", tmp_path / "erasures"
    with store.write() as session:
        session.add(Erasure(id="0" * 32, site_id=site[0], author_hash="known", erased_at=1, actor=None))
    assert run(database_url, "backup", str(file)).exit_code == 0
    with store.write() as session:
        session.add(Erasure(id="1" * 32, site_id=site[0], author_hash="since", erased_at=2, actor=None))
    said = {"site_id": site[0], "author_hash": "file", "erased_at": 3}
    lines = [said, said | {"site_id": "a site that is gone"}]
    listed.write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    applied: list[str] = []
    done = restore(
        store, file, KEY, lambda _session, some: applied.extend(one.author_hash for one in some),
        erasures=cli_backup._read(listed), force=True,
    )  # fmt: skip
    assert (done.erasures, sorted(applied)) == (2, ["file", "since"])
    assert sorted(copy_of(store, Erasure.author_hash)) == [("file",), ("known",), ("since",)]
    listed.write_text("not json\n")
    answer = run(database_url, "restore", str(file), "--force", "--erasures", str(listed))
    assert "line 1 is no erasure" in answer.output
