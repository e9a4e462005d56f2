"""USearch: a small world in one file, which can be asked where it lies."""

from pathlib import Path

import numpy as np

from tests.bench.peers.index import Index, Rows, Vectors, filled, saved_bytes

SPACE = {"l2": "l2sq", "cosine": "cos"}


class Usearch(Index):
    package = "usearch"
    parameters = "connectivity 16, expansion_add 200"
    effort = "expansion_search"
    efforts = (10, 20, 40, 80, 160, 320, 640, 1280, 2560)
    at_least_k = True

    def build(self, threads: int) -> None:
        from usearch.index import Index as Graph

        self.index = Graph(
            ndim=self.vectors.shape[1],
            metric=SPACE[self.space],
            dtype="f32",
            connectivity=16,
            expansion_add=200,
        )
        self.index.add(np.arange(len(self.vectors)), self.vectors, threads=threads)

    def search(self, queries: Vectors, k: int, effort: int, threads: int = 1) -> Rows:
        self.index.expansion_search = effort
        found = self.index.search(queries, k, threads=threads)
        if len(queries) == 1:  # then the answer is no batch
            return filled([found.keys], k)
        return filled([own[:count] for own, count in zip(found.keys, found.counts, strict=True)], k)

    def add(self, vectors: Vectors) -> None:
        keys = np.arange(len(self.index), len(self.index) + len(vectors))
        self.index.add(keys, vectors, threads=1)

    def disk(self, folder: Path) -> int:
        path = folder / "usearch"
        self.index.save(str(path))
        return saved_bytes(path)
