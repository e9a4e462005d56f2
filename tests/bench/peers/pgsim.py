"""pgsim's own answers: from stored lists, and without them."""

from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from pgsim.matrix.rebuild import rebuild
from pgsim.matrix.refresh import refresh
from pgsim.postgres.rows import one_value
from pgsim.store.index import build_index
from pgsim.version import __version__
from tests.bench.peers.index import Rows, Vectors, filled
from tests.bench.peers.server import InPostgres

SIMILAR = b"SELECT mbid FROM pgsim.similar_recordings(%s, %s, ranking => 'distance')"
NEAREST = b"SELECT mbid FROM pgsim.nearest_recordings(%s, %s, ranking => 'distance')"


class PgsimQuestions(InPostgres):
    """Whole rows of nearest_recordings(), from the index; the lists give the answers' reaches."""

    package = "pgsim"
    parameters = "HNSW index, and lists of 100"

    def __init__(self, vectors: Vectors, space: str) -> None:
        super().__init__(vectors, space)  # by cosine too: of length 1, the order is the same
        answer = self.conn.execute("SELECT mbid FROM pgsim.recording ORDER BY id")
        self.mbids: list[UUID] = [row[0] for row in answer]
        self.row_of = {mbid: row for row, mbid in enumerate(self.mbids)}

    @classmethod
    def version(cls) -> str:
        return __version__

    def build(self, threads: int) -> None:
        self.conn.execute(f"SET max_parallel_maintenance_workers = {threads - 1}".encode())
        build_index(self.conn)
        rebuild(self.conn, threads=threads)
        self.conn.execute("VACUUM ANALYZE")

    def search(self, queries: Any, k: int, effort: int, threads: int = 1) -> Rows:
        return self._ask(NEAREST, queries, k)

    def _ask(self, question: bytes, seeds: Any, k: int) -> Rows:
        found = []
        for seed in seeds:
            rows = self.cursor.execute(question, (seed, k), prepare=True).fetchall()
            found.append([self.row_of[row[0]] for row in rows])
        return filled(found, k)

    def add(self, vectors: Vectors) -> None:
        super().add(vectors)
        refresh(self.conn)

    def lists_size(self) -> int:
        """The bytes of the stored lists, and of the reaches."""
        shown = one_value(self.conn, "SELECT pgsim.shown_similarity()")
        return self.size_of(f"pgsim.{shown}") + self.size_of("pgsim.reach")

    def disk(self, folder: Path) -> int:
        return self.size_of("pgsim.recording_vector") + self.lists_size()


class PgsimMatrix(PgsimQuestions):
    """Whole rows of similar_recordings(), read from the stored lists of the 100 nearest."""

    parameters = "lists of 100"
    by_row = True

    def build(self, threads: int) -> None:
        rebuild(self.conn, threads=threads)
        self.conn.execute("VACUUM ANALYZE")

    def search(self, queries: Any, k: int, effort: int, threads: int = 1) -> Rows:
        return self._ask(SIMILAR, [self.mbids[row] for row in np.asarray(queries)], k)

    def disk(self, folder: Path) -> int:
        return self.lists_size()
