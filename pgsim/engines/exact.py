"""Every pair of recordings compared: the exact engine, and the oracle of the others.

A matrix product gives all squared distances but for rounding; what could be among the k nearest
within a bound of that rounding is confirmed by the direct formula.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from pgsim.engines.keys import NOTHING, distances, gather, pack, unpack

_QUERIES = 256
# The first block gives the threshold of the others, so it is partitioned, which is slow; later
# blocks are compared with the threshold only.
_BLOCK = 8192


class Exact:
    """The k nearest others by a scan of the whole collection."""

    recall = 1.0
    description = "exact"

    def __init__(
        self, vectors: NDArray[np.float32], order: NDArray[np.int32], k: int, threads: int
    ) -> None:
        self._vectors = vectors
        self._order = order
        self._row_of_rank = np.argsort(order).astype(np.int32)
        self._k = k
        self._threads = threads
        # Around the middle the products are smallest, and so is their rounding.
        self._middle = (vectors.sum(axis=0, dtype=np.float64) / max(len(vectors), 1)).astype(
            np.float32
        )
        self._norm = np.empty(len(vectors), np.float32)
        for part in _blocks(len(vectors)):
            centred = vectors[part] - self._middle
            self._norm[part] = np.einsum("ij,ij->i", centred, centred, dtype=np.float64)
        self._longest = float(self._norm.max(initial=0)) ** 0.5

    def search(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """See Searcher."""
        parts = [rows[at : at + _QUERIES] for at in range(0, len(rows), _QUERIES)]
        with ThreadPoolExecutor(self._threads) as pool:
            found = list(pool.map(self._search, parts))
        keys = np.concatenate([np.empty((0, self._k), np.uint64), *found])
        distance, rank = unpack(keys)
        return np.where(rank < 0, -1, self._row_of_rank[rank]), distance

    def _search(self, rows: NDArray[np.intp]) -> NDArray[np.uint64]:
        """The sorted keys (len(rows), k) of each row's nearest others."""
        queries = self._vectors[rows] - self._middle
        square = self._norm[rows].astype(np.float64)
        slack = self._slack(square)
        best = np.full((len(rows), self._k), NOTHING)
        for part in _blocks(len(self._vectors)):
            # |y|^2 - 2xy: the squared distance less |x|^2.
            scores = self._norm[part] - 2 * (queries @ (self._vectors[part] - self._middle).T)
            itself = np.flatnonzero((part.start <= rows) & (rows < part.stop))
            scores[itself, rows[itself] - part.start] = np.inf
            kth = unpack(best[:, -1])[0].astype(np.float64) ** 2 - square
            if part.start == 0 and self._k < scores.shape[1]:
                kth = np.partition(scores, self._k - 1, axis=1)[:, self._k - 1] + slack
            limit = np.nextafter((kth + slack).astype(np.float32), np.float32(np.inf))
            hit = np.flatnonzero(scores <= np.minimum(limit, np.finfo(np.float32).max)[:, None])
            query, row = np.divmod(hit, scores.shape[1])
            row += part.start
            keys = pack(distances(self._vectors, rows[query], row), self._order[row])
            best = np.concatenate([best, gather(query, keys, len(rows))], axis=1)
            best.sort(axis=1)
            best = best[:, : self._k]
        return best

    def _slack(self, square: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far a score may be from the truth, for queries of these squared lengths.

        In units of rounding of (|x| + |y|)^2: d/2 for the d products, whatever their order (Higham,
        Accuracy and Stability of Numerical Algorithms, 3.1), and less than 16 for centring, norms,
        sums and the rounding of the distance that is compared with.
        """
        unit = float(np.finfo(np.float32).eps) / 2
        bound: NDArray[np.float64] = np.sqrt(square) + self._longest
        return unit * (self._vectors.shape[1] / 2 + 16) * bound**2


def _blocks(n: int) -> Iterator[slice]:
    return (slice(start, min(start + _BLOCK, n)) for start in range(0, n, _BLOCK))
