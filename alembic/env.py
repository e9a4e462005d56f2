"""Runs pgsim's revisions on the connection that pgsim.schema hands over, in its transaction."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table_schema="pgsim",
    transaction_per_migration=False,
    transactional_ddl=False,
)
context.run_migrations()
