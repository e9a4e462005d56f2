"""One state of the database, read for as long as it takes."""

from collections.abc import Iterator
from contextlib import contextmanager

from pgsim.postgres.connection import Connection
from pgsim.postgres.rows import one_value
from pgsim.postgres.session import set_for_transaction, without_timeouts


@contextmanager
def snapshot(conn: Connection) -> Iterator[str]:
    """A read-only transaction in which nothing changes; yields the table of its matrix.

    Others go on writing, and may rebuild the matrix and switch to it; only the rebuild after that
    one waits, since it empties the table that is read here. `conn` is in autocommit mode.
    """
    while True:
        table = _shown(conn)
        # It may be idle for long, while pg_dump or a slow disk is at work.
        with conn.transaction(), without_timeouts(conn):
            conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # TRUNCATE empties a table for older snapshots too: the lock comes before the snapshot.
            conn.execute(f"LOCK TABLE pgsim.{table} IN ACCESS SHARE MODE".encode())
            set_for_transaction(conn)  # for one that a pooler lends
            if _shown(conn) == table:
                yield table
                return


def _shown(conn: Connection) -> str:
    return str(one_value(conn, "SELECT pgsim.shown_similarity()"))
