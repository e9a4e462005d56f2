"""The advisory locks of a database, for work that one session does at a time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pgsim.errors import PgsimError
from pgsim.postgres.connection import Connection
from pgsim.postgres.rows import one_value

PAUSE = 0.1  # seconds between two tries of a waiter that polls


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock: its name, whose hash is PostgreSQL's key, and the work that its holder does alone.

    Where `polls` is true, a waiter tries again and again, and does not wait in a statement: the
    holder may run CREATE INDEX CONCURRENTLY, which waits for every statement that has begun.
    """

    name: str
    purpose: str
    polls: bool = False


SCHEMA = Lock("pgsim.schema", "Install pgsim, or upgrade it.", polls=True)
LOAD = Lock("pgsim.load", "Write recordings, from all committed submissions.")
MATRIX = Lock(
    "pgsim.similarity",
    "Change the lists of the matrix, or show another one; refresh_lock() in SQL takes it too.",
)
REBUILD = Lock("pgsim.rebuild", "Begin a rebuild or an import, and show its matrix at the end.")
LOCKS = (SCHEMA, LOAD, MATRIX, REBUILD)


class LockTaken(PgsimError):
    """Another session holds the lock."""


def take(conn: Connection, lock: Lock) -> None:
    """Take a lock until the transaction ends; wait for it."""
    _wait(conn, lock, "pg_advisory_xact_lock", None)


@contextmanager
def held(conn: Connection, lock: Lock, within: float | None = None) -> Iterator[None]:
    """Hold a lock over several transactions; wait for it, at most `within` seconds.

    LockTaken where another session holds it for longer.
    """
    _wait(conn, lock, "pg_advisory_lock", within)
    try:
        yield
    finally:
        if not conn.broken:
            conn.execute("SELECT pg_advisory_unlock(hashtext(%s))", (lock.name,))


def _wait(conn: Connection, lock: Lock, function: str, within: float | None) -> None:
    if within is None and not lock.polls:
        conn.execute(f"SELECT {function}(hashtext(%s))".encode(), (lock.name,))
        return
    deadline = None if within is None else time.monotonic() + within
    attempt = f"SELECT {function.replace('pg_', 'pg_try_')}(hashtext(%s))"
    while not one_value(conn, attempt, (lock.name,)):
        if deadline is not None and time.monotonic() > deadline:
            raise LockTaken(f"another session of database '{conn.info.dbname}' holds {lock.name}")
        time.sleep(PAUSE)
