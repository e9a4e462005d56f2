"""An honest protocol: how many of a recording's nearest are right, how sure that is, and by chance.

A recording is right for a query if it shares a label with it. What would be right without being
similar takes no part: the query's own group, such as the album that it was recorded for, and its
exact copies. A query for which nothing right is left is excluded, and counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pgsim.errors import PgsimError
from pgsim.evaluation.hubs import by_similarity, candidates, hubness_of
from pgsim.evaluation.labels import NONE
from pgsim.matrix.engines.exact import Exact
from pgsim.matrix.engines.keys import distances
from pgsim.store.lists import REACH

K = 10  # neighbours that a person looks at
QUERIES = 1000
RANKINGS = ("distance", "similarity")
# Recordings among which hubs are counted, each by a list of its own; of more, so many at random.
MOST_FOR_HUBS = 20_000
_RESAMPLES = 1000
_BYTES = 2**26  # of a resampling in memory at once

Numbers = NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Estimate:
    """The mean over the queries; that over all recordings lies between `low` and `high`, at 95 %.

    The interval is a bootstrap over groups of queries, such as artists, whose recordings are right
    or wrong together.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Quality:
    """What a ranking is worth: the right among its first k, and the hubs in it.

    `precision` is the share of the first k that is right, `recall` the share of all that are right
    that are among the first k, and `average_precision` the mean, over the right ones, of the
    precision at the rank of each; those beyond DEPTH count 0 (`depth` of Protocol). `skewness` is
    that of the number of lists of k that a recording is in, and `in_none` the share of recordings
    in none; None where they are not counted.
    """

    precision: Estimate
    recall: Estimate
    average_precision: Estimate
    skewness: float | None = None
    in_none: float | None = None


class Protocol:
    """Queries over n recordings, and what is right for each.

    `classes` is (n,) or (n, w): the numbers of each recording's labels, NONE to fill up; one
    without a label takes no part. Each of `apart` is (n,): recordings with an equal number are left
    out of each other's answers. `clusters` is (n,): the groups that the bootstrap draws; without
    them each recording is its own. NONE is in no group of either. Ties go by `order`, the rank (n,)
    of each MBID.

    `rows` (m,) are the queries, drawn at random; `drawn` recordings were looked at for them, of
    which `excluded` have nothing right. `clusters` is how many groups the queries are of. `right`
    (m,) and `others` (m,) are how many recordings are right for each query, and how many take part.
    PgsimError where there is no query.
    """

    def __init__(
        self,
        classes: Numbers,
        apart: Sequence[Numbers] = (),
        clusters: Numbers | None = None,
        order: NDArray[np.int32] | None = None,
        *,
        k: int = K,
        queries: int = QUERIES,
        seed: int = 0,
    ) -> None:
        classes = classes.reshape(len(classes), -1)
        self.k, self.depth, self.seed = k, candidates(k), seed
        self.pool = np.flatnonzero((classes != NONE).any(axis=1))
        self._classes = classes[self.pool]
        self._apart = [_each_its_own(numbers[self.pool]) for numbers in apart]
        n = len(self.pool)
        rank = np.arange(len(classes)) if order is None else order
        self._order = np.empty(n, np.int32)
        self._order[np.argsort(rank[self.pool])] = np.arange(n, dtype=np.int32)

        members = _Members(self._classes)
        left_out = [_Members(numbers[:, None]) for numbers in self._apart]
        found: list[tuple[int, int, int]] = []
        self.drawn = self.excluded = 0
        for row in np.random.default_rng(seed).permutation(n):
            own = np.unique(np.concatenate([[row], *(each.of(row) for each in left_out)]))
            right = np.setdiff1d(members.of(row), own, assume_unique=True)
            self.drawn += 1
            self.excluded += not len(right)
            if len(right):
                found.append((row, len(right), n - len(own)))
            if len(found) == queries:
                break
        if not found:
            raise PgsimError(
                f"nothing to evaluate: of {n:,} recordings with a label, none shares it with one"
                " outside its own group, such as its album or artist"
            )
        self._rows, self.right, self.others = np.array(sorted(found), np.int64).T
        self.rows = self.pool[self._rows]
        self._clusters = _each_its_own(self.rows if clusters is None else clusters[self.rows])
        self.clusters = len(np.unique(self._clusters))

    def measure(
        self,
        vectors: NDArray[np.float32],
        threads: int = 1,
        found: Numbers | None = None,
    ) -> Mapping[str, Quality]:
        """The quality of what `ranked` answers by each of RANKINGS, for vectors (n, d)."""
        ranked, hubs = self.ranked(vectors, threads, found)
        qualities = {ranking: self.quality(self.scores(rows)) for ranking, rows in ranked.items()}
        for ranking, (skewness, in_none) in hubs.items():
            own_quality = qualities[ranking]
            qualities[ranking] = replace(own_quality, skewness=skewness, in_none=in_none)
        return qualities

    def ranked(
        self,
        vectors: NDArray[np.float32],
        threads: int = 1,
        found: Numbers | None = None,
    ) -> tuple[Mapping[str, Numbers], Mapping[str, tuple[float, float]]]:
        """The answers by each of RANKINGS, for vectors (n, d), and the hubs of each.

        Answers are (m, depth) numbers of recordings in `pool`, best first, -1 for none. They are
        exact, or the nearest of what an index has `found` for each query, (m, any) rows in any
        order, -1 for none. Hubs are the skewness and the share in nobody's list; those of an index
        are not counted.
        """
        n = len(self.pool)
        own = vectors if n == len(vectors) else vectors[self.pool]
        if found is None:
            exact = Exact(own, self._order, self.depth, threads, self._apart)
            rows, apart = exact.search(self._rows)
        else:
            rows, apart = self._nearest_of(own, found)

        hubs: dict[str, tuple[float, float]] = {}
        reach = np.full(n + 1, np.nan)  # the last is for no recording
        if found is None:
            some = np.sort(np.random.default_rng(self.seed).permutation(n)[:MOST_FOR_HUBS])
            hubs, near = self._hubs(own[some], self._order[some], threads)
            if len(some) == n:
                reach[:-1] = near
        if np.isnan(reach[:-1]).all():
            needed = np.unique(np.append(rows[rows >= 0], self._rows))
            _, nearest = Exact(own, self._order, REACH, threads).search(needed)
            reach[needed] = reaches(nearest)
        order = by_similarity(apart, reach[self._rows], reach[rows])
        ranked = {"distance": rows, "similarity": np.take_along_axis(rows, order, axis=1)}
        return ranked, hubs

    def scores(self, answers: Numbers) -> NDArray[np.float64]:
        """Each query's precision, recall and average precision, (m, 3), of answers (m, depth).

        Answers are numbers of recordings in `pool`, best first, -1 for none.
        """
        theirs = self._classes[answers]
        is_right = np.zeros(answers.shape, bool)
        for own in self._classes[self._rows].T:
            same = (theirs == own[:, None, None]).any(axis=2)
            is_right |= same & (own != NONE)[:, None]
        is_right &= answers >= 0
        first = is_right[:, : self.k].sum(axis=1)
        rank = np.arange(1, answers.shape[1] + 1)
        at_right = np.where(is_right, is_right.cumsum(axis=1) / rank, 0).sum(axis=1)
        most = np.minimum(self.right, self.depth)
        return np.column_stack([first / self.k, first / self.right, at_right / most])

    def quality(self, scores: NDArray[np.float64]) -> Quality:
        """The means of each query's scores (m, 3), with their intervals."""
        intervals = bootstrap(scores, self._clusters, self.seed)
        precision, recall, average = (
            Estimate(float(mean), float(low), float(high))
            for mean, (low, high) in zip(scores.mean(axis=0), intervals, strict=True)
        )
        return Quality(precision, recall, average)

    def chance(self) -> Quality:
        """What answers in random order are worth."""
        right, others = self.right.astype(np.float64), self.others.astype(np.float64)
        share = right / others
        # A right one at rank i has, in the mean, a precision of (1 + the right before it) / i.
        before = (right - 1) / np.maximum(others - 1, 1)
        ranks = np.arange(1, self.depth + 1)
        there = ranks <= others[:, None]
        at_rank = np.where(there, (1 + (ranks - 1) * before[:, None]) / ranks, 0).sum(axis=1)
        first = np.minimum(self.k, others)
        scores = [
            share * first / self.k,
            first / others,
            share * at_rank / np.minimum(right, self.depth),
        ]
        return self.quality(np.column_stack(scores))

    def _nearest_of(
        self, vectors: NDArray[np.float32], found: Numbers
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The nearest (m, depth) that may be answers, of rows found, and their distances."""
        place = np.full(int(max(found.max(initial=0), self.pool.max())) + 2, -1, np.int32)
        place[self.pool] = np.arange(len(self.pool), dtype=np.int32)
        rows = np.pad(place[found], ((0, 0), (0, self.depth)), constant_values=-1)
        own = self._rows[:, None]
        rows[rows == own] = -1
        for numbers in self._apart:
            rows[numbers[rows] == numbers[own]] = -1
        query, column = np.nonzero(rows >= 0)
        apart = np.full(rows.shape, np.inf, np.float32)
        apart[query, column] = distances(vectors, self._rows[query], rows[query, column])
        nearest = np.lexsort((self._order[rows], apart), axis=1)[:, : self.depth]
        return (
            np.take_along_axis(rows, nearest, axis=1),
            np.take_along_axis(apart, nearest, axis=1),
        )

    def _hubs(
        self, vectors: NDArray[np.float32], order: NDArray[np.int32], threads: int
    ) -> tuple[dict[str, tuple[float, float]], NDArray[np.float32]]:
        """The skewness and the share in nobody's list, by each ranking; and the reaches (n,).

        Nothing is left out of these lists: they are those that a collection stores.
        """
        rank = np.empty(len(order), np.int32)
        rank[np.argsort(order)] = np.arange(len(order), dtype=np.int32)
        depth = max(self.depth, REACH)
        rows, apart = Exact(vectors, rank, depth, threads).search(np.arange(len(vectors)))
        reach = reaches(apart)
        rows, apart = rows[:, : self.depth], apart[:, : self.depth]
        by = by_similarity(apart, reach, np.append(reach, np.float32(np.nan))[rows])
        result = {}
        for ranking, answers in (
            ("distance", rows),
            ("similarity", np.take_along_axis(rows, by, axis=1)),
        ):
            first = answers[:, : self.k]
            counts = np.bincount(first[first >= 0], minlength=len(vectors))
            hubs = hubness_of(ranking, self.k, counts)
            result[ranking] = hubs.skewness, hubs.in_none
        return result, reach


class _Members:
    """The rows with each number, of numbers (n, w); NONE is no number."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        flat = numbers.ravel()
        self._sorter = np.argsort(flat, kind="stable")
        self._sorted = flat[self._sorter]

    def of(self, row: int) -> Numbers:
        """The rows that share a number with a row, ascending, itself among them."""
        own = self._numbers[row]
        own = own[own != NONE]
        low = np.searchsorted(self._sorted, own, "left")
        high = np.searchsorted(self._sorted, own, "right")
        some = [self._sorter[a:b] for a, b in zip(low, high, strict=True)]
        return np.unique(np.concatenate([np.empty(0, np.intp), *some]) // self._numbers.shape[1])


def _each_its_own(numbers: Numbers) -> NDArray[np.int32]:
    """Numbers (n,) from 0 that are equal where those given are; each NONE has one of its own."""
    known, place = np.unique(numbers, return_inverse=True)
    lone = np.flatnonzero(numbers == NONE)
    result: NDArray[np.int32] = place.astype(np.int32)
    result[lone] = len(known) + np.arange(len(lone))
    return result


def reaches(nearest: NDArray[np.float32]) -> NDArray[np.float32]:
    """The reaches (n,) of recordings, from the distances (n, k) of their nearest, inf for none."""
    near = nearest[:, :REACH].astype(np.float64)
    there = np.isfinite(near)
    with np.errstate(invalid="ignore"):
        mean = np.where(there, near, 0).sum(axis=1) / there.sum(axis=1)
    result: NDArray[np.float32] = mean.astype(np.float32)
    return result


def copies(vectors: NDArray[np.float32]) -> NDArray[np.int64]:
    """Numbers (n,) that are equal where vectors (n, d) are, in the memory of two of their columns.

    They are sums of 64 bits with random factors: two that differ are taken for copies once in 1e19
    pairs.
    """
    rng = np.random.default_rng(0)
    result = np.zeros(len(vectors), np.uint64)
    for column in vectors.T:
        bits = (column + np.float32(0)).view(np.uint32)  # -0 becomes 0
        result += bits * (2 * rng.integers(2**63, dtype=np.uint64) + 1)
    return result.view(np.int64)


def bootstrap(scores: NDArray[np.float64], clusters: Numbers, seed: int = 0) -> NDArray[np.float64]:
    """The 95 % intervals (c, 2) of the means of scores (m, c), by drawing clusters (m,) anew."""
    _, cluster, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    sums = np.zeros((len(sizes), scores.shape[1]))
    np.add.at(sums, cluster, scores)
    rng = np.random.default_rng(seed)
    each = max(1, _BYTES // (8 * len(sizes)))  # draws at once
    means = []
    for start in range(0, _RESAMPLES, each):
        shape = (min(each, _RESAMPLES - start), len(sizes))
        drawn = rng.integers(len(sizes), size=shape) + len(sizes) * np.arange(shape[0])[:, None]
        counts = np.bincount(drawn.ravel(), minlength=shape[0] * shape[1]).reshape(shape)
        means.append(counts @ sums / (counts @ sizes)[:, None])
    interval: NDArray[np.float64] = np.quantile(np.concatenate(means), [0.025, 0.975], axis=0).T
    return interval
