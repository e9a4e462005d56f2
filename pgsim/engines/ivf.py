"""An inverted file of the collection (Faiss), searched as far as the wanted recall asks for."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pgsim.engines.exact import Exact
from pgsim.engines.keys import NOTHING, distances, pack, unpack
from pgsim.errors import UsageError

# Faiss's scalar quantisers use SIMD only where the dimensions are a multiple of this.
_LANES = 16
_SAMPLE = 1000


def make_ivf(
    vectors: NDArray[np.float32],
    order: NDArray[np.int32],
    k: int,
    recall: float,
    threads: int,
    say: Callable[[str], None],
) -> "Ivf":
    """A searcher tuned to the recall on a sample; see make_searcher."""
    searcher = Ivf(vectors, order, k, threads)
    sample = np.sort(np.random.default_rng(0).permutation(len(vectors))[:_SAMPLE])
    _, truth = Exact(vectors, order, k, threads).search(sample)
    while True:
        _, found = searcher.search(sample)
        wanted = np.isfinite(truth).sum(axis=1)
        within = (np.isfinite(found) & (found <= truth[:, -1:])).sum(axis=1)
        share = within / np.maximum(wanted, 1)
        searcher.recall = float(share.mean())
        say(f"{searcher.description}: recall {searcher.recall:.4f}")
        if searcher.recall >= recall or searcher.probes >= searcher.lists:
            return searcher
        searcher.probes = min(searcher.lists, searcher.probes + max(1, searcher.probes // 4))


class Ivf:
    """The k nearest others, from the lists around each query."""

    recall: float | None = None

    def __init__(
        self, vectors: NDArray[np.float32], order: NDArray[np.int32], k: int, threads: int
    ) -> None:
        try:
            import faiss
        except ImportError as error:
            raise UsageError(
                "engine 'faiss' is not installed; pip install 'pgsim[bulk]'"
            ) from error
        faiss.omp_set_num_threads(threads)
        self._vectors = vectors
        self._order = order
        self._row_of_rank = np.argsort(order).astype(np.int32)
        self._k = k
        n, d = vectors.shape
        self.lists = max(1, int(n**0.5))
        self.probes = min(self.lists, 16)
        width = -(-d // _LANES) * _LANES
        self._width = width
        quantizer = faiss.IndexFlatL2(width)
        self._index = faiss.IndexIVFScalarQuantizer(
            quantizer, width, self.lists, faiss.ScalarQuantizer.QT_fp16
        )
        padded = self._padded(vectors)
        self._index.train(padded)
        self._index.add(padded)

    @property
    def description(self) -> str:
        """See Searcher."""
        return f"IVF{self.lists} fp16, nprobe {self.probes}"

    def _padded(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.pad(vectors, ((0, 0), (0, self._width - vectors.shape[1])))

    def search(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """See Searcher."""
        self._index.nprobe = self.probes
        candidates = min(self._k + 1 + self._k // 10 + 2, len(self._vectors))
        _, row = self._index.search(self._padded(self._vectors[rows]), candidates)
        query = np.repeat(rows, candidates)
        flat = row.ravel()
        keys = pack(distances(self._vectors, query, np.maximum(flat, 0)), self._order[flat])
        keys[(flat < 0) | (flat == query)] = NOTHING
        table = np.full((len(rows), max(candidates, self._k)), NOTHING)
        table[:, :candidates] = keys.reshape(len(rows), candidates)
        table.sort(axis=1)
        distance, rank = unpack(table[:, : self._k])
        return np.where(rank < 0, -1, self._row_of_rank[rank]), distance
