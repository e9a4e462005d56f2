"""Missing feature sets of vectors, filled from the nearest complete recording.

Zero, the centre of a set, is nearer to every value than two values are to each other: recordings
that lack a set would be among the nearest of far too many.
"""

import numpy as np
from numpy.typing import NDArray

from pgsim.features.fusion import Fit, mapped, side_by_side
from pgsim.features.profile import Profile

MOST = 2**15  # complete recordings to fill from
MOST_NUMBERS = 2**24  # numbers in their vectors
_QUERIES = 256  # vectors that are compared with all of them at once
_ROUNDING = 1e-12  # of a squared distance, as a share of the two squares that it is made of


def most_donors(profile: Profile) -> int:
    """Return how many complete recordings are kept to fill from."""
    return min(MOST, MOST_NUMBERS // profile.dimensions)


def lacking(values: NDArray[np.float64], profile: Profile, fit: Fit) -> NDArray[np.bool_]:
    """Return which fitted sets recordings lack, (n, sets), of aggregated values with NaN.

    A set that is not fitted is 0 in every vector, and lacks nowhere.
    """
    starts = [each.position for each in profile.sets]
    is_fitted = np.array([each.name in fit.fitted for each in profile.sets])
    result: NDArray[np.bool_] = np.isnan(values[:, starts]) & is_fitted
    return result


def filled(
    vectors: NDArray[np.float32],
    lacks: NDArray[np.bool_],
    donors: NDArray[np.float32],
    profile: Profile,
) -> NDArray[np.float32]:
    """Return (n, dimensions) vectors with the sets that they lack taken from the nearest donor.

    `lacks` is (n, sets); `donors` (m, dimensions) are complete, and the first of equally near ones
    is taken. Near is by the sets that the vector has. The same donors give the same vectors.
    """
    if not len(donors):
        return vectors
    apart, donors = (side_by_side(each, profile) for each in (vectors.copy(), donors))
    lengths = [each.length for each in profile.sets]
    for pattern in np.unique(lacks[lacks.any(axis=1)], axis=0):
        missing = np.repeat(pattern, lengths)
        rows = np.flatnonzero((lacks == pattern).all(axis=1))
        others = donors[:, ~missing].astype(np.float64)
        squares = (others**2).sum(axis=1)
        for start in range(0, len(rows), _QUERIES):
            block = rows[start : start + _QUERIES]
            own = apart[np.ix_(block, ~missing)].astype(np.float64)
            apart[np.ix_(block, missing)] = donors[_nearest(own, others, squares)][:, missing]
    result, is_filled = vectors.copy(), lacks.any(axis=1)
    result[is_filled] = mapped(apart[is_filled].astype(np.float64), profile)
    return result


def _nearest(
    own: NDArray[np.float64], others: NDArray[np.float64], squares: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Return the row of each point's nearest other (n,), the first of equally near ones.

    A matrix product gives all distances, but for rounding; those within it are computed directly.
    """
    apart = squares - 2 * (own @ others.T)  # less the point's own square, the same for all others
    bound = _ROUNDING * ((own**2).sum(axis=1) + squares.max())
    query, row = np.nonzero(apart <= (apart.min(axis=1) + bound)[:, None])
    exact = ((own[query] - others[row]) ** 2).sum(axis=1)
    order = np.lexsort((row, exact, query))
    first = np.searchsorted(query, np.arange(len(own)))  # query is sorted, in either order
    nearest: NDArray[np.intp] = row[order][first]
    return nearest
