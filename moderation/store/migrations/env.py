"""Entry point of Alembic: runs the migrations on the engine that it is handed.

On PostgreSQL each is a transaction of its own, and waits for a lock no longer than `lock_timeout` (milliseconds).
"""

from alembic import context
from sqlalchemy import text

from moderation.store.feedback import Check

engine = context.config.attributes["engine"]
apart = engine.dialect.name == "postgresql"
with engine.execution_options(write=True).connect() as connection:
    if apart and (limit := context.config.attributes.get("lock_timeout")):
        connection.execute(text(f"SET lock_timeout = {limit}"))
        connection.commit()
    context.configure(
        connection=connection, target_metadata=Check.metadata, render_as_batch=True, transaction_per_migration=apart
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
