"""Faiss's inverted file of half-precision vectors: the engine to compare others with."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import UsageError
from pgsim.matrix.engines.keys import NOTHING, distances, inverse, pack, unpack

# Faiss's scalar quantisers use SIMD only where the dimensions are a multiple of this.
_LANES = 16
# Cells a root of the collection's size.
_CELLS = 4
_EFFORTS = 150
_SEED = 1


def import_faiss() -> Any:
    """Return the library; UsageError where it is not installed."""
    try:
        import faiss
    except ImportError as error:
        raise UsageError("engine 'faiss' is not installed; pip install 'pgsim[bulk]'") from error
    return faiss


class Ivf:
    """The k nearest others, from as many of the nearest cells as the effort says."""

    recall: float | None = None
    effort: float = 1

    def __init__(
        self, vectors: NDArray[np.float32], order: NDArray[np.int32], k: int, threads: int
    ) -> None:
        faiss = import_faiss()
        faiss.omp_set_num_threads(threads)
        self._vectors = vectors
        self._order = order
        self._row_of_rank = inverse(order)
        self._k = k
        # Half precision can put the k-th behind a few others, and a row is its own nearest.
        self._candidates = min(k + k // 10 + 8, len(vectors))
        n, d = vectors.shape
        self.cells = max(1, min(int(_CELLS * n**0.5), n // 39))  # Faiss warns of fewer than 39
        probes = np.geomspace(1, self.cells, _EFFORTS).astype(int)
        self.efforts = [int(each) for each in np.unique(probes)]
        self._padding = -d % _LANES
        self._index = faiss.IndexIVFScalarQuantizer(
            faiss.IndexFlatL2(d + self._padding),
            d + self._padding,
            self.cells,
            faiss.ScalarQuantizer.QT_fp16,
        )
        self._index.cp.seed = _SEED
        padded = self._padded(vectors)
        self._index.train(padded)
        self._index.add(padded)

    @property
    def description(self) -> str:
        """See Searcher."""
        return f"Faiss IVF{self.cells} fp16, nprobe {self.effort}"

    def needed(self, rows: NDArray[np.intp], neighbours: NDArray[np.int32]) -> NDArray[np.floating]:
        """See Tunable."""
        by_nearness = self._nearest_cells(rows, self.cells)
        turn = np.argsort(by_nearness, axis=1)  # at which each cell is probed
        cell = self._nearest_cells(neighbours.ravel(), 1).reshape(neighbours.shape)
        return np.take_along_axis(turn, cell, axis=1) + 1.0

    def search(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """See Searcher."""
        distance, rank = unpack(self._search(rows, int(self.effort)))
        return np.where(rank < 0, np.int32(-1), self._row_of_rank[rank]), distance

    def _search(self, rows: NDArray[np.intp], probes: int) -> NDArray[np.uint64]:
        """The sorted keys (len(rows), k) of the nearest others."""
        self._index.nprobe = probes
        _, row = self._index.search(self._padded(self._vectors[rows]), self._candidates)
        query = np.repeat(rows, self._candidates)
        found = row.ravel()
        keys = pack(distances(self._vectors, query, found), self._order[found])
        keys[(found < 0) | (found == query)] = NOTHING
        table = np.full((len(rows), max(self._candidates, self._k)), NOTHING)
        table[:, : self._candidates] = keys.reshape(row.shape)
        table.sort(axis=1)
        best = table[:, : self._k]
        short = np.flatnonzero(best[:, -1] == NOTHING)
        if len(short) and probes < self.cells:
            best[short] = self._search(rows[short], min(2 * probes, self.cells))
        return best

    def _nearest_cells(self, rows: NDArray[np.integer], cells: int) -> NDArray[np.int64]:
        found: NDArray[np.int64] = self._index.quantizer.search(
            self._padded(self._vectors[rows]), cells
        )[1]
        return found

    def _padded(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.pad(vectors, ((0, 0), (0, self._padding)))
