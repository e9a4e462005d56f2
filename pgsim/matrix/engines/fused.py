"""Cells whose hits are taken where their products are made, by loops that Numba compiles.

Cells passes over every table of scores several times; these loops do so once. A question's limit
becomes tighter as its hits come in, and no thread waits for Python's lock. Both find the same lists
where they probe the same cells.
"""

import numpy as np
from numpy.typing import NDArray

from pgsim.matrix.engines import kernels
from pgsim.matrix.engines.cells import Cells
from pgsim.matrix.engines.centres import ROWS
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
        batch = _Batch(self._inside.vectors, self._inside.rank, place, self._k)
        near, home = self._look_near(batch)
        self._look(batch, *self._pairs(batch, near, home, effort))
        return batch.answers()

    def _limits(self, place: NDArray[np.int32]) -> NDArray[np.float32]:
        batch = _Batch(self._inside.vectors, self._inside.rank, place, self._k)
        self._look_near(batch)
        return batch.limit

    def _look_near(self, batch: "_Batch") -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
        """Look into the cells around each question's own, for a first limit.

        Return which cells (homes, cells) that were, and the home (questions,) of each question.
        """
        bounds = np.searchsorted(batch.place, self._inside.start.astype(np.int32))
        homes = np.flatnonzero(np.diff(bounds))
        near = np.zeros((len(homes), self.cells), np.bool_)
        for own, centre in zip(near, self._centres[homes, :-1], strict=True):
            by_distance = np.argsort((asking(centre[None]) @ self._centres.T)[0])
            enough = np.searchsorted(np.cumsum(self._inside.size[by_distance]), _NEAR * self._k)
            own[by_distance[: enough + 1]] = True
        home = np.repeat(np.arange(len(homes)), np.diff(bounds)[homes])
        question, cell = np.divmod(np.flatnonzero(near[home]), self.cells)
        asked, first = kernels.by_cell(
            question.astype(np.uint16), cell.astype(np.uint16), self.cells
        )
        self._look(batch, asked, first)
        batch.tighten()
        return near, home

    def _pairs(
        self,
        batch: "_Batch",
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
        for start in range(0, len(batch.queries), ROWS):
            if len(question) - found < scores.size:
                more = np.empty(len(question) + scores.size, np.uint16)
                question, cell = np.append(question, more), np.append(cell, more)
            queries = batch.queries[start : start + ROWS]
            some = np.matmul(queries, self._centres.T, out=scores[: len(queries)])
            found = kernels.probe(some, start, far, near, home, question, cell, found)
        pairs: tuple[NDArray[np.uint16], NDArray[np.int64]] = kernels.by_cell(
            question[:found], cell[:found], self.cells
        )
        return pairs

    def _look(self, batch: "_Batch", asked: NDArray[np.uint16], first: NDArray[np.int64]) -> None:
        """Compare each cell with the questions that ask it, from first[cell] to first[cell + 1]."""
        # One piece of memory for all products.
        all_scores = np.empty(QUESTIONS * int(self._inside.size.max()), np.float32)
        asking_now = np.empty((QUESTIONS, batch.queries.shape[1]), np.float32)
        for cell in np.flatnonzero(np.diff(first)):
            start = int(self._inside.start[cell])
            members = self._inside.vectors[start : self._inside.start[cell + 1]].T
            for at in range(first[cell], first[cell + 1], QUESTIONS):
                some = asked[at : min(at + QUESTIONS, first[cell + 1])]
                queries = asking_now[: len(some)]
                batch.queries.take(some, axis=0, out=queries, mode="clip")
                shape = len(some), members.shape[1]
                scores = all_scores[: shape[0] * shape[1]].reshape(shape)
                batch.collect(np.matmul(queries, members, out=scores), some, start)


class _Batch:
    """Questions that are answered together: what is known of each, and its waiting hits."""

    def __init__(
        self,
        members: NDArray[np.float32],
        rank: NDArray[np.int32],
        place: NDArray[np.int32],
        k: int,
    ) -> None:
        self._members, self._rank = members, rank
        self._rounding = rounding(members.shape[1] - 1)
        self.place = place
        vectors = members[place, :-1]
        self.square = squares(vectors)
        self.queries = asking(vectors)
        self.limit = np.full(len(place), np.finfo(np.float32).max, np.float32)
        room = int(_WAITING * k) + _MORE
        self._scores = np.empty((len(place), room), np.float32)
        self._places = np.empty((len(place), room), np.int32)
        self._waiting = np.zeros(len(place), np.int32)
        self._best = np.full((len(place), k), NOTHING)

    def collect(self, scores: NDArray[np.float32], asked: NDArray[np.uint16], start: int) -> None:
        """Take the hits of a product: scores (asked, members from the place `start` on)."""
        kernels.collect(
            scores,
            asked,
            start,
            self.place,
            self.square,
            self.limit,
            self._scores,
            self._places,
            self._waiting,
            self._best,
            self._members,
            self._rank,
            self._rounding,
        )

    def tighten(self) -> None:
        """Leave out the hits that are too far, and bring the limits up to date."""
        kernels.tighten(
            self.square,
            self.limit,
            self._scores,
            self._places,
            self._waiting,
            self._best.shape[1] + 1,
            self._rounding,
        )

    def answers(self) -> NDArray[np.uint64]:
        """The sorted keys (questions, k) of the nearest among the hits, confirmed."""
        self.tighten()
        kernels.confirm(
            self.place, self._places, self._waiting, self._best, self._members, self._rank
        )
        return self._best
