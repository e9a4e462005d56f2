"""The settings of pgsim's sessions, whatever the database, the role and PG* variables say."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

# Where pgsim's functions and its client look names up: nobody else can put anything there.
SEARCH_PATH = "pg_catalog, pgsim, pg_temp"
# How names are looked up, values are written and read, and transactions begin. The encoding of the
# client is set as it connects.
SETTINGS = {
    "search_path": SEARCH_PATH,
    "TimeZone": "UTC",
    "extra_float_digits": "1",  # all digits of a number
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
    "array_nulls": "on",
    "quote_all_identifiers": "off",
    "transform_null_equals": "off",
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "default_transaction_deferrable": "off",
}
TIMEOUTS = (
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
)
TIMEOUTS_17 = (*TIMEOUTS, "transaction_timeout")  # since PostgreSQL 17

AnyConnection = psycopg.Connection[Any]


def set_for_session(conn: AnyConnection) -> None:
    """Set SETTINGS for the session; they are in force before any other name is looked up."""
    _set(conn, is_local=False)


def set_for_transaction(conn: AnyConnection) -> None:
    """Set SETTINGS until the transaction ends."""
    _set(conn, is_local=True)


def clear_timeouts(conn: AnyConnection, *, is_local: bool = False) -> None:
    """Let no timeout end the session's work, or its open transaction's; takes no snapshot."""
    for name in timeouts(conn):
        conn.execute(f"SET {'LOCAL ' if is_local else ''}{name} = 0".encode())


@contextmanager
def without_timeouts(conn: AnyConnection) -> Iterator[None]:
    """Let no timeout end the work. Inside a transaction, the timeouts are off until it ends."""
    if _status(conn) != TransactionStatus.IDLE:
        clear_timeouts(conn, is_local=True)
        yield
        return
    names = timeouts(conn)
    values = ", ".join(f"current_setting('{name}')" for name in names)
    before = conn.execute(f"SELECT {values}".encode()).fetchone() or ()
    clear_timeouts(conn)
    try:
        yield
    finally:
        # The end of a failed transaction takes the settings back by itself.
        if not (_status(conn) == TransactionStatus.INERROR or conn.broken or conn.closed):
            for name, value in zip(names, before, strict=True):
                conn.execute("SELECT set_config(%s, %s, false)", (name, value))


def _set(conn: AnyConnection, *, is_local: bool) -> None:
    calls = ", ".join(["pg_catalog.set_config(%s, %s, %s)"] * len(SETTINGS))
    values = [each for name in SETTINGS for each in (name, SETTINGS[name], is_local)]
    conn.execute(f"SELECT {calls}".encode(), values)


def _status(conn: AnyConnection) -> TransactionStatus:
    return conn.info.transaction_status


def timeouts(conn: AnyConnection) -> tuple[str, ...]:
    """The timeouts that this server knows."""
    return TIMEOUTS_17 if conn.info.server_version >= 170000 else TIMEOUTS
