"""The collections that are searched, and files of them in the layout of ann-benchmarks.

Such a file is HDF5: `train` (n, d) are the vectors, `test` (m, d) the queries, `neighbors` (m, k)
the rows of the nearest and `distances` (m, k) theirs, the nearest first. The attribute `distance`
is `euclidean` or `angular`. For the latter, a distance here is 1 - cosine.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pgsim.features.metrics import METRICS
from pgsim.planning.synthetic import SETS, make_vectors
from tests.bench.peers.index import Rows, Vectors

QUERIES = 200
DEEPEST = 1000  # neighbours of each query
FUSED = "fused"
ATTRIBUTES = {"l2": "euclidean", "cosine": "angular"}
_BLOCK = 20  # queries at a time


@dataclass(frozen=True, slots=True)
class Collection:
    """Vectors (n, d) and queries (m, d), with the nearest rows (m, k) and their distances."""

    space: str
    train: Vectors
    test: Vectors
    neighbors: Rows
    distances: NDArray[np.float64]

    @classmethod
    def of(cls, vectors: Vectors, space: str) -> Self:
        """A collection of all vectors but QUERIES at random, which are asked for."""
        vectors = in_space(vectors, space)
        order = np.random.default_rng(3).permutation(len(vectors))
        test, train = vectors[order[:QUERIES]], vectors[order[QUERIES:]]
        return cls(space, train, test, *nearest(train, test, space, DEEPEST))

    @classmethod
    def read(cls, path: Path) -> Self:
        """The collection of a file; of one from elsewhere too."""
        import h5py

        with h5py.File(path) as file:
            spaces = {name: space for space, name in ATTRIBUTES.items()}
            space = spaces[file.attrs["distance"]]
            return cls(
                space,
                in_space(file["train"][:].astype(np.float32), space),
                in_space(file["test"][:].astype(np.float32), space),
                file["neighbors"][:].astype(np.int64),
                file["distances"][:].astype(np.float64),
            )

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        import h5py

        part = path.with_suffix(".part")
        with h5py.File(part, "w") as file:
            file.attrs["type"] = "dense"
            file.attrs["point_type"] = "float"
            file.attrs["dimension"] = self.train.shape[1]
            file.attrs["distance"] = ATTRIBUTES[self.space]
            file["train"], file["test"] = self.train, self.test
            file["neighbors"] = self.neighbors.astype(np.int32)
            file["distances"] = self.distances.astype(np.float32)
        part.rename(path)


def make(name: str, n: int) -> Vectors:
    """The made vectors of FUSED or of one of METRICS: n, and QUERIES more."""
    vectors = make_vectors(n + QUERIES)
    if name == FUSED:
        return vectors
    metric, at = METRICS[name], 0
    for own, length, _, _ in SETS:
        if own == metric.of:
            decay = metric.decay ** np.arange(length, dtype=np.float32)
            return np.ascontiguousarray(vectors[:, at : at + length] * decay)
        at += length
    raise LookupError(f"the made vectors have no set {metric.of}")


def in_space(vectors: Vectors, space: str) -> Vectors:
    """Vectors of length 1 for the cosine; zeros stay zeros."""
    if space == "l2":
        return np.ascontiguousarray(vectors)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)


def nearest(train: Vectors, test: Vectors, space: str, k: int) -> tuple[Rows, NDArray[np.float64]]:
    """The rows (m, k) of the nearest of each query and their distances, by comparing all."""
    k = min(k, len(train))
    exact = train.astype(np.float64)
    squares = (exact**2).sum(axis=1)
    rows = np.empty((len(test), k), np.int64)
    for at in range(0, len(test), _BLOCK):
        near = squares - 2 * test[at : at + _BLOCK].astype(np.float64) @ exact.T
        best = np.argpartition(near, k - 1, axis=1)[:, :k]
        order = np.argsort(np.take_along_axis(near, best, axis=1), axis=1)
        rows[at : at + _BLOCK] = np.take_along_axis(best, order, axis=1)
    return rows, distances(train, test, rows, space)


def distances(train: Vectors, test: Vectors, rows: Rows, space: str) -> NDArray[np.float64]:
    """The distances (m, k) of rows from their queries; infinite for row -1."""
    result = np.empty(rows.shape)
    for place, (query, own) in enumerate(zip(test.astype(np.float64), rows, strict=True)):
        found = train[own].astype(np.float64)
        result[place] = (
            1 - found @ query if space == "cosine" else np.linalg.norm(found - query, axis=1)
        )
    result[rows < 0] = np.inf
    return result


def recall(found: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """The share (m, k) of found distances that are no greater than the true kth; ties count."""
    k = found.shape[1]
    most = truth[:, k - 1 : k]
    return float((found <= most + 1e-6 * np.abs(most) + 1e-9).sum(axis=1).clip(max=k).mean() / k)
