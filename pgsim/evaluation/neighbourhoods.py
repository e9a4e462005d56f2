"""Recordings whose neighbours are odd: hubs, near duplicates, and labels that nobody near has."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgsim.evaluation.hubs import by_similarity, candidates
from pgsim.evaluation.labels import NONE
from pgsim.evaluation.protocol import Numbers, reaches
from pgsim.matrix.engines.exact import Exact
from pgsim.postgres.connection import Connection
from pgsim.store.lists import REACH, read_lists, read_reaches
from pgsim.store.vectors import Vectors

K = 10  # nearest, by similarity
# Of the genuine songs that lie nearer than this share of a usual reach, all are one recording.
DUPLICATE = 0.3
LENGTHS = 0.10  # by which the lengths of duplicates differ at most
CONTRADICTED = 8  # of K neighbours with one other label, and none with the own
LIFT = 2  # times as many of them as at random
LEAST = 10  # others with the own label, that could have been near
EVERYBODY = 5 * K  # lists of K; the mean is K

_BLOCK = 16384  # lists in memory at once
_DEPTH = candidates(K)


@dataclass(frozen=True, slots=True)
class Neighbourhoods:
    """The nearest of every recording, read or computed a block at a time, and every reach (n + 1,).

    The last reach, NaN, is for no recording.
    """

    conn: Connection
    all_: Vectors
    reach: NDArray[np.float64]
    exact: Exact | None

    def blocks(self) -> Iterator[tuple[NDArray[np.intp], NDArray[np.int32], NDArray[np.float32]]]:
        """Yield rows (m,), their nearest (m, depth) by similarity, -1 for none, and distances."""
        n = len(self.all_.ids)
        row_of = self.all_.row_of()
        for start in range(0, n, _BLOCK):
            seeds = np.arange(start, min(start + _BLOCK, n))
            if self.exact is not None:
                rows, apart = self.exact.search(seeds)
                rows, apart = rows[:, :_DEPTH], apart[:, :_DEPTH]
            else:
                listed, neighbours, apart = read_lists(self.conn, self.all_.ids[seeds], _DEPTH)
                seeds = row_of[np.minimum(listed, len(row_of) - 1)].astype(np.intp)
                rows = row_of[np.minimum(neighbours, len(row_of) - 1)]
                apart[rows < 0] = np.inf
            order = by_similarity(apart, self.reach[seeds], self.reach[rows])
            yield (
                seeds,
                np.take_along_axis(rows, order, axis=1),
                np.take_along_axis(apart, order, axis=1),
            )


def stored(conn: Connection, all_: Vectors) -> Neighbourhoods:
    """The neighbourhoods that the database stores."""
    row_of = all_.row_of()
    ids, found = read_reaches(conn)
    reach = np.full(len(all_.ids) + 1, np.nan)
    reach[row_of[np.minimum(ids, len(row_of) - 1)]] = found
    reach[-1] = np.nan
    return Neighbourhoods(conn, all_, reach, None)


def computed(conn: Connection, all_: Vectors, threads: int) -> Neighbourhoods:
    """The neighbourhoods of a small collection without lists."""
    n = len(all_.ids)
    exact = Exact(all_.vectors, all_.order(), max(_DEPTH, REACH), threads)
    _, apart = exact.search(np.arange(n))
    return Neighbourhoods(conn, all_, np.append(reaches(apart), np.nan), exact)


def occurrences(nearest: NDArray[np.int32], n: int) -> NDArray[np.int64]:
    """In how many of these lists (m, depth) each of n recordings is among the first K."""
    first = nearest[:, :K]
    return np.bincount(first[first >= 0], minlength=n)


def duplicates(
    seeds: NDArray[np.intp],
    nearest: NDArray[np.int32],
    apart: NDArray[np.float32],
    reach: NDArray[np.float64],
    lengths: NDArray[np.float32],
) -> list[tuple[int, int, float]]:
    """Pairs of rows that are nearer than DUPLICATE of their reach, and as long; their distances.

    A reach below the collection's median counts as that, since among near copies every reach is
    small; one above twice that as twice that, since far away nothing is near. Lengths are NaN where
    unknown.
    """
    both = np.sqrt(reach[seeds][:, None] * reach[nearest])
    middle = np.nanmedian(reach)
    usual = np.fmin(np.fmax(both, middle), 2 * middle)
    query, column = np.nonzero((nearest >= 0) & (apart <= DUPLICATE * usual))
    one, other = seeds[query], nearest[query, column]
    longest = np.maximum(lengths[one], lengths[other])
    unlike = np.abs(lengths[one] - lengths[other]) > LENGTHS * longest  # false where unknown
    return [
        (min(a, b), max(a, b), float(distance))
        for a, b, distance, no in zip(
            one.tolist(), other.tolist(), apart[query, column], unlike, strict=True
        )
        if not no
    ]


def contradicted(
    seeds: NDArray[np.intp],
    nearest: NDArray[np.int32],
    apart: NDArray[np.float32],
    labels: Numbers,
    groups: Sequence[Numbers],
) -> list[tuple[int, int, int]]:
    """Rows whose K nearest with a label have another; how many have it, and the row of one.

    `labels` (n,) are numbers from 0, or NONE. Those of an equal number in one of `groups` take no
    part, nor do copies.
    """
    counts = np.bincount(labels[labels != NONE], minlength=1)
    total = max(int(counts.sum()), 1)
    takes_part = (nearest >= 0) & (apart > 0) & (labels[nearest] != NONE)
    others = np.full(len(seeds), 0)
    for numbers in groups:
        own = numbers[seeds]
        takes_part &= (own[:, None] == NONE) | (numbers[nearest] != own[:, None])
        sizes = np.bincount(numbers[numbers != NONE], minlength=1)
        others = np.maximum(others, np.where(own == NONE, 0, sizes[np.maximum(own, 0)]))
    is_first = takes_part & (takes_part.cumsum(axis=1) <= K)
    own = labels[seeds]
    could = (is_first.sum(axis=1) == K) & (own != NONE)
    could &= counts[np.maximum(own, 0)] - np.maximum(others, 1) >= LEAST
    could &= ~(is_first & (labels[nearest] == own[:, None])).any(axis=1)
    place = np.flatnonzero(could)
    rows = nearest[place][is_first[place]].reshape(-1, K)
    theirs = labels[rows]
    alike = (theirs[:, :, None] == theirs[:, None, :]).sum(axis=2)
    best = alike.argmax(axis=1)
    each = np.arange(len(place))
    most, sample = alike[each, best], rows[each, best]
    usual = counts[labels[sample]] / total
    is_odd = (most >= CONTRADICTED) & (most / K >= LIFT * usual)
    return [
        (int(seeds[at]), int(number), int(row))
        for at, number, row in zip(place[is_odd], most[is_odd], sample[is_odd], strict=True)
    ]
