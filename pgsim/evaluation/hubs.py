"""Who is in how many lists, and with what label, counted over the whole matrix by blocks."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pgsim.evaluation.labels import LABEL_COLUMNS, chance, read_labels
from pgsim.postgres.connection import Connection
from pgsim.progress import Advance, still
from pgsim.store.lists import read_lists, read_reaches
from pgsim.store.vectors import Vectors

# As similar_recordings() orders: the nearest max(4k, 80), by similarity.
_CANDIDATES = 4
_LEAST_CANDIDATES = 80
_BLOCK = 16384  # lists in memory at once


@dataclass(frozen=True, slots=True)
class Hubness:
    """In how many other recordings' k nearest, by this order, a recording is.

    The mean is about k; `skewness` is 0 where all are in as many lists, and high where a few hubs
    are in very many. `most` is the largest count, `in_none` the share of recordings that nobody
    leads to, `counts` (most + 1,) the number of recordings for every count from 0.
    """

    ranking: str
    k: int
    skewness: float
    most: int
    in_none: float
    counts: list[int]


@dataclass(frozen=True, slots=True)
class Precision:
    """Share of a labelled seed's k nearest labelled neighbours with its own label, by each order.

    `recordings` have such a label; `chance` is what neighbours drawn by lot among them would share.
    """

    label: str
    k: int
    recordings: int
    distance: float
    similarity: float
    chance: float


@dataclass(slots=True)
class _Tally:
    """What one order of answers has come to so far: occurrences (n,), and labels shared, of how
    many pairs with two labels."""

    occurrences: NDArray[np.int64]
    shared: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LABEL_COLUMNS, 0))
    pairs: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LABEL_COLUMNS, 0))

    def add(
        self,
        seeds: NDArray[np.int32],
        nearest: NDArray[np.int32],
        labels: dict[str, NDArray[np.int64]],
    ) -> None:
        """Rows of seeds (m,) and of their answers (m, k), -1 for none."""
        there = nearest >= 0
        self.occurrences += np.bincount(nearest[there], minlength=len(self.occurrences))
        for name, label in labels.items():
            own, others = label[seeds][:, None], label[nearest]
            known = there & (own != 0) & (others != 0)
            self.pairs[name] += int(known.sum())
            self.shared[name] += int((known & (own == others)).sum())


def read_occurrences(
    conn: Connection, all_: Vectors, k: int, advance: Advance = still
) -> tuple[list[Hubness], list[Precision]]:
    """Hubs, and precision@k by genre and artist where there are any, over all stored lists.

    In memory are some numbers a recording, and a block of lists.
    """
    row_of = all_.row_of()
    labels = {name: read_labels(conn, all_, name) for name in LABEL_COLUMNS}
    ids, reaches = read_reaches(conn)
    reach = np.full(len(all_.ids) + 1, np.nan)  # the last is that of nobody, row -1
    reach[row_of[np.minimum(ids, len(row_of) - 1)]] = reaches
    reach[-1] = np.nan

    tallies = {
        ranking: _Tally(np.zeros(len(all_.ids), np.int64)) for ranking in ("distance", "similarity")
    }
    for start in range(0, len(all_.ids), _BLOCK):
        block = all_.ids[start : start + _BLOCK]
        length = max(_CANDIDATES * k, _LEAST_CANDIDATES)
        listed, neighbours, distances = read_lists(conn, block, length)
        seeds = row_of[listed]
        rows = row_of[np.minimum(neighbours, len(row_of) - 1)]
        order = _by_similarity(rows, distances.astype(np.float64), reach, seeds)
        tallies["distance"].add(seeds, rows[:, :k], labels)
        tallies["similarity"].add(seeds, np.take_along_axis(rows, order[:, :k], axis=1), labels)
        advance(len(block))

    by_distance, by_similarity = tallies.values()
    precisions = [
        Precision(
            name,
            k,
            int((label != 0).sum()),
            by_distance.shared[name] / by_distance.pairs[name],
            by_similarity.shared[name] / by_similarity.pairs[name],
            chance(label[label != 0]),
        )
        for name, label in labels.items()
        if by_distance.pairs[name] and by_similarity.pairs[name]
    ]
    return [_hubness(name, k, tally.occurrences) for name, tally in tallies.items()], precisions


def _by_similarity(
    rows: NDArray[np.int32],
    distances: NDArray[np.float64],
    reach: NDArray[np.float64],
    seeds: NDArray[np.int32],
) -> NDArray[np.intp]:
    """The order (m, length) in which answer() ranks lists by similarity, the gone at the end."""
    with np.errstate(invalid="ignore", divide="ignore"):
        exponent = distances**2 / (reach[seeds][:, None] * reach[rows])
    exponent[np.isnan(exponent)] = np.inf
    exponent[distances == 0] = 0
    exponent[rows < 0] = np.inf
    return np.argsort(exponent, axis=1, kind="stable")


def _hubness(ranking: str, k: int, occurrences: NDArray[np.int64]) -> Hubness:
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
