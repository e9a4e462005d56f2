"""A pooler in transaction mode, which lends each transaction any free session of the server.

What is set in a session, or locked by it, would be left to others; work that needs a session of its
own is refused. Everything else sets what it needs for the transaction alone.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import psycopg
from psycopg.conninfo import make_conninfo

from pgsim.errors import PgsimError
from pgsim.postgres.session import AnyConnection, set_for_transaction

TRIES = 5  # looks at which sessions two connections get
PATIENCE = 5.0  # seconds for a second connection to get one


class SessionNeeded(PgsimError):
    """The work needs a session of its own, and a pooler in transaction mode lends others."""


def is_pooled(conn: AnyConnection) -> bool:
    """Return whether a pooler may move this connection to another session at any time.

    A pooler shows, as the server's process, a number of its own. One in session mode does so too,
    but never gives two connections the same session.
    """
    if _process(conn) == conn.info.backend_pid:
        return False
    parameters = {**conn.info.get_parameters(), "password": conn.info.password or None}
    with closing(psycopg.connect(make_conninfo("", **parameters), autocommit=True)) as other:
        mine = _process(conn)
        for _ in range(TRIES):
            # In session mode the second may wait for a free session, and none may ever be free.
            with ThreadPoolExecutor(1) as pool:
                asking = pool.submit(_process, other)
                try:
                    its = asking.result(PATIENCE)
                except TimeoutError:
                    other.close()
                    return False
            if its == mine or _process(conn) != mine:
                return True
    return False


def require_session(conn: AnyConnection, what: str) -> None:
    """SessionNeeded where a pooler in transaction mode is in between; `what` is named."""
    if is_pooled(conn):
        raise SessionNeeded(
            f"{what} needs a session of its own, but a pooler in transaction mode is between here"
            " and the server: connect to PostgreSQL directly, at its own host and port"
        )


@contextmanager
def own_transaction(conn: AnyConnection) -> Iterator[None]:
    """A transaction with SETTINGS, which leaves the session as it was."""
    with conn.transaction():
        set_for_transaction(conn)
        yield


def _process(conn: AnyConnection) -> int:
    """The number of the server's process that answers now."""
    row = conn.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
    assert row is not None
    return int(row[0])
