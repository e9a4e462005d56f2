"""Refresh, or join rebuilds, whenever there is something to do, until the process is to end.

A notification from the database wakes it, and a slow poll in case one is lost.
"""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass

import psycopg

from pgsim.errors import PgsimError
from pgsim.matrix.engines import ENGINES
from pgsim.matrix.rebuild import OF_THIS_DATABASE, rebuild
from pgsim.matrix.refresh import RefreshReport, refresh
from pgsim.postgres.connection import Connection, connect
from pgsim.postgres.pooler import require_session
from pgsim.postgres.session import clear_timeouts
from pgsim.progress import Advance, Say
from pgsim.store.collection import read_collection
from pgsim.store.runs import recorded

POLL = 60.0  # seconds between two looks without a notification
TICK = 0.5  # seconds between two calls of `is_ended`
LONGEST_PAUSE = 60.0  # seconds between two tries to reach the database again

IsEnded = Callable[[], bool]

_CHANGES = "SELECT 1 FROM pgsim.stale LIMIT 1"
_FREE_PARTS = (
    "SELECT 1 FROM pgsim.rebuild_part AS p JOIN pgsim.rebuild AS r ON r.id = p.rebuild"
    f" WHERE r.finished_at IS NULL AND {OF_THIS_DATABASE}"
    f" AND p.done_at IS NULL AND r.engine IN {ENGINES}"
    " LIMIT 1 FOR UPDATE OF p SKIP LOCKED"
)


@dataclass(frozen=True, slots=True)
class JoinReport:
    """The number of rebuilds that a worker joined, and of lists that it made in them."""

    rebuilds: int
    lists: int


class _Ended(BaseException):
    """Ends the work after a committed part: an interruption, no error."""


def follow_changes(conninfo: str, is_ended: IsEnded, say: Say) -> RefreshReport:
    """Refresh whenever recordings have changed; return the sum of all refreshes.

    It goes on until `is_ended`, and then ends after the part that it is working on. `say` receives
    a line for each refresh. A lost connection is made again, after growing pauses. PgsimError where
    the first connection fails, or the database has no pgsim.
    """
    changed = lists = 0

    def work(conn: Connection) -> bool:
        nonlocal changed, lists
        with recorded(conn, "refresh") as run:
            report = refresh(conn, _ending(is_ended), say)
            run.update(asdict(report))
        changed += report.changed
        lists += report.lists
        say(f"{report.changed} recordings had changed; {report.lists} lists written")
        return report.changed > 0

    _follow(conninfo, "pgsim_stale", _CHANGES, work, is_ended, say)
    return RefreshReport(changed, lists)


def follow_rebuilds(
    conninfo: str, is_ended: IsEnded, say: Say, threads: int | None = None
) -> JoinReport:
    """Join every rebuild while it has free parts, as `follow_changes` follows changes."""
    rebuilds = lists = 0

    def work(conn: Connection) -> bool:
        nonlocal rebuilds, lists
        with recorded(conn, "rebuild") as run:
            report = rebuild(conn, threads=threads, join=True, say=say, advance=_ending(is_ended))
            run.update(asdict(report))
        rebuilds += 1
        lists += report.lists
        say(f"{report.lists} lists in {report.seconds} s by {report.index}")
        return report.lists > 0

    _follow(conninfo, "pgsim_rebuild", _FREE_PARTS, work, is_ended, say)
    return JoinReport(rebuilds, lists)


def _ending(is_ended: IsEnded) -> Advance:
    """An `advance` that ends the work after a part that is committed."""

    def advance(_: int, share: float | None = None) -> None:  # noqa: ARG001
        if is_ended():
            raise _Ended

    return advance


def _follow(
    conninfo: str,
    channel: str,
    due: str,
    work: Callable[[Connection], bool],
    is_ended: IsEnded,
    say: Say,
) -> None:
    """Do `work` whenever the query `due` has a row, until `is_ended`.

    `work` returns whether it did any. Where other processes did it all, it is tried again at the
    next notification or poll.
    """
    has_begun = False
    failures = 0
    while not is_ended():
        try:
            with closing(connect(conninfo, autocommit=True)) as conn:
                require_session(conn, "follow")
                clear_timeouts(conn)
                read_collection(conn)
                conn.execute(f"LISTEN {channel}".encode())
                if failures:
                    say("connected again")
                has_begun = True
                while not is_ended():
                    has_worked = False
                    if conn.execute(due.encode()).fetchone():
                        started = time.monotonic()
                        has_worked = work(conn)
                        # Work half of the time at most: changes that gather share a refresh.
                        _pause(min(time.monotonic() - started, POLL), is_ended)
                    if not has_worked:
                        _listen(conn, is_ended)
                    failures = 0
        except _Ended:
            return
        except (PgsimError, psycopg.OperationalError) as error:
            if not has_begun:
                raise
            pause = min(2.0**failures, LONGEST_PAUSE)
            failures += 1
            say(f"{str(error).splitlines()[0]}; trying again in {pause:g} s")
            _pause(pause, is_ended)


def _listen(conn: Connection, is_ended: IsEnded) -> None:
    """Wait for a notification, or the next poll."""
    until = time.monotonic() + POLL
    while time.monotonic() < until and not is_ended():
        if list(conn.notifies(timeout=TICK, stop_after=1)):
            return


def _pause(seconds: float, is_ended: IsEnded) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0 and not is_ended():
        time.sleep(min(left, TICK))
