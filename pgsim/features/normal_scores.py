"""Normal scores: a value by its rank in the collection, as a quantile of the normal distribution.

A dimension's scores are standard normal, whatever its values are: no outlier and no skewed
dimension counts for more than the others. A value between two of the collection has a score between
theirs, and one beyond them all that of the farthest. Values that many recordings share have the
middle of their ranks.
"""

import math

import numpy as np
from numpy.typing import NDArray

# The scores of a table of quantiles, from -4 to 4. SQL's explain_set reads the tables too.
SCORES = np.linspace(-4, 4, 257)
_SHARES = np.array([(1 + math.erf(score / math.sqrt(2))) / 2 for score in SCORES])

# Of a sample of so many recordings a quantile is off by less than a hundredth of a deviation.
_MOST_ROWS = 2**16
_MOST_BYTES = 2**28


class Sample:
    """A uniform random sample of rows, in bounded memory; the same one for the same rows."""

    def __init__(self, dimensions: int) -> None:
        self._size = max(min(_MOST_ROWS, _MOST_BYTES // max(8 * dimensions, 1)), 1024)
        self.rows = np.empty((0, dimensions))
        self._keys = np.empty(0)
        self._random = np.random.default_rng(0)

    def add(self, rows: NDArray[np.float64]) -> None:
        """Add (n, dimensions) rows: those with the least random keys stay."""
        keys = np.concatenate([self._keys, self._random.random(len(rows))])
        both = np.concatenate([self.rows, rows])
        if len(keys) > self._size:
            kept = np.sort(np.argpartition(keys, self._size)[: self._size])
            keys, both = keys[kept], both[kept]
        self._keys, self.rows = keys, both


def quantiles(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (257, dimensions) of (n, dimensions): the values with SCORES; NaN without values."""
    found = np.full((len(SCORES), rows.shape[1]), np.nan)
    for place, column in enumerate(rows.T):
        there = column[~np.isnan(column)]
        if len(there):
            found[:, place] = np.quantile(there, _SHARES, method="hazen")
    return found


def normal_scores(
    values: NDArray[np.float64], quantiles: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the scores, (n, dimensions), of values by (257, dimensions) quantiles; NaN stays."""
    scores = np.full(values.shape, np.nan)
    for place, (column, table) in enumerate(zip(values.T, quantiles.T, strict=True)):
        there = ~np.isnan(column) & ~np.isnan(table[0])
        found = column[there]
        first = np.searchsorted(table, found, "left")
        last = np.searchsorted(table, found, "right") - 1
        between = np.interp(found, table, SCORES)
        # A value that stands in the table more than once has all the ranks between.
        shares = (_SHARES[np.minimum(first, len(SCORES) - 1)] + _SHARES[np.maximum(last, 0)]) / 2
        scores[there, place] = np.where(last > first, np.interp(shares, _SHARES, SCORES), between)
    return scores
