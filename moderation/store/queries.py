"""Statements that the two dialects spell differently, once."""

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from moderation.store.tables import Base


def insert_rows(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Inserts rows as they are; the tables' own statements, past the bookkeeping of objects."""
    if rows:
        session.connection().execute(insert(_table(table)), list(rows))


def insert_new(session: Session, table: type[Base], rows: Sequence[dict[str, Any]], key: str = "id") -> set[Any]:
    """Inserts the rows that break no uniqueness; returns the keys of those that went in."""
    if not rows:
        return set()
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


def _insert(session: Session, table: type[Base]) -> Any:
    dialect = session.get_bind().dialect.name
    dialect_insert: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return dialect_insert(_table(table))


def _table(table: type[Base]) -> Table:
    return cast(Table, table.__table__)
