"""A PostgreSQL database with many comments, made by the server itself: one statement a table, nothing sent to it.

1 in 100 waits for a moderator. Each comment has its decision, its event and two audit rows; all is published and
sealed. Texts are short: what grows here are rows and indexes.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, TextClause, text

from benchmarks.queue_databases import EMAIL, PASSWORD
from moderation.domain.lifecycle import Role
from moderation.scoring import ATTRIBUTES
from moderation.services import accounts, sites
from moderation.store import schema
from moderation.store.session import Store, now_ms

_DAYS_MS = 60 * 86_400_000
_ID = "lpad(to_hex({at}), 12, '0') || '{kind}' || lpad(to_hex(n), 19, '0')"
_AT = "(:begin + :span * n / :many)"
_COMMENT, _DECISION, _EVENT = (_ID.format(at=_AT, kind=kind) for kind in "789")
_RECEIVED, _DECIDED = (_ID.format(at=_AT, kind=kind) for kind in "ab")
_STATUS = "CASE WHEN n % 100 = 50 THEN 'held' WHEN n % 13 = 0 THEN 'rejected' ELSE 'approved' END"
_ACTION = "CASE WHEN n % 100 = 50 THEN 'hold' WHEN n % 13 = 0 THEN 'reject' ELSE 'approve' END"
_SERIES = "FROM generate_series(0::bigint, :many - 1) AS n"
_SCORES = "jsonb_build_object(" + ", ".join(f"'{name}', (n * {i + 7} % 997) / 997.0" for i, name in
                                            enumerate(ATTRIBUTES)) + ")"  # fmt: skip

_STATEMENTS = (
    "INSERT INTO articles (id, site_id, url, title, hold_all)"
    " SELECT md5('article ' || n), :site, 'https://old.example/' || n, 'Article ' || n, false"
    " FROM generate_series(0, :articles - 1) AS n",
    "INSERT INTO comments (id, site_id, external_id, article_id, author_name, author_key, body, format, revision,"
    " status, version, created_at, received_at, attempts, decision_id, decided_at, risk, escalated, language)"
    f" SELECT {_COMMENT}, :site, 'c' || n, md5('article ' || n * 7919 % :articles), 'Reader ' || n % :authors,"
    " md5((n % :authors)::text) || md5((n % :authors)::text), 'What ' || md5(n::text) || ' says of it is fair.',"
    f" 'plain', 1, {_STATUS}, 2, {_AT}, {_AT}, 0, {_DECISION}, {_AT} + 400, (n * 7 % 997) / 997.0, false, 'en'"
    f" {_SERIES}",
    "INSERT INTO decisions (id, site_id, comment_id, revision, action, source, decided_at, policy_version, scorer,"
    f" scores, signals) SELECT {_DECISION}, :site, {_COMMENT}, 1, {_ACTION}, 'policy', {_AT} + 400, 1, 'linear@1',"
    f" {_SCORES}, '[]'::jsonb {_SERIES}",
    "INSERT INTO events (id, site_id, comment_id, decision_id, type, occurred_at, release_at, position, webhook, data)"
    f" SELECT {_EVENT}, :site, {_COMMENT}, {_DECISION}, 'comment.' || ({_STATUS}), {_AT} + 400, {_AT} + 400, n + 1,"
    f" true, jsonb_build_object('comment_id', {_COMMENT}, 'external_id', 'c' || n, 'scores', {_SCORES}) {_SERIES}",
    *(
        "INSERT INTO audit_events (id, site_id, at, action, subject_id, data, place, digest, seal)"
        f" SELECT {id}, :site, {_AT}, {action}, {_COMMENT}, jsonb_build_object('decision', {_DECISION}),"
        f" 2 * n + {place}, md5(n::text) || md5(n::text), md5(n::text) || md5(n::text) {_SERIES}"
        for id, action, place in ((_RECEIVED, "'comment.received'", 1), (_DECIDED, f"'comment.' || ({_STATUS})", 2))
    ),
    "INSERT INTO hold_reasons (comment_id, rule, site_id, attribute, score)"
    f" SELECT {_COMMENT}, 'insult', :site, 'INSULT', 0.9 {_SERIES} WHERE n % 100 = 50",
    "INSERT INTO held_scores (comment_id, attribute, site_id, score)"
    f" SELECT {_COMMENT}, score.key, :site, score.value::float {_SERIES}, jsonb_each_text({_SCORES}) AS score"
    " WHERE n % 100 = 50",
    "UPDATE feed SET last_position = :many",
)  # fmt: skip


def fill(url: str, comments: int) -> str:
    """Makes our tables and so many comments at this address; returns the id of their site."""
    store = Store(url, pool_size=1)
    schema.upgrade(store)
    with store.write() as session:
        site, _ = sites.create_site(session, "bench")
        accounts.create_moderator(session, site.id, EMAIL, PASSWORD, Role.ADMIN)
        site_id = site.id
    values = {
        "site": site_id, "many": comments, "span": _DAYS_MS, "begin": now_ms() - _DAYS_MS,
        "articles": max(50, comments // 200), "authors": max(100, comments // 20),
    }  # fmt: skip
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET session_replication_role = replica"))  # no look at foreign keys
        with _bare(connection):
            for statement in _STATEMENTS:
                names = {name: value for name, value in values.items() if f":{name}" in statement}
                connection.execute(_typed(statement), names)
        connection.execute(text("VACUUM ANALYZE"))  # what autovacuum does by itself on a server that lives longer
    store.close()
    return site_id


@contextmanager
def _bare(connection: Connection) -> Iterator[None]:
    """Without flushes, and without the indexes that only serve to find: those are made at the end, which is faster."""
    indexes = connection.execute(text(
        "SELECT indexname, indexdef FROM pg_indexes JOIN pg_class ON relname = indexname"
        " JOIN pg_index ON indexrelid = pg_class.oid WHERE schemaname = 'public' AND NOT indisunique"
    )).all()  # fmt: skip
    _flush(connection, "off")
    for name, _ in indexes:
        connection.execute(text(f"DROP INDEX {name}"))
    yield
    connection.execute(text("SET maintenance_work_mem = '1GB'"))
    for _, made in indexes:
        connection.exec_driver_sql(made)
    _flush(connection, "on")
    connection.execute(text("CHECKPOINT"))


def _flush(connection: Connection, wanted: str) -> None:
    connection.execute(text(f"ALTER SYSTEM SET fsync = {wanted}"))
    connection.execute(text("SELECT pg_reload_conf()"))


def _typed(statement: str) -> TextClause:
    for name in ("begin", "span", "many", "articles", "authors"):
        statement = statement.replace(f":{name}", f"CAST(:{name} AS bigint)")
    statement = statement.replace(":site", "CAST(:site AS text)")
    return text(statement)
