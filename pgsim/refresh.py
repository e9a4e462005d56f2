"""Keeping the matrix true: every list that a new, changed or deleted recording belongs in.

A batch of changes is one transaction. Old lists that a newcomer enters are found exactly: y's list
is affected when the newcomer is as near to y as its last member, and one matrix product of the
collection with the batch says where. The product only selects, with a margin; distances that are
kept are computed by themselves.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgsim.collection import Connection, read_collection
from pgsim.engines import make_searcher
from pgsim.engines.keys import NOTHING, by_query, distances, pack, unpack
from pgsim.lists import read_lists, read_radii, write_lists
from pgsim.rebuild import rebuild
from pgsim.vectors import read_vectors

BATCH = 1000  # changes in a transaction
REBUILD_ABOVE = 30  # changes, times the root of the number of recordings
TILE = 1 << 25  # products in memory at once

# For each dimension, how far a product may be from the truth, in squared lengths: several times
# what rounding to float32 makes of it.
_SLACK = 4 * float(np.finfo(np.float32).eps)
# A squared length beyond all others, and small enough to reckon with.
_FAR = 1e30

Change = tuple[int, NDArray[np.float32] | None]


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """How many recordings had changed, and how many lists were written."""

    changed: int
    lists: int


def refresh(
    conn: Connection,
    advance: Callable[[int], None] = lambda _: None,
    say: Callable[[str], None] | None = None,
) -> RefreshReport:
    """Bring the matrix up to date with every recording that is new, changed or deleted.

    Committed in batches: stopped at any point and run again, it goes on where it was. Several may
    run at once: they take turns. Where so much has changed that making the whole matrix anew costs
    less, it does that, and tells `say`; without `say` it never does. `advance` is told how many
    more changes, or recordings, are done.
    """
    read_collection(conn)
    changed = lists = 0
    if say and (reason := costs_more_than_rebuild(conn)):
        say(reason)
        made = rebuild(conn, say=say, advance=advance)
        changed, lists = made.recordings, made.lists
    while True:
        with conn.transaction():
            conn.execute("SELECT pgsim.refresh_lock()")
            batch = _take(conn)
            if not batch:
                return RefreshReport(changed, lists)
            lists += _Batch(conn, batch).write()
        changed += len({id_ for id_, _ in batch})
        advance(len(batch))


def costs_more_than_rebuild(conn: Connection) -> str:
    """Why making the whole matrix anew costs less than a refresh; empty where it does not.

    A refresh compares each of c changed recordings with all n: c * n. A rebuild looks, for each of
    n, at the nearest of about sqrt(n) cells: some 30 * n * sqrt(n) of the same steps, as measured.
    """
    row = conn.execute(
        "SELECT (SELECT count(DISTINCT id) FROM pgsim.stale),"
        " (SELECT count(*) FROM pgsim.recording WHERE vector IS NOT NULL)"
    ).fetchone()
    assert row is not None
    changed, recordings = row
    most = REBUILD_ABOVE * recordings**0.5
    if changed <= most:
        return ""
    return (
        f"{changed:,} of {recordings:,} recordings have changed, more than"
        f" {REBUILD_ABOVE} * sqrt({recordings:,}) = {most:,.0f}: making all lists anew"
    )


def _take(conn: Connection) -> list[Change]:
    """The next changes, with the vectors that were; without any, recordings that lack a list."""
    rows = conn.execute("SELECT id, old_vector FROM pgsim.take_stale(%s)", (BATCH,)).fetchall()
    if not rows:
        rows = conn.execute(
            "SELECT r.id, NULL FROM pgsim.recording AS r"
            " LEFT JOIN pgsim.similarity AS s ON r.id = s.id"
            " WHERE r.vector IS NOT NULL AND s.id IS NULL ORDER BY r.id LIMIT %s",
            (BATCH,),
        ).fetchall()
    return [(id_, None if old is None else old.to_numpy()) for id_, old in rows]


class _Batch:
    """The lists that one batch of changes makes, found in memory and then written."""

    def __init__(self, conn: Connection, changes: list[Change]) -> None:
        self.conn = conn
        row = conn.execute("SELECT list_length FROM pgsim.collection").fetchone()
        assert row is not None
        self.length: int = row[0]
        self.all = read_vectors(conn)
        self.order = self.all.order()
        self.row_of = self.all.row_of()
        self.changed = np.unique(np.array([id_ for id_, _ in changes], np.int32))
        rows = self._rows(self.changed)
        self.own = rows[rows >= 0]
        self.dead = self.changed[rows < 0]
        self.before = [old for _, old in changes if old is not None]
        self.radii = self._radii()

    def _radii(self) -> NDArray[np.float32]:
        """(n,) how near a newcomer must be to enter each list: inf where there is room in it, NaN
        where there is none, or where it will be made by itself."""
        ids, radii = read_radii(self.conn, self.length)
        rows = self._rows(ids)
        result = np.full(len(self.all.ids), np.nan, np.float32)
        result[rows[rows >= 0]] = radii[rows >= 0]
        result[self.own] = np.nan
        return result

    def _rows(self, ids: NDArray[np.int32]) -> NDArray[np.int32]:
        """Row numbers of ids, -1 for those that are not, or no longer, there."""
        return self.row_of[np.minimum(ids, len(self.row_of) - 1)]

    def write(self) -> int:
        """Link newcomers, refill what lost members, remove the dead; how many were written."""
        self.conn.execute(
            "CREATE TEMP TABLE IF NOT EXISTS pg_temp.incoming_similarity"
            " (id integer, neighbours integer[], distances real[], reach real)"
            " ON COMMIT DELETE ROWS"
        )
        rows = np.concatenate([self.own, self._link()])
        if len(rows):
            threads = os.cpu_count() or 1
            searcher = make_searcher(
                "exact", self.all.vectors, self.order, self.length, 1.0, threads, _ignore
            )
            self._copy_in(rows, *searcher.search(rows))
        stored = self.conn.execute("SELECT pgsim.store_lists(%s)", (self.dead.tolist(),)).fetchone()
        assert stored is not None
        return int(stored[0])

    def _link(self) -> NDArray[np.intp]:
        """Put newcomers into the lists of others; the rows of lists that have to be made anew."""
        owner, newcomer = self._near(self.all.vectors[self.own])
        entrant = self.own[newcomer]
        held, _ = self._near(
            np.array(self.before, np.float32).reshape(-1, self.all.vectors.shape[1])
        )
        touched = np.unique(np.concatenate([owner, held]))
        if not len(touched):
            return touched
        _, members, apart = read_lists(self.conn, self.all.ids[touched], self.length)

        # Who was there goes where he has changed or died; who died later is met with on the way.
        was = self._rows(members)
        has_changed = np.zeros(len(self.all.ids) + 1, bool)
        has_changed[self.own] = True
        stays = (was >= 0) & ~has_changed[was]
        lost = ((members >= 0) & ~stays).any(axis=1)
        keys = np.where(stays, pack(apart, self.order[was]), NOTHING)
        near = distances(self.all.vectors, owner, entrant)
        enters = near <= self.radii[owner]
        table = by_query(
            np.searchsorted(touched, owner[enters]),
            pack(near[enters], self.order[entrant[enters]]),
            len(touched),
            self.length,
        )
        keys = np.sort(np.concatenate([keys, table], axis=1), axis=1)[:, : self.length]

        # Up to its old last member a list is complete; one that lost members may be short there.
        # Of a last member that is gone the rank is not known: it counts as the first of its ties.
        radius = np.nan_to_num(self.radii[touched], posinf=np.inf)
        last = pack(radius, np.where(was[:, -1] >= 0, self.order[was[:, -1]], 0))
        sure = (keys < NOTHING) & (np.isinf(radius)[:, None] | (keys <= last[:, None]))
        short = lost & (sure.sum(axis=1) < min(self.length, len(self.all.ids) - 1))
        apart, ranks = unpack(keys)
        changed = ~short & (lost | np.isin(touched, owner[enters]))
        row_of_rank = np.argsort(self.order)
        found = np.where(ranks < 0, -1, row_of_rank[ranks])
        self._copy_in(touched[changed], found[changed], apart[changed])
        refill: NDArray[np.intp] = touched[short]
        return refill

    def _near(self, points: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Pairs (row, point) with the point within the row's radius, and some just outside."""
        rows, near = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
        if len(points) and len(self.all.ids):
            # Around the middle products are smallest; a median, so that nobody far out moves it.
            middle = np.median(self.all.vectors[:: len(self.all.ids) // 1000 + 1], axis=0)
            # |y|^2 - radius^2 - 2xy + |x|^2 - slack as one product of extended vectors.
            points = points - middle
            square = np.einsum("ij,ij->i", points, points)
            slack = 2 * _SLACK * points.shape[1]
            ones = np.ones_like(square)
            for start in range(0, len(self.all.ids), TILE // len(points)):
                tile = slice(start, start + TILE // len(points))
                own = self.all.vectors[tile] - middle
                length, radius = np.einsum("ij,ij->i", own, own), self.radii[tile]
                gap = length * (1 - slack) - radius**2 * (1 + slack)
                gap = np.nan_to_num(gap, nan=_FAR, neginf=-_FAR)
                left = np.column_stack([own, gap, np.ones_like(length)])
                right = np.column_stack([-2 * points, ones, square * (1 - slack)])
                row, point = np.divmod(np.flatnonzero(left @ right.T <= 0), len(points))
                rows.append(row + start)
                near.append(point)
        return np.concatenate(rows), np.concatenate(near)

    def _copy_in(
        self,
        rows: NDArray[np.intp],
        found: NDArray[np.integer],
        apart: NDArray[np.float32],
    ) -> None:
        """Lists of row numbers to where store_lists() takes them from."""
        neighbours = np.where(found < 0, -1, self.all.ids[found])
        write_lists(self.conn, "pg_temp.incoming_similarity", self.all.ids[rows], neighbours, apart)


def _ignore(_: str) -> None:
    """Nobody is told how the search goes: a batch is soon over."""
