"""Cells whose hits are taken where their products are made, by loops that Numba compiles.

Cells passes over every table of scores several times; these loops do so once. A question's limit
becomes tighter as its hits come in, and no thread waits for Python's lock. Both find the same lists
where they probe the same cells.
"""

import numpy as np
from numpy.typing import NDArray

from pgsim.matrix.engines import kernels
from pgsim.matrix.engines.cells import Cells
from pgsim.matrix.engines.centres import ROWS, cells_for_limit
from pgsim.matrix.engines.kernels import Batch
from pgsim.matrix.engines.keys import NOTHING
from pgsim.matrix.engines.members import QUESTIONS
from pgsim.matrix.engines.scores import asking, rounding, squares

# Questions answered together: their hits stay in the processor's cache.
_BATCH = 4096
# A question's first limit is the k-th distance among this many times k recordings.
_NEAR = 16
# Hits of a question that may wait, in its k and besides; then those that are too far are left out.
_WAITING, _MORE = 2.5, 32
_PAIRS = 1 << 20


class FusedCells(Cells):
    """See Cells."""

    def _search(self, place: NDArray[np.int32], effort: float) -> NDArray[np.uint64]:
        starts = range(0, len(place), _BATCH)
        parts = [self._answer(place[start : start + _BATCH], effort) for start in starts]
        return self._farther(place, effort, np.concatenate(parts))

    def _answer(self, place: NDArray[np.int32], effort: float) -> NDArray[np.uint64]:
        """The sorted keys of the nearest that the effort finds; NOTHING where it finds fewer."""
        batch = self._batch(place)
        queries = asking(self._inside.vectors[place, :-1])
        near, home = self._look_near(batch, queries)
        self._look(batch, queries, *self._pairs(batch, queries, near, home, effort))
        kernels.tighten(batch)
        kernels.confirm(batch)
        return batch.best

    def _limits(self, place: NDArray[np.int32]) -> NDArray[np.float32]:
        batch = self._batch(place)
        self._look_near(batch, asking(self._inside.vectors[place, :-1]))
        return batch.limit

    def _look_near(
        self, batch: Batch, queries: NDArray[np.float32]
    ) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
        """Look into the cells around each question's own, for a first limit.

        Return which cells (homes, cells) that were, and the home (questions,) of each question.
        """
        bounds = np.searchsorted(batch.place, self._inside.start.astype(np.int32))
        homes = np.flatnonzero(np.diff(bounds))
        near = np.zeros((len(homes), self.cells), np.bool_)
        for own, home_cell in zip(near, homes.tolist(), strict=True):
            around = cells_for_limit(home_cell, self._centres, self._inside.size, self._k, _NEAR)
            own[around] = True
        home = np.repeat(np.arange(len(homes)), np.diff(bounds)[homes])
        question, cell = np.divmod(np.flatnonzero(near[home]), self.cells)
        asked, first = kernels.by_cell(
            question.astype(np.uint16), cell.astype(np.uint16), self.cells
        )
        self._look(batch, queries, asked, first)
        kernels.tighten(batch)
        return near, home

    def _pairs(
        self,
        batch: Batch,
        queries: NDArray[np.float32],
        near: NDArray[np.bool_],
        home: NDArray[np.intp],
        effort: float,
    ) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
        """See Cells._probed; without the cells that are near, which have been looked into."""
        # Squared distances less the query's, as the scores are; inf times nothing would be NaN.
        with np.errstate(over="ignore"):
            away = np.inf if np.isinf(effort) else effort * (batch.limit + batch.square)
            far = (away - batch.square).astype(np.float32)
        question, cell = np.empty((2, _PAIRS), np.uint16)
        found = 0
        scores = np.empty((ROWS, self.cells), np.float32)
        for start in range(0, len(queries), ROWS):
            if len(question) - found < scores.size:
                more = np.empty(len(question) + scores.size, np.uint16)
                question, cell = np.append(question, more), np.append(cell, more)
            part = queries[start : start + ROWS]
            some = np.matmul(part, self._centres.T, out=scores[: len(part)])
            found = kernels.probe(some, start, far, near, home, question, cell, found)
        pairs: tuple[NDArray[np.uint16], NDArray[np.int64]] = kernels.by_cell(
            question[:found], cell[:found], self.cells
        )
        return pairs

    def _look(
        self,
        batch: Batch,
        queries: NDArray[np.float32],
        asked: NDArray[np.uint16],
        first: NDArray[np.int64],
    ) -> None:
        """Compare each cell with the questions that ask it, from first[cell] to first[cell + 1]."""
        # One piece of memory for all products.
        all_scores = np.empty(QUESTIONS * int(self._inside.size.max()), np.float32)
        asking_now = np.empty((QUESTIONS, queries.shape[1]), np.float32)
        for cell in np.flatnonzero(np.diff(first)):
            start = int(self._inside.start[cell])
            members = self._inside.vectors[start : self._inside.start[cell + 1]].T
            for at in range(first[cell], first[cell + 1], QUESTIONS):
                some = asked[at : min(at + QUESTIONS, first[cell + 1])]
                now = asking_now[: len(some)]
                queries.take(some, axis=0, out=now, mode="clip")
                shape = len(some), members.shape[1]
                scores = all_scores[: shape[0] * shape[1]].reshape(shape)
                kernels.collect(batch, np.matmul(now, members, out=scores), some, start)

    def _batch(self, place: NDArray[np.int32]) -> Batch:
        """Questions that are answered together, without hits yet."""
        members, n, k = self._inside.vectors, len(place), self._k
        room = int(_WAITING * k) + _MORE
        return Batch(
            members=members,
            rank=self._inside.rank,
            rounding=rounding(members.shape[1] - 1),
            place=place,
            square=squares(members[place, :-1]),
            limit=np.full(n, np.finfo(np.float32).max, np.float32),
            scores=np.empty((n, room), np.float32),
            places=np.empty((n, room), np.int32),
            waiting=np.zeros(n, np.int32),
            best=np.full((n, k), NOTHING),
        )
