"""A 95 % confidence interval of a share that is measured on a sample of recordings."""

import numpy as np
from numpy.typing import NDArray

_NORMAL = 1.959964  # the normal distribution's 97.5 % point


def interval(shares: NDArray[np.float64], k: int, population: int) -> tuple[float, float]:
    """Where the mean over all recordings lies, from the shares (m,) of m of them, each of k.

    Wilson's interval, which is right near 1 too, where a bootstrap is too narrow and an error of
    the mean reaches beyond. The k neighbours of one recording are found or missed together, so they
    count as fewer trials: as many as would vary like the shares do (Kish's design effect; Korn and
    Graubard 1998), and as one where none varies. A sample that is much of the population leaves
    less open; one that is all of it, nothing.
    """
    m = len(shares)
    mean = float(shares.mean())
    left = 1 - m / population
    if left <= 0:
        return mean, mean
    binomial = mean * (1 - mean)
    variance = float(shares.var(ddof=1)) if m > 1 else binomial
    trials = m if variance == 0 else min(m * k, max(m, m * binomial / variance))
    return _wilson(mean, trials / left)


def _wilson(share: float, trials: float) -> tuple[float, float]:
    square = _NORMAL**2
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    half = (
        _NORMAL
        / (1 + square / trials)
        * (share * (1 - share) / trials + square / (4 * trials**2)) ** 0.5
    )
    return max(0.0, middle - half), min(1.0, middle + half)
