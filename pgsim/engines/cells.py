"""The collection in cells around centres, each compared by one matrix product with all that ask it.

An inverted file, turned round: since every recording asks, the questions are sorted by cell instead
of the cells looked up by question. A cell's product with some hundreds of questions runs at the
processor's full rate, and one comparison with each question's limit leaves few pairs to confirm.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from pgsim.engines.keys import NOTHING, distances, nearest, pack, unpack
from pgsim.engines.scores import asking, extended, kth_bound, limit_of_score, squares
from pgsim.engines.tuning import tune

# Cells a root of the collection's size, and members a cell at least. More cells leave fewer pairs
# to compare and cost more to find; at 1 M recordings the sum is least about here.
_CELLS = 4
_MEMBERS = 32
# Cells and questions are numbered in 16 bits, which sort several times faster.
_MOST = 1 << 16
# Training: vectors a cell, and rounds.
_TRAINING = 32
_ROUNDS = 6
# A question's limit is the k-th distance among this many times k recordings of the nearest cells.
_LIMIT = 32
# Questions a product: questions, cell and result stay in the processor's cache.
_QUESTIONS = 512
_ROWS = 128  # the same, against all centres
# Questions whose hits are sorted together, in a table as wide as the most of them.
_MERGED = 32
# Cells a task, tasks' cells at a time, and hits (10 bytes each) that may wait to be merged.
_TASK = 8
_WAVE = 512
_WAITING = 1 << 25

Hits = tuple[NDArray[np.uint16], NDArray[np.uint64]]  # questions and keys, (hits,) each
_NO_HITS: Hits = (np.empty(0, np.uint16), np.empty(0, np.uint64))


def make_cells(
    vectors: NDArray[np.float32],
    order: NDArray[np.int32],
    k: int,
    recall: float,
    threads: int,
    say: Callable[[str], None],
) -> "Cells":
    """A searcher tuned to the recall on a sample; see make_searcher."""
    searcher = Cells(vectors, order, k, threads)
    say(f"{len(vectors)} recordings in {searcher.cells} cells")
    tune(searcher, vectors, order, k, recall, threads, say)
    return searcher


class Cells:
    """The k nearest others, from the `probes` cells nearest to each, or a few more."""

    recall: float | None = None
    probes = 1

    def __init__(
        self, vectors: NDArray[np.float32], order: NDArray[np.int32], k: int, threads: int
    ) -> None:
        self._k = k
        self._threads = threads
        with self._pool() as pool:
            centres = _train(vectors, pool)
            cell = _assign(vectors, centres, pool)
        self.cells = len(centres)
        self._centres = extended(centres)
        # The collection by cell: `_row` is whose vector stands at each place.
        self._row = np.argsort(cell, kind="stable").astype(np.int32)
        self._place = np.empty(len(vectors), np.int32)
        self._place[self._row] = np.arange(len(vectors), dtype=np.int32)
        self._start = np.searchsorted(cell[self._row], np.arange(self.cells + 1))
        self._size = np.diff(self._start)
        self._members = extended(vectors[self._row])
        self._rank = order[self._row]
        self._row_of_rank = np.argsort(order).astype(np.int32)

    @property
    def description(self) -> str:
        """See Searcher."""
        return f"{self.cells} cells, {self.probes} probed"

    def search(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """See Searcher."""
        keys = np.empty((len(rows), self._k), np.uint64)
        with self._pool() as pool:
            for start in range(0, len(rows), _MOST):
                place = self._place[rows[start : start + _MOST]]
                by_place = np.argsort(place, kind="stable")
                keys[start + by_place] = self._search(place[by_place], self.probes, pool)
        distance, rank = unpack(keys)
        return np.where(rank < 0, np.int32(-1), self._row_of_rank[rank]), distance

    @contextmanager
    def _pool(self) -> Iterator[ThreadPoolExecutor]:
        # Each thread its own product: one product by all of them waits at every step.
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(self._threads) as pool:
            yield pool

    def _search(
        self, place: NDArray[np.int32], probes: int, pool: ThreadPoolExecutor
    ) -> NDArray[np.uint64]:
        """The sorted keys (len(place), k) of who is nearest to these places, given ascending."""
        vectors = self._members[place, :-1]
        queries = asking(vectors)
        limit = np.empty(len(place), np.float32)
        bounds = np.searchsorted(place, self._start)

        def find_limits(cell: int) -> None:
            own = slice(bounds[cell], bounds[cell + 1])
            limit[own] = self._kth_nearby(cell, queries[own])

        list(pool.map(find_limits, np.flatnonzero(np.diff(bounds))))
        limit = limit_of_score(limit, squares(vectors), vectors.shape[1])
        asked, first = self._probed(queries, probes, pool)

        def scan(first_cell: int) -> Hits:
            found = [_NO_HITS]
            for cell in range(first_cell, min(first_cell + _TASK, self.cells)):
                for at in range(first[cell], first[cell + 1], _QUESTIONS):
                    some = asked[at : min(at + _QUESTIONS, first[cell + 1])]
                    found.append(self._compare(cell, some, place, queries, limit))
            return _joined(found)

        best = np.full((len(place), self._k), NOTHING)
        waiting = [_NO_HITS]
        for wave in range(0, self.cells, _WAVE):
            stop = min(wave + _WAVE, self.cells)
            waiting += pool.map(scan, range(wave, stop, _TASK))
            if stop == self.cells or sum(len(keys) for _, keys in waiting) > _WAITING:
                best = _merged(best, *_joined(waiting), pool)
                waiting = [_NO_HITS]
        short = np.flatnonzero(best[:, -1] == NOTHING)
        if len(short) and probes < self.cells:
            best[short] = self._search(place[short], min(2 * probes, self.cells), pool)
        return best

    def _kth_nearby(self, cell: int, queries: NDArray[np.float32]) -> NDArray[np.float32]:
        """A score (m,) that k others of each query of a cell reach, by the cells around it."""
        distance = (asking(self._centres[cell : cell + 1, :-1]) @ self._centres.T)[0]
        near = np.argsort(distance)
        enough = np.searchsorted(np.cumsum(self._size[near]), _LIMIT * self._k)
        near = near[: enough + 1]
        members = np.concatenate([self._members[self._start[c] : self._start[c + 1]] for c in near])
        return np.concatenate(
            [
                kth_bound(queries[at : at + _QUESTIONS] @ members.T, self._k + 1)  # and itself
                for at in range(0, len(queries), _QUESTIONS)
            ]
        )

    def _probed(
        self, queries: NDArray[np.float32], probes: int, pool: ThreadPoolExecutor
    ) -> tuple[NDArray[np.uint16], NDArray[np.intp]]:
        """The questions of every cell in a row, and (cells + 1,) where those of each begin."""

        def probe(start: int) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
            scores = queries[start : start + _ROWS] @ self._centres.T
            limit = kth_bound(scores, probes)
            question, cell = np.divmod(np.flatnonzero(scores <= limit[:, None]), self.cells)
            return (question + start).astype(np.uint16), cell.astype(np.uint16)

        question, cell = _joined(list(pool.map(probe, range(0, len(queries), _ROWS))))
        first = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=self.cells))])
        return question[np.argsort(cell, kind="stable")], first

    def _compare(
        self,
        cell: int,
        asked: NDArray[np.uint16],
        place: NDArray[np.int32],
        queries: NDArray[np.float32],
        limit: NDArray[np.float32],
    ) -> Hits:
        """The members of a cell within the limits of some questions: questions and keys (hits,)."""
        start = self._start[cell]
        scores = np.take(queries, asked, axis=0) @ self._members[start : self._start[cell + 1]].T
        hit = np.flatnonzero(scores <= limit[asked][:, None])
        question, member = np.divmod(hit, max(1, scores.shape[1]))
        question = asked[question]
        member += start
        own = place[question]
        keys = pack(distances(self._members[:, :-1], own, member), self._rank[member])
        keys[own == member] = NOTHING
        return question, keys


def _train(vectors: NDArray[np.float32], pool: ThreadPoolExecutor) -> NDArray[np.float32]:
    """Centres (cells, d) by Lloyd's algorithm on a sample; the same vectors give the same ones."""
    n = len(vectors)
    cells = max(1, min(int(_CELLS * n**0.5), n // _MEMBERS, _MOST))
    chosen = np.random.default_rng(0).permutation(n)[: cells * _TRAINING]
    sample = vectors[chosen]
    centres = sample[:cells].copy()
    for _ in range(_ROUNDS):
        cell = _assign(sample, centres, pool)
        by_cell = np.argsort(cell, kind="stable")
        used, first, count = np.unique(cell[by_cell], return_index=True, return_counts=True)
        if len(used):
            centres[used] = np.add.reduceat(sample[by_cell], first, axis=0) / count[:, None]
    return centres


def _assign(
    vectors: NDArray[np.float32], centres: NDArray[np.float32], pool: ThreadPoolExecutor
) -> NDArray[np.uint16]:
    """The number (n,) of each vector's nearest centre."""
    table = extended(centres)
    cell = np.empty(len(vectors), np.uint16)

    def assign(start: int) -> None:
        part = slice(start, start + _ROWS)
        cell[part] = np.argmin(asking(vectors[part]) @ table.T, axis=1)

    list(pool.map(assign, range(0, len(vectors), _ROWS)))
    return cell


def _merged(
    best: NDArray[np.uint64],
    question: NDArray[np.uint16],
    keys: NDArray[np.uint64],
    pool: ThreadPoolExecutor,
) -> NDArray[np.uint64]:
    """The sorted k least of the keys (questions, k) so far and of these hits."""
    by_question = np.argsort(question, kind="stable")
    question, keys = question[by_question], keys[by_question]
    result = np.empty_like(best)

    def merge(start: int) -> None:
        part = slice(start, min(start + _MERGED, len(best)))
        hits = slice(*np.searchsorted(question, [part.start, part.stop]))
        more = nearest(
            question[hits] - part.start, keys[hits], part.stop - part.start, best.shape[1]
        )
        both = np.concatenate([best[part], more], axis=1)
        both.sort(axis=1)
        result[part] = both[:, : best.shape[1]]

    list(pool.map(merge, range(0, len(best), _MERGED)))
    return result


def _joined(hits: Sequence[tuple[NDArray[Any], NDArray[Any]]]) -> tuple[NDArray[Any], NDArray[Any]]:
    return np.concatenate([a for a, _ in hits]), np.concatenate([b for _, b in hits])
