"""The collection in cells around centres: a matrix product compares a cell with its questions.

An inverted file, turned round: since every recording asks, the questions are sorted by cell,
instead of looking up the cells of each question. A cell's product with some hundreds of questions
runs at the processor's full rate, and one comparison with each question's limit leaves few pairs to
confirm.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgsim.matrix.engines.keys import NOTHING, by_query, distances, inverse, pack, unpack
from pgsim.matrix.engines.scores import asking, extended, kth_bound, limit_of_score, squares
from pgsim.threads import one_blas_thread

# Cells a root of the collection's size, and members a cell at least. More cells leave fewer pairs
# to compare, cost more to find and make smaller products: from 2 to 4 the sum is about the same.
_CELLS = 3
_MEMBERS = 32
# Cells and questions are numbered in 16 bits, which sort several times faster.
_MOST_CELLS = 1 << 16
# Training: vectors a cell, and rounds.
_TRAINING = 32
_ROUNDS = 6
# Cells are probed whose centres are within some times the limit: these squares of it are tried.
_EFFORTS = (*np.geomspace(1, 25, 300).tolist(), float("inf"))
# A question's limit is the k-th distance among this many times k recordings of the nearest cells.
_LIMIT = 64
# Questions a product: questions, cell and result stay in the processor's cache.
QUESTIONS = 512
ROWS = 128  # the same, against all centres
# Questions a thread answers at a time, and hits (10 bytes each) that may wait to be merged.
_BATCH = 32_768
_WAITING = 1 << 24
# Questions whose hits are sorted together, in a table as wide as the most of them.
_MERGED = 64


class Cells:
    """The k nearest others, from the cells whose centres are near enough.

    How near is different for each recording: some multiple of the distance of its k-th neighbour.
    So many cells are probed where neighbours are far, and few where they are close. A fixed number
    of cells finds as many neighbours at the same cost, but the worst hundredth of the recordings
    lack a tenth of theirs; this way they lack a twentieth.
    """

    recall: float | None = None
    efforts = _EFFORTS
    effort = 1.0

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
        # The collection by cell: whose vector stands at each place, and the place of each row.
        row = np.argsort(cell, kind="stable")
        self._place = np.empty(len(vectors), np.int32)
        self._place[row] = np.arange(len(vectors), dtype=np.int32)
        self._start = np.searchsorted(cell[row], np.arange(self.cells + 1))
        self._size = np.diff(self._start)
        self._members = extended(vectors[row])
        self._rank = order[row]
        self._row_of_rank = inverse(order)

    @property
    def description(self) -> str:
        """See Searcher."""
        return f"{self.cells} cells, probed to {self.effort**0.5:.2f} times the k-th neighbour"

    def needed(self, rows: NDArray[np.intp], neighbours: NDArray[np.int32]) -> NDArray[np.floating]:
        """See Tunable."""
        by_place = np.argsort(self._place[rows])
        place = self._place[rows[by_place]]
        vectors = self._members[place, :-1]
        square = squares(vectors)
        queries = asking(vectors)
        within = np.maximum(self._limits(place) + square, np.finfo(float).tiny)
        away = queries @ self._centres.T + square[:, None]
        away[np.arange(len(rows)), away.argmin(axis=1)] = 0  # the nearest cell is always probed
        cell = np.searchsorted(self._start, self._place[neighbours[by_place]], "right") - 1
        result = np.empty(neighbours.shape)
        result[by_place] = np.take_along_axis(away, cell, axis=1) / within[:, None]
        return result

    def search(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """See Searcher."""
        place = self._place[rows]
        by_place = np.argsort(place, kind="stable")
        batch = max(1, min(-(-len(rows) // self._threads), _BATCH))
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
        vectors = self._members[place, :-1]
        square = squares(vectors)
        queries = asking(vectors)
        limit = self._limits(place)
        asked, first = self._probed(queries, limit, square, effort)
        length = square.astype(np.float32)[:, None]

        best = np.full((len(place), self._k), NOTHING)
        # One piece of memory for all products, and one for all hits: pieces of many sizes, got and
        # given back, take a tenth of the time to find.
        room = QUESTIONS * int(self._size.max())
        all_scores, all_are = np.empty(room, np.float32), np.empty(room, np.bool_)
        asking_now = np.empty((QUESTIONS, queries.shape[1]), np.float32)
        # Of each hit the question, and a key: about the squared distance, above the place.
        question_of = np.empty(_WAITING + room, np.uint16)
        about = np.empty(_WAITING + room, np.uint64)
        hits = 0
        for cell in range(self.cells):
            start = self._start[cell]
            members = self._members[start : self._start[cell + 1]].T
            for at in range(first[cell], first[cell + 1], QUESTIONS):
                some = asked[at : min(at + QUESTIONS, first[cell + 1])]
                shape = len(some), members.shape[1]
                own = slice(shape[0] * shape[1])
                queries.take(some, axis=0, out=asking_now[: len(some)], mode="clip")
                scores, are = all_scores[own].reshape(shape), all_are[own].reshape(shape)
                np.matmul(asking_now[: len(some)], members, out=scores)
                np.less_equal(scores, limit[some][:, None], out=are)
                hit = np.flatnonzero(are)
                question, member = np.divmod(hit, max(1, members.shape[1]))
                question = some[question]
                away = np.maximum(all_scores[hit] + length[question, 0], 0)
                new = slice(hits, hits + len(hit))
                question_of[new], about[new] = question, pack(away, member + start)
                hits = new.stop
                if hits > _WAITING:
                    self._merge(best, question_of[:hits], about[:hits], place, square)
                    hits = 0
        self._merge(best, question_of[:hits], about[:hits], place, square)

        del all_scores, all_are, question_of, about
        return self._farther(place, effort, best)

    def _farther(
        self, place: NDArray[np.int32], effort: float, best: NDArray[np.uint64]
    ) -> NDArray[np.uint64]:
        """The keys with those that are short of k searched farther."""
        short = np.flatnonzero(best[:, -1] == NOTHING)
        if len(short) and np.isfinite(effort):
            farther = next(each for each in self.efforts if each >= 2 * effort)
            best[short] = self._search(place[short], farther)
        return best

    def _limits(self, place: NDArray[np.int32]) -> NDArray[np.float32]:
        """A limit (m,) of the scores of each query's k nearest, from the cells around its own."""
        vectors = self._members[place, :-1]
        queries = asking(vectors)
        score = np.empty(len(place), np.float32)
        bounds = np.searchsorted(place, self._start.astype(np.int32))
        for cell in np.flatnonzero(np.diff(bounds)):
            centre = asking(self._centres[cell : cell + 1, :-1])
            near = np.argsort((centre @ self._centres.T)[0])
            enough = np.searchsorted(np.cumsum(self._size[near]), _LIMIT * self._k)
            members = np.concatenate(
                [self._members[self._start[c] : self._start[c + 1]] for c in near[: enough + 1]]
            )
            for at in range(bounds[cell], bounds[cell + 1], QUESTIONS):
                part = slice(at, min(at + QUESTIONS, bounds[cell + 1]))
                score[part] = kth_bound(queries[part] @ members.T, self._k + 1)  # and itself
        return limit_of_score(score, squares(vectors), vectors.shape[1])

    def _probed(
        self,
        queries: NDArray[np.float32],
        limit: NDArray[np.float32],
        square: NDArray[np.float64],
        effort: float,
    ) -> tuple[NDArray[np.uint16], NDArray[np.intp]]:
        """The questions of every cell in a row, and (cells + 1,) where those of each begin."""
        pairs = []
        # Squared distances less the query's, as the scores are; inf times nothing would be NaN.
        with np.errstate(over="ignore"):
            away = np.inf if np.isinf(effort) else effort * (limit + square)
            far = (away - square).astype(np.float32)
        for start in range(0, len(queries), ROWS):
            scores = queries[start : start + ROWS] @ self._centres.T
            enough = np.maximum(far[start : start + ROWS], scores.min(axis=1))
            hit = np.flatnonzero(scores <= enough[:, None])
            question, cell = np.divmod(hit, self.cells)
            pairs.append(((question + start).astype(np.uint16), cell.astype(np.uint16)))
        question, cell = _joined(pairs)
        first = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=self.cells))])
        return question[np.argsort(cell, kind="stable")], first

    def _merge(
        self,
        best: NDArray[np.uint64],
        question: NDArray[np.uint16],
        about: NDArray[np.uint64],
        place: NDArray[np.int32],
        square: NDArray[np.float64],
    ) -> None:
        """Into the sorted k least keys (questions, k) so far, those of hits, once confirmed."""
        by_question = np.argsort(question, kind="stable")
        question, about = question[by_question], about[by_question]
        first = np.concatenate([[0], np.cumsum(np.bincount(question, minlength=len(best)))])
        members = self._members[:, :-1]
        for start in range(0, len(best), _MERGED):
            part = slice(start, min(start + _MERGED, len(best)))
            own = slice(first[part.start], first[part.stop])
            count = part.stop - start
            table = by_query(question[own].astype(np.intp) - start, about[own], count, self._k + 1)
            away, other = unpack(table)
            # The query is one of its k + 1 nearest.
            kth = (away[:, self._k] - square[part]).astype(np.float32)
            limit = limit_of_score(kth, square[part], members.shape[1]) + square[part]
            query, column = np.nonzero((away <= limit[:, None]) & (other >= 0))
            here, there = place[query + start], other[query, column]
            keys = pack(distances(members, here, there), self._rank[there])
            keys[here == there] = NOTHING
            both = [best[part], by_query(query, keys, count, self._k)[:, : self._k]]
            best[part] = np.sort(np.concatenate(both, axis=1), axis=1)[:, : self._k]


def _train(vectors: NDArray[np.float32], pool: ThreadPoolExecutor) -> NDArray[np.float32]:
    """Centres (cells, d) by Lloyd's algorithm on a sample; the same vectors give the same ones."""
    n = len(vectors)
    cells = max(1, min(int(_CELLS * n**0.5), n // _MEMBERS, _MOST_CELLS))
    chosen = np.random.default_rng(0).permutation(n)[: cells * _TRAINING]
    sample = vectors[chosen]
    centres = sample[:cells].copy()
    for _ in range(_ROUNDS):
        cell = _assign(sample, centres, pool)
        by_cell = np.argsort(cell, kind="stable")
        used, first, count = np.unique(cell[by_cell], return_index=True, return_counts=True)
        if len(used):
            centres[used] = np.add.reduceat(sample[by_cell], first, axis=0) / count[:, None]
    return centres[_along(centres)]


def _along(centres: NDArray[np.float32]) -> NDArray[np.intp]:
    """An order (cells,) of the centres in which those that follow each other are near."""

    def halved(own: NDArray[np.intp]) -> NDArray[np.intp]:
        if len(own) <= 2:
            return own
        apart = centres[own] - centres[own].mean(axis=0)
        farthest = apart[np.square(apart).sum(axis=1).argmax()]
        by_side = own[np.argsort(apart @ farthest, kind="stable")]
        half = len(own) // 2
        return np.concatenate([halved(by_side[:half]), halved(by_side[half:])])

    return halved(np.arange(len(centres)))


def _assign(
    vectors: NDArray[np.float32], centres: NDArray[np.float32], pool: ThreadPoolExecutor
) -> NDArray[np.uint16]:
    """The number (n,) of each vector's nearest centre."""
    table = extended(centres)
    cell = np.empty(len(vectors), np.uint16)

    def assign(start: int) -> None:
        part = slice(start, start + ROWS)
        cell[part] = np.argmin(asking(vectors[part]) @ table.T, axis=1)

    list(pool.map(assign, range(0, len(vectors), ROWS)))
    return cell


def _joined(hits: Sequence[tuple[NDArray[Any], NDArray[Any]]]) -> tuple[NDArray[Any], NDArray[Any]]:
    return np.concatenate([a for a, _ in hits]), np.concatenate([b for _, b in hits])
