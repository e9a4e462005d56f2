"""The HNSW index as an engine: PostgreSQL searches, and no vector leaves it."""

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import PgsimError
from pgsim.matrix.engines.tuning import found_share, sampled
from pgsim.postgres.connection import Connection
from pgsim.progress import Say
from pgsim.store.index import has_index
from pgsim.store.lists import copy_lists

_SAMPLE = 500
_EF_SEARCH = (100, 150, 200, 300, 400, 600, 800, 1000)  # 1000 is pgvector's most


class Postgres:
    """Makes each list from hnsw.ef_search candidates; see Searcher for recall and description."""

    def __init__(self, conn: Connection, table: str, k: int, recall: float, say: Say) -> None:
        """Tuned to the recall on a sample; PgsimError where there is no index."""
        if not has_index(conn):
            raise PgsimError("engine 'postgres' searches the HNSW index: run pgsim index first")
        self._table, self._k = table, k
        ids = conn.execute(
            "SELECT id FROM pgsim.recording WHERE vector IS NOT NULL ORDER BY id"
        ).fetchall()
        self._sample = [ids[at][0] for at in sampled(len(ids), _SAMPLE)]
        truth = self._distances(conn, f"exact_neighbours(%s, {k})")
        for self._ef_search in _EF_SEARCH:
            found = self._distances(conn, f"indexed_neighbours(%s, {k}, {self._ef_search})")
            self.recall = float(found_share(found, truth).mean()) if ids else 1.0
            say(f"{self.description}: recall {self.recall:.4f} of {len(self._sample)} recordings")
            if self.recall >= recall:
                break

    @property
    def description(self) -> str:
        """See Searcher."""
        return f"HNSW, ef_search {self._ef_search}"

    def fill(self, conn: Connection, first: int, last: int) -> int:
        """Insert the lists of the recordings in a range of ids; return their number."""
        cursor = conn.execute(
            f"INSERT INTO {self._table} (id, neighbours, distances, reach)"
            " SELECT n.* FROM pgsim.indexed_neighbours("
            "ARRAY(SELECT id FROM pgsim.recording WHERE id BETWEEN %s AND %s), %s, %s) AS n"
            " ORDER BY n.id".encode(),
            (first, last, self._k, self._ef_search),
        )
        return cursor.rowcount

    def _distances(self, conn: Connection, call: str) -> NDArray[np.float32]:
        """The distances (sample, k) that an SQL function of lists returns for the sample."""
        with conn.transaction():
            return copy_lists(
                conn, f"SELECT * FROM pgsim.{call} AS n ORDER BY n.id", self._k, (self._sample,)
            )[2]
