"""The members of cells: a matrix product compares a cell with its questions.

A cell's product with some hundreds of questions runs at the processor's full rate, and one
comparison with each question's limit leaves few pairs to confirm.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pgsim.matrix.engines.keys import NOTHING, by_query, distances, inverse, pack, unpack
from pgsim.matrix.engines.scores import asking, extended, kth_bound, limit_of_score, squares

# Questions that are asked together at most: they are numbered in 16 bits.
MOST_QUESTIONS = 32_768
# Questions a product: questions, cell and result stay in the processor's cache.
QUESTIONS = 512
# Hits (10 bytes each) that may wait to be merged.
_WAITING = 1 << 24
# Questions whose hits are sorted together, in a table as wide as the most of them.
_MERGED = 64


@dataclass(frozen=True, slots=True)
class Questions:
    """Recordings that ask: `vectors` (m, d), their squared lengths, and their side of a score.

    `place` (m,) is their own place among the members, -1 where it is elsewhere.
    """

    vectors: NDArray[np.float32]
    square: NDArray[np.float64]
    asking: NDArray[np.float32]
    place: NDArray[np.int32]

    @classmethod
    def of(cls, vectors: NDArray[np.float32], place: NDArray[np.int32]) -> Self:
        """The questions of vectors (m, d)."""
        return cls(vectors, squares(vectors), asking(vectors), place)


class Members:
    """Recordings by cell, in a cell by `order`: the rank (n,) of each one's MBID.

    `row` and `rank` (n,) are those of whose vector stands at each place, `vectors` (n, d + 1) are
    extended; `start` (cells + 1,) is where the members of each cell begin.
    """

    def __init__(
        self,
        vectors: NDArray[np.float32],
        cell: NDArray[np.integer],
        order: NDArray[np.int32],
        cells: int,
    ) -> None:
        by_rank = inverse(order)
        self.row = by_rank[np.argsort(cell[by_rank], kind="stable")]
        self.start = np.searchsorted(cell[self.row], np.arange(cells + 1))
        self.size = np.diff(self.start)
        self.vectors = extended(vectors[self.row])
        self.rank = order[self.row]

    def limits(
        self,
        questions: Questions,
        first: NDArray[np.integer],
        near: Callable[[int], NDArray[np.integer]],
        k: int,
    ) -> NDArray[np.float32]:
        """A limit (m,) of the scores of each question's k nearest, from the cells around its own.

        The questions are sorted by cell: `first` (cells + 1,) is where those of each begin. `near`
        returns the cells around one.
        """
        score = np.empty(len(questions.square), np.float32)
        for cell in np.flatnonzero(np.diff(first)).tolist():
            members = np.concatenate(
                [self.vectors[self.start[c] : self.start[c + 1]] for c in near(cell)]
            )
            for at in range(first[cell], first[cell + 1], QUESTIONS):
                part = slice(at, min(at + QUESTIONS, first[cell + 1]))
                scores = questions.asking[part] @ members.T
                score[part] = kth_bound(scores, k + 1)  # and itself
        return limit_of_score(score, questions.square, questions.vectors.shape[1])

    def nearest(
        self,
        questions: Questions,
        limit: NDArray[np.float32],
        question: NDArray[np.uint16],
        cell: NDArray[np.uint16],
        k: int,
    ) -> NDArray[np.uint64]:
        """The sorted keys (m, k) of the nearest within the limits, from cells that are asked.

        `question` and `cell` are pairs of a question and a cell that it asks, by question.
        """
        asked = question[np.argsort(cell, kind="stable")]
        first = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=len(self.size)))])
        length = questions.square.astype(np.float32)[:, None]

        best = np.full((len(limit), k), NOTHING)
        # One piece of memory for all products, and one for all hits: pieces of many sizes, got and
        # given back, take a tenth of the time to find.
        room = QUESTIONS * int(self.size.max())
        all_scores, all_are = np.empty(room, np.float32), np.empty(room, np.bool_)
        asking_now = np.empty((QUESTIONS, questions.asking.shape[1]), np.float32)
        # Of each hit the question, and a key: about the squared distance, above the place.
        question_of = np.empty(_WAITING + room, np.uint16)
        about = np.empty(_WAITING + room, np.uint64)
        hits = 0
        for each in np.flatnonzero(np.minimum(np.diff(first), self.size)):
            start = self.start[each]
            members = self.vectors[start : self.start[each + 1]].T
            for at in range(first[each], first[each + 1], QUESTIONS):
                some = asked[at : min(at + QUESTIONS, first[each + 1])]
                shape = len(some), members.shape[1]
                own = slice(shape[0] * shape[1])
                questions.asking.take(some, axis=0, out=asking_now[: len(some)], mode="clip")
                scores, are = all_scores[own].reshape(shape), all_are[own].reshape(shape)
                np.matmul(asking_now[: len(some)], members, out=scores)
                np.less_equal(scores, limit[some][:, None], out=are)
                hit = np.flatnonzero(are)
                by, member = np.divmod(hit, shape[1])
                by = some[by]
                away = np.maximum(all_scores[hit] + length[by, 0], 0)
                new = slice(hits, hits + len(hit))
                question_of[new], about[new] = by, pack(away, member + start)
                hits = new.stop
                if hits > _WAITING:
                    self._merge(best, question_of[:hits], about[:hits], questions)
                    hits = 0
        self._merge(best, question_of[:hits], about[:hits], questions)
        return best

    def _merge(
        self,
        best: NDArray[np.uint64],
        question: NDArray[np.uint16],
        about: NDArray[np.uint64],
        questions: Questions,
    ) -> None:
        """Into the sorted k least keys (questions, k) so far, those of hits, once confirmed."""
        by_question = np.argsort(question, kind="stable")
        question, about = question[by_question], about[by_question]
        first = np.concatenate([[0], np.cumsum(np.bincount(question, minlength=len(best)))])
        members, k = self.vectors[:, :-1], best.shape[1]
        for start in range(0, len(best), _MERGED):
            part = slice(start, min(start + _MERGED, len(best)))
            own = slice(first[part.start], first[part.stop])
            count = part.stop - start
            table = by_query(question[own].astype(np.intp) - start, about[own], count, k + 1)
            away, other = unpack(table)
            # The query is one of its k + 1 nearest.
            square = questions.square[part]
            kth = (away[:, k] - square).astype(np.float32)
            limit = limit_of_score(kth, square, members.shape[1]) + square
            query, column = np.nonzero((away <= limit[:, None]) & (other >= 0))
            there = other[query, column]
            apart = distances(questions.vectors, query + start, there, members)
            keys = pack(apart, self.rank[there])
            keys[questions.place[query + start] == there] = NOTHING
            both = [best[part], by_query(query, keys, count, k)[:, :k]]
            best[part] = np.sort(np.concatenate(both, axis=1), axis=1)[:, :k]
