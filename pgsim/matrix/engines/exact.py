"""Compare every pair of recordings: the exact engine, and the oracle of the others.

A matrix product gives all squared distances, but for rounding. Every pair that can be among the k
nearest within the bound of that rounding is confirmed by the direct formula.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgsim.matrix.engines.keys import NOTHING, by_query, distances, inverse, pack, unpack
from pgsim.matrix.engines.scores import (
    asking,
    extended,
    kth_bound,
    limit_of_distance,
    limit_of_nothing,
    limit_of_score,
    squared,
    squares,
)
from pgsim.threads import one_blas_thread

# Questions a product, and rows of the collection: their scores stay in the processor's cache.
_QUERIES = 256
_BLOCK = 8192


class Exact:
    """The k nearest others by a scan of the whole collection.

    Each of `apart` has a number (n,) of every row; rows with an equal one are no others of each
    other's.
    """

    recall = 1.0
    description = "exact"

    def __init__(
        self,
        vectors: NDArray[np.float32],
        order: NDArray[np.int32],
        k: int,
        threads: int,
        apart: Sequence[NDArray[np.integer]] = (),
    ) -> None:
        self._vectors = vectors
        self._apart = apart
        self._extended = extended(vectors)
        self._order = order
        self._row_of_rank = inverse(order)
        self._k = k
        self._threads = threads

    def search(self, rows: NDArray[np.integer]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """See Searcher."""
        return self.search_and_link(rows, None)[:2]

    def search_and_link(
        self, rows: NDArray[np.integer], radii: NDArray[np.float32] | None
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.integer], NDArray[np.integer]]:
        """Both directions in one scan: what search() gives, and pairs (row, other row) besides.

        A pair is one where the row is within the other's radius, or just outside. Radii (n,) may be
        inf, or NaN where nothing is within.
        """
        chunks = [slice(at, at + _QUERIES) for at in range(0, len(rows), _QUERIES)]
        # Threads share out few questions by parts of the collection: a product of few is slow.
        n = len(self._vectors)
        size = max(_BLOCK, -(-n // max(1, self._threads // max(1, len(chunks)))))
        spans = [range(at, min(at + size, n)) for at in range(0, n, size)]
        tasks = [(rows[chunk], span) for chunk in chunks for span in spans]
        within = None if radii is None else squared(radii, self._vectors.shape[1])
        found = self._each(lambda task: self._search(task[0], task[1], within), tasks)
        keys = np.full((len(rows), self._k), NOTHING)
        linking, others = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
        for chunk in chunks:
            for best, row, other in islice(found, len(spans)):
                both = np.concatenate([keys[chunk], best], axis=1)
                keys[chunk] = np.sort(both, axis=1)[:, : self._k]
                linking.append(row)
                others.append(other)
        distance, rank = unpack(keys)
        return (
            np.where(rank < 0, np.int32(-1), self._row_of_rank[rank]),
            distance,
            np.concatenate(linking),
            np.concatenate(others),
        )

    def holders(self, points: NDArray[np.float32], radii: NDArray[np.float32]) -> NDArray[np.intp]:
        """The rows within whose radius one of the points (m, d) is, and some just outside."""
        within = squared(radii, points.shape[1])
        asked, nearest = asking(points).T, limit_of_nothing(points)

        def scan(start: int) -> NDArray[np.intp]:
            scores = self._extended[start : start + _BLOCK] @ asked
            linked = _linked(scores, within[start : start + _BLOCK], nearest)
            return np.flatnonzero(linked.any(axis=1)) + start

        starts = range(0, len(self._vectors), _BLOCK) if len(points) else range(0)
        return np.concatenate([np.empty(0, np.intp), *self._each(scan, starts)])

    def _each(self, work: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        with one_blas_thread(), ThreadPoolExecutor(self._threads) as pool:
            yield from pool.map(work, items)

    def _search(
        self, rows: NDArray[np.integer], span: range, within: NDArray[np.float32] | None
    ) -> tuple[NDArray[np.uint64], NDArray[np.integer], NDArray[np.integer]]:
        """The sorted keys (len(rows), k) of each row's nearest others in a span, and pairs of rows.

        Scores are (block, questions): BLAS is quicker so where questions are few.
        """
        d = self._vectors.shape[1]
        vectors = self._vectors[rows]
        queries, square, nearest = asking(vectors).T, squares(vectors), limit_of_nothing(vectors)
        best = np.full((len(rows), self._k), NOTHING)
        linking: list[NDArray[np.integer]] = [rows[:0]]
        others: list[NDArray[np.integer]] = [rows[:0]]
        # One piece of memory for all blocks: of new ones the system has to clear every page.
        all_scores = np.empty((min(_BLOCK, len(span)), len(rows)), np.float32)
        all_are = np.empty(all_scores.shape, np.bool_)
        for start in span[::_BLOCK]:
            block = slice(start, min(start + _BLOCK, span.stop))
            size = block.stop - start
            scores = np.matmul(self._extended[block], queries, out=all_scores[:size])
            itself = np.flatnonzero((start <= rows) & (rows < block.stop))
            scores[rows[itself] - start, itself] = np.inf
            for numbers in self._apart:
                are = np.equal(numbers[block, None], numbers[rows], out=all_are[:size])
                np.copyto(scores, np.inf, where=are)
            if start == span.start:
                limit = limit_of_score(kth_bound(scores.T, self._k), square, d)
            else:
                limit = limit_of_distance(unpack(best[:, -1])[0], square, d)
            row, query = _where(np.less_equal(scores, limit, out=all_are[:size]))
            if len(query):
                by_row = np.argsort(query, kind="stable")
                row, query = row[by_row] + start, query[by_row]
                keys = pack(distances(self._vectors, rows[query], row), self._order[row])
                best = np.concatenate([best, by_query(query, keys, len(rows), 1)], axis=1)
                best.sort(axis=1)
                best = best[:, : self._k]
            if within is not None:
                row, query = _where(_linked(scores, within[block], nearest, all_are[:size]))
                linking.append(rows[query])
                others.append(row + start)
        return best, np.concatenate(linking), np.concatenate(others)


def _linked(
    scores: NDArray[np.float32],
    within: NDArray[np.float32],
    nearest: NDArray[np.float32],
    out: NDArray[np.bool_] | None = None,
) -> NDArray[np.bool_]:
    """Return whether (n, m) points are within the squared radii (n,) of rows; the scores are spent.

    A score is a squared distance less the point's square; so it is less a radius squared too.
    """
    with np.errstate(invalid="ignore"):  # of a row itself, in whose list there is room
        scores -= within[:, None]
    return np.less_equal(scores, nearest, out=out)


def _where(are: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row and column of each that is true: several times faster than nonzero()."""
    return np.divmod(np.flatnonzero(are), are.shape[1])
