"""For migrations that widen a database while programs of the version before work on it."""

from typing import Any

import sqlalchemy as sa


def take(op: Any, *tables: str) -> None:
    """Takes all tables that a migration will change before it changes the first, on PostgreSQL.

    Name them in the order in which the service writes to them. Whoever holds one is waited for with empty hands, so
    that nobody waits for us whom we wait for.
    """
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")


def index_while_running(op: Any, name: str, table: str, columns: list[str], condition: str | None = None) -> None:
    """Makes an index of a large table without keeping writers out; in a migration that does nothing else.

    On PostgreSQL this can't be done in a transaction; what an attempt before has left unfinished is taken away first.
    SQLite has one writer anyhow: others wait until it is done.
    """
    where = sa.text(condition) if condition else None
    if op.get_bind().dialect.name != "postgresql":
        op.create_index(name, table, columns, if_not_exists=True, sqlite_where=where)
        return
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for transactions that are open, and stands in nobody's way
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)
        op.create_index(name, table, columns, postgresql_where=where, postgresql_concurrently=True)
