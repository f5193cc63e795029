"""Many rows in one statement. For SQLite: each step of a statement gives up the interpreter's lock, and behind it
there waits a crowd of threads. For PostgreSQL: one statement is planned and answered once."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from pydantic_core import to_json
from sqlalchemy import JSON, Dialect, Table
from sqlalchemy.orm import Session

# SQLite takes 32,766 parameters in a statement since version 3.32.
_PARAMETERS = 32_000

_Rows = Sequence[dict[str, Any]]


def insert_at_once(session: Session, table: Table, rows: _Rows, *, skip: bool) -> int:
    """Inserts rows that all have the same columns; with `skip`, those that break no uniqueness. Returns how many."""
    columns = tuple(rows[0])
    if documents := [name for name in columns if isinstance(table.c[name].type, JSON)]:
        rows = [row | {name: to_json(row[name]).decode() for name in documents} for row in rows]
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        statement = _insert(table, columns, _unnest(_kinds(connection.dialect, table, columns)), skip)
        return connection.exec_driver_sql(statement, _arrays(columns, rows)).rowcount
    done = 0
    for start in range(0, len(rows), step := _PARAMETERS // len(columns)):
        piece = rows[start : start + step]
        values = tuple(row[name] for row in piece for name in columns)
        statement = _insert(table, columns, _values(len(columns), len(piece)), skip)
        done += connection.exec_driver_sql(statement, values).rowcount
    return done


@lru_cache(maxsize=512)
def _insert(table: Table, columns: tuple[str, ...], source: str, skip: bool) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    every = f"INSERT INTO {table.name} ({names}) {source}"
    return every + (" ON CONFLICT DO NOTHING" if skip else "")


def update_at_once(session: Session, table: Table, rows: _Rows) -> None:
    """Sets the columns of the rows that have these ids; all rows name the same columns, none a JSON one."""
    columns, same = _told_apart(rows)
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        kinds = _kinds(connection.dialect, table, tuple(same))
        given = tuple(zip(same, (f"%s::{kind}" for kind in kinds), strict=True))
        statement = _update(table, columns, given, _unnest(_kinds(connection.dialect, table, columns)))
        connection.exec_driver_sql(statement, (*_arrays(columns, rows), *same.values()))
        return
    given = tuple((name, "?") for name in same)
    for start in range(0, len(rows), step := _PARAMETERS // len(columns) - len(same)):
        piece = rows[start : start + step]
        values = (*(row[name] for row in piece for name in columns), *same.values())
        connection.exec_driver_sql(_update(table, columns, given, _values(len(columns), len(piece))), values)


def _told_apart(rows: _Rows) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The columns in which rows differ, and the values of the others: these go into the statement but once."""
    first = rows[0]
    same = {name: value for name, value in first.items()
            if name != "id" and all(row[name] == value for row in rows)}  # fmt: skip
    return tuple(name for name in first if name not in same), same


@lru_cache(maxsize=512)
def _update(table: Table, columns: tuple[str, ...], given: tuple[tuple[str, str], ...], source: str) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    changes = [f'"{name}" = new."{name}"' for name in columns if name != "id"]
    changes += [f'"{name}" = {value}' for name, value in given]
    return f"WITH new ({names}) AS ({source}) UPDATE {table.name} SET {', '.join(changes)} FROM new WHERE {table.name}.id = new.id"  # nosec B608 # noqa: E501, S608 (names of our tables)


@lru_cache(maxsize=512)
def _values(columns: int, rows: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return f"VALUES {', '.join([row] * rows)}"


@lru_cache(maxsize=512)
def _kinds(dialect: Dialect, table: Table, columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(table.c[name].type.compile(dialect)) for name in columns)


def _arrays(columns: tuple[str, ...], rows: _Rows) -> tuple[list[Any], ...]:
    return tuple([row[name] for row in rows] for name in columns)


@lru_cache(maxsize=512)
def _unnest(kinds: tuple[str, ...]) -> str:
    # A document comes as text and is read by the database.
    arrays = ", ".join(f"%s::{'text[]::' if kind == 'JSONB' else ''}{kind}[]" for kind in kinds)
    return f"SELECT * FROM unnest({arrays})"  # nosec B608 # noqa: S608 (names of types)
