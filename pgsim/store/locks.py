"""The advisory locks of a database, for work that one session does at a time.

Nobody waits for one inside a statement or a transaction: that would hold a snapshot, and no vacuum
could take what is deleted meanwhile. A waiter tries, pauses, and tries again. It is marked by a
second, shared lock, so that the holder knows to let it in.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg.pq import TransactionStatus

from pgsim.errors import PgsimError
from pgsim.postgres.connection import Connection
from pgsim.postgres.rows import one_value
from pgsim.progress import Say, silent

PAUSE = 0.1  # seconds between two tries of a waiter
WAY = 3 * PAUSE  # seconds in which a waiter gets a lock that was given back for it
FIRST_WORD = 3.0  # seconds after which a waiter says who holds the lock
NEXT_WORD = 60.0  # seconds between two such lines


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock: its name, whose hash is PostgreSQL's key, and the work that its holder does alone."""

    name: str
    purpose: str

    @property
    def queue(self) -> str:
        """The name of the shared lock by which the waiters of this one are marked."""
        return f"{self.name}.waiting"


SCHEMA = Lock("pgsim.schema", "Install pgsim, or upgrade it.")
LOAD = Lock("pgsim.load", "Write recordings, from all committed submissions.")
MATRIX = Lock(
    "pgsim.similarity",
    "Change the lists of the matrix, or show another one; refresh_lock() in SQL takes it too.",
)
REBUILD = Lock("pgsim.rebuild", "Begin a rebuild or an import, and show its matrix at the end.")
LOCKS = (SCHEMA, LOAD, MATRIX, REBUILD)
# The lock of a run, with its number as second key: begin_run() in SQL takes it, shared, until the
# run or its session ends. Nobody waits for it.
RUN = "pgsim.run"

# A key of one number is shown as its two halves.
_KEPT = (
    "FROM pg_locks AS l WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted"
    " AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())"
    " AND ((l.classid::bigint << 32) | l.objid::bigint) = hashtext(%s)"
    " AND l.pid <> pg_backend_pid()"
)


class LockTaken(PgsimError):
    """Another session holds the lock."""


@contextmanager
def held(
    conn: Connection,
    lock: Lock,
    *,
    within: float | None = None,
    say: Say = silent,
    meanwhile: Callable[[], object] = lambda: None,
) -> Iterator[None]:
    """Hold a lock over several transactions; wait for it, at most `within` seconds.

    Inside a transaction it is held until that ends, since a failed one cannot give it back. A
    session that holds it already holds it once more. `say` receives a line that names the holder
    after some seconds of waiting; `meanwhile` is called before each try but the first, and may
    raise. LockTaken where another session holds it for longer.
    """
    is_inside = conn.info.transaction_status != TransactionStatus.IDLE
    take = f"pg_try_advisory_{'xact_' if is_inside else ''}lock"
    if not _ask(conn, take, lock.name):
        _wait(conn, lock, take, within, say, meanwhile)
    try:
        yield
    finally:
        if not (is_inside or conn.broken):
            _ask(conn, "pg_advisory_unlock", lock.name)


def release_run(conn: Connection, run: int) -> None:
    """Give the lock of a run back, which begin_run() took."""
    conn.execute("SELECT pg_advisory_unlock_shared(hashtext(%s), %s)", (RUN, run))


def is_wanted(conn: Connection, lock: Lock) -> bool:
    """Return whether another session waits for the lock."""
    return bool(one_value(conn, f"SELECT EXISTS (SELECT {_KEPT})", (lock.queue,)))


def let_others(conn: Connection, lock: Lock) -> None:
    """Leave a lock that was given back to another session that waits for it."""
    if is_wanted(conn, lock):
        time.sleep(WAY)


def holder(conn: Connection, lock: Lock) -> str | None:
    """Return the holder of a lock, in words; None where no other session holds it.

    What a role may not see of other sessions is left out.
    """
    query = (
        "SELECT l.pid, a.usename, a.application_name, date_trunc('second',"
        " coalesce(a.xact_start, a.query_start, a.backend_start))::text"
        f" FROM (SELECT l.pid {_KEPT} LIMIT 1) AS l LEFT JOIN pg_stat_activity AS a USING (pid)"
    )
    row = conn.execute(query.encode(), (lock.name,)).fetchone()
    if row is None:
        return None
    return in_words(*row)


def in_words(pid: int, role: str | None, program: str | None, since: str | None) -> str:
    """Return a session in words, by its row of pg_stat_activity."""
    words = [f"process {pid}"]
    words += [f"of role '{role}'"] if role else []
    words += [f"({program})"] if program else []
    words += [f"at work since {since}"] if since else []
    return " ".join(words)


def _wait(
    conn: Connection,
    lock: Lock,
    take: str,
    within: float | None,
    say: Say,
    meanwhile: Callable[[], object],
) -> None:
    """Try until the lock is taken."""
    started = time.monotonic()
    next_word = started + FIRST_WORD
    is_marked = _ask(conn, "pg_try_advisory_lock_shared", lock.queue)
    try:
        while True:
            now = time.monotonic()
            if within is not None and now - started > within:
                other = holder(conn, lock) or "another session"
                raise LockTaken(f"{other} of database '{conn.info.dbname}' holds {lock.name}")
            if now >= next_word:
                if who := holder(conn, lock):
                    say(f"waiting for {who}, which holds the lock {lock.name}")
                next_word = now + NEXT_WORD
            time.sleep(PAUSE if within is None else min(PAUSE, within + 0.01))
            meanwhile()
            if _ask(conn, take, lock.name):
                return
    finally:
        if is_marked and not conn.broken:
            _ask(conn, "pg_advisory_unlock_shared", lock.queue)


def _ask(conn: Connection, function: str, name: str) -> bool:
    """Return the result of a function of locks, without leaving a new transaction open."""
    with conn.transaction():
        return bool(one_value(conn, f"SELECT {function}(hashtext(%s))", (name,)))
