"""A row in the database for each run of a command that changes data; `pgsim status` shows it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg.types.json import Jsonb

from pgsim.postgres.connection import Connection
from pgsim.postgres.pooler import require_session
from pgsim.postgres.rows import one_value
from pgsim.postgres.session import without_timeouts
from pgsim.store.collection import read_collection


@contextmanager
def recorded(conn: Connection, command: str) -> Iterator[dict[str, Any]]:
    """Note that a run begins and, unless it fails, its end and what the body puts into the dict.

    PgsimError where pgsim is not installed, or another version of it, and behind a pooler.
    """
    require_session(conn, command)
    read_collection(conn)
    run = one_value(conn, "INSERT INTO pgsim.run (command) VALUES (%s) RETURNING id", (command,))
    report: dict[str, Any] = {}
    with without_timeouts(conn):
        yield report
    conn.execute(
        "UPDATE pgsim.run SET finished_at = clock_timestamp(), report = %s WHERE id = %s",
        (Jsonb(report), run),
    )
