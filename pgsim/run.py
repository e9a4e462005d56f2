"""A note in the database of each run that changes data, for status and for those who come later."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb


@contextmanager
def recorded(conn: psycopg.Connection[TupleRow], command: str) -> Iterator[dict[str, Any]]:
    """Note a run's beginning and, unless it fails, its end and what the body put into the dict."""
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
