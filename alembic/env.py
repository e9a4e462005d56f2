"""Runs pgsim's revisions on the connection that pgsim.store.revisions hands over.

The transaction is that connection's own: Alembic neither begins nor ends it.
"""

from pathlib import Path

from alembic import context, op

from pgsim.postgres.connection import naming_pgvector

attributes = context.config.attributes


def run_sql(revision: str) -> None:
    """Run the `.sql` beside a revision's file, with `:dimensions` bound.

    The driver runs it as it is: SQLAlchemy would take one statement at a time, and every colon for
    a parameter.
    """
    ddl = Path(revision).with_suffix(".sql").read_text(encoding="utf-8")
    conn = op.get_bind().connection.driver_connection
    with naming_pgvector(conn):
        conn.execute(ddl.replace(":dimensions", str(attributes["dimensions"])).encode())


attributes["run_sql"] = run_sql
context.configure(
    connection=attributes["connection"],
    version_table_schema="pgsim",
    transaction_per_migration=False,
    transactional_ddl=False,
)
context.run_migrations()
