"""Ask the database for nearest recordings, many seeds at a time, in the ways that it has."""

import numpy as np
from numpy.typing import NDArray

from pgsim.postgres.adapters import register_arrays
from pgsim.postgres.connection import Connection
from pgsim.postgres.rows import one_value

DEEPEST = 1000  # what similar_recordings() and hnsw.ef_search go up to
_SEEDS = 50  # in a statement

_LIVE = """
    SELECT seed.id, ARRAY(
        SELECT n.id FROM pgsim.nearest_matching(pgsim.plain_seed(seed.vector, seed.id), %(k)s) AS n
    )
    FROM pgsim.recording AS seed WHERE seed.id = ANY(%(ids)s)
"""
_INDEX = """
    SELECT seed.id, ARRAY(
        SELECT o.id FROM pgsim.recording AS o
        ORDER BY pgsim.l2(o.vector, seed.vector) LIMIT %(k)s + 1
    )
    FROM pgsim.recording AS seed WHERE seed.id = ANY(%(ids)s)
"""


def ask_index(conn: Connection, ids: NDArray[np.int32], k: int) -> NDArray[np.int32]:
    """The answer of a plain ORDER BY vector <-> … LIMIT k by pgvector, without the seed."""
    with conn.transaction():
        for setting in ("enable_seqscan", "enable_bitmapscan", "enable_sort"):
            conn.execute("SELECT set_config(%s, 'off', true)", (setting,))
        conn.execute("SELECT set_config('hnsw.ef_search', %s::text, true)", (ef_search(conn, k),))
        return _ask(conn, _INDEX, ids, k)


def ef_search(conn: Connection, k: int) -> int:
    """The session's hnsw.ef_search, or as much as k others and the seed itself need."""
    found = one_value(conn, "SELECT current_setting('hnsw.ef_search', true)")
    return min(max(int(found or 40), k + 1), DEEPEST)


def ask_live(conn: Connection, ids: NDArray[np.int32], k: int) -> NDArray[np.int32]:
    """The answer of pgsim without stored lists, by distance, without the seed."""
    return _ask(conn, _LIVE, ids, k)


def _ask(conn: Connection, question: str, ids: NDArray[np.int32], k: int) -> NDArray[np.int32]:
    """The ids (m, k) that a query answers for each seed, in any order; -1 where fewer."""
    register_arrays(conn)
    result = np.full((len(ids), k), -1, np.int32)
    for start in range(0, len(ids), _SEEDS):
        part = ids[start : start + _SEEDS]
        rows = conn.cursor(binary=True).execute(question.encode(), {"ids": part.tolist(), "k": k})
        for id_, own in rows:
            others = own[own != id_][:k]
            result[np.searchsorted(ids, id_), : len(others)] = others
    return result
