"""A note in the database of each run that changes data, for status and for those who come later."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg.types.json import Jsonb

from pgsim.postgres.connection import Connection
from pgsim.store.collection import read_collection


@contextmanager
def recorded(conn: Connection, command: str) -> Iterator[dict[str, Any]]:
    """Note a run's beginning and, unless it fails, its end and what the body put into the dict.

    PgsimError where pgsim was never installed.
    """
    read_collection(conn)
    row = conn.execute(
        "INSERT INTO pgsim.run (command) VALUES (%s) RETURNING id", (command,)
    ).fetchone()
    assert row is not None
    report: dict[str, Any] = {}
    yield report
    conn.execute(
        "UPDATE pgsim.run SET finished_at = clock_timestamp(), report = %s WHERE id = %s",
        (Jsonb(report), row[0]),
    )
