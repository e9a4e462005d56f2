"""PyNNDescent: a graph of approximate neighbours, improved by descent; compiled by Numba."""

import pickle
from pathlib import Path

from tests.bench.peers.index import Index, Rows, Vectors, saved_bytes

SPACE = {"l2": "euclidean", "cosine": "cosine"}


class Pynndescent(Index):
    """An effort is a hundredth of epsilon, by which a search may look too far."""

    package = "pynndescent"
    parameters = "30 neighbours"
    effort = "100 epsilon"
    efforts = (0, 10, 20, 30, 40, 60)

    def build(self, threads: int) -> None:
        from pynndescent import NNDescent

        self.index = NNDescent(
            self.vectors, metric=SPACE[self.space], n_neighbors=30, n_jobs=threads, random_state=0
        )
        self.index.prepare()

    def search(self, queries: Vectors, k: int, effort: int, threads: int = 1) -> Rows:
        found: Rows = self.index.query(queries, k=k, epsilon=effort / 100)[0]
        return found

    def add(self, vectors: Vectors) -> None:
        self.index.update(xs_fresh=vectors)
        self.index.prepare()

    def disk(self, folder: Path) -> int:
        path = folder / "pynndescent"
        path.write_bytes(pickle.dumps(self.index))
        return saved_bytes(path)
