"""Paths by definition: how small the largest step of a path can be."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Distances = NDArray[np.float32]


def apart(vectors: NDArray[np.float32]) -> Distances:
    """(n, n) distances of all pairs."""
    squares = (vectors**2).sum(axis=1)
    between = squares[:, None] + squares - 2 * (vectors @ vectors.T)
    result: Distances = np.sqrt(np.maximum(between, 0), dtype=np.float32)
    return result


def least_largest_step(distances: Distances, first: int, last: int, steps: int) -> float:
    """The least largest step of all paths of so many recordings, none twice: tries every path."""
    best = np.inf
    stack = [(first, frozenset([first]), 0.0)]
    while stack:
        at, used, largest = stack.pop()
        if len(used) == steps - 1:
            best = min(best, max(largest, distances[at, last]))
            continue
        for other in range(len(distances)):
            step = max(largest, distances[at, other])
            if other not in used and other != last and step < best:
                stack.append((other, used | {other}, step))
    return float(best)


def bound_on_largest_step(distances: Distances, first: int, steps: int) -> Distances:
    """(n,) the least largest step from a recording to each, over at most so many recordings.

    No path of exactly so many has a smaller one. Each round adds one step to all that is reached.
    """
    reached = distances[first].copy()
    for _ in range(steps - 2):
        longer = reached.copy()
        for at in np.flatnonzero(reached < reached.max()).tolist():
            np.minimum(longer, np.maximum(distances[at], reached[at]), out=longer)
        if (longer == reached).all():
            break
        reached = longer
    return reached


def steps_of(distances: Distances, path: list[int]) -> list[float]:
    """The distances between recordings that follow each other."""
    return [float(distances[one, other]) for one, other in pairwise(path)]
