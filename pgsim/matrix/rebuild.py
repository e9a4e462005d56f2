"""Rebuild the whole matrix: any number of workers claim parts of it, search and commit them.

A part is a row that its worker keeps locked until its lists are committed. So the part of a worker
that dies is free again. The lists go into the table that the view does not show; when all parts
are done, the view switches.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Lock
from typing import TypeVar

import numpy as np
from psycopg import errors

from pgsim.errors import PgsimError, UsageError
from pgsim.matrix.engines import ENGINES, Searcher, make_searcher, require_engine
from pgsim.matrix.engines.postgres import Postgres
from pgsim.postgres.connection import Connection, another, require_own_transactions
from pgsim.postgres.rows import one_row, one_value
from pgsim.progress import Advance, Say, silent, still
from pgsim.store import locks
from pgsim.store.collection import read_collection
from pgsim.store.lists import REACH, write_lists
from pgsim.store.places import place_the_rest
from pgsim.store.vectors import Vectors, read_vectors
from pgsim.threads import cores

ENGINE = "cells"  # the quickest by far: see tests/bench/matrix.py
PART = 65536  # recordings whose lists are committed together
PARTS = {"postgres": 4096}  # the same for slower engines
MOST = 1000  # neighbours in a list
PAUSE = 1.0  # seconds between two looks at what other workers do
PATIENCE = 60  # tries to switch the view
TRY = 2.0  # seconds in which a try waits for readers: new ones wait behind it
LAST_WAIT = 10.0  # seconds in which the space of the old matrix can be given back at the end
GRACE = 3.0  # seconds in which the server notices that another coordinator was killed
_REBUILD = "SELECT id, target, list_length, engine, recall_wanted, recordings FROM pgsim.rebuild"
# A dump brings a rebuild that began elsewhere: its snapshot says nothing here.
OF_THIS_DATABASE = "(cluster, database) IS NOT DISTINCT FROM pgsim.this_database()"


# What a long transaction can be in the way of, and what is said when it stays there.
_HIDDEN = (
    "a long transaction reads the table for the new matrix; waiting for it to end",
    "the table for the new matrix is in use: end the transactions that read it, and run this again",
)
_SHOWN = (
    "a long transaction reads the old matrix, or changes it; waiting for it to end",
    "the new matrix is whole, but the old one is in use: end the transactions that read it, and run"
    " this again",
)
Result = TypeVar("Result")


class RebuildUnderWay(PgsimError):
    """Another process coordinates a rebuild of this matrix."""


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """The work of one worker: it made `lists` of all `recordings`, by `engine` and its `index`.

    `recall` is recall@k on a sample against an exact scan.
    """

    recordings: int
    lists: int
    engine: str
    index: str
    recall: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Rebuild:
    """The unfinished row of pgsim.rebuild."""

    id: int
    target: str
    length: int
    engine: str
    recall: float
    recordings: int


def rebuild(
    conn: Connection,
    *,
    engine: str | None = None,
    k: int | None = None,
    recall: float = 0.99,
    threads: int | None = None,
    join: bool = False,
    restart: bool = False,
    say: Say = silent,
    advance: Advance = still,
) -> RebuildReport:
    """Make all lists again, of k neighbours; readers see the old matrix until the new one is whole.

    An unfinished rebuild goes on where it was, with the engine, k and recall that it began with;
    `restart` gives it up for a new one. `join` works on parts of a rebuild that another process
    coordinates, and leaves the switch to that process. `say` receives each step, `advance` the
    number of recordings done. RebuildUnderWay where another process coordinates already;
    PgsimError where there is no rebuild to join, and inside a transaction.
    """
    require_own_transactions(conn, "rebuild")
    started = time.monotonic()
    length = list_length(conn)
    threads = threads or cores()
    if join:
        begun = unfinished(conn)
        if begun is None or begun.engine not in ENGINES:  # an import has nothing to share
            raise PgsimError("there is no rebuild to join: start one with pgsim rebuild")
        worker = _Worker(conn, begun, threads, say)
        worker.work(advance)
    else:
        with coordinating(conn):
            begun = _resume_or_begin(
                conn,
                ENGINE if engine is None else engine,
                length if k is None else k,
                recall,
                restart,
                say,
            )
            worker = _Worker(conn, begun, threads, say)
            while not _is_done(conn, begun):
                if not worker.work(advance):
                    # Others are at the last parts; should one die, its part is free again.
                    time.sleep(PAUSE)
            switch(conn, begun, say)
    return worker.report(time.monotonic() - started)


class _InMemory:
    """Fills parts from the collection and its index in memory."""

    def __init__(self, conn: Connection, begun: Rebuild, threads: int, say: Say) -> None:
        self._table = f"pgsim.{begun.target}"
        say(f"reading {begun.recordings:,} vectors")
        self._all: Vectors = read_vectors(conn)
        self._searcher: Searcher = make_searcher(
            begun.engine,
            self._all.vectors,
            self._all.order(),
            begun.length,
            begun.recall,
            threads,
            say,
        )
        self.recall, self.description = self._searcher.recall, self._searcher.description

    def fill(self, conn: Connection, first: int, last: int) -> int:
        """Write the lists of the recordings in a range of ids; return their number."""
        rows = np.arange(*np.searchsorted(self._all.ids, (first, last + 1)))
        found, apart = self._searcher.search(rows)
        neighbours = np.where(found < 0, -1, self._all.ids[found])
        write_lists(conn, self._table, self._all.ids[rows], neighbours, apart)
        return len(rows)


class _Worker:
    """Works on the parts of a rebuild; reads the collection before the first part."""

    def __init__(self, conn: Connection, begun: Rebuild, threads: int, say: Say) -> None:
        self._conn, self._rebuild, self._threads, self._say = conn, begun, threads, say
        self._lists = 0
        self._stopped, self._telling = Event(), Lock()
        self._filler: _InMemory | Postgres | None = None

    def work(self, advance: Advance) -> bool:
        """Do parts until none is free; return whether there was one."""
        before = self._lists
        if self._filler is None:
            self._filler = self._make_filler()
        # In PostgreSQL each connection searches by one process. In memory all threads search, and
        # one connection writes afterwards: writing at the same time takes longer, since Python's
        # lock is passed too often.
        connections = self._threads if isinstance(self._filler, Postgres) else 1
        with ExitStack() as stack:
            others = [
                stack.enter_context(closing(another(self._conn))) for _ in range(connections - 1)
            ]
            pool = stack.enter_context(ThreadPoolExecutor(max(1, len(others))))
            working = [pool.submit(self._work, conn, advance) for conn in others]
            try:
                self._lists += self._work(self._conn, advance)
                self._lists += sum(each.result() for each in working)
            except BaseException:
                self._stopped.set()
                for conn in others:
                    conn.cancel_safe()
                raise
        return self._lists > before

    def _make_filler(self) -> "_InMemory | Postgres":
        begun = self._rebuild
        filler: _InMemory | Postgres
        if begun.engine == "postgres":
            table = f"pgsim.{begun.target}"
            filler = Postgres(self._conn, table, begun.length, begun.recall, self._say)
        else:
            filler = _InMemory(self._conn, begun, self._threads, self._say)
        self._conn.execute(
            "UPDATE pgsim.rebuild SET description = %s, recall_found = %s WHERE id = %s",
            (filler.description, filler.recall, begun.id),
        )
        return filler

    def _work(self, conn: Connection, advance: Advance) -> int:
        lists = 0
        while not self._stopped.is_set() and (done := self._part(conn)) is not None:
            lists += done
            with self._telling:
                advance(done)
        return lists

    def _part(self, conn: Connection) -> int | None:
        """Do one free part; return its number of lists, None where no part is free."""
        with conn.transaction():
            part = conn.execute(
                "SELECT first_id, last_id FROM pgsim.rebuild_part"
                " WHERE rebuild = %s AND done_at IS NULL"
                " ORDER BY first_id LIMIT 1 FOR UPDATE SKIP LOCKED",
                (self._rebuild.id,),
            ).fetchone()
            if part is None:
                return None
            assert self._filler is not None
            lists = self._filler.fill(conn, *part)
            conn.execute(
                "UPDATE pgsim.rebuild_part SET done_at = clock_timestamp()"
                " WHERE rebuild = %s AND first_id = %s",
                (self._rebuild.id, part[0]),
            )
        return lists

    def report(self, seconds: float) -> RebuildReport:
        """The report of this worker."""
        row = self._conn.execute(
            "SELECT description, recall_found FROM pgsim.rebuild WHERE id = %s",
            (self._rebuild.id,),
        ).fetchone()
        description, recall = row or (None, None)
        return RebuildReport(
            self._rebuild.recordings,
            self._lists,
            self._rebuild.engine,
            description or "",
            recall,
            round(seconds, 1),
        )


def list_length(conn: Connection) -> int:
    """The number of neighbours in a list; PgsimError where pgsim is not installed."""
    read_collection(conn)
    return int(one_value(conn, "SELECT list_length FROM pgsim.collection"))


@contextmanager
def coordinating(conn: Connection) -> Iterator[None]:
    """Be the one process that begins a rebuild and switches to it.

    RebuildUnderWay where another process is.
    """
    try:
        with locks.held(conn, locks.REBUILD, within=GRACE):
            yield
    except locks.LockTaken:
        raise RebuildUnderWay(
            "another pgsim rebuild is at work in this database: to help it, pgsim rebuild --join"
        ) from None


def _resume_or_begin(
    conn: Connection, engine: str, k: int, recall: float, restart: bool, say: Say
) -> Rebuild:
    """Return the unfinished rebuild as it was begun, or begin one with these arguments."""
    require_engine(engine)
    require_possible(k, recall)
    part = min(PART, PARTS.get(engine, PART))
    give_up_foreign(conn, say)

    def before_or_new() -> tuple[Rebuild | None, Rebuild]:
        # A killed import cannot go on.
        conn.execute(
            "DELETE FROM pgsim.rebuild WHERE finished_at IS NULL AND (%s OR engine <> ALL(%s))",
            (restart, list(ENGINES)),
        )
        before = unfinished(conn)
        return before, before or _begin(conn, k, engine, recall, part)

    before, begun = _patiently(conn, before_or_new, _HIDDEN, say)
    if not before:
        return begun
    try:
        require_engine(before.engine)
    except UsageError as error:
        raise UsageError(
            f"an unfinished rebuild was begun with it: {error}, or give it up by `restart=True`"
        ) from None
    say(
        f"going on with the rebuild that was begun (engine {before.engine}, k {before.length},"
        f" recall {before.recall:g}); `restart=True` gives it up"
    )
    return before


def require_possible(k: int, recall: float) -> None:
    """UsageError where lists cannot have k neighbours, or no engine can find this share of them."""
    if not REACH <= k <= MOST:
        raise UsageError(
            f"k is {k}, but must be from {REACH} to {MOST}: a reach needs {REACH} neighbours"
        )
    if not 0 < recall <= 1:
        raise UsageError(f"recall is {recall}, but must be above 0 and at most 1")


def give_up_foreign(conn: Connection, say: Say) -> None:
    """Give up an unfinished rebuild that began on another server or in another database."""
    began = one_value(conn, "SELECT pgsim.give_up_foreign_rebuild()::text")
    if began:
        say(
            f"giving up the rebuild that began at {began} on another server or in another database,"
            " from where a dump brought it: what has changed since is not known here"
        )


def begin(
    conn: Connection, k: int, engine: str, recall: float, part: int, say: Say = silent
) -> Rebuild:
    """Begin a rebuild of lists of k neighbours, with `part` recordings in each part.

    It waits for readers of the table that it fills, as `switch` does for those of the other one.
    """
    return _patiently(conn, lambda: _begin(conn, k, engine, recall, part), _HIDDEN, say)


def _begin(conn: Connection, k: int, engine: str, recall: float, part: int) -> Rebuild:
    query = "SELECT pgsim.begin_rebuild(%s, %s, %s, %s)"
    number = one_value(conn, query, (k, engine, recall, part))
    return Rebuild(*one_row(conn, f"{_REBUILD} WHERE id = %s", (number,)))


def _patiently(
    conn: Connection, work: Callable[[], Result], words: tuple[str, str], say: Say
) -> Result:
    """Do work on the matrix in one transaction, in tries so short that they hold nobody up."""
    for _ in range(PATIENCE):
        try:
            with locks.held(conn, locks.MATRIX, say=say), conn.transaction():
                conn.execute(f"SET LOCAL lock_timeout = '{TRY}s'".encode())
                return work()
        except errors.LockNotAvailable:
            say(words[0])
            time.sleep(PAUSE)
    raise PgsimError(words[1])


def unfinished(conn: Connection) -> Rebuild | None:
    """The rebuild that was begun here and has not ended, None where there is none."""
    query = f"{_REBUILD} WHERE finished_at IS NULL AND {OF_THIS_DATABASE}"
    row = conn.execute(query.encode()).fetchone()
    return Rebuild(*row) if row else None


def _is_done(conn: Connection, begun: Rebuild) -> bool:
    row = conn.execute(
        "SELECT 1 FROM pgsim.rebuild_part WHERE rebuild = %s AND done_at IS NULL LIMIT 1",
        (begun.id,),
    ).fetchone()
    return row is None


def switch(conn: Connection, begun: Rebuild, say: Say) -> None:
    """Show the new matrix; wait for readers of the old one without blocking others for long."""
    conn.execute(f"ANALYZE pgsim.{begun.target}".encode())
    _patiently(conn, lambda: conn.execute("SELECT pgsim.finish_rebuild()"), _SHOWN, say)
    place_the_rest(conn, say)
    # Until then every question reads past the old reaches.
    conn.execute("VACUUM (ANALYZE) pgsim.reach")
    # A dump may still read the old one, or a refresh be at work; then the next rebuild empties it.
    with (
        suppress(errors.LockNotAvailable, locks.LockTaken),
        locks.held(conn, locks.MATRIX, within=LAST_WAIT),
        conn.transaction(),
    ):
        conn.execute(f"SET LOCAL lock_timeout = '{TRY}s'".encode())
        conn.execute("SELECT pgsim.empty_hidden_similarity()")
