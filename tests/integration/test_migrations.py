"""Migrations widen: the version before works on the schema after, and on PostgreSQL writers are never kept out."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, MetaData, Table, event, inspect, select, text

from moderation.store import schema
from moderation.store.session import Store
from tests.databases import PostgreSQL, until
from tests.integration.populated import populate
from tests.services import a_comment, bearer

# The last one of a release: whoever runs it runs beside what comes after.
RELEASED = "0007"
# Tables that grow with every comment.
LARGE = {"comments", "decisions", "events", "deliveries", "audit_events", "hold_reasons", "held_scores", "revisions"}


ON_POSTGRESQL = pytest.mark.parametrize(
    "database_url", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)


def to(store: Store, revision: str) -> None:
    """Brings a database to this revision."""
    config = schema._config()
    config.attributes["engine"] = store.engine
    command.upgrade(config, revision)


@pytest.fixture
def before(database_url: str, tmp_path: Any, request: pytest.FixtureRequest) -> Iterator[Store]:
    """A database as the version before has made it, with nothing in it."""
    if database_url.startswith("sqlite"):
        store = Store(f"sqlite:///{tmp_path / 'before.sqlite3'}", pool_size=4)
    else:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        store = Store(server.new_database(), pool_size=4)
        with store.write() as session:
            session.execute(text("DROP SCHEMA public CASCADE"))
            session.execute(text("CREATE SCHEMA public"))
    to(store, RELEASED)
    yield store
    store.close()


def shape(store: Store) -> dict[str, dict[str, Any]]:
    """Tables with their columns (type, may it be empty, has it a default) and what they forbid."""
    with store.engine.connect() as connection:
        seen = inspect(connection)
        return {
            table: {
                "columns": {c["name"]: (str(c["type"]), c["nullable"], c["default"] is not None)
                            for c in seen.get_columns(table)},
                "forbids": sorted(
                    [f"unique {sorted(map(str, u['column_names']))}" for u in seen.get_unique_constraints(table)]
                    + [f"unique {sorted(map(str, i['column_names']))}" for i in seen.get_indexes(table) if i["unique"]]
                    + [f"check {c['sqltext']}" for c in seen.get_check_constraints(table)]
                    + [f"key {sorted(f['constrained_columns'])}" for f in seen.get_foreign_keys(table)]
                ),
            }
            for table in seen.get_table_names() if not table.startswith("comment_t") and table != "alembic_version"
        }  # fmt: skip


def test_what_is_new_stands_in_nobodys_way(before: Store) -> None:
    old = shape(before)
    schema.upgrade(before)
    new = shape(before)
    for table, was in old.items():
        assert table in new, f"{table} is gone"
        assert new[table]["forbids"] == was["forbids"], table
        for column, said in was["columns"].items():
            assert new[table]["columns"][column] == said, f"{table}.{column}"
        for column in set(new[table]["columns"]) - set(was["columns"]):
            _, nullable, default = new[table]["columns"][column]
            assert nullable or default, f"{table}.{column} must be given, and the version before does not"


def test_rows_of_the_version_before_still_go_in(
    before: Store, app: Any, store: Store, site: tuple[str, str], work: Any, person: object
) -> None:
    """Each kind of row that there is, taken out and put in again with the columns that were known before."""
    known = MetaData()
    known.reflect(before.engine)
    populate(app, store, site, work, "words", "https://news.example/x")
    tried = set()
    with store.write() as session:
        connection = session.connection()
        loosen(connection)
        for name, table in known.tables.items():
            if name.startswith("comment_t") or name == "alembic_version":
                continue
            whole = Table(name, MetaData(), autoload_with=connection)
            rows = [dict(row._mapping) for row in connection.execute(select(table).limit(3))]
            if not rows:
                continue
            keys = [column.name for column in whole.primary_key]
            for row in rows:
                connection.execute(whole.delete().where(*(whole.c[key] == row[key] for key in keys)))
                connection.execute(table.insert(), row)
            tried.add(name)
    assert {"comments", "sites", "site_keys", "articles", "decisions", "events", "audit_events"} <= tried


def loosen(connection: Connection) -> None:
    """Lets a row out that others point to; it is back before the end."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL session_replication_role = replica"))
    else:
        connection.execute(text("PRAGMA defer_foreign_keys=ON"))


def test_large_tables_get_their_indexes_without_keeping_writers_out(before: Store) -> None:
    said: list[str] = []
    event.listen(before.engine, "before_cursor_execute", lambda *args: said.append(str(args[2])))
    schema.upgrade(before)
    indexes = [line for line in said if "INDEX" in line and any(f" ON {table} " in line for table in LARGE)]
    assert indexes
    if not before.sqlite:
        assert [line for line in indexes if "CONCURRENTLY" not in line] == []
    rewrites = ("ALTER COLUMN", "SET NOT NULL", "DROP COLUMN", "DROP TABLE", "RENAME", "UPDATE comments")
    assert [line for line in said if any(word in line for word in rewrites)] == []


COMMENT = text(
    "INSERT INTO comments (id, site_id, external_id, article_id, author_name, author_key, body, format, revision,"
    " status, version, created_at, received_at, attempts, risk, escalated)"
    " VALUES (:id, 's', :external, 'a', 'n', 'k', 'b', 'plain', 1, 'pending', 1, 1, 1, 0, 0, false)"
)


@pytest.fixture
def busy(before: Store) -> Store:
    """The same with a site and an article, so that comments can come in."""
    with before.write() as session:
        session.execute(text("INSERT INTO sites (id, name, created_at, publishable_key, origins, options,"
                             " coral_secrets) VALUES ('s', 'old', 1, 'pk', '[]', '{}', '[]')"))  # fmt: skip
        session.execute(text("INSERT INTO articles (id, site_id, url, hold_all) VALUES ('a', 's', 'u', false)"))
    return before


@ON_POSTGRESQL
def test_comments_come_in_while_an_index_is_made(busy: Store) -> None:
    """An open transaction makes the index wait; others write meanwhile, with the columns of the version before."""
    to(busy, "0008")
    upgrade = threading.Thread(target=schema.upgrade, args=(busy,))
    with busy.write() as first:
        first.execute(COMMENT, {"id": "first", "external": "first"})
        upgrade.start()
        until(lambda: building(busy), 60, "the index to be begun")
        for number in range(20):
            with busy.write() as session:
                session.execute(COMMENT, {"id": f"m{number}", "external": f"m{number}"})
        assert upgrade.is_alive()
    upgrade.join(60)
    assert schema.check(busy) is None
    with busy.read() as session:
        assert session.scalar(text("SELECT count(*) FROM comments")) == 21
        assert session.scalar(text("SELECT count(*) FROM pg_index WHERE NOT indisvalid")) == 0


def building(store: Store) -> bool:
    with store.read() as session:
        return bool(session.scalar(text("SELECT count(*) FROM pg_stat_progress_create_index")))


@ON_POSTGRESQL
def test_a_table_in_use_is_waited_for_in_short_turns(
    busy: Store, caplog: pytest.LogCaptureFixture, monkeypatch: Any
) -> None:
    """While a long read holds a table, the upgrade steps back each time, so that others get at it."""
    monkeypatch.setattr(schema, "LOCK_TIMEOUT_MS", 50)
    upgrade = threading.Thread(target=schema.upgrade, args=(busy,))
    with busy.read() as session:
        session.execute(text("SELECT name FROM sites")).all()
        upgrade.start()
        until(lambda: "a table is in use" in caplog.text, 60, "the upgrade to step back")
        with busy.write() as other:
            other.execute(text("UPDATE sites SET name = 'new'"))
    upgrade.join(60)
    assert schema.check(busy) is None


@ON_POSTGRESQL
def test_a_transaction_that_wrote_already_is_let_through(busy: Store, caplog: pytest.LogCaptureFixture) -> None:
    """One that has an article and wants to write a comment: neither it nor the upgrade is ended for a deadlock."""
    upgrade = threading.Thread(target=schema.upgrade, args=(busy,))
    with busy.write() as session:
        session.execute(text("UPDATE articles SET title = 'new'"))
        upgrade.start()
        until(lambda: waiting(busy) or "a table is in use" in caplog.text, 60, "the upgrade to wait")
        session.execute(COMMENT, {"id": "c", "external": "c"})
    upgrade.join(60)
    assert schema.check(busy) is None
    with busy.read() as session:
        assert session.scalar(text("SELECT title FROM articles")) == "new"
        assert session.scalar(text("SELECT count(*) FROM comments")) == 1


def waiting(store: Store) -> bool:
    with store.read() as session:
        return bool(session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation'")))


@ON_POSTGRESQL
def test_two_at_once_are_safe(busy: Store) -> None:
    wrong: list[BaseException] = []

    def run() -> None:
        store = Store(busy.engine.url.render_as_string(hide_password=False), pool_size=1)
        try:
            schema.upgrade(store)
        except BaseException as error:
            wrong.append(error)
        store.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert wrong == []
    assert schema.check(busy) is None


@ON_POSTGRESQL
def test_an_index_that_was_broken_off_is_made_anew(busy: Store) -> None:
    to(busy, "0008")
    with busy.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CREATE INDEX CONCURRENTLY ix_comments_ip ON comments (id)"))
        connection.execute(text("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_comments_ip'::regclass"))
    schema.upgrade(busy)
    with busy.read() as session:
        assert session.scalar(text("SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_comments_ip'::regclass"))
        columns = inspect(session.connection()).get_indexes("comments")
    assert {"site_id", "ip", "id"} in [set(i["column_names"]) for i in columns if i["name"] == "ix_comments_ip"]


def test_a_newer_schema_that_this_program_can_work_with_is_served(
    store: Store, app: Any, site: tuple[str, str]
) -> None:
    """While machines are upgraded one by one, those of before stay ready and may start again."""
    client = app.test_client()
    with store.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9998'"))
    assert schema.check(store) is None
    schema.upgrade(store)
    assert client.get("/readyz?for=web").status_code == 200
    assert client.post("/v1/comments", json=a_comment(), headers=bearer(site[1])).status_code == 202
    with store.write() as session:
        session.execute(text("UPDATE compatibility SET oldest = '9998'"))
    assert "newer version" in str(schema.check(store))
    assert client.get("/readyz?for=web").status_code == 503
