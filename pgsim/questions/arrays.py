"""The vectors and the lists of a collection as arrays, whose rows are named by MBIDs."""

from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import UsageError
from pgsim.postgres.connection import Connection
from pgsim.postgres.copying import copy_out
from pgsim.postgres.rows import one_value
from pgsim.store.lists import copy_lists
from pgsim.store.vectors import read_vectors


def vectors_by_mbid(conn: Connection) -> tuple[NDArray[np.object_], NDArray[np.float32]]:
    """Return the MBIDs (n,) as UUIDs, and the vectors (n, dimensions) float32, in the same order.

    All recordings with a vector are there, as one statement sees them, in the order of their ids.
    """
    collection = read_vectors(conn)
    return _uuids(collection.mbids), collection.vectors


def lists_by_mbid(
    conn: Connection, k: int | None = None
) -> tuple[NDArray[np.object_], NDArray[np.int32], NDArray[np.float32]]:
    """Return the stored lists of neighbours: MBIDs (n,), neighbours (n, k), distances (n, k).

    The MBIDs are those of `vectors_by_mbid`, in the same order. A neighbour is a row number in
    them, nearest first; -1, at distance inf, where a list is shorter or the neighbour is gone. `k`
    is by default as long as the lists are.
    """
    length = int(one_value(conn, "SELECT list_length FROM pgsim.collection"))
    if k is not None and not 1 <= k <= length:
        raise UsageError(f"k is {k}, but must be from 1 to {length}, the length of the lists")
    rows = copy_out(
        conn,
        "SELECT id, mbid FROM pgsim.recording WHERE vector IS NOT NULL ORDER BY id",
        [("id", ">i4"), ("mbid", ">u8", 2)],
    )
    ids = rows["id"].astype(np.int32)
    listed, found, apart = copy_lists(
        conn, "SELECT id, neighbours, distances FROM pgsim.similarity", k or length
    )
    row_of = np.full(
        int(max(ids.max(initial=0), listed.max(initial=0), found.max(initial=0))) + 2, -1
    )
    row_of[ids] = np.arange(len(ids))
    own = row_of[listed]  # a list whose recording went in between has no row
    neighbours = np.full((len(ids), k or length), -1, np.int32)
    distances = np.full((len(ids), k or length), np.inf, np.float32)
    neighbours[own[own >= 0]] = row_of[found[own >= 0]]
    distances[own[own >= 0]] = apart[own >= 0]
    distances[neighbours < 0] = np.inf
    return _uuids(rows["mbid"].astype(np.uint64)), neighbours, distances


def _uuids(halves: NDArray[np.uint64]) -> NDArray[np.object_]:
    """Return (n,) UUIDs of their halves (n, 2)."""
    result = np.empty(len(halves), np.object_)
    result[:] = [UUID(int=high << 64 | low) for high, low in halves.tolist()]
    return result
