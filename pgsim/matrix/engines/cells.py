"""The collection in cells around centres: a matrix product compares a cell with its questions.

An inverted file, turned round: since every recording asks, the questions are sorted by cell,
instead of looking up the cells of each question.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from pgsim.matrix.engines.centres import (
    EFFORTS,
    cells_for_limit,
    efforts_needed,
    farther,
    fit_centres,
    nearest_centres,
    probed_cells,
    training_ranks,
)
from pgsim.matrix.engines.keys import NOTHING, inverse, unpack
from pgsim.matrix.engines.members import MOST_QUESTIONS, Members, Questions
from pgsim.threads import one_blas_thread


class Cells:
    """The k nearest others, from the cells whose centres are near enough.

    How near is different for each recording: some multiple of the distance of its k-th neighbour.
    So many cells are probed where neighbours are far, and few where they are close. A fixed number
    of cells finds as many neighbours at the same cost, but the worst hundredth of the recordings
    lack a tenth of theirs; this way they lack a twentieth.
    """

    recall: float | None = None
    efforts = EFFORTS
    effort = 1.0

    def __init__(
        self, vectors: NDArray[np.float32], order: NDArray[np.int32], k: int, threads: int
    ) -> None:
        self._k = k
        self._threads = threads
        self._row_of_rank = inverse(order)
        n = len(vectors)
        with self._pool() as pool:
            sample = vectors[self._row_of_rank[training_ranks(n)]]
            self._centres = fit_centres(sample, n, pool)
            cell = nearest_centres(vectors, self._centres, pool)
        self.cells = len(self._centres)
        self._inside = Members(vectors, cell, order, self.cells)
        self._place = np.empty(n, np.int32)
        self._place[self._inside.row] = np.arange(n, dtype=np.int32)

    @property
    def description(self) -> str:
        """See Searcher."""
        return f"{self.cells} cells, probed to {self.effort**0.5:.2f} times the k-th neighbour"

    def needed(self, rows: NDArray[np.intp], neighbours: NDArray[np.int32]) -> NDArray[np.floating]:
        """See Tunable."""
        by_place = np.argsort(self._place[rows])
        place = self._place[rows[by_place]]
        other = self._place[neighbours[by_place]]
        cell = np.searchsorted(self._inside.start, other, "right") - 1
        result = np.empty(neighbours.shape)
        questions, limit = self._questions(place), self._limits(place)
        result[by_place] = efforts_needed(questions, limit, self._centres, cell)
        return result

    def search(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """See Searcher."""
        place = self._place[rows]
        by_place = np.argsort(place, kind="stable")
        batch = max(1, min(-(-len(rows) // self._threads), MOST_QUESTIONS))
        batches = [by_place[at : at + batch] for at in range(0, len(rows), batch)]
        keys = np.empty((len(rows), self._k), np.uint64)
        with self._pool() as pool:
            for part, found in zip(
                batches,
                pool.map(lambda part: self._search(place[part], self.effort), batches),
                strict=True,
            ):
                keys[part] = found
        distance, rank = unpack(keys)
        return np.where(rank < 0, np.int32(-1), self._row_of_rank[rank]), distance

    @contextmanager
    def _pool(self) -> Iterator[ThreadPoolExecutor]:
        with one_blas_thread(), ThreadPoolExecutor(self._threads) as pool:
            yield pool

    def _search(self, place: NDArray[np.int32], effort: float) -> NDArray[np.uint64]:
        """The sorted keys (len(place), k) of the nearest to these places, which are ascending."""
        questions, limit = self._questions(place), self._limits(place)
        asked = probed_cells(questions, limit, self._centres, effort)
        best = self._inside.nearest(questions, limit, *asked, self._k)
        return self._farther(place, effort, best)

    def _farther(
        self, place: NDArray[np.int32], effort: float, best: NDArray[np.uint64]
    ) -> NDArray[np.uint64]:
        """The keys with those that are short of k searched farther."""
        short = np.flatnonzero(best[:, -1] == NOTHING)
        if len(short) and np.isfinite(effort):
            best[short] = self._search(place[short], farther(effort))
        return best

    def _questions(self, place: NDArray[np.int32]) -> Questions:
        return Questions.of(self._inside.vectors[place, :-1], place)

    def _limits(self, place: NDArray[np.int32]) -> NDArray[np.float32]:
        """The limits of questions at these places, which are ascending."""
        return self._inside.limits(
            self._questions(place),
            np.searchsorted(place, self._inside.start.astype(np.int32)),
            lambda cell: cells_for_limit(cell, self._centres, self._inside.size, self._k),
            self._k,
        )
