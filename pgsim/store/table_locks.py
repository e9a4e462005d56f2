"""Tables that change as a whole: nobody else may use them meanwhile, and nobody waits long before.

A statement that waits for a table makes all later users wait behind it. So a session that needs
tables for itself tries for less time than PostgreSQL takes to look for deadlocks, gives back what
it has, pauses, and tries again.
"""

import time
from collections.abc import Sequence

from psycopg import errors, sql

from pgsim.errors import PgsimError
from pgsim.postgres.connection import Connection
from pgsim.postgres.rows import one_value
from pgsim.progress import Say, silent
from pgsim.store.locks import in_words

PAUSE = 1.0  # seconds in which others go on between two tries
PATIENCE = 180  # tries
LONGEST = 2.0  # seconds of a try, where PostgreSQL looks for deadlocks later
ALONE = "ACCESS EXCLUSIVE"  # nobody else reads or writes
UNCHANGED = "SHARE"  # others read, nobody writes
_HARMLESS = {ALONE: [], UNCHANGED: ["AccessShareLock", "RowShareLock", "ShareLock"]}

_USERS = (
    "SELECT l.pid, a.usename, a.application_name, date_trunc('second',"
    " coalesce(a.xact_start, a.query_start, a.backend_start))::text"
    " FROM pg_locks AS l LEFT JOIN pg_stat_activity AS a USING (pid)"
    " WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid()"
    " AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())"
    " AND l.relation = ANY(%s::regclass[]::oid[]) AND l.mode <> ALL(%s)"
    " ORDER BY a.xact_start LIMIT 1"
)


def lock_tables(
    conn: Connection, names: Sequence[str], say: Say = silent, mode: str = ALONE
) -> None:
    """Take tables or views of pgsim for this transaction, by default alone.

    A view takes what it reads along. `say` receives a line that names who uses one of them, where
    this waits. PgsimError, with the same words, where some session uses them for minutes.
    """
    who = "another session"
    for attempt in range(PATIENCE):
        try:
            with conn.transaction():
                _try(conn, names, mode)
            return
        except errors.LockNotAvailable:
            tables = [f"pgsim.{name}" for name in names]
            row = conn.execute(_USERS, (tables, _HARMLESS[mode])).fetchone()
            if row:
                who = in_words(*row)
            if attempt == 0:
                say(f"waiting for {who}, which uses tables that change")
        time.sleep(PAUSE)
    raise PgsimError(
        f"{who} uses tables that change: end its transaction, and run this again; nothing was"
        " changed"
    )


def lock_all(conn: Connection, say: Say = silent) -> None:
    """Take every table and view of pgsim for this transaction alone, as `lock_tables` does."""
    # Views first, as those who read them do.
    names = conn.execute(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'pgsim'::regnamespace"
        " AND relkind IN ('r', 'v') AND pg_has_role(relowner, 'USAGE')"
        " ORDER BY relkind = 'v' DESC, relname"
    ).fetchall()
    lock_tables(conn, [name for (name,) in names], say)


def _try(conn: Connection, names: Sequence[str], mode: str) -> None:
    """Lock them all in a short time; LockNotAvailable where that is not enough."""
    look = one_value(
        conn, "SELECT setting::float / 1000 FROM pg_settings WHERE name = 'deadlock_timeout'"
    )
    until = time.monotonic() + min(0.9 * look, LONGEST)
    for name in names:
        left = max(1, int(1000 * (until - time.monotonic())))
        conn.execute(f"SET LOCAL lock_timeout = {left}".encode())
        table = sql.Identifier("pgsim", name)
        conn.execute(sql.SQL("LOCK TABLE {} IN {} MODE").format(table, sql.SQL(mode)))
    conn.execute("SET LOCAL lock_timeout = 0")
