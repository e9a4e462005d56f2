"""Make the map of a collection, or give a place on it to recordings that came later."""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import PgsimError
from pgsim.mapping.layout import NEAREST, STEPS, first_places, lay_out, require_library
from pgsim.postgres.connection import Connection, require_own_transactions
from pgsim.postgres.rows import one_row
from pgsim.progress import Advance, Say, silent, still
from pgsim.store.collection import read_collection
from pgsim.store.lists import copy_lists
from pgsim.store.places import place_the_rest, replace_places, require_map, vacuum_map
from pgsim.store.vectors import read_vectors
from pgsim.threads import cores


@dataclass(frozen=True, slots=True)
class MapReport:
    """The numbers of recordings on the map, of those placed among their neighbours, and without.

    A recording is without a place where it has no list, or only neighbours without a place.
    """

    recordings: int
    placed: int
    without: int
    seconds: float


def make_map(
    conn: Connection,
    *,
    new: bool = False,
    seed: int = 0,
    say: Say = silent,
    advance: Advance = still,
) -> MapReport:
    """Lay out all recordings by their stored lists, or, if `new`, place only those without a place.

    The old map stays until the new one is written, in one transaction. The same lists and `seed`
    give the same map. `advance` receives the steps done. PgsimError where there are no lists to
    make a map of, without openTSNE, and inside a transaction.
    """
    require_own_transactions(conn, "map")
    read_collection(conn)
    conn.execute("SELECT pgsim.refuse_row_security()")
    started = time.monotonic()
    if new:
        require_map(conn)
        placed = place_the_rest(conn, say)
    else:
        require_library()
        ids, places, neighbours = _read(conn, seed, say)
        say(f"laying out {len(ids):,} recordings in {STEPS} steps")
        laid_out = lay_out(places, neighbours, cores(), advance)
        say("writing the map")
        placed = replace_places(conn, ids, laid_out, say)
    vacuum_map(conn)
    recordings, without = one_row(
        conn,
        "SELECT count(p.id), count(*) FILTER (WHERE p.id IS NULL) FROM pgsim.recording AS r"
        " LEFT JOIN pgsim.map_position AS p ON r.id = p.id WHERE r.vector IS NOT NULL",
    )
    return MapReport(recordings, placed, without, round(time.monotonic() - started, 1))


def _read(
    conn: Connection, seed: int, say: Say
) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.int32]]:
    """The ids (n,) of recordings with a list, their first places (n, 2), and their nearest (n, k).

    The nearest are row numbers, -1 for one that is gone or has no list.
    """
    say("reading the vectors and the lists")
    all_ = read_vectors(conn)
    query = "SELECT id, neighbours, distances FROM pgsim.similarity ORDER BY id"
    listed, members, _ = copy_lists(conn, query, NEAREST)
    is_there = np.isin(listed, all_.ids)
    ids, members = listed[is_there], members[is_there]
    if not len(ids):
        raise PgsimError("there are no lists to make a map of: pgsim rebuild")
    places = first_places(all_.vectors[all_.row_of()[ids]], seed)
    at = np.minimum(np.searchsorted(ids, members), len(ids) - 1)
    return ids, places, np.where(ids[at] == members, at, -1).astype(np.int32)
