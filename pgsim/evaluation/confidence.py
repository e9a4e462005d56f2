"""A 95 % confidence interval of a share that is measured on a sample of recordings."""

import numpy as np
from numpy.typing import NDArray

_NORMAL = 1.959964  # the normal distribution's 97.5 % point


def interval(shares: NDArray[np.float64], k: int, population: int) -> tuple[float, float]:
    """The interval of the mean over all recordings, from the shares (m,) of m of them, each of k.

    It is Wilson's interval, which is right near 1 too: there a bootstrap is too narrow, and a
    standard error of the mean reaches beyond 1. The k neighbours of one recording are found or
    missed together, so they count as fewer trials: as many as vary like the shares do (Kish's
    design effect; Korn and Graubard 1998), or one a recording where no share varies. The interval
    is narrower for a sample that is a large part of the population, and empty for all of it.
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
