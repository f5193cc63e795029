"""Entry point of Alembic: runs the migrations on the engine that it is handed."""

from alembic import context

from moderation.store.feedback import Check

engine = context.config.attributes["engine"]
with engine.execution_options(write=True).connect() as connection:
    context.configure(connection=connection, target_metadata=Check.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
