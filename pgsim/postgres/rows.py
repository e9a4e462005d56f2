"""Single rows of queries that always have one."""

from collections.abc import Mapping, Sequence
from typing import Any

from pgsim.postgres.connection import Connection


def one_row(
    conn: Connection, query: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None
) -> tuple[Any, ...]:
    """Return the first row of a query that always has one, such as an aggregate.

    LookupError, with the query, where there is none: that is a fault of pgsim's.
    """
    row = conn.execute(query.encode(), parameters).fetchone()
    if row is None:
        raise LookupError(f"no row from: {query}")
    return row


def one_value(
    conn: Connection, query: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None
) -> Any:
    """Return the first column of the only row of a query, as `one_row` does the row."""
    return one_row(conn, query, parameters)[0]
