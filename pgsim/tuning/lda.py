"""Linear discriminant analysis: the map by which what belongs together lies together.

By the scatter within classes the space is made round; there, directions in which class means lie
apart are stretched. Of all maps with the same distances it is the symmetric one, so that each
dimension stays next to what it was.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pgsim.features.profile import LEAST_STRETCH

# Of the least that a direction is stretched, of the most: far above LEAST_STRETCH.
_LEAST_SHARE = 100 * LEAST_STRETCH


@dataclass(frozen=True, slots=True)
class Method:
    """How a map is learned.

    The scatter within classes is shrunk by `shrink` towards its mean diagonal. A direction is
    stretched by its share of the scatter between classes to the power of `power`: by 0 not at all.
    """

    shrink: float
    power: float


# Of a strong and a mild one, the one that finds more is kept. Both were measured on genuine sets.
METHODS = (Method(0.3, 0.5), Method(0.1, 0.1))


@dataclass(frozen=True, slots=True)
class Scatter:
    """The scatter within classes and between them, each (d, d): sums of squares by their number."""

    within: NDArray[np.float64]
    between: NDArray[np.float64]


def scatter_of_classes(values: NDArray[np.float64], classes: NDArray[np.integer]) -> Scatter | None:
    """Return the scatter of (n, d) values in (n,) classes; None without two classes of two."""
    _, numbers, counts = np.unique(classes, return_inverse=True, return_counts=True)
    kept = counts[numbers] > 1
    values, numbers = values[kept], numbers[kept]
    _, numbers, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    if len(counts) < 2:
        return None
    order = np.argsort(numbers, kind="stable")
    means = np.add.reduceat(values[order], np.cumsum(counts) - counts) / counts[:, None]
    away = values - means[numbers]
    apart = (means - values.mean(axis=0)) * np.sqrt(counts)[:, None]
    return Scatter(away.T @ away / (len(values) - len(counts)), apart.T @ apart / len(values))


def scatter_of_triplets(
    values: NDArray[np.float64], triplets: NDArray[np.integer]
) -> Scatter | None:
    """Return the scatter of (t, 3) rows a, b, c, where a is nearer to b than to c."""
    a, b, c = (values[column] for column in triplets.T)
    if len(triplets) < 2:
        return None
    return Scatter((a - b).T @ (a - b) / len(a), (a - c).T @ (a - c) / len(a))


def learn(scatter: Scatter, method: Method) -> NDArray[np.float64] | None:
    """Return the map, (d, d) symmetric and positive definite; None where nothing scatters."""
    size = len(scatter.within)
    mean = np.trace(scatter.within) / size
    if not mean > 0 or not np.trace(scatter.between) > 0:
        return None
    within = (1 - method.shrink) * scatter.within + method.shrink * mean * np.eye(size)
    spread, directions = np.linalg.eigh(within)
    if not spread[0] > 0:
        return None
    whiten = directions / np.sqrt(spread) @ directions.T
    shares, directions = np.linalg.eigh(whiten @ scatter.between @ whiten)
    shares = np.maximum(shares / shares[-1], _LEAST_SHARE)
    stretched = whiten @ directions * shares**method.power
    # The symmetric root: another matrix with the same distances.
    left, lengths, _ = np.linalg.svd(stretched)
    found: NDArray[np.float64] = left * np.maximum(lengths, LEAST_STRETCH * 2 * lengths[0]) @ left.T
    return (found + found.T) / 2
