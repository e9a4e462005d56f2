"""How much of what belongs together is found, and how sure a gain is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgsim.evaluation.protocol import Protocol, bootstrap
from pgsim.evaluation.ratings import agreeing
from pgsim.threads import cores


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


def precision(protocol: Protocol, vectors: NDArray[np.float64]) -> Found:
    """Return, for each query of a protocol, how many of its first ten are right.

    It is a share of ten, or of all that are right where these are fewer. `vectors` is (n, d).
    """
    ranked, hubs = protocol.ranked(vectors.astype(np.float32), cores())
    most = np.minimum(protocol.right, protocol.k)
    shares = {
        name: protocol.scores(rows)[:, 0] * protocol.k / most for name, rows in ranked.items()
    }
    return Found(shares["similarity"], shares["distance"], *hubs["similarity"])


def satisfied(vectors: NDArray[np.float64], triplets: NDArray[np.integer]) -> Found:
    """Return for each (t, 3) rows a, b, c whether a is nearer to b than to c, or half for both."""
    a, b, c = (vectors[column] for column in triplets.T)
    near = agreeing(((a - b) ** 2).sum(axis=1), ((a - c) ** 2).sum(axis=1))
    return Found(near, near)


def gain(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    clusters: NDArray[np.integer],
    seed: int,
) -> Gain:
    """Return the gain over (q,) queries, by a bootstrap that draws whole clusters of them."""
    [(low, high)] = bootstrap((after - before)[:, None], clusters, seed)
    return Gain(float(before.mean()), float(after.mean()), float(low), float(high))
