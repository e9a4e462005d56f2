"""The matrix: each recording's nearest, kept in PostgreSQL."""

from dataclasses import dataclass

from pgsim.collection import Connection, read_collection


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """How many recordings had changed, and how many lists were made anew."""

    changed: int
    lists: int


def refresh(conn: Connection) -> RefreshReport:
    """Make anew every list that a new, changed or deleted recording touches, by exact scans."""
    read_collection(conn)
    row = conn.execute("CALL pgsim.refresh_similarity()").fetchone()
    assert row is not None
    return RefreshReport(*row)
