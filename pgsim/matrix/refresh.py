"""Bring the matrix up to date: every list that a new, changed or deleted recording belongs in.

A block of changes shares one reading of the collection. It is worked on and committed part by part.
The old lists that a newcomer enters are found exactly: the newcomer enters y's list when it is as
near to y as the list's last member. One matrix product of the collection with the newcomers finds
these pairs. The product only selects, with a margin; distances that are kept are computed one by
one. What becomes of the lists is decided in linking.py; this module reads and stores them.
"""

import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgsim.matrix.engines.exact import Exact
from pgsim.matrix.engines.keys import inverse
from pgsim.matrix.linking import Links, StoredLists, decide, find_links
from pgsim.matrix.rebuild import RebuildUnderWay, rebuild
from pgsim.postgres.connection import Connection, another, require_own_transactions
from pgsim.postgres.copying import copy_in
from pgsim.postgres.rows import one_row, one_value
from pgsim.progress import Advance, Say, silent, still
from pgsim.store import locks
from pgsim.store.collection import read_collection
from pgsim.store.lists import read_lists, read_radii, write_lists
from pgsim.store.vectors import read_vectors
from pgsim.threads import cores, one_blas_thread

BLOCK = 10_000  # changes that share one reading of the collection
TURN = 2.0  # seconds of work on a block, after which it ends where somebody waits for the matrix
PART = 100  # most recordings in a transaction
LISTS = 50  # a part changes about one list in 50: so few that its updates are mostly HOT
LEAST = 25  # recordings in a transaction, or its own cost would take most of the time
FEWEST = 4  # the same where few have changed, and space matters more than time
REBUILD_ABOVE = 1000  # changes, and one recording in 30 besides
_REBUILD_SHARE = 30


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """The numbers of changed recordings, and of lists written."""

    changed: int
    lists: int


@dataclass(slots=True)
class _Part:
    """Recordings whose changes are committed together: their events, and their old vectors."""

    ids: list[int]
    events: list[int]
    before: list[NDArray[np.float32]]


def refresh(
    conn: Connection,
    advance: Advance = still,
    say: Say | None = None,
) -> RefreshReport:
    """Bring the matrix up to date with every recording that is new, changed or deleted.

    It commits part by part: stopped at any point and run again, it goes on where it was. Several
    refreshes may run at once: they take turns, a block each, and one for which others wait ends its
    turn after some seconds. Where a rebuild of the whole matrix
    costs less, it does that instead and reports it to `say`; without `say` it never rebuilds.
    `advance` receives the number of changes, or of recordings, done. PgsimError inside a
    transaction.
    """
    require_own_transactions(conn, "refresh")
    read_collection(conn)
    conn.execute("SELECT pgsim.refuse_row_security()")
    rebuilt = lists = 0
    changed: set[int] = set()
    while say and (reason := costs_more_than_rebuild(conn)):
        say(reason)
        try:
            made = rebuild(conn, say=say, advance=advance)
        except RebuildUnderWay:
            say("a rebuild is under way already: what it does not see is refreshed after it")
            return RefreshReport(0, 0)
        rebuilt, lists = rebuilt + made.recordings, lists + made.lists
    # Before the first block it is unknown whether an unchanged recording lacks its list.
    may_lack = True
    while True:
        with _turn(conn, advance, say or silent):
            parts = _parts(conn, may_lack)
            if not parts:
                conn.execute("SELECT pgsim.empty_stale()")
                return RefreshReport(rebuilt + len(changed), lists)
            block = _Block(conn, parts)
            may_lack = block.lacks
            ends = time.monotonic() + TURN
            with closing(block.work()) as work:
                for part, written in work:
                    lists += written
                    changed.update(part.ids)
                    advance(len(part.events))
                    if time.monotonic() > ends and locks.is_wanted(conn, locks.MATRIX):
                        break
        locks.let_others(conn, locks.MATRIX)


def _turn(conn: Connection, advance: Advance, say: Say) -> AbstractContextManager[None]:
    """Hold the matrix; a waiter may be ended by `advance`."""
    return locks.held(conn, locks.MATRIX, say=say, meanwhile=lambda: advance(0))


def costs_more_than_rebuild(conn: Connection) -> str:
    """The reason why a rebuild costs less than a refresh; empty where it does not.

    A change rewrites the row of each list that it enters, about as many as a list is long. That
    takes as long as a rebuild takes for 20 lists (of 100,000) to 40 (of a million), as measured.
    The thousand changes are for what a rebuild takes before its first list. A matrix whose last
    rebuild was exact stays exact: it is never rebuilt here.
    """
    changed = one_value(conn, "SELECT count(DISTINCT id) FROM pgsim.stale")
    if changed <= REBUILD_ABOVE:
        return ""
    recordings, exact = one_row(
        conn,
        "SELECT (SELECT count(*) FROM pgsim.recording WHERE vector IS NOT NULL),"
        " (SELECT engine = 'exact' OR recall_wanted = 1 FROM pgsim.rebuild"
        "  WHERE finished_at IS NOT NULL ORDER BY id DESC LIMIT 1)",
    )
    if exact:
        return ""
    most = REBUILD_ABOVE + recordings / _REBUILD_SHARE
    if changed <= most:
        return ""
    return (
        f"{changed:,} of {recordings:,} recordings have changed, more than"
        f" {REBUILD_ABOVE:,} + {recordings:,} / {_REBUILD_SHARE} = {most:,.0f}: making all lists"
        " anew"
    )


def _parts(conn: Connection, may_lack: bool) -> list[_Part]:
    """The oldest changes, in parts; all changes of a recording are in the same part.

    Where there are no changes, and a recording `may_lack` its list, those without one count as
    changed.
    """
    read = "SELECT event, id, old_vector FROM pgsim.stale ORDER BY event LIMIT %s"
    rows = conn.execute(read, (BLOCK,)).fetchall()
    if not rows and may_lack:
        conn.execute("SELECT pgsim.mark_unlisted(%s)", (BLOCK,))
        rows = conn.execute(read, (BLOCK,)).fetchall()
    # The number of lists as VACUUM or ANALYZE last counted it.
    per_list = one_value(
        conn,
        "SELECT c.reltuples / o.list_length FROM pg_class AS c, pgsim.collection AS o"
        " WHERE c.oid = ('pgsim.' || pgsim.shown_similarity())::regclass",
    )
    least = min(LEAST, max(FEWEST, len(rows) // FEWEST))
    size = min(max(int(per_list / LISTS), least), PART)
    parts: list[_Part] = []
    part_of: dict[int, _Part] = {}
    for event, id_, old in rows:
        if id_ not in part_of:
            if not parts or len(parts[-1].ids) == size:
                parts.append(_Part([], [], []))
            part_of[id_] = parts[-1]
            parts[-1].ids.append(id_)
        part_of[id_].events.append(event)
        if old is not None:
            part_of[id_].before.append(old.to_numpy())
    return parts


class _Block:
    """The collection in memory, and the parts of a block of changes.

    It is the collection as it was read: what changes meanwhile is a later event, and belongs to a
    later block. Nobody else changes a list while the block is worked on. So a list that this block
    has written knows all changed recordings of its later parts already.
    """

    def __init__(self, conn: Connection, parts: list[_Part]) -> None:
        self.conn, self.parts = conn, parts
        self.length: int = one_value(conn, "SELECT list_length FROM pgsim.collection")
        with closing(another(conn)) as other, ThreadPoolExecutor(1) as pool:
            reading = pool.submit(read_radii, other, self.length)
            self.all = read_vectors(conn)
            self.order = self.all.order()
            self.row_of_rank = inverse(self.order)
            self.row_of = self.all.row_of()
            self.exact = Exact(self.all.vectors, self.order, self.length, cores())
            ids, radii = reading.result()
        # As find_links() needs them: no recording enters a list that this block makes anew.
        self.radii = np.full(len(self.all.ids), np.nan, np.float32)
        rows = self._rows(ids)
        self.radii[rows[rows >= 0]] = radii[rows >= 0]
        rows = self._rows(np.array([id_ for part in parts for id_ in part.ids], np.int32))
        rows = rows[rows >= 0]
        self.lacks = bool(np.isnan(np.delete(self.radii, rows)).any())
        self.radii[rows] = np.nan

    def work(self) -> Generator[tuple[_Part, int], None, None]:
        """Commit the parts; yield each, with the number of lists written.

        While a part is stored, the links of the next one are found.
        """
        self.conn.execute(
            "CREATE TEMP TABLE IF NOT EXISTS pg_temp.incoming_similarity"
            " (id integer, neighbours integer[], distances real[], reach real)"
            " ON COMMIT DELETE ROWS"
        )
        self.conn.execute(
            "CREATE TEMP TABLE IF NOT EXISTS pg_temp.incoming_entrant"
            " (id integer, entrant integer, distance real) ON COMMIT DELETE ROWS"
        )
        with one_blas_thread(), ThreadPoolExecutor(1) as pool:
            finding = [pool.submit(self._find, part) for part in self.parts[:1]]
            for at, part in enumerate(self.parts):
                links = finding.pop().result()
                finding = [pool.submit(self._find, each) for each in self.parts[at + 1 : at + 2]]
                with self.conn.transaction():
                    # A crash of the server that undoes a part brings its events back.
                    self.conn.execute("SET LOCAL synchronous_commit = off")
                    taken = one_value(
                        self.conn, "SELECT count(*) FROM pgsim.take_stale(%s)", (part.events,)
                    )
                    if taken != len(part.events):
                        return  # TRUNCATE has emptied the collection meanwhile
                    written = self._store(part, links)
                yield part, written

    def _rows(self, ids: NDArray[np.int32]) -> NDArray[np.int32]:
        """Row numbers of ids, -1 for those that are not, or no longer, there."""
        return self.row_of[np.minimum(ids, len(self.row_of) - 1)]

    def _find(self, part: _Part) -> Links:
        """The links of a part; storing another part changes nothing that is read for them."""
        rows = self._rows(np.array(part.ids, np.int32))
        before = np.array(part.before, np.float32).reshape(-1, self.all.vectors.shape[1])
        return find_links(self.exact, self.all.vectors, self.radii, rows[rows >= 0], before)

    def _store(self, part: _Part, links: Links) -> int:
        """Write a part's own lists, those it changes and the places on the map; delete the dead.

        Return how many lists were written.
        """
        entered, moved = self._enter(links)
        self._link(links, entered)
        self._copy_in(links.changed, links.neighbours, links.distances)
        dead = [id_ for id_ in part.ids if self._rows(np.array([id_], np.int32))[0] < 0]
        stored = one_value(self.conn, "SELECT pgsim.store_lists(%s, %s)", (dead, moved))
        self.conn.execute("SELECT pgsim.place_on_map(%s)", (part.ids,))
        return len(entered) + int(stored)

    def _enter(self, links: Links) -> tuple[NDArray[np.integer], list[int]]:
        """Have PostgreSQL put single entrants into lists that lose no member.

        Return the rows of these lists, and the ids of those that have another reach now.
        """
        entrants = links.entrants
        _, first, count = np.unique(entrants.owner, return_index=True, return_counts=True)
        single = entrants[first[count == 1]]
        single = single[~np.isin(single.owner, links.holders)]
        copy_in(
            self.conn,
            "pg_temp.incoming_entrant (id, entrant, distance)",
            {
                "id": self.all.ids[single.owner],
                "entrant": self.all.ids[single.entrant],
                "distance": single.distance,
            },
        )
        entered, moved = one_row(
            self.conn, "SELECT lists, moved FROM pgsim.enter_lists(%s)", (self.length,)
        )
        return self._rows(np.array(entered, np.int32)), moved

    def _link(self, links: Links, entered: NDArray[np.integer]) -> None:
        """Read the other lists that a part may change, and write those that it changes."""
        entrants = links.entrants[~np.isin(links.entrants.owner, entered)]
        touched = np.unique(np.concatenate([entrants.owner, links.holders]))
        if not len(touched):
            return
        # Some may have been deleted from the matrix by hand.
        ids, members, apart = read_lists(self.conn, self.all.ids[touched], self.length)
        lists = StoredLists(self._rows(ids), self._rows(members), apart, (members >= 0).sum(axis=1))
        decision = decide(
            lists, entrants, links.changed, self.all.vectors, self.order, self.row_of_rank
        )
        self._copy_in(decision.owner, decision.neighbours, decision.distances)
        self._copy_in(decision.refill, *self.exact.search(decision.refill))

    def _copy_in(
        self,
        rows: NDArray[np.integer],
        found: NDArray[np.integer],
        apart: NDArray[np.float32],
    ) -> None:
        """COPY lists of row numbers to the table that store_lists() reads."""
        neighbours = np.where(found < 0, -1, self.all.ids[found])
        write_lists(self.conn, "pg_temp.incoming_similarity", self.all.ids[rows], neighbours, apart)
