"""Runs pgsim's revisions on the connection that pgsim.store.revisions hands over.

The transaction is that connection's own: Alembic neither begins nor ends it.
"""

from contextlib import nullcontext
from pathlib import Path

from alembic import context, op

from pgsim.postgres.connection import naming_pgvector, pgvector_schema
from pgsim.store.files import bind, revision_of

# It is frozen, and names pgvector's types without their schema. It makes tables, and calls nothing.
UNQUALIFIED = "0001"
attributes = context.config.attributes


def run_sql(revision: str) -> None:
    """Run the `.sql` beside a revision's file, with `:dimensions` and `:pgvector` bound.

    The driver runs it as it is: SQLAlchemy would take one statement at a time, and every colon for
    a parameter.
    """
    path = Path(revision).with_suffix(".sql")
    conn = op.get_bind().connection.driver_connection
    ddl = bind(
        path.read_text(encoding="utf-8"),
        dimensions=attributes["dimensions"],
        pgvector=pgvector_schema(conn),
    )
    with naming_pgvector(conn) if revision_of(path) == UNQUALIFIED else nullcontext():
        conn.execute(ddl)


attributes["run_sql"] = run_sql
context.configure(
    connection=attributes["connection"],
    version_table_schema="pgsim",
    transaction_per_migration=False,
    transactional_ddl=False,
)
context.run_migrations()
