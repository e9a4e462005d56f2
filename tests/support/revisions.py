"""The other road to pgsim's schema: every revision from the first, then the code."""

from pathlib import Path

from pgsim.postgres.connection import Connection, naming_pgvector
from pgsim.progress import silent
from pgsim.store.code import replace_code
from pgsim.store.files import REVISIONS, read_sql
from pgsim.store.revisions import migrate
from pgsim.store.steps import lacking, note_after, run_after, run_before


def build_from_revisions(conn: Connection, dimensions: int, folder: Path = REVISIONS) -> None:
    """Make the schema by the revisions of a folder, each with its steps before and after it."""
    with conn.transaction(), naming_pgvector(conn):
        conn.execute(read_sql("schema.sql"))
    for revision in lacking(folder, ""):
        run_before(conn, folder, [revision], dimensions, silent)
        with conn.transaction():
            migrate(conn, folder, dimensions, revision)
            note_after(conn, folder, [revision])
        run_after(conn, folder, dimensions, silent)
    with conn.transaction():
        replace_code(conn)
