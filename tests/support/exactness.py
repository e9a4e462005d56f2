"""Whether the lists of a matrix are those of an exact scan."""

import numpy as np
from numpy.typing import NDArray

from pgsim.postgres.connection import Connection
from pgsim.store.lists import REACH

BLOCK = 1000  # recordings whose distances to all others are in memory at once


def assert_lists_are_exact(conn: Connection, *, recall: float = 1.0) -> int:
    """Every vector's list holds its true nearest, by an exact scan; how many lists there are.

    The members of a list are compared by their distances, since near ties have no true order. With
    `recall`, at least that share of all members has to be true ones.
    """
    ids, vectors = _vectors(conn)
    row = conn.execute("SELECT list_length FROM pgsim.collection").fetchone()
    assert row is not None
    length = min(row[0], len(ids) - 1)
    rows = conn.execute(
        "SELECT id, neighbours, distances, reach FROM pgsim.similarity ORDER BY id"
    ).fetchall()
    assert [row[0] for row in rows] == ids.tolist(), "lists are not those of the vectors"
    if not rows:
        return 0
    assert {len(row[1]) for row in rows} == {length}, f"lists are not {length} long"
    neighbours = np.array([row[1] for row in rows])
    stored = np.array([row[2] for row in rows], np.float64)
    place = np.searchsorted(ids, neighbours).clip(max=len(ids) - 1)
    assert (ids[place] == neighbours).all(), "a list has a member that is gone"
    assert (neighbours != ids[:, None]).all(), "a recording is in its own list"
    in_order = np.sort(neighbours, axis=1)
    assert (in_order[:, 1:] != in_order[:, :-1]).all(), "a list has a member twice"
    assert (stored[:, 1:] >= stored[:, :-1]).all(), "a list is not nearest first"
    close = {"rtol": 1e-5, "atol": 1e-5}
    squares, true = (vectors**2).sum(axis=1), 0
    for start in range(0, len(ids), BLOCK):
        own = slice(start, start + BLOCK)
        apart = squares[own, None] + squares - 2 * vectors[own] @ vectors.T
        apart = np.sqrt(np.maximum(apart, 0))
        found = np.take_along_axis(apart, place[own], 1)
        np.testing.assert_allclose(stored[own], found, **close)
        apart[np.arange(len(apart)), np.arange(start, start + len(apart))] = np.inf
        nearest = np.sort(np.partition(apart, length - 1, axis=1)[:, :length], axis=1)
        true += int((stored[own] <= nearest[:, -1:] * (1 + 1e-5) + 1e-5).sum())
        if recall == 1:
            np.testing.assert_allclose(stored[own], nearest, **close)
    assert true >= recall * stored.size, f"{true / stored.size:.5f} of the members are true ones"
    reach = stored[:, :REACH].mean(axis=1)
    np.testing.assert_allclose([row[3] for row in rows], reach, **close)
    return len(rows)


def _vectors(conn: Connection) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Ids (n,) of the recordings with a vector, ascending, and their vectors (n, d)."""
    rows = conn.execute(
        "SELECT id, vector::real[] FROM pgsim.recording WHERE vector IS NOT NULL ORDER BY id"
    ).fetchall()
    return np.array([row[0] for row in rows], np.int32), np.array([row[1] for row in rows])
