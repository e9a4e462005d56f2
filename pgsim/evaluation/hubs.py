"""Count in how many lists a recording is, and with what label, over the whole matrix by blocks."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pgsim.evaluation.labels import LABEL_COLUMNS, chance, read_labels
from pgsim.postgres.connection import Connection
from pgsim.progress import Advance, still
from pgsim.store.lists import read_lists, read_reaches
from pgsim.store.vectors import Vectors

_BLOCK = 16384  # lists in memory at once


@dataclass(frozen=True, slots=True)
class Hubness:
    """The distribution of occurrences: how many k nearest, by this order, a recording is among.

    The mean is about k; `skewness` is 0 where all recordings occur equally often, and high where a
    few hubs occur very often. `most` is the largest count, `in_none` the share of recordings that
    are in no list, `counts` (most + 1,) the number of recordings for every count from 0.
    """

    ranking: str
    k: int
    skewness: float
    most: int
    in_none: float
    counts: list[int]


@dataclass(frozen=True, slots=True)
class Precision:
    """The share of a seed's k nearest labelled neighbours that have its label, by each order.

    `recordings` have such a label; `chance` is the share among random neighbours.
    """

    label: str
    k: int
    recordings: int
    distance: float
    similarity: float
    chance: float


@dataclass(slots=True)
class _Tally:
    """The counts of one order so far: occurrences (n,), pairs with two labels, and equal labels."""

    occurrences: NDArray[np.int64]
    shared: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LABEL_COLUMNS, 0))
    pairs: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LABEL_COLUMNS, 0))

    def add(
        self,
        seeds: NDArray[np.int32],
        nearest: NDArray[np.int32],
        labels: dict[str, NDArray[np.int64]],
    ) -> None:
        """Count the answers (m, k) to seeds (m,), both as rows, -1 for no answer."""
        there = nearest >= 0
        self.occurrences += np.bincount(nearest[there], minlength=len(self.occurrences))
        for name, label in labels.items():
            own, others = label[seeds][:, None], label[nearest]
            known = there & (own != 0) & (others != 0)
            self.pairs[name] += int(known.sum())
            self.shared[name] += int((known & (own == others)).sum())


def candidates(k: int) -> int:
    """The number of nearest that similar_recordings() orders by similarity for a plain question.

    The same as candidates() of SQL, which a test compares.
    """
    return max(4 * k, 100)


def read_occurrences(
    conn: Connection, all_: Vectors, k: int, advance: Advance = still
) -> tuple[list[Hubness], list[Precision]]:
    """The hubs, and precision@k by genre and artist where there are any, over all stored lists.

    Some numbers of each recording are in memory, and a block of lists.
    """
    row_of = all_.row_of()
    labels = {name: read_labels(conn, all_, name) for name in LABEL_COLUMNS}
    ids, reaches = read_reaches(conn)
    reach = np.full(len(all_.ids) + 1, np.nan)  # the last, row -1, is for no recording
    reach[row_of[np.minimum(ids, len(row_of) - 1)]] = reaches
    reach[-1] = np.nan

    tallies = {
        ranking: _Tally(np.zeros(len(all_.ids), np.int64)) for ranking in ("distance", "similarity")
    }
    for start in range(0, len(all_.ids), _BLOCK):
        block = all_.ids[start : start + _BLOCK]
        length = candidates(k)
        listed, neighbours, distances = read_lists(conn, block, length)
        seeds = row_of[listed]
        rows = row_of[np.minimum(neighbours, len(row_of) - 1)]
        distances[rows < 0] = np.inf
        order = by_similarity(distances, reach[seeds], reach[rows])
        tallies["distance"].add(seeds, rows[:, :k], labels)
        tallies["similarity"].add(seeds, np.take_along_axis(rows, order[:, :k], axis=1), labels)
        advance(len(block))

    nearest, most_similar = tallies.values()
    precisions = [
        Precision(
            name,
            k,
            int((label != 0).sum()),
            nearest.shared[name] / nearest.pairs[name],
            most_similar.shared[name] / most_similar.pairs[name],
            chance(label[label != 0]),
        )
        for name, label in labels.items()
        if nearest.pairs[name] and most_similar.pairs[name]
    ]
    return [hubness_of(name, k, tally.occurrences) for name, tally in tallies.items()], precisions


def by_similarity(
    distances: NDArray[np.floating],
    reach: NDArray[np.floating],
    reaches: NDArray[np.floating],
) -> NDArray[np.intp]:
    """The order (m, length) by similarity, as answer() ranks lists.

    `distances` is (m, length), nearest first, inf for a member that is gone; `reach` is (m,) of the
    seeds, and `reaches` (m, length) of the members, NaN for a recording without a list.
    """
    apart = distances.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        exponent = apart**2 / (reach.astype(np.float64)[:, None] * reaches)
    exponent[np.isnan(exponent)] = np.inf
    exponent[apart == 0] = 0
    return np.argsort(exponent, axis=1, kind="stable")


def hubness_of(ranking: str, k: int, occurrences: NDArray[np.int64]) -> Hubness:
    """The distribution of occurrences (n,) in lists of k that a ranking has made."""
    away = occurrences - occurrences.mean()
    deviation = float(occurrences.std())
    counts = np.bincount(occurrences)
    return Hubness(
        ranking,
        k,
        float((away**3).mean()) / deviation**3 if deviation else 0.0,
        int(occurrences.max()),
        float(counts[0]) / len(occurrences),
        counts.tolist(),
    )
