"""Squared distances by matrix product, and the bound of what rounding does to them.

A score is |y|^2 - 2xy: the squared distance of x and y less |x|^2, as one product of extended
vectors. It is a lower bound: c(|x| + |y|)^2 <= 2c|x|^2 + 2c|y|^2 is how far float32 can be from the
truth, where c is `rounding`; y's share is taken from the score, x's is in the limit.
"""

import numpy as np
from numpy.typing import NDArray

from pgsim.threads import in_parts


def rounding(dimensions: int) -> float:
    """Return a bound on the error of a score, in (|x| + |y|)^2.

    A float32 sum of d products errs by at most d units of rounding of the sum of their sizes, in
    any order (Higham, Accuracy and Stability of Numerical Algorithms, 3.1): here of
    |y|^2 + 2|x||y|. Sixteen more cover the norms and the distance that is compared with.
    """
    return float(np.finfo(np.float32).eps) / 2 * (dimensions + 16)


def squares(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """The squared lengths (n,) of vectors (n, d)."""
    result: NDArray[np.float64] = np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)
    return result


def extended(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The collection's side (n, d + 1) of a score."""
    result = np.empty((len(vectors), vectors.shape[1] + 1), np.float32)

    def fill(part: slice) -> None:
        result[part, :-1] = vectors[part]
        result[part, -1] = squares(vectors[part]) * (1 - 2 * rounding(vectors.shape[1]))

    in_parts(fill, len(vectors))
    return result


def asking(queries: NDArray[np.float32]) -> NDArray[np.float32]:
    """The queries' side (m, d + 1) of a score."""
    result = np.empty((len(queries), queries.shape[1] + 1), np.float32)
    np.multiply(queries, -2, out=result[:, :-1])
    result[:, -1] = 1
    return result


def limit_of_distance(
    distance: NDArray[np.float32], square: NDArray[np.float64], dimensions: int
) -> NDArray[np.float32]:
    """The score that no y exceeds that is as near as `distance` to an x of this squared length."""
    return _upwards(distance.astype(np.float64) ** 2 - square * (1 - 2 * rounding(dimensions)))


def limit_of_nothing(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """The score (m,) that no y exceeds that is where a point (m, d) is."""
    zero = np.zeros(len(points), np.float32)
    return limit_of_distance(zero, squares(points), points.shape[1])


def squared(radii: NDArray[np.float32], dimensions: int) -> NDArray[np.float32]:
    """The squares (n,) of radii: no score within a radius exceeds limit_of_nothing by more."""
    with np.errstate(over="ignore"):
        result = np.square(radii, dtype=np.float64) * (1 + 2 * rounding(dimensions))
        return result.astype(np.float32)


def limit_of_score(
    score: NDArray[np.float32], square: NDArray[np.float64], dimensions: int
) -> NDArray[np.float32]:
    """The score that no y exceeds that is as near as one of this score.

    That one's own share of the rounding is bounded by x and the distance: |y|^2 <= 2|x|^2 + 2d^2.
    """
    slack = rounding(dimensions) * (24 * square + 12 * np.abs(score))
    return _upwards(score + slack)


def _upwards(limit: NDArray[np.float64]) -> NDArray[np.float32]:
    """To float32 without becoming less, and never inf, which is the score of what is left out."""
    largest = np.finfo(np.float32).max
    return np.nextafter(np.minimum(limit, largest).astype(np.float32), largest)


def kth_bound(scores: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """A value (m,) that at least k of each row (m, n) reach: the k-th least, or a little more.

    The k-th least of a few is no less than that of all; the least of every pair, pairs of pairs
    and so on are the right few to look at, and much faster than all. inf where n < k.
    """
    if scores.shape[1] < k:
        return np.full(len(scores), np.inf, np.float32)
    while scores.shape[1] >= 16 * k:
        half = scores.shape[1] // 2
        scores = np.minimum(scores[:, :half], scores[:, half : 2 * half])
    return np.partition(scores, k - 1, axis=1)[:, k - 1]
