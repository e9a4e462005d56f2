"""One state of the database, read for as long as it takes."""

from collections.abc import Iterator
from contextlib import contextmanager

from pgsim.postgres.connection import Connection
from pgsim.postgres.pooler import set_for_transaction
from pgsim.postgres.rows import one_value


@contextmanager
def snapshot(conn: Connection) -> Iterator[str]:
    """A read-only transaction in which nothing changes; yields the table of its matrix.

    Others go on writing, and may rebuild the matrix and switch to it; only the rebuild after that
    one waits, since it empties the table that is read here. `conn` is in autocommit mode.
    """
    while True:
        table = _shown(conn)
        with conn.transaction():
            conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # It may be idle for long, while pg_dump or a slow disk is at work.
            conn.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            # TRUNCATE empties a table for older snapshots too: the lock comes before the snapshot.
            conn.execute(f"LOCK TABLE pgsim.{table} IN ACCESS SHARE MODE".encode())
            set_for_transaction(conn)  # for one that a pooler lends
            if _shown(conn) == table:
                yield table
                return


def _shown(conn: Connection) -> str:
    return str(one_value(conn, "SELECT pgsim.shown_similarity()"))
