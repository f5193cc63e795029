"""Statements that the two dialects spell differently, once."""

import json
from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    Select,
    String,
    Table,
    any_,
    bindparam,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session

from moderation.store.many_rows import insert_at_once, update_at_once
from moderation.store.tables import Base, Comment


def insert_rows(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Inserts rows as they are; the tables' own statements, past the bookkeeping of objects."""
    if rows:
        insert_at_once(session, _table(table), rows, skip=False)


def update_rows(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Sets columns of the rows with these ids, past the bookkeeping of objects: those in the session stay as they are.

    Each row names its `id` and the same columns as the others.
    """
    if rows:
        session.flush()
        update_at_once(session, _table(table), rows)


def insert_new(session: Session, table: type[Base], rows: Sequence[dict[str, Any]], key: str = "id") -> set[Any]:
    """Inserts the rows that break no uniqueness; returns the keys of those that went in."""
    if not rows:
        return set()
    if key == "id" and _is_sqlite(session):
        if insert_at_once(session, _table(table), rows, skip=True) == len(rows):
            return {row["id"] for row in rows}
        # Ids are made anew for each try, so that those which are there now have just come in.
        id = _table(table).c.id
        return set(session.connection().execute(select(id).where(id.in_([row["id"] for row in rows]))).scalars())
    # The rows are parameters, not part of the statement: only such a statement is compiled once and kept.
    statement = _insert(session, table).on_conflict_do_nothing().returning(_table(table).c[key])
    return set(session.connection().execute(statement, list(rows)).scalars())


def upsert(
    session: Session,
    table: type[Base],
    row: dict[str, Any],
    keys: Sequence[str],
    change: dict[str, Any],
    where: ColumnElement[bool] | None = None,
) -> None:
    """Inserts the row, or sets `change` on the one that is there (where the condition holds)."""
    statement = _insert(session, table).values(row)
    session.execute(statement.on_conflict_do_update(index_elements=list(keys), set_=change, where=where))


def whole(session: Session, number: ColumnElement[float]) -> ColumnElement[int]:
    """The whole part of a number that is not negative."""
    # SQLite cuts in a cast and may lack floor(); PostgreSQL rounds in a cast.
    return sql_cast(number if session.get_bind().dialect.name == "sqlite" else func.floor(number), Integer)


def one_view(session: Session) -> None:
    """All that this transaction reads is as it was at its first read; to be called before that."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def one_of(session: Session, column: InstrumentedAttribute[str], ids: Sequence[str]) -> ColumnElement[bool]:
    """Whether a column has one of many ids, as one parameter however many there are."""
    if session.get_bind().dialect.name == "postgresql":
        return column == any_(bindparam(None, list(ids), type_=postgresql.ARRAY(String)))
    return column.in_(select(text("value")).select_from(func.json_each(json.dumps(list(ids)))))


def one_of_those(session: Session, column: InstrumentedAttribute[str], ids: Select[Any]) -> ColumnElement[bool]:
    """Whether a column has one of the ids that this gives; they are few, and each is looked up."""
    if session.get_bind().dialect.name == "postgresql":  # a join it may make by going through the whole table
        return column == any_(func.array(ids.scalar_subquery(), type_=postgresql.ARRAY(String)))
    return column.in_(ids)


# What a search looks through; the indexes of migration 0007 are over these very expressions.
_TEXT = {
    "postgresql": r"(comments.author_name || E'\n' || comments.body)",
    "sqlite": "comments.author_name || char(10) || comments.body",
}
# More parts of a long needle would narrow nothing.
_TRIGRAMS = 40


def text_contains(session: Session, needle: str) -> ColumnElement[bool]:
    """Whether a comment's body or its author's name has this in it, small and capital letters alike."""
    dialect = session.get_bind().dialect.name
    haystack: ColumnElement[str] = literal_column(_TEXT[dialect])
    if dialect == "postgresql":
        return haystack.icontains(needle, autoescape=True)
    return func.holds_text(haystack, needle.lower(), type_=Boolean)  # a function of ours, see session.py


def ids_by_text(session: Session, needle: str, limit: int) -> list[str] | None:
    """Ids of so many comments, of any site, that may have this in them; `text_contains` says whether they do.

    None where no index can say it: PostgreSQL without pg_trgm, SQLite without FTS5, a needle of fewer than three
    characters. Comments that are pending are not in the index.
    """
    if len(needle) < 3:
        return None
    if session.get_bind().dialect.name == "postgresql":
        if session.scalar(text("SELECT to_regclass('ix_comments_text')")) is None:
            return None
        found = select(Comment.id).where(literal_column("status <> 'pending'"), text_contains(session, needle))
        return list(session.scalars(found.limit(limit)))
    if session.scalar(text("SELECT 1 FROM sqlite_master WHERE name = 'comment_trigrams'")) is None:
        return None
    parts = dict.fromkeys(needle[at : at + 3] for at in range(len(needle) - 2))
    match = " AND ".join('"{}"'.format(part.replace('"', '""')) for part in list(parts)[:_TRIGRAMS])
    return list(session.scalars(_BY_TRIGRAMS, {"match": match, "limit": limit}))


_BY_TRIGRAMS = text(
    "SELECT comment_id FROM comment_texts WHERE n IN"
    " (SELECT rowid FROM comment_trigrams WHERE comment_trigrams MATCH :match LIMIT :limit)"
)


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def _insert(session: Session, table: type[Base]) -> Any:
    dialect = session.get_bind().dialect.name
    dialect_insert: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return dialect_insert(_table(table))


def _table(table: type[Base]) -> Table:
    return cast(Table, table.__table__)


def insert_new_pairs(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Inserts the rows that break no uniqueness, where nobody asks which."""
    if rows:
        insert_at_once(session, _table(table), rows, skip=True)
