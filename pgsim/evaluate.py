"""How good the neighbours are."""

import numpy as np
from numpy.typing import NDArray

BLOCK = 1000  # rows of the distance matrix in memory at once


def precision(vectors: NDArray[np.float32], labels: NDArray[np.str_], k: int) -> float:
    """precision@k: which share of the k nearest carry the label of their seed.

    `vectors` is (n, dimensions), `labels` (n,). Seeds whose label nobody shares count too.
    """
    shared = 0
    squares = (vectors.astype(np.float64) ** 2).sum(axis=1)
    for start in range(0, len(vectors), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(vectors)))
        distances = squares[rows, None] + squares - 2 * vectors[rows].astype(np.float64) @ vectors.T
        distances[np.arange(len(rows)), rows] = np.inf
        nearest = np.argpartition(distances, k, axis=1)[:, :k]
        shared += int((labels[nearest] == labels[rows, None]).sum())
    return shared / (len(vectors) * k)


def chance(labels: NDArray[np.str_]) -> float:
    """precision@k of neighbours drawn by lot."""
    _, counts = np.unique(labels, return_counts=True)
    return float((counts * (counts - 1)).sum() / (len(labels) * (len(labels) - 1)))
