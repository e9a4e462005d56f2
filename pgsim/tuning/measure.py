"""How much of what belongs together is found, and how sure a gain is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgsim.store.lists import REACH

K = 10
_DEPTH = 80  # nearest that are ordered by similarity, as similar_recordings() does
_BLOCK = 1000  # rows of the distance matrix in memory at once
_RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Found:
    """What each query finds, (q,): the share of its right ones; and the hubs of the ranking."""

    by_similarity: NDArray[np.float64]
    by_distance: NDArray[np.float64]
    skewness: float = 0.0
    in_none: float = 0.0


@dataclass(frozen=True, slots=True)
class Gain:
    """The mean before and after; their difference lies between `low` and `high`, at 95 %."""

    before: float
    after: float
    low: float
    high: float


def right_of(classes: NDArray[np.integer], apart: NDArray[np.integer] | None) -> NDArray[np.intp]:
    """Return how many are right for each of n: of its class, and not of its own album or artist."""
    _, numbers, counts = np.unique(classes, return_inverse=True, return_counts=True)
    own = np.ones(len(classes), np.intp)
    if apart is not None:
        both = np.column_stack([classes, apart])
        _, of, sizes = np.unique(both, axis=0, return_inverse=True, return_counts=True)
        own = sizes[of.reshape(-1)]
    result: NDArray[np.intp] = counts[numbers] - own
    return result


def precision(
    vectors: NDArray[np.float64],
    classes: NDArray[np.integer],
    apart: NDArray[np.integer] | None,
) -> Found:
    """Return, for each recording for which others are right, how many of its K nearest are.

    It is a share of K, or of all that are right where these are fewer. Those with an equal number
    in `apart` are no neighbours.
    """
    n = len(vectors)
    depth, k = min(_DEPTH, n - 1), min(K, n - 1)
    narrow = vectors.astype(np.float32)
    squares = (narrow**2).sum(axis=1)
    rows = np.empty((n, depth), np.intp)
    far = np.empty((n, depth), np.float32)
    for start in range(0, n, _BLOCK):
        part = slice(start, start + _BLOCK)
        apart2 = squares[part, None] + squares - 2 * narrow[part] @ narrow.T
        apart2[np.arange(len(apart2)), np.arange(start, start + len(apart2))] = np.inf
        nearest = np.argpartition(apart2, depth - 1, axis=1)[:, :depth]
        found = np.take_along_axis(apart2, nearest, axis=1)
        order = np.lexsort((nearest, found), axis=1)
        rows[part] = np.take_along_axis(nearest, order, axis=1)
        far[part] = np.maximum(np.take_along_axis(found, order, axis=1), 0)
    reach = np.maximum(np.sqrt(far[:, :REACH]).mean(axis=1), 1e-12)
    by_similarity = far / reach[:, None] / reach[rows]
    listed = np.take_along_axis(
        rows, np.argsort(by_similarity, axis=1, kind="stable")[:, :k], axis=1
    )
    times = np.bincount(listed.ravel(), minlength=n)
    away = times - times.mean()
    skewness = float((away**3).mean() / times.std() ** 3) if times.any() and times.std() else 0.0

    right = right_of(classes, apart)
    asked = right > 0
    shares = []
    for key in (by_similarity, far):
        order = key.astype(np.float64)
        if apart is not None:
            order[apart[rows] == apart[:, None]] = np.inf
        best = np.argsort(order, axis=1, kind="stable")[:, :k]
        hits = (classes[np.take_along_axis(rows, best, axis=1)] == classes[:, None]) & (
            np.isfinite(np.take_along_axis(order, best, axis=1))
        )
        shares.append(hits.sum(axis=1)[asked] / np.minimum(right[asked], K))
    return Found(shares[0], shares[1], skewness, float((times == 0).mean()))


def satisfied(vectors: NDArray[np.float64], triplets: NDArray[np.integer]) -> Found:
    """Return for each (t, 3) rows a, b, c whether a is nearer to b than to c."""
    a, b, c = (vectors[column] for column in triplets.T)
    near = ((a - b) ** 2).sum(axis=1) < ((a - c) ** 2).sum(axis=1)
    return Found(near.astype(float), near.astype(float))


def gain(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    clusters: NDArray[np.integer],
    seed: int,
) -> Gain:
    """Return the gain over (q,) queries, by a bootstrap that draws whole clusters of them."""
    _, numbers, counts = np.unique(clusters, return_inverse=True, return_counts=True)
    sums = np.bincount(numbers, after - before)
    random = np.random.default_rng(seed)
    means = np.empty(_RESAMPLES)
    for place in range(_RESAMPLES):
        drawn = random.integers(0, len(counts), len(counts))
        means[place] = sums[drawn].sum() / counts[drawn].sum()
    low, high = np.quantile(means, (0.025, 0.975))
    return Gain(float(before.mean()), float(after.mean()), float(low), float(high))
