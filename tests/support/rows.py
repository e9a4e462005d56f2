"""What a database holds, in a form in which two of them can be compared."""

from typing import Any

from pgsim.postgres.connection import Connection

# Each table's key, and what may differ between two ways to the same rows: times, and on some of
# them the numbers that recordings get.
_TABLES = {
    "submission": ("mbid, source, number", ()),
    "recording": ("mbid", ()),
    "feature_set": ("position", ()),
    "collection": ("singleton", ("fitted_at",)),
    "reject": ("file, member", ("rejected_at",)),
}


def contents(conn: Connection, *, without: tuple[str, ...] = ()) -> dict[str, list[Any]]:
    """All that loading and fusing write, a list of rows a table; `without` those columns."""
    return {
        table: [
            row
            for (row,) in conn.execute(
                f"SELECT to_jsonb(t) - %s::text[] FROM pgsim.{table} AS t ORDER BY {key}".encode(),
                ([*left_out, *without],),
            )
        ]
        for table, (key, left_out) in _TABLES.items()
    }


def versions(conn: Connection) -> dict[str, list[Any]]:
    """Every row with the transaction that wrote it: rewritten rows differ, read ones do not."""
    return {
        table: conn.execute(
            f"SELECT xmin::text, t::text FROM pgsim.{table} AS t ORDER BY {key}".encode()
        ).fetchall()
        for table, (key, _) in _TABLES.items()
    }


def one(conn: Connection, query: str, *parameters: Any) -> Any:
    """The first column of the first row."""
    row = conn.execute(query.encode(), parameters).fetchone()
    assert row is not None
    return row[0]
