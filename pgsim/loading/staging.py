"""Temporary tables that rows are copied into before anything is stored, in short transactions."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice

from psycopg.pq import TransactionStatus

from pgsim.postgres.connection import Connection

AT_ONCE = 20000  # rows in memory at once, and in one COPY: it holds a snapshot while it runs


@contextmanager
def staged(conn: Connection, tables: Mapping[str, str]) -> Iterator[None]:
    """Make temporary tables, each name with its columns, and drop them at the end."""
    names = ", ".join(f"pg_temp.{name}" for name in tables)
    conn.execute(f"DROP TABLE IF EXISTS {names}".encode())
    try:
        for name, columns in tables.items():
            conn.execute(f"CREATE TEMP TABLE {name} ({columns})".encode())
        yield
    finally:
        if conn.info.transaction_status == TransactionStatus.IDLE:
            conn.execute(f"DROP TABLE IF EXISTS {names}".encode())


def write_rows(
    conn: Connection,
    table: str,
    rows: Iterable[bytes],
    then: Callable[[int], object],
) -> int:
    """Copy rows, in the text form of COPY, into a temporary table; return how many they are.

    `then` is called after each part of them, with its number of rows.
    """
    rows = iter(rows)
    total = 0
    while some := list(islice(rows, AT_ONCE)):
        with conn.cursor().copy(f"COPY pg_temp.{table} FROM STDIN".encode()) as copy:
            copy.write(b"".join(some))
        total += len(some)
        then(len(some))
    return total
