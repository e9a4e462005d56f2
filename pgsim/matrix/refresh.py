"""Keeping the matrix true: every list that a new, changed or deleted recording belongs in.

A block of changes shares one reading of the collection; a part of it at a time is found and
committed. Old lists that a newcomer enters are found exactly: y's list is affected when the
newcomer is as near to y as its last member, and one matrix product of the collection with the
newcomers says where. The product only selects, with a margin; distances that are kept are computed
by themselves.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgsim.matrix.engines.exact import Exact
from pgsim.matrix.engines.keys import NOTHING, by_query, distances, inverse, pack, unpack
from pgsim.matrix.rebuild import RebuildUnderWay, rebuild
from pgsim.postgres.connection import Connection, another, require_own_transactions
from pgsim.postgres.copying import copy_in
from pgsim.store.collection import read_collection
from pgsim.store.lists import read_lists, read_radii, write_lists
from pgsim.store.vectors import read_vectors
from pgsim.threads import one_blas_thread

BLOCK = 10_000  # changes that share one reading of the collection
PART = 100  # most recordings in a transaction
LISTS = 50  # of which about one in so many changes in it: few enough for updates to be mostly HOT
LEAST = 25  # but not so few recordings that committing takes the time
REBUILD_ABOVE = 1000  # changes, and one in so many recordings besides
_REBUILD_SHARE = 30

_LOCK = "hashtext('pgsim.similarity')"  # as refresh_lock() takes it, for a transaction


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """How many recordings had changed, and how many lists were written."""

    changed: int
    lists: int


@dataclass(slots=True)
class _Part:
    """Recordings whose changes are committed together: events, and the vectors that were."""

    ids: list[int]
    events: list[int]
    before: list[NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class _Found:
    """What a part means for the matrix; rows are row numbers of the collection.

    `own` have new lists, `neighbours` and `apart` (own, k); `entrant` may enter the list of `owner`
    at that `distance`; the lists of `held` may hold who has changed or gone.
    """

    own: NDArray[np.integer]
    neighbours: NDArray[np.int32]
    apart: NDArray[np.float32]
    owner: NDArray[np.integer]
    entrant: NDArray[np.integer]
    distance: NDArray[np.float32]
    held: NDArray[np.integer]


def refresh(
    conn: Connection,
    advance: Callable[[int], None] = lambda _: None,
    say: Callable[[str], None] | None = None,
) -> RefreshReport:
    """Bring the matrix up to date with every recording that is new, changed or deleted.

    Committed part by part: stopped at any point and run again, it goes on where it was. Several
    may run at once: they take turns, a block each. Where so much has changed that making the whole
    matrix anew costs less, it does that, and tells `say`; without `say` it never does. `advance`
    is told how many more changes, or recordings, are done. PgsimError inside a transaction.
    """
    require_own_transactions(conn, "refresh")
    read_collection(conn)
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
    # Whether a recording may lack a list though nothing has changed: after a block that is known.
    may_lack = True
    while True:
        with _turn(conn):
            parts = _parts(conn, may_lack)
            if not parts:
                conn.execute("SELECT pgsim.empty_stale()")
                return RefreshReport(rebuilt + len(changed), lists)
            block = _Block(conn, parts)
            may_lack = block.lacks
            for part, written in block.work():
                lists += written
                changed.update(part.ids)
                advance(len(part.events))


def costs_more_than_rebuild(conn: Connection) -> str:
    """Why making the whole matrix anew costs less than a refresh; empty where it does not.

    A change costs the row of each list that it enters, about as many as a list is long: as long as
    a rebuild takes for 20 lists (of 100,000) to 40 (of a million), as measured. And there is what a
    rebuild takes before its first list.
    A matrix that a rebuild was asked to make exact stays exact: it is never made anew so.
    """
    row = conn.execute("SELECT count(DISTINCT id) FROM pgsim.stale").fetchone()
    assert row is not None
    [changed] = row
    if changed <= REBUILD_ABOVE:
        return ""
    row = conn.execute(
        "SELECT (SELECT count(*) FROM pgsim.recording WHERE vector IS NOT NULL),"
        " (SELECT engine = 'exact' OR recall_wanted = 1 FROM pgsim.rebuild"
        "  WHERE finished_at IS NOT NULL ORDER BY id DESC LIMIT 1)"
    ).fetchone()
    assert row is not None
    recordings, exact = row
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


@contextmanager
def _turn(conn: Connection) -> Iterator[None]:
    """Be the only one who changes the matrix, over several transactions."""
    conn.execute(f"SELECT pg_advisory_lock({_LOCK})".encode())
    try:
        yield
    finally:
        if not conn.broken:
            conn.execute(f"SELECT pg_advisory_unlock({_LOCK})".encode())


def _parts(conn: Connection, may_lack: bool) -> list[_Part]:
    """The oldest changes, in parts; those of one recording are in one.

    Where there is none, and a recording `may_lack` its list, those that do count as changed.
    """
    read = "SELECT event, id, old_vector FROM pgsim.stale ORDER BY event LIMIT %s"
    rows = conn.execute(read, (BLOCK,)).fetchall()
    if not rows and may_lack:
        conn.execute("SELECT pgsim.mark_unlisted(%s)", (BLOCK,))
        rows = conn.execute(read, (BLOCK,)).fetchall()
    # As many as VACUUM or ANALYZE last counted.
    count = conn.execute(
        "SELECT c.reltuples / o.list_length FROM pg_class AS c, pgsim.collection AS o"
        " WHERE c.oid = ('pgsim.' || pgsim.shown_similarity())::regclass"
    ).fetchone()
    assert count is not None
    size = min(max(int(count[0] / LISTS), LEAST), PART)
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

    It is the collection as it was read: what changes meanwhile is a later event, and is met with in
    a later block. No list is changed by others while it is worked on, so that a list that this
    block has written already knows all newcomers of its later parts.
    """

    def __init__(self, conn: Connection, parts: list[_Part]) -> None:
        self.conn, self.parts = conn, parts
        row = conn.execute("SELECT list_length FROM pgsim.collection").fetchone()
        assert row is not None
        self.length: int = row[0]
        with closing(another(conn)) as other, ThreadPoolExecutor(1) as pool:
            reading = pool.submit(read_radii, other, self.length)
            self.all = read_vectors(conn)
            self.order = self.all.order()
            self.row_of_rank = inverse(self.order)
            self.row_of = self.all.row_of()
            self.exact = Exact(self.all.vectors, self.order, self.length, os.cpu_count() or 1)
            ids, radii = reading.result()
        # How near a newcomer must be to enter each list: inf where there is room in it, NaN where
        # there is none, or where this block makes it by itself.
        self.radii = np.full(len(self.all.ids), np.nan, np.float32)
        rows = self._rows(ids)
        self.radii[rows[rows >= 0]] = radii[rows >= 0]
        rows = self._rows(np.array([id_ for part in parts for id_ in part.ids], np.int32))
        rows = rows[rows >= 0]
        self.lacks = bool(np.isnan(np.delete(self.radii, rows)).any())
        self.radii[rows] = np.nan

    def work(self) -> Iterator[tuple[_Part, int]]:
        """Commit the parts: each, and how many lists it wrote; the next is found meanwhile."""
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
                found = finding.pop().result()
                finding = [pool.submit(self._find, each) for each in self.parts[at + 1 : at + 2]]
                with self.conn.transaction():
                    taken = self.conn.execute(
                        "SELECT count(*) FROM pgsim.take_stale(%s)", (part.events,)
                    ).fetchone()
                    if taken != (len(part.events),):
                        return  # TRUNCATE has emptied the collection meanwhile
                    written = self._store(part, found)
                yield part, written

    def _rows(self, ids: NDArray[np.int32]) -> NDArray[np.int32]:
        """Row numbers of ids, -1 for those that are not, or no longer, there."""
        return self.row_of[np.minimum(ids, len(self.row_of) - 1)]

    def _find(self, part: _Part) -> _Found:
        """What a part means; it reads nothing that storing another part changes."""
        rows = self._rows(np.array(part.ids, np.int32))
        own = rows[rows >= 0]
        neighbours, apart, entrant, owner = self.exact.search_and_link(own, self.radii)
        by_owner = np.argsort(owner, kind="stable")
        entrant, owner = entrant[by_owner], owner[by_owner]
        distance = distances(self.all.vectors, entrant, owner)
        near = distance <= self.radii[owner]
        before = np.array(part.before, np.float32).reshape(-1, self.all.vectors.shape[1])
        held = self.exact.holders(before, self.radii)
        return _Found(own, neighbours, apart, owner[near], entrant[near], distance[near], held)

    def _store(self, part: _Part, found: _Found) -> int:
        """Write a part's own lists and those it changes, remove the dead; how many were written."""
        entered = self._enter(found)
        short = self._link(found, entered)
        self._copy_in(found.own, found.neighbours, found.apart)
        self._copy_in(short, *self.exact.search(short))
        dead = [id_ for id_ in part.ids if self._rows(np.array([id_], np.int32))[0] < 0]
        stored = self.conn.execute("SELECT pgsim.store_lists(%s)", (dead,)).fetchone()
        assert stored is not None
        return len(entered) + int(stored[0])

    def _enter(self, found: _Found) -> NDArray[np.integer]:
        """Let PostgreSQL put single newcomers into lists that lose nobody; the rows of these."""
        _, first, entrants = np.unique(found.owner, return_index=True, return_counts=True)
        plain = first[entrants == 1]
        plain = plain[~np.isin(found.owner[plain], found.held)]
        copy_in(
            self.conn,
            "pg_temp.incoming_entrant (id, entrant, distance)",
            {
                "id": self.all.ids[found.owner[plain]],
                "entrant": self.all.ids[found.entrant[plain]],
                "distance": found.distance[plain],
            },
        )
        done = self.conn.execute("SELECT pgsim.enter_lists(%s)", (self.length,)).fetchone()
        assert done is not None
        return self._rows(np.array(done[0], np.int32))

    def _link(self, found: _Found, entered: NDArray[np.integer]) -> NDArray[np.integer]:
        """Change the other lists of others; the rows of those that have to be made anew."""
        left = ~np.isin(found.owner, entered)
        owner, entrant, distance = found.owner[left], found.entrant[left], found.distance[left]
        touched = np.unique(np.concatenate([owner, found.held]))
        if not len(touched):
            return touched
        ids, members, apart = read_lists(self.conn, self.all.ids[touched], self.length)
        # Some may be gone, deleted from the matrix by hand.
        touched = self._rows(ids)
        known = np.isin(owner, touched)
        owner, entrant, distance = owner[known], entrant[known], distance[known]
        was = self._rows(members)
        lost = ((members >= 0) & (was < 0)).any(axis=1)

        # Who is there and has changed has another distance now; who is there enters no second time.
        is_own = np.zeros(len(self.all.ids) + 1, bool)
        is_own[found.own] = True
        line, place = np.nonzero(is_own[was])
        there = was[line, place]
        now = distances(self.all.vectors, touched[line], there)
        # As far as before, it can come after its ties: its MBID may be what has changed.
        farther = np.unique(line[now >= apart[line, place]])
        lost = lost | np.isin(np.arange(len(touched)), farther)
        last = np.where(members[:, -1] >= 0, apart[:, -1], np.float32(np.inf))
        # Of a last member that is gone or has changed the rank that it had is not known: it counts
        # as the first of its ties.
        sure_of = (was[:, -1] >= 0) & ~is_own[was[:, -1]]
        last = pack(last, np.where(sure_of, self.order[was[:, -1]], 0))
        stood = np.where(was >= 0, pack(apart, self.order[was]), NOTHING)
        keys = stood.copy()
        keys[line, place] = pack(now, self.order[there])
        owner = np.searchsorted(touched, owner)
        new = ~np.isin(owner * len(self.all.ids) + entrant, line * len(self.all.ids) + there)
        entering = pack(distance[new], self.order[entrant[new]])
        table = by_query(owner[new], entering, len(touched), 1)
        keys = np.sort(np.concatenate([keys, table], axis=1), axis=1)[:, : self.length]

        # Up to its old last member a list is complete; one that lost members may be short there.
        sure = (keys < NOTHING) & ((members[:, -1] < 0)[:, None] | (keys <= last[:, None]))
        short = lost & (sure.sum(axis=1) < min(self.length, len(self.all.ids) - 1))
        changed = ~short & (lost | (keys != stood).any(axis=1))
        apart, ranks = unpack(keys[changed])
        neighbours = np.where(ranks < 0, -1, self.row_of_rank[ranks])
        self._copy_in(touched[changed], neighbours, apart)
        refill: NDArray[np.integer] = touched[short]
        return refill

    def _copy_in(
        self,
        rows: NDArray[np.integer],
        found: NDArray[np.integer],
        apart: NDArray[np.float32],
    ) -> None:
        """Lists of row numbers to where store_lists() takes them from."""
        neighbours = np.where(found < 0, -1, self.all.ids[found])
        write_lists(self.conn, "pg_temp.incoming_similarity", self.all.ids[rows], neighbours, apart)
