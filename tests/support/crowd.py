"""1,500 recordings in clusters, and their lists."""

from typing import Any

from pgsim.postgres.connection import Connection

RECORDINGS = 1500


def shown(conn: Connection) -> str:
    row = conn.execute("SELECT pgsim.shown_similarity()").fetchone()
    assert row is not None
    return str(row[0])


def lists(conn: Connection, table: str) -> list[Any]:
    return conn.execute(
        f"SELECT id, neighbours, distances, reach FROM pgsim.{table} ORDER BY id".encode()
    ).fetchall()
