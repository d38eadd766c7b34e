"""The environment of Alembic. `store.schema` passes the connection; there is no offline mode or ini file."""

from alembic import context

from scoreboard.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
