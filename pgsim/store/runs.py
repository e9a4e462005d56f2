"""A row in the database for each run of a command that changes data; `pgsim status` shows it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from pgsim.errors import PgsimError
from pgsim.postgres.connection import Connection
from pgsim.postgres.errors import as_pgsim_error
from pgsim.postgres.pooler import require_session
from pgsim.postgres.rows import one_value
from pgsim.postgres.session import without_timeouts
from pgsim.store import locks
from pgsim.store.collection import read_collection


@contextmanager
def recorded(conn: Connection, command: str) -> Iterator[dict[str, Any]]:
    """Note that a run begins, how it ends, and what the body puts into the dict.

    The session holds a lock of the run until then: without it, a run that has no outcome was
    broken off. PgsimError where pgsim is not installed, or another version of it, and behind a
    pooler.
    """
    require_session(conn, command)
    read_collection(conn)
    run = one_value(conn, "SELECT pgsim.begin_run(%s)", (command,))
    report: dict[str, Any] = {}
    try:
        with without_timeouts(conn):
            yield report
    except BaseException as error:
        # A connection that is lost, or inside a failed transaction, cannot note it.
        with suppress(psycopg.Error):
            _end(conn, run, report, *_outcome(error))
        raise
    _end(conn, run, report, "done")


def _outcome(error: BaseException) -> tuple[str, str | None]:
    """Return how a run ended, and why; a signal or the end of a `--follow` interrupts it."""
    if isinstance(error, psycopg.Error):
        return "failed", str(as_pgsim_error(error))
    if isinstance(error, PgsimError):
        return "failed", str(error)
    if isinstance(error, Exception):
        return "failed", f"{type(error).__name__}: {error}"
    return "interrupted", None


def _end(
    conn: Connection, run: int, report: dict[str, Any], outcome: str, error: str | None = None
) -> None:
    conn.execute(
        "UPDATE pgsim.run SET finished_at = clock_timestamp(), report = %s, outcome = %s,"
        " error = %s WHERE id = %s",
        (Jsonb(report), outcome, error and error.replace("\0", ""), run),
    )
    locks.release_run(conn, run)
